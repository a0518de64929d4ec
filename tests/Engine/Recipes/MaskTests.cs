using Qualiz.Engine.Recipes;

namespace Qualiz.Engine.Tests.Recipes;

public sealed class MaskTests : IDisposable
{
    private const string Rows = "SELECT * FROM (VALUES (' 123-45-6789', 'Ada Lovelace', 'a'), ('123-45-6789 ', 'Ada Lovelace', NULL), ('x', 'Bob', 'b')) t(ssn, name, w)";
    private readonly RecipeBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("hash", 64)]
    [InlineData("token", 26)]
    [InlineData("format", 11)]
    public async Task Equal_values_become_equal_within_a_domain_a_key_and_a_project_and_nowhere_else(string by, int length)
    {
        async Task<string> MaskAsync(string column, string more, string project = "demo", string secret = RecipeBench.MaskSecret)
        {
            _bench.Masks = new MaskKeys(project);
            _bench.Masks.Add("masking", secret);
            var output = await _bench.RunAsync("SELECT '123-45-6789' AS a, '123-45-6789' AS b", $$"""[{"rule":"mask","columns":["{{column}}"],"by":"{{by}}","key":"masking"{{more}}},{"rule":"select","columns":["{{column}}"]}]""");
            var masked = output.Rows.ShouldHaveSingleItem();
            masked.ShouldNotBe("123-45-6789");
            masked.Length.ShouldBe(length);
            return masked;
        }

        var masked = await MaskAsync("a", "");
        (await MaskAsync("a", "")).ShouldBe(masked);
        (await MaskAsync("b", "")).ShouldBe(masked);
        (await MaskAsync("a", ""","domain":"person" """)).ShouldNotBe(masked);
        (await MaskAsync("a", "", project: "demo2")).ShouldNotBe(masked);
        (await MaskAsync("a", "", secret: RecipeBench.MaskSecret + "x")).ShouldNotBe(masked);
    }

    [Theory]
    [InlineData("""{"rule":"mask","columns":["ssn"]}""")]
    [InlineData("""{"rule":"mask","columns":["ssn"],"by":"redact","text":"hidden"}""")]
    [InlineData("""{"rule":"mask","columns":["ssn"],"by":"token","key":"masking"}""")]
    [InlineData("""{"rule":"mask","columns":["ssn"],"by":"format","key":"masking","else":"null"}""")]
    [InlineData("""{"rule":"mask","columns":["ssn"],"by":"format","key":"masking"}""")]
    [InlineData("""{"rule":"split","column":"ssn","separator":"-","into":["p","q"]},{"rule":"mask","columns":["p","q"]}""")]
    [InlineData("""{"rule":"rename","columns":{"ssn":"social"}},{"rule":"mask","columns":["social"]},{"rule":"rename","columns":{"social":"s"}}""")]
    [InlineData("""{"rule":"merge","columns":["name","ssn"],"into":"both"},{"rule":"mask","columns":["both"]}""")]
    [InlineData("""{"rule":"fill","columns":["name"],"from":"ssn"},{"rule":"derive","column":"n","expression":"'<' || ssn || '>'"},{"rule":"mask","columns":["n"]},{"rule":"drop","columns":["ssn"]}""")]
    public async Task No_masked_value_is_seen_in_any_output(string rules)
    {
        // Before it is masked, the value is changed by text rules and others, fails rules in all the ways there are, and rows are rejected by it and by something else.
        var output = await _bench.RunAsync(
            Rows,
            $$"""
            [{"rule":"trim","columns":"*"},{"rule":"case","columns":["ssn"],"to":"upper"},{"rule":"regex","columns":["ssn"],"pattern":"$","replacement":"0"},{"rule":"email","columns":["ssn"],"else":"keep"},
             {"rule":"phone","columns":["ssn"],"else":"keep"},{{rules}}]
            """,
            """[{"check":"notNull","columns":["w"]}]""");
        var all = string.Join("\n", output.Rows.Concat(output.Rejected.Select(row => $"{row.Ingested} {row.Rejected} {row.Reasons}")).Concat(output.Changes.Select(cell => $"{cell.Old} {cell.New}")));
        foreach (var part in (string[])["123", "45-", "6789"])
            all.ShouldNotContain(part);
        output.Rejected.Count.ShouldBeGreaterThan(0);
        output.Rejected.ShouldAllBe(row => row.Ingested.GetProperty("ssn").ValueKind == System.Text.Json.JsonValueKind.Null);
        output.Compiled.Hidden.ShouldContain("ssn");
        output.Changes.Count(cell => cell.Rule == "rules[0]" && cell.Column == "ssn").ShouldBeGreaterThan(0);
        output.Compiled.Query.ShouldNotContain(RecipeBench.MaskSecret);
    }

    [Fact]
    public async Task A_conversion_that_rejects_says_nothing_of_a_value_that_is_masked_later()
    {
        var output = await _bench.RunAsync(Rows, """[{"rule":"email","columns":["ssn"],"else":"reject"},{"rule":"unicode","columns":["ssn"],"form":"nfc"},{"rule":"mask","columns":["ssn"],"keepLast":1}]""");
        output.Rows.ShouldBeEmpty();
        output.Rejected.Count.ShouldBe(3);
        string.Join("\n", output.Rejected.Select(row => $"{row.Ingested} {row.Rejected} {row.Reasons}")).ShouldNotContain("6789");
        output.Rejected[0].Ingested.GetProperty("name").GetString().ShouldBe("Ada Lovelace");
    }

    [Theory]
    [InlineData("""{"rule":"mask","columns":["a"],"by":"hash"}""", "rules[0]")]
    [InlineData("""{"rule":"mask","columns":["a"],"by":"hash","key":"other"}""", "rules[0].key")]
    [InlineData("""{"rule":"mask","columns":["a"],"key":"masking"}""", "rules[0].key")]
    [InlineData("""{"rule":"mask","columns":["a"],"with":"xx"}""", "rules[0].with")]
    [InlineData("""{"rule":"mask","columns":["a"],"keepLast":2,"text":"x"}""", "rules[0].text")]
    [InlineData("""{"rule":"mask","columns":["a"],"by":"token","key":"masking","keepLast":2}""", "rules[0].keepLast")]
    [InlineData("""{"rule":"mask","columns":["a"],"by":"format","key":"masking","else":"keep"}""", "rules[0].else")]
    [InlineData("""{"rule":"mask","columns":["n"]}""", "rules[0].columns[0]")]
    public async Task A_mistake_is_named_with_its_place(string rule, string path) =>
        (await Should.ThrowAsync<RecipeException>(() => _bench.RunAsync("SELECT 'x' AS a, 1 AS n", $"[{rule}]"))).Path.ShouldBe(path);
}
