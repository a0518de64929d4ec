namespace Qualiz.Engine.Tests.Recipes;

public sealed class ChangeLogTests : IDisposable
{
    private const string Rows = "SELECT * FROM (VALUES (' a ', '1,5', NULL), ('N/A', 'x', 'y'), ('b', '2', 'z')) t(name, n, w)";
    private readonly RecipeBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Each_changed_cell_of_a_clean_row_is_there_with_its_rule()
    {
        var output = await _bench.RunAsync(Rows,
            """
            [{"rule":"trim","columns":"*"},{"rule":"nulls","columns":["name"],"values":["N/A"]},{"rule":"case","columns":["name"],"to":"upper"},
             {"rule":"number","columns":["n"],"decimal":",","type":"decimal(5,2)","else":"null"},{"rule":"fill","columns":["w"],"value":"?"},
             {"rule":"derive","column":"twice","expression":"n * 2"},{"rule":"derive","column":"w","expression":"w || '!'"}]
            """);
        output.Changes.Select(cell => $"{cell.Row} {cell.Rule} {cell.Column} {cell.Old} {cell.New}").ShouldBe(
        [
            """1 rules[0] name " a " "a" """.Trim(), """1 rules[2] name "a" "A" """.Trim(), """1 rules[3] n "1,5" "1.50" """.Trim(), """1 rules[4] w  "?" """.Trim(), """1 rules[6] w "?" "?!" """.Trim(),
            """2 rules[1] name "N/A" """, """2 rules[3] n "x" """, """2 rules[6] w "y" "y!" """.Trim(),
            """3 rules[2] name "b" "B" """.Trim(), """3 rules[3] n "2" "2.00" """.Trim(), """3 rules[6] w "z" "z!" """.Trim(),
        ]);
        output.Result.Changes.ShouldBe(11);
        output.Result.Changed["rules[6]"].ShouldBe(3);
    }

    [Fact]
    public async Task Rejected_and_filtered_rows_have_no_changes()
    {
        var output = await _bench.RunAsync(Rows, """[{"rule":"case","columns":["name"],"to":"upper"},{"rule":"filter","where":"n <> '2'"}]""", """[{"check":"notNull","columns":["w"]}]""");
        output.Changes.ShouldBeEmpty();
        output.Result.Changed["case"].ShouldBe(0);
    }

    [Fact]
    public async Task A_sample_is_bounded_for_each_rule_and_its_counts_are_exact()
    {
        _bench.ChangesPerRule = 7;
        var output = await _bench.RunAsync("SELECT ' ' || i AS a, 'x' || i AS b FROM range(50000) t(i)", """[{"rule":"trim","columns":"*"},{"rule":"case","columns":["b"],"to":"upper"}]""");
        output.Changes.GroupBy(cell => cell.Rule).Select(group => $"{group.Key} {group.Count()}").Order().ShouldBe(["rules[0] 7", "rules[1] 7"]);
        output.Result.Changed.ShouldBe(new Dictionary<string, long> { ["trim"] = 50_000, ["rules[0]"] = 50_000, ["case"] = 50_000, ["rules[1]"] = 50_000 }, ignoreOrder: true);

        using var one = new RecipeBench(threads: 1) { ChangesPerRule = 7 };
        var again = await one.RunAsync("SELECT ' ' || i AS a, 'x' || i AS b FROM range(50000) t(i)", """[{"rule":"trim","columns":"*"},{"rule":"case","columns":["b"],"to":"upper"}]""");
        again.Changes.ShouldBe(output.Changes);
    }
}
