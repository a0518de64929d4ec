using System.Net.Http.Json;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.TestKit;

namespace Qualiz.Datasets.Tests;

/// <summary>A recipe on open items before it is saved. The items are what a recipe really rejected.</summary>
public sealed class QuarantineTrialTests(DatasetsHost host) : IClassFixture<DatasetsHost>
{
    private const string Strict =
        """{"rules": [{"rule": "date", "columns": ["born"], "formats": ["yyyy-MM-dd"], "else": "reject"}], "checks": [{"check": "email", "columns": ["email"]}, {"check": "range", "columns": ["amount"], "max": 100}]}""";

    private const string Mended =
        """
        {"rules": [{"rule": "trim", "columns": ["email"]}, {"rule": "date", "columns": ["born"], "formats": ["yyyy-MM-dd", "dd.MM.yyyy"], "else": "reject"}, {"rule": "filter", "where": "big < 9007199254740993"}],
         "checks": [{"check": "email", "columns": ["email"]}, {"check": "range", "columns": ["amount"], "max": 12345678901234567.89}, {"check": "row", "where": "moment >= timestamp '2026-01-02 03:04:05.123456'"}]}
        """;

    private static readonly DatasetSchema Schema = new()
    {
        Columns =
        [
            DatasetsHost.Column("email", "text"), DatasetsHost.Column("born", "text"), DatasetsHost.Column("amount", "decimal(20,2)"), DatasetsHost.Column("big", "int64"), DatasetsHost.Column("ratio", "double"),
            DatasetsHost.Column("moment", "timestamp"), DatasetsHost.Column("seen", "timestamptz"), DatasetsHost.Column("ok", "bool"), DatasetsHost.Column("day", "date"), DatasetsHost.Column("tags", "list(text)"),
            DatasetsHost.Column("a/b~c", "struct(x int64, y text)"), .. HiddenColumns.Columns,
        ],
    };

    /// <summary>Every third is wrong in one way, every fifth in another; ends of ranges, empty cells and odd names among them.</summary>
    private const string Source =
        """
        SELECT CASE WHEN i % 3 = 0 THEN ' kim' || i || '@example.org ' WHEN i % 7 = 0 THEN 'nobody' ELSE 'a' || i || '@example.org' END AS email,
          CASE WHEN i % 5 = 0 THEN '03.12.1980' WHEN i % 11 = 0 THEN 'soon' ELSE '1980-12-03' END AS born,
          CAST(CASE WHEN i % 4 = 0 THEN 12345678901234567.89 WHEN i % 13 = 0 THEN 12345678901234567.90 ELSE 5 END AS DECIMAL(20,2)) AS amount,
          CAST(CASE WHEN i % 9 = 0 THEN 9007199254740993 ELSE 9007199254740992 END AS BIGINT) AS big,
          CASE WHEN i % 6 = 0 THEN 'NaN'::DOUBLE WHEN i % 8 = 0 THEN 'Infinity'::DOUBLE ELSE 0.1 END AS ratio,
          CASE WHEN i % 10 = 0 THEN TIMESTAMP '2026-01-02 03:04:05.123455' ELSE TIMESTAMP '2026-01-02 03:04:05.123456' END AS moment,
          TIMESTAMPTZ '2026-01-02 03:04:05+02' AS seen, i % 2 = 0 AS ok, CASE WHEN i % 2 = 0 THEN DATE '2026-02-28' END AS day,
          ['x', 'y,"z"', NULL] AS tags, struct_pack(x := i, y := 'ü') AS "a/b~c", 's@1' AS _source, CAST(i AS BIGINT) AS _row, 'k' || i AS _key
        FROM range(1, 301) t(i)
        """;

    [Fact]
    public async Task What_is_tried_is_what_the_step_would_do_with_the_rows_again()
    {
        var project = host.NewProject();
        var (run, rejected) = await RejectAsync(project);
        var before = await ItemsAsync(project);

        var tried = await TryAsync(project, "?pipeline=people&step=clean", Mended, samples: 100);

        using var bench = new Bench(host);
        var again = await bench.RunAsync(await SourceAsync($"SELECT * FROM ({Source}) WHERE _row IN ({string.Join(", ", rejected)})"), Mended);
        again.Out.Count.ShouldBeGreaterThan(20);
        again.Rejected.Count.ShouldBeGreaterThan(5);
        again.Result.Filtered.ShouldBeGreaterThan(5);
        Counts(tried).ShouldBe((rejected.Count, rejected.Count, again.Out.Count, again.Rejected.Count, again.Result.Filtered, 0));
        // Each item's fate, and the values that it would have.
        var rows = before.ToDictionary(item => item.GetProperty("id").GetInt64(), item => item.GetProperty("row").GetInt64());
        Sample(tried, "passesSample").ShouldBe(again.Out.Take(100).Select(row => (row.Row, row.Json)));
        Sample(tried, "rejectedSample").ShouldBe(again.Rejected.Take(100).Select(row => (row.Row, row.Json)));
        tried.GetProperty("filteredSample").EnumerateArray().ShouldAllBe(item => item.GetProperty("after").GetArrayLength() == 0 && item.GetProperty("before").GetProperty("big").GetString() == "9007199254740993");
        tried.GetProperty("reasons").EnumerateArray().Sum(reason => reason.GetProperty("items").GetInt64()).ShouldBe(again.Result.Inputs.Sum(input => input.Rejections.Values.Sum()));

        // Nothing has changed by it.
        (await ItemsAsync(project)).Select(item => item.GetRawText()).ShouldBe(before.Select(item => item.GetRawText()));
        host.Fakes.Events.OfType<QuarantineChanged>().ShouldNotContain(happened => happened.ProjectId == host.Fakes.Projects[project]);
        host.Fakes.Events.OfType<RowsQuarantined>().Count(happened => happened.SourceRunId == run).ShouldBe(1);

        IEnumerable<(long, string)> Sample(JsonElement tried, string name) =>
            tried.GetProperty(name).EnumerateArray().Select(item => (rows[item.GetProperty("item").GetInt64()], item.GetProperty("after")[0].GetProperty("values").GetRawText()));
    }

    [Fact]
    public async Task The_filter_chooses_the_items_and_those_that_somebody_has_dealt_with_are_none()
    {
        var project = host.NewProject();
        await RejectAsync(project);
        var dates = (await ItemsAsync(project, "&rule=date")).Count;
        (await host.Client.PostAsJsonAsync(new Uri(DatasetsHost.Url(project, "quarantine/bulk?rule=email"), UriKind.Relative), new { action = "dismiss" })).EnsureSuccessStatusCode();
        var left = (await ItemsAsync(project, "&rule=date&state=open")).Count;
        left.ShouldBeInRange(1, dates - 1);
        var tried = await TryAsync(project, "?rule=date", """{"checks": [{"check": "notNull", "columns": ["email"]}]}""", samples: 1);
        Counts(tried).ShouldBe((left, left, left, 0L, 0L, 0L));
        tried.GetProperty("passesSample").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Of_more_items_than_are_looked_at_the_oldest_are_and_it_is_said()
    {
        var project = host.NewProject();
        var (_, rejected) = await RejectAsync(project, rows: 12_000);
        rejected.Count.ShouldBeGreaterThan(5000);
        var tried = await TryAsync(project, "", """{"checks": [{"check": "notNull", "columns": ["email"]}]}""", samples: 0);
        Counts(tried).ShouldBe((rejected.Count, 5000L, 5000L, 0L, 0L, 0L));
    }

    [Fact]
    public async Task Rows_that_a_rule_makes_of_an_item_pass_only_together()
    {
        var project = host.NewProject();
        var (_, rejected) = await RejectAsync(project);
        var tried = await TryAsync(project, "?step=clean", """{"rules": [{"rule": "explode", "column": "tags"}], "checks": [{"check": "notNull", "columns": ["tags"]}]}""", samples: 2);
        Counts(tried).ShouldBe((rejected.Count, rejected.Count, 0L, rejected.Count, 0L, 0L));
        tried = await TryAsync(project, "?step=clean", """{"rules": [{"rule": "explode", "column": "tags"}], "checks": [{"check": "notNull", "columns": ["email"]}]}""", samples: 2);
        Counts(tried).ShouldBe((rejected.Count, rejected.Count, rejected.Count, 0L, 0L, 0L));
        tried.GetProperty("passesSample")[0].GetProperty("after").GetArrayLength().ShouldBe(3);
    }

    [Fact]
    public async Task What_looks_at_all_rows_is_left_out_and_named()
    {
        var project = host.NewProject();
        var (_, rejected) = await RejectAsync(project);
        var tried = await TryAsync(project, "?step=clean",
            """
            {"rules": [{"rule": "fill", "columns": ["email"], "above": true}, {"rule": "mask", "columns": ["email"], "by": "redact"}],
             "checks": [{"check": "unique", "columns": ["ok"]}, {"check": "rowCount", "min": 100000}, {"check": "notNull", "columns": ["ratio"], "mostly": "99%"}]}
            """);
        tried.GetProperty("notJudged").EnumerateArray().Select(part => part.GetProperty("path").GetString()).ShouldBe(["rules[0]", "checks[0]", "checks[1]", "checks[2].mostly", "rules[1]"]);
        tried.GetProperty("fails").GetArrayLength().ShouldBe(0);
        tried.GetProperty("passes").GetInt64().ShouldBe(rejected.Count);
    }

    [Theory]
    [InlineData("""{"rules": [{"rule": "tirm", "columns": ["email"]}]}""", "rules[0].rule")]
    [InlineData("""{"rules": [{"rule": "trim", "columns": "*"}, {"rule": "trim", "columns": ["emial"]}]}""", "rules[1].columns[0]")]
    [InlineData("""{"checks": [{"check": "row", "where": "email >"}]}""", "checks[0].where")]
    [InlineData("""{"checks": [{"check": "reference", "columns": ["email"], "in": "dataset:nobody.email"}]}""", "checks[0].in")]
    [InlineData("""{"rules": [{"rule": "mask", "columns": ["email"], "by": "hash", "key": "k"}]}""", "rules[0].key")]
    [InlineData("""{"checks": [{"check": "range", "columns": ["amount"], "max": "${params.most}"}]}""", "checks[0].max")]
    [InlineData("{}", "rules")]
    public async Task A_recipe_that_is_wrong_is_told_its_place(string recipe, string path)
    {
        var project = host.NewProject();
        await RejectAsync(project);
        var (status, problem) = await RefusedAsync(project, "?pipeline=people&step=clean", recipe);
        status.ShouldBe(422, problem.GetRawText());
        problem.GetProperty("errors")[0].GetProperty("path").GetString().ShouldBe(path);
    }

    [Fact]
    public async Task What_cannot_be_tried_says_why()
    {
        var project = host.NewProject();
        (await RefusedAsync(project, "", Mended)).Status.ShouldBe(404);
        var (run, _) = await RejectAsync(project);
        (await RefusedAsync(project, "?pipeline=peple", Mended)).Status.ShouldBe(404);
        (await RefusedAsync(project, "?pipeline=people&step=celan", Mended)).Status.ShouldBe(404);
        (await RefusedAsync(project, "?state=repaired", Mended)).Status.ShouldBe(400);

        // A value that is none of its column's type by now is counted apart from those that would be rejected.
        host.Fakes.Inputs[(run, "clean")] = new StepInputsFound
        {
            Inputs = [new StepInputColumns("read", new DatasetSchema { Columns = [.. Schema.Columns.Select(column => column.Name == "born" ? column with { Type = "date" } : column)] }, null)],
        };
        var tried = await TryAsync(project, "", """{"checks": [{"check": "notNull", "columns": ["email"]}]}""");
        tried.GetProperty("unfit").GetInt64().ShouldBe((await ItemsAsync(project)).Count(item => item.GetProperty("values").GetProperty("born").GetString() != "1980-12-03"));
        (tried.GetProperty("unfit").GetInt64() + tried.GetProperty("passes").GetInt64()).ShouldBe(tried.GetProperty("looked").GetInt64());

        host.Fakes.Inputs.TryRemove((run, "clean"), out _);
        var (status, problem) = await RefusedAsync(project, "", Mended);
        status.ShouldBe(409);
        problem.GetProperty("detail").GetString()!.ShouldContain("not known any more");
    }

    [Fact]
    public async Task Sensitive_values_stay_hidden_under_whatever_name_and_unmasking_is_on_record()
    {
        var project = host.NewProject();
        await RejectAsync(project, sensitive: "email");
        const string recipe =
            """{"rules": [{"rule": "derive", "column": "copy", "expression": "email"}, {"rule": "drop", "columns": ["born"]}, {"rule": "rename", "columns": {"email": "born"}}], "checks": [{"check": "email", "columns": ["born"]}]}""";
        var tried = (await TryAsync(project, "?step=clean", recipe, samples: 100)).GetRawText();
        tried.ShouldContain("•••");
        tried.ShouldNotContain("example.org");
        tried.ShouldNotContain("nobody");
        host.Fakes.Events.OfType<RowsUnmasked>().ShouldNotContain(happened => happened.ProjectId == host.Fakes.Projects[project]);
        (await TryAsync(project, "?step=clean&unmask=true", recipe, samples: 100)).GetRawText().ShouldContain("nobody");
        await TestHost.UntilAsync(() => host.Fakes.Events.OfType<RowsUnmasked>().Any(happened => happened.ProjectId == host.Fakes.Projects[project] && happened.Columns.Contains("email")) ? null : "an unmasking on record");
    }

    private static (long, long, long, long, long, long) Counts(JsonElement tried)
    {
        long Of(string name) => tried.GetProperty(name).GetInt64();
        return (Of("open"), Of("looked"), Of("passes"), Of("rejected"), Of("filtered"), Of("unfit"));
    }

    private async Task<LocalDataset> SourceAsync(string query)
    {
        var key = $"source/{Guid.NewGuid():N}.parquet";
        var file = await host.WriteFileAsync(key, query);
        return new LocalDataset(DatasetRef.Of(Schema, file), [Path.Combine(host.StoreRoot, key)]);
    }

    /// <summary>A run whose recipe rejected some of the rows has ended, and the quarantine has them.</summary>
    private async Task<(Guid Run, IReadOnlyList<long> Rows)> RejectAsync(string project, string? sensitive = null, int rows = 300)
    {
        var run = Guid.CreateVersion7();
        using var bench = new Bench(host);
        var (_, rejected, _) = await bench.RunAsync(await SourceAsync(Source.Replace("301", $"{rows + 1}", StringComparison.Ordinal)), Strict);
        var file = new DataFile { Key = $"{project}/{run}/clean/1/rejected-0001.parquet", Rows = rejected.Count, Bytes = new FileInfo(bench.Rejected).Length, Sha256 = new string('0', 64) };
        await host.Store.PutFileAsync(file.Key, bench.Rejected, default);
        var columns = Schema.Columns.Select(column => column with { Sensitivity = column.Name == sensitive ? "personal" : null }).ToList();
        var pipeline = Guid.NewGuid();
        host.Fakes.Inputs[(run, "clean")] = new StepInputsFound { Inputs = [new StepInputColumns("read", new DatasetSchema { Columns = columns }, null)] };
        host.Fakes.Runs[run] = new RunOutputsFound
        {
            ProjectId = host.Fakes.Projects[project],
            PipelineId = pipeline,
            Pipeline = "people",
            PipelineVersion = 1,
            Finished = true,
            Steps = [new RunStepOutputs("clean", "cleanse", new Dictionary<string, DatasetRef> { [RejectedRows.Port] = DatasetRef.Of(RejectedRows.Schema(columns), file) })],
        };
        await host.Sender.PublishAsync(host.Completed(project, run), default);
        await TestHost.UntilAsync(() => host.Fakes.Events.OfType<RowsQuarantined>().Any(happened => happened.SourceRunId == run) ? null : "the rows in the quarantine");
        return (run, [.. rejected.Select(row => row.Row)]);
    }

    private async Task<List<JsonElement>> ItemsAsync(string project, string query = "") =>
        [.. (await host.GetAsync(project, $"quarantine?limit=500{query}")).GetProperty("items").EnumerateArray()];

    private Task<HttpResponseMessage> PostAsync(string project, string query, string recipe, int samples)
    {
        var body = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(recipe)!;
        body["samples"] = JsonSerializer.SerializeToElement(samples);
        return host.Client.PostAsJsonAsync(new Uri(DatasetsHost.Url(project, $"quarantine/try{query}"), UriKind.Relative), body);
    }

    private async Task<JsonElement> TryAsync(string project, string query, string recipe, int samples = 10)
    {
        using var response = await PostAsync(project, query, recipe, samples);
        var body = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(200, body);
        return JsonDocument.Parse(body).RootElement;
    }

    private async Task<(int Status, JsonElement Problem)> RefusedAsync(string project, string query, string recipe)
    {
        using var response = await PostAsync(project, query, recipe, 10);
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    /// <summary>The engine as a cleanse step runs it.</summary>
    private sealed class Bench(DatasetsHost host) : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-test-trial-").FullName;

        public string Rejected => Path.Combine(_folder, "rejected.parquet");

        public async Task<(IReadOnlyList<(long Row, string Json)> Out, IReadOnlyList<(long Row, string Json)> Rejected, RecipeResult Result)> RunAsync(LocalDataset rows, string recipe)
        {
            var tried = ConfigJson.Bind<Quarantine.TriedRecipe>(JsonDocument.Parse(recipe).RootElement);
            using var session = EngineSession.Open(new EngineOptions { MemoryBytes = 256 << 20, Threads = 2, Scratch = _folder, Directories = [host.StoreRoot] });
            var compiled = RecipeCompiler.Compile(session, new Recipe(tried.Rules, tried.Checks), [new RecipeInput("read", rows)]);
            var files = new RecipeFiles(Path.Combine(_folder, "out.parquet"), Rejected);
            var result = await RecipeRun.ExecuteAsync(session, compiled, files, default);
            var visible = compiled.Schema.Columns.Where(column => !column.Hidden).Select(column => (column.Name, DatasetFiles.TypeOf(column), Sql.Identifier(column.Name)));
            IReadOnlyList<(long, string)> Read(string json, string path) =>
                session.Query($"SELECT _row, {json} FROM read_parquet('{path}') ORDER BY _row", row => (row.GetInt64(0), row.GetString(1)));
            return (Read(Engine.Rows.RowJson.Object(visible), files.Out), Read("CAST(rejected AS VARCHAR)", Rejected), result);
        }

        public void Dispose() => Directory.Delete(_folder, recursive: true);
    }
}
