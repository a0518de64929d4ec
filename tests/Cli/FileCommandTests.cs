using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Cli.Files;

namespace Qualiz.Cli.Tests;

public sealed class FileCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-files-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Rejected_rows_of_several_steps_are_one_table_with_their_reasons()
    {
        var read = WriteLines("read.jsonl", """{"_source":"upload:1@ab","_row":3,"ingested":{"raw":"3;\"Bob"},"reasons":[{"rule":"fieldCount","column":null,"message":"2 fields, not 3"}]}""");
        var clean = WriteLines(
            "clean.jsonl",
            """{"_source":"upload:1@ab","_row":1,"ingested":{"id":1,"name":null,"tags":["x"]},"reasons":[{"rule":"notNull","column":"name","message":"is empty"},{"rule":"range","column":"id","message":"too small"}]}""");
        var target = Path.Combine(_folder, "out.rejected.csv");

        RejectedDownload.Write([read, clean], target, "customers.csv").ShouldBe(2);

        File.ReadAllText(target).ShouldBe(
            "source,record,reasons,raw,id,name,tags\r\n" +
            "customers.csv,3,\"fieldCount: 2 fields, not 3\",\"3;\"\"Bob\",,,\r\n" +
            "customers.csv,1,notNull(name): is empty; range(id): too small,,1,,\"[\"\"x\"\"]\"\r\n");
    }

    [Fact]
    public void Without_rejected_rows_no_file_is_left_not_even_an_old_one()
    {
        var target = Path.Combine(_folder, "out.rejected.csv");
        File.WriteAllText(target, "old");

        RejectedDownload.Write([WriteLines("none.jsonl")], target, "customers.csv").ShouldBe(0);

        File.Exists(target).ShouldBeFalse();
    }

    [Theory]
    [InlineData("a/b.csv", "csv", "a/b.rejected.csv")]
    [InlineData("b.NDJSON", "jsonl", "b.rejected.csv")]
    [InlineData("b.clean.parquet", "parquet", "b.clean.rejected.csv")]
    public void The_name_says_how_to_write(string output, string format, string beside)
    {
        CleanCommand.FormatOf(output).ShouldBe(format);
        CleanCommand.RejectedBeside(output).ShouldBe(beside);
    }

    [Fact]
    public void A_name_that_says_nothing_is_refused() => Should.Throw<BadInputException>(() => CleanCommand.FormatOf("out.txt")).Message.ShouldContain(".parquet");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_pipeline_that_matches_files_can_be_read(bool two)
    {
        var file = Contracts.Files.PipelineFile.Parse(MatchCommand.Pipeline(new MatchOptions(["email", "first name,born"], 0.9, 0.5, KeysOnly: false), two), "match.yaml");

        file.Problems.ShouldBeEmpty();
        file.Steps.Count.ShouldBe(two ? 3 : 2);
        file.Steps[^1].With!.ToJson().GetRawText().ShouldBe("""{"keys":[{"columns":["email"]},{"columns":["first name","born"]}],"match":{"auto":true,"accept":0.9,"review":0.5}}""");
    }

    [Fact]
    public void Sources_are_named_by_their_files()
    {
        const string Id = "01a20583-f303-7d31-a36b-a7af15e1ea06";
        var table = WriteLines("pairs.csv", "left,right", $"upload:{Id}@21f3bbfcdca66cf7,upload:00000000-0000-0000-0000-000000000000", $"\"[\"\"upload:{Id}\"\"]\",x");

        MatchCommand.NameSources(table, new Dictionary<string, string> { [Id] = "crm, old.csv" });

        File.ReadAllLines(table).ShouldBe(["left,right", "crm_ old.csv,upload:00000000-0000-0000-0000-000000000000", "\"[\"\"crm_ old.csv\"\"]\",x"]);
    }

    [Fact]
    public void A_profile_says_what_is_estimated_and_what_several_columns_have_in_common()
    {
        var output = new StringWriter();
        var profile = JsonDocument.Parse("""
            {"rows": 2000000, "columns": [
              {"name": "id", "type": "int64", "nulls": 0, "distinct": 1993000, "distinctEstimated": true, "unique": true, "min": "1", "max": "2000000",
               "distributionEstimated": true, "quantiles": [{"share": 0.25, "value": "500,1"}, {"share": 0.5, "value": "1000"}, {"share": 0.75, "value": "1500"}]},
              {"name": "name\u001b", "type": "text", "nulls": 1000000, "distinct": 90000, "distinctEstimated": true, "top": [{"value": "Ann", "rows": 40000}]},
              {"name": "age", "type": "int64", "semantic": {"type": "category", "confidence": 0.8, "share": 1, "sensitivity": "personal"}, "nulls": 0, "distinct": 100, "min": "1", "max": "999", "outliers": {"from": "1", "to": "99", "rows": 3, "examples": ["999", "888"]}}],
             "keys": [["id"], ["name", "age"]], "missingTogether": [{"columns": ["name", "city"], "rows": 990000, "correlation": 0.98}],
             "dependencies": [{"left": ["id", "age"], "right": "name", "rows": 500, "violations": 0, "examples": []},
               {"left": ["name\u001b"], "right": "age", "rows": 1000000, "violations": 2000, "examples": [{"left": ["A,b"], "rows": 9, "right": [{"value": "7", "rows": 8}, {"value": "9", "rows": 1}]}]}]}
            """).RootElement;

        ProfileCommand.Print(new Terminal(output, TextWriter.Null, colour: false, interactive: false), "a.csv", profile, JsonDocument.Parse("{}").RootElement);

        output.ToString().ReplaceLineEndings("\n").ShouldBe("""
            a.csv: 2,000,000 rows, 3 columns

            id     int64, no empty cells, all different
                from 1 to 2000000
                middle ~1000, half between "500,1" and 1500

            name␣  text, 1,000,000 empty (50.0 %), ~90,000 different
                most Ann 2.0 %

            age    int64 (category, personal?), no empty cells, 100 different
                from 1 to 999
                far off 3 outside 1 to 99: 999, 888

            tells all rows apart: id, name + age
            name + city: mostly empty together, in 990,000 rows (49.5 %)

            id + age says name, always
            name␣ says age, but for 2,000 of 1,000,000 rows (0.2 %)
                "A,b": 7 ×8, 9 ×1

            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Merges_to_approve_are_rules_of_a_cleanse_step_whatever_the_values_are()
    {
        var clusters = JsonDocument.Parse("""
            [{"suggested": "Oslo: the \"city\"", "values": [{"value": "Oslo: the \"city\""}, {"value": "oslo - the city"}, {"value": "#\tOslo"}]}, {"suggested": "Voss", "values": [{"value": "Voss"}, {"value": "VOSS"}]}]
            """).RootElement.EnumerateArray().ToList();
        ClusterCommand.Rules("the city", clusters).ShouldBe("""
            # Made by ./qualiz cluster: take out what is wrong.
            rules:
              - rule: replace
                columns: ["the city"]
                map:
                  "oslo - the city": "Oslo: the \"city\""
                  "#\tOslo": "Oslo: the \"city\""
                  "VOSS": "Voss"

            """.ReplaceLineEndings("\n"));
        ClusterCommand.Rules("city", []).ShouldEndWith("rules: []\n");
    }

    [Fact]
    public void Suggestions_are_a_recipe_with_the_sure_ones_in_it_and_the_others_as_comments()
    {
        var found = JsonDocument.Parse("""
            {"rows": 4000000, "looked": 1000, "items": [
              {"kind": "spelling", "columns": ["the \"city\": #1"], "message": "\"the city\" has values that are probably others misspelt", "confidence": 0.957, "support": 900, "affected": 21,
               "rule": {"rule": "replace", "columns": ["the \"city\": #1"], "map": {"Olso: ": "Oslo", "#\tVsos": "Voss"}}, "check": null, "samples": [{"before": "Olso: ", "after": "Oslo", "rows": 20, "because": "Oslo is more frequent"}]},
              {"kind": "missing", "columns": ["b"], "message": "\"b\" has words for no value", "confidence": 0.8, "support": 900, "affected": 1, "rule": {"rule": "nulls", "columns": ["b"], "values": ["?"]}, "check": null,
               "samples": [{"before": "?", "after": null, "rows": 1, "because": null}]},
              {"kind": "form", "columns": ["b"], "message": "\"b\" holds e-mail addresses", "confidence": 0.8, "support": 900, "affected": 3, "rule": null, "check": {"check": "email", "columns": ["b"]}, "samples": [{"before": "x", "after": null, "rows": 3, "because": null}]}]}
            """).RootElement;
        var items = found.List("items").ToList();

        var recipe = SuggestCommand.Recipe(items);

        recipe.ShouldBe("""
            # Made by ./qualiz profile --suggest: look through it, take out what is wrong and the "#" before what is right.
            rules:
              # 0.96, rows: 21; "the city" has values that are probably others misspelt
              - {"rule":"replace","columns":["the \"city\": #1"],"map":{"Olso: ":"Oslo","#\tVsos":"Voss"}}
              # 0.80, rows: 1; "b" has words for no value
              # - {"rule":"nulls","columns":["b"],"values":["?"]}
            checks: []
              # 0.80, rows: 3; "b" holds e-mail addresses
              # - {"check":"email","columns":["b"]}

            """.ReplaceLineEndings("\n"));
        var pipeline = Contracts.Files.PipelineFile.Parse($"qualiz: 1\npipeline: x\nsteps:\n  a: {{uses: ingest, with: {{from: {{upload: x}}}}}}\n  b:\n    uses: cleanse\n    inputs: [a]\n    with:\n{string.Concat(recipe.Split('\n').Select(line => $"      {line}\n"))}", "x.yaml");
        pipeline.Problems.ShouldBeEmpty();
        pipeline.Steps[1].With!.ToJson().GetRawText().ShouldBe("""{"rules":[{"rule":"replace","columns":["the \u0022city\u0022: #1"],"map":{"Olso: ":"Oslo","#\tVsos":"Voss"}}],"checks":[]}""");

        var output = new StringWriter();
        SuggestCommand.Print(new Terminal(output, TextWriter.Null, colour: false, interactive: false), "a.csv", found, items);
        output.ToString().ReplaceLineEndings("\n").ShouldBe("""
            a.csv: 3 suggestions
              ! 1,000 of 4,000,000 rows were looked at
            0.96  rule  "the city" has values that are probably others misspelt: 21 rows change
                        "Olso: " -> "Oslo" ×20, Oslo is more frequent
            0.80  rule  "b" has words for no value: 1 row changes
                        "?" -> nothing ×1
            0.80  check "b" holds e-mail addresses: 3 rows fail
                        "x" ×3

            """.ReplaceLineEndings("\n"));
        SuggestCommand.Recipe([]).ShouldStartWith("#");
    }

    [Theory]
    [InlineData("profile")]
    [InlineData("clean")]
    [InlineData("cluster")]
    [InlineData("match")]
    [InlineData("suggest")]
    public async Task What_a_command_leaves_is_nobodys_work_and_soon_gone(string command)
    {
        var file = WriteLines("a.csv", "id,name", "1,Ann");
        using var instance = new InstanceStub(request => request.StartsWith("PUT pipelines/", StringComparison.Ordinal) ? (409, """{"title": "No more is needed."}""") : (200, "{}"));

        await instance.RunAsync(Words(command, file));

        var saved = instance.Requests.Where(asked => asked.Request.StartsWith("PUT pipelines/", StringComparison.Ordinal)).ShouldHaveSingleItem();
        var parsed = Contracts.Files.PipelineFile.Parse(saved.Body, "a.yaml");
        parsed.Problems.ShouldBeEmpty();
        FileRun.Pipelines.ShouldContain(parsed.Model!.Pipeline);
        (parsed.Model.Keep!.Quarantine, parsed.Model.Keep.Intermediate!.Value.Value, parsed.Model.Keep.Runs!.Value.Value).ShouldBe((false, TimeSpan.FromDays(1), TimeSpan.FromDays(7)));
    }

    [Theory]
    [InlineData("profile")]
    [InlineData("clean")]
    [InlineData("cluster")]
    [InlineData("match")]
    [InlineData("suggest")]
    public async Task A_command_runs_the_version_that_it_saved_whatever_others_save_meanwhile(string command)
    {
        var file = WriteLines("a.csv", "id,name", "1,Ann");
        using var instance = new InstanceStub(request => request switch
        {
            _ when request.StartsWith("PUT pipelines/", StringComparison.Ordinal) => (200, """{"version": 7}"""),
            _ when request.StartsWith("POST uploads", StringComparison.Ordinal) => (201, """{"id": "01a20583-f303-7d31-a36b-a7af15e1ea06"}"""),
            "POST runs" => (409, """{"title": "No run is needed to see what was asked for."}"""),
            _ => (200, "{}"),
        });

        await instance.RunAsync(Words(command, file));

        var start = instance.Requests.Where(asked => asked.Request == "POST runs").ShouldHaveSingleItem().Body;
        JsonNode.Parse(start)!["version"].ShouldNotBeNull().GetValue<int>().ShouldBe(7);
    }

    [Theory]
    [InlineData("profile missing.csv", "missing.csv: no such file")]
    [InlineData("clean missing.csv -o b.csv", "missing.csv: no such file")]
    [InlineData("clean {a} -o b.txt", "name it .csv, .jsonl or .parquet")]
    [InlineData("clean {a} -o b.csv --rules missing.yaml", "missing.yaml: no such file")]
    [InlineData("profile {empty}", "empty.csv is empty")]
    [InlineData("clean {empty} -o b.csv", "empty.csv is empty")]
    [InlineData("match {a} {empty} -o m", "empty.csv is empty")]
    [InlineData("cluster missing.csv name", "missing.csv: no such file")]
    [InlineData("cluster {a} name --by magic", "magic")]
    [InlineData("match {a} missing.csv -o m", "missing.csv: no such file")]
    [InlineData("match {a} -o m --exact", "--exact needs at least one --key")]
    [InlineData("match {a} -o m --accept 95", "from 0 to 1")]
    [InlineData("run missing.yaml", "missing.yaml: no such file")]
    [InlineData("run {a} --set day", "expected NAME=VALUE")]
    [InlineData("run {a} --day tomorrow", "expected a date like")]
    public async Task What_is_wrong_with_the_words_is_said_before_any_instance_is_asked(string line, string message)
    {
        var file = WriteLines("a.csv", "id,name");
        var empty = WriteLines("empty.csv");
        using var instance = new InstanceStub(_ => (500, "{}"));

        var (code, _, error) = await instance.RunAsync([.. line.Split(' ').Select(word => word switch { "{a}" => file, "{empty}" => empty, _ => word })]);

        code.ShouldBe(ExitCode.BadInput);
        error.ShouldContain(message);
        instance.Requests.ShouldBeEmpty();
    }

    private string[] Words(string command, string file) => command switch
    {
        "profile" => ["profile", file],
        "clean" => ["clean", file, "-o", Path.Combine(_folder, "b.csv")],
        "cluster" => ["cluster", file, "name"],
        "suggest" => ["profile", file, "--suggest"],
        _ => ["match", file, "-o", Path.Combine(_folder, "matched")],
    };

    private string WriteLines(string name, params string[] lines)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllLines(path, lines);
        return path;
    }
}
