using Qualiz.Contracts.Files;

namespace Qualiz.Contracts.Tests.Files;

public sealed class PipelineFileTests
{
    public static readonly string Golden = Resource("customers-golden.yaml");

    [Fact]
    public void The_normative_example_is_understood_whole()
    {
        var file = PipelineFile.Parse(Golden, "customers.yaml");
        file.Problems.ShouldBeEmpty();
        var model = file.Model!;
        model.Pipeline.ShouldBe("customers-golden");
        model.Params["countries"].Default!.Value.GetRawText().ShouldBe("""["US","GB","NO"]""");
        model.Limits!.Timeout!.Value.ToTimeSpan().ShouldBe(TimeSpan.FromMinutes(45));
        model.Retry!.On.ShouldBe(RetryOnModel.Transient);
        model.Keep!.Runs!.Value.ToTimeSpan().ShouldBe(TimeSpan.FromDays(90));
        model.Notify[0].When.Values.ShouldBe([NotifyOn.Failed, NotifyOn.Recovered, NotifyOn.Late]);
        model.Notify[1].When.Values.ShouldBe([NotifyOn.Attention]);
        model.Notify[1].Digest.ShouldBe(Digest.Daily);
        model.Steps.Keys.ShouldBe(["crm", "shop", "clean", "people", "enriched", "warehouse"]);
        model.Steps["shop"].ForEach!.Parallel.ShouldBe(2);
        model.Steps["clean"].Inputs.ShouldBe(["crm", "shop"]);
        model.Steps["enriched"].Publish.ShouldBe("customers");
        file.Steps[4].Inputs[0].Port.ShouldBe("entities");
    }

    [Fact]
    public void A_misspelt_rule_is_found_where_it_stands()
    {
        var file = PipelineFile.Parse(Golden, "customers.yaml");
        var at = file.Locate("steps.clean.with.rules[2].rule")!.Value;
        (at.Line, at.Column).ShouldBe((35, 18));
        Golden[at.Offset..(at.Offset + 4)].ShouldBe("date");
    }

    [Fact]
    public void Json_is_accepted_too()
    {
        const string json = "{\n\t\"qualiz\": 1, \"pipeline\": \"p\",\n\"steps\": {\"a\": {\"uses\": \"noop\", \"with\": {\"smile\": \"\\ud83d\\ude00 é\", \"n\": 1.0}},\n"
            + "  \"é\": {}, \"b\": {\"uses\": \"noop\", \"inputs\": [\"aa\"]}}}";
        var file = PipelineFile.Parse(json, "p.json");
        file.Problems.Select(problem => problem.ToString()).ShouldBe([
            "p.json:4:3 steps.é: \"é\" is no name of a step: a letter, then letters, digits, _ and -",
            "p.json:4:8 steps.é: \"uses\" is missing; for example uses: \"ingest\"",
            "p.json:4:45 steps.b.inputs[0]: there is no step \"aa\"",
        ]);
        ((ObjectNode)file.Steps[0].With!).Find("smile")!.Value.ToJson().GetString().ShouldBe("😀 é");
    }

    [Fact]
    public void Every_node_stands_where_it_says()
    {
        var file = PipelineFile.Parse(Golden, "customers.yaml");
        var seen = 0;
        Visit(file.Root!);
        seen.ShouldBeGreaterThan(150);

        void Visit(DocumentNode node)
        {
            seen++;
            var range = node.Range!.Value;
            range.End.Offset.ShouldBeGreaterThanOrEqualTo(range.Start.Offset);
            PositionOf(range.Start.Offset).ShouldBe((range.Start.Line, range.Start.Column));
            switch (node)
            {
                case ScalarNode scalar:
                    Golden[range.Start.Offset..range.End.Offset].Trim('"').ShouldBe(scalar.Source);
                    break;
                case ListNode list:
                    list.Items.ToList().ForEach(Visit);
                    break;
                case ObjectNode map:
                    foreach (var property in map.Properties)
                    {
                        Golden[property.NameRange!.Value.Start.Offset..property.NameRange.Value.End.Offset].ShouldBe(property.Name);
                        Visit(property.Value);
                    }

                    break;
            }
        }

        static (int, int) PositionOf(int offset) => (Golden[..offset].Count(letter => letter == '\n') + 1, offset - Golden.LastIndexOf('\n', Math.Max(0, offset - 1)));
    }

    [Theory]
    [InlineData("uses: noop", "useS: noop", "6:7 steps.a.useS: \"useS\" is not known here; did you mean \"uses\"?")]
    [InlineData("retry: {times: 3}", "retry: {tines: 3}", "3:9 retry.tines: \"tines\" is not known here; did you mean \"times\"?")]
    [InlineData("retry: {times: 3}", "retry: {times: three}", "3:16 retry.times: should be a whole number, is text")]
    [InlineData("retry: {times: 3}", "retry: {wait: 10}", "3:15 retry.wait: should be a duration such as 10s, 45m or 7d, is the number 10")]
    [InlineData("retry: {times: 3}", "retry: {on: transent}", "3:13 retry.on: \"transent\" is no on; did you mean \"transient\"?")]
    [InlineData("inputs: [a]", "inputs: a", "9:13 steps.b.inputs: should be a list, is text; write [a]")]
    [InlineData("inputs: [a]", "inputs: [c]", "9:14 steps.b.inputs[0]: there is no step \"c\"")]
    [InlineData("inputs: [a]", "inputs: [a, a]", "9:17 steps.b.inputs[1]: \"a\" stands here twice")]
    [InlineData("inputs: [a]", "inputs: [\"dataset:Bad Name\"]", "9:14 steps.b.inputs[0]: \"Bad Name\" is no name of a dataset: a small letter, then small letters, digits, _ and -")]
    [InlineData("inputs: [a]", "inputs: [\"dataset:x@latest\"]", "9:14 steps.b.inputs[0]: \"latest\" is no version: write @12, @2026-11-20 or @run:<id>")]
    [InlineData("inputs: [a]", "inputs: [\"dataset:other/x\"]", "9:14 steps.b.inputs[0]: datasets of other projects are not supported yet by this version")]
    [InlineData("inputs: [a]", "inputs: [b]", "9:14 steps.b.inputs[0]: the steps wait for each other: b -> b")]
    [InlineData("uses: noop", "uses: noop, needs: [b]", "9:14 steps.b.inputs[0]: the steps wait for each other: a -> b -> a")]
    [InlineData("when: \"a.rows > 0\"", "when: \"a.rowz > 0\"", "10:14 steps.b.when: \"rowz\" is no part of a; did you mean \"rows\"?")]
    [InlineData("when: \"a.rows > 0\"", "when: \"a.rows >\"", "10:20 steps.b.when: the condition ends too early")]
    [InlineData("when: \"a.rows > 0\"", "when: \"b.rows > 0\"", "10:12 steps.b.when: a step cannot read its own result")]
    [InlineData("when: \"a.rows > 0\"", "when: \"params.dat == 'x'\"", "10:19 steps.b.when: \"dat\" is no parameter; did you mean \"day\"?")]
    [InlineData("when: \"a.rows > 0\"", "when: \"day == 'x'\"", "10:12 steps.b.when: there is no \"day\" here; did you mean \"params.day\"?")]
    [InlineData("when: \"a.rows > 0\"", "when: true", "10:11 steps.b.when: should be text, is true; write it in quotes: \"true\"")]
    [InlineData("{type: date, default: 2026-11-21}", "{type: date, default: 21.11.2026}", "4:37 params.day.default: should be a date such as 2026-11-21")]
    [InlineData("{type: date, default: 2026-11-21}", "{type: dat}", "4:22 params.day.type: \"dat\" is no type; did you mean \"date\"?")]
    [InlineData("{type: date, default: 2026-11-21}", "{type: date, default: \"${params.x}\"}", "4:40 params.day.default: a default can read only the run: ${run.day}, ${run.interval.start}, ...")]
    [InlineData("{type: date, default: 2026-11-21}", "{type: date, default: \"${run.dya}\"}", "4:44 params.day.default: \"dya\" is no part of run; did you mean \"day\"?")]
    [InlineData("qualiz: 1", "qualiz: 2", "1:9 qualiz: should be at most 1, is 2")]
    [InlineData("pipeline: p", "pipeline: My Pipeline", "2:11 pipeline: \"My Pipeline\" does not fit ^[a-z][a-z0-9_-]{0,62}$; for example \"customers-golden\"")]
    [InlineData("pipeline: p", "pipeline: 7", "2:11 pipeline: should be text, is the number 7; write it in quotes: \"7\"")]
    public void A_mistake_is_named_with_its_place_and_what_would_be_right(string right, string wrong, string problem)
    {
        const string file = """
            qualiz: 1
            pipeline: p
            retry: {times: 3}
            params: {day: {type: date, default: 2026-11-21}}
            steps:
              a: {uses: noop}
              b:
                uses: other
                inputs: [a]
                when: "a.rows > 0"
            """;
        var at = file.IndexOf(right, StringComparison.Ordinal);
        var text = file[..at] + wrong + file[(at + right.Length)..];
        if (right.StartsWith("inputs", StringComparison.Ordinal))
        {
            // The condition reads a, which is no longer an input.
            text = text[..text.IndexOf("    when", StringComparison.Ordinal)];
        }

        PipelineFile.Parse(text, "p.yaml").Problems
            .Select(found => found.ToString()).ShouldBe(["p.yaml:" + problem]);
    }

    [Fact]
    public void All_problems_are_reported_in_the_order_of_the_file()
    {
        var problems = PipelineFile.Parse("""
            pipeline: p
            qualiz: 1
            onwer: me
            steps:
              params: {uses: noop}
              a: {uses: noop, inputs: [b]}
              b: {uses: noop, inputs: [a, cc], publish: x, when: "nothing"}
              ccc: {use: noop, publish: x, needs: [zebra]}
            """, "p.yaml").Problems;
        problems.Select(problem => problem.ToString()).ShouldBe([
            "p.yaml:2:1 qualiz: \"qualiz: 1\" comes first in the file",
            "p.yaml:3:1 onwer: \"onwer\" is not known here; did you mean \"owner\"?",
            "p.yaml:5:3 steps.params: \"params\" means something else in conditions; name the step otherwise",
            "p.yaml:7:28 steps.b.inputs[0]: the steps wait for each other: a -> b -> a",
            "p.yaml:7:31 steps.b.inputs[1]: there is no step \"cc\"; did you mean \"ccc\"?",
            "p.yaml:7:55 steps.b.when: there is no \"nothing\" here: params, run, event and the steps before this one can be read",
            "p.yaml:8:9 steps.ccc.use: \"use\" is not known here; did you mean \"uses\"?",
            "p.yaml:8:29 steps.ccc.publish: \"x\" is published by b already",
            "p.yaml:8:40 steps.ccc.needs[0]: there is no step \"zebra\"",
        ]);
    }

    [Fact]
    public void A_long_cycle_is_told_as_its_path_and_once()
    {
        var problems = PipelineFile.Parse("""
            qualiz: 1
            pipeline: p
            steps:
              a: {uses: noop, inputs: [c]}
              b: {uses: noop, inputs: [a]}
              c: {uses: noop, needs: [b]}
              d: {uses: noop, inputs: [c]}
            """, "p.yaml").Problems;
        problems.ShouldHaveSingleItem().ToString().ShouldBe("p.yaml:5:28 steps.b.inputs[0]: the steps wait for each other: a -> b -> c -> a");
    }

    internal static string Resource(string name)
    {
        using var stream = typeof(PipelineFileTests).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
