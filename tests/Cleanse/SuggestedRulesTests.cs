using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Cleanse.Tests;

/// <summary><c>auto</c>: rules that the rows speak for are done before those that somebody wrote.</summary>
public sealed class SuggestedRulesTests : IDisposable
{
    private const string Shops = """
        SELECT 'S' || i AS id, CASE WHEN i % 60 = 7 THEN substr(state, 1, 3) || 'x' || substr(state, 4) WHEN i % 60 = 11 THEN 'n/a' ELSE state END AS state, i % 500 AS amount
        FROM (SELECT range AS i, ['California', 'Minnesota', 'Pennsylvania', 'Washington'][1 + CAST(hash(range) % 4 AS BIGINT)] AS state FROM range({0}, {1}))
        """;

    private readonly OperatorBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task What_is_sure_enough_is_done_before_the_rules_and_told_like_them()
    {
        var outcome = await CompletedAsync("""{"auto": "80%", "rules": [{"rule": "case", "columns": ["state"], "to": "upper"}], "changes": "full"}""", await InputAsync(0, 2400));

        var states = await _bench.RowsAsync(outcome.Outputs["out"], "state");
        states.Count.ShouldBe(2400);
        states.Distinct().ShouldBe(["CALIFORNIA", "MINNESOTA", "PENNSYLVANIA", "WASHINGTON", "∅"], ignoreOrder: true);
        states.Count(state => state == "∅").ShouldBe(40);
        var changes = await _bench.RowsAsync(outcome.Outputs["changes"], "rule", "column", "old", "new");
        changes.Where(change => change.StartsWith("auto[", StringComparison.Ordinal)).Select(change => change[(change.IndexOf('|', StringComparison.Ordinal) + 1)..]).Distinct()
            .ShouldBe(["state|\"Calxifornia\"|\"California\"", "state|\"Minxnesota\"|\"Minnesota\"", "state|\"Penxnsylvania\"|\"Pennsylvania\"", "state|\"Wasxhington\"|\"Washington\"", "state|\"n/a\"|∅"], ignoreOrder: true);
        changes.Count(change => change.StartsWith("auto[", StringComparison.Ordinal)).ShouldBe(80);
        changes.Count(change => change.StartsWith("rules[0]|", StringComparison.Ordinal)).ShouldBe(2360);
        outcome.Counts["suggested"].ShouldBe(2);
        outcome.Ledger.ShouldHaveSingleItem().Balances.ShouldBeTrue();
        // Values of rows stand in no log.
        _bench.Log.Lines.Count(line => line.Contains("auto[", StringComparison.Ordinal)).ShouldBe(2);
        _bench.Log.Lines.ShouldNotContain(line => line.Contains("ifornia", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_less_sure_is_left_alone()
    {
        var outcome = await CompletedAsync("""{"auto": "99.9%"}""", await InputAsync(0, 2400));

        (await _bench.RowsAsync(outcome.Outputs["out"], "state")).Count(IsMisspelt).ShouldBe(40);
        outcome.Counts["suggested"].ShouldBe(0);
    }

    [Fact]
    public async Task Several_inputs_are_looked_at_together()
    {
        var outcome = await CompletedAsync("""{"auto": "80%"}""", await InputAsync(0, 1200), await InputAsync(1200, 2400, "more"));

        (await _bench.RowsAsync(outcome.Outputs["out"], "state")).ShouldNotContain(state => IsMisspelt(state));
        outcome.Ledger.Select(line => line.In).ShouldBe([1200, 1200]);
    }

    [Fact]
    public async Task Sensitive_columns_are_left_alone()
    {
        var outcome = await CompletedAsync("""{"auto": "80%"}""", await _bench.InputAsync(Query(0, 2400), "in", ("state", "personal")));

        (await _bench.RowsAsync(outcome.Outputs["out"], "state")).Count(IsMisspelt).ShouldBe(40);
    }

    [Fact]
    public async Task The_columns_are_those_that_are_known_before_the_rows_are()
    {
        const string config = """{"auto": "80%", "checks": [{"check": "notNull", "columns": ["id"]}]}""";
        var input = await InputAsync(0, 2400);
        var outcome = await CompletedAsync(config, input);
        var inferred = await new CleanseOperator().InferOutputAsync(
            OperatorBench.Config<CleanseConfig>(config), _bench.Inference(OperatorBench.Request() with { Inputs = [new InferInput("in", input.Dataset.Schema)] }), CancellationToken.None);

        inferred.Problems.ShouldBeEmpty();
        inferred.Outputs["out"].Columns.ShouldBe(outcome.Outputs["out"].Schema.Columns);
        outcome.Outputs["out"].Schema.Find("state")!.Nullable.ShouldBeTrue();
        outcome.Outputs["out"].Schema.Find("id")!.Nullable.ShouldBeFalse();
    }

    [Fact]
    public async Task Rows_that_say_nothing_pass_as_they_are()
    {
        var outcome = await CompletedAsync("""{"auto": "90%"}""", await _bench.InputAsync("SELECT 'x' AS a FROM range(0)"));

        outcome.Outputs["out"].Rows.ShouldBe(0);
    }

    private static bool IsMisspelt(string state) => state.IndexOf('x', StringComparison.Ordinal) == 3;

    private static string Query(int from, int to) => Shops.Replace("{0}", $"{from}", StringComparison.Ordinal).Replace("{1}", $"{to}", StringComparison.Ordinal);

    private Task<ResolvedInput> InputAsync(int from, int to, string name = "in") => _bench.InputAsync(Query(from, to), name);

    private async Task<StepOutcome> CompletedAsync(string config, params IReadOnlyList<ResolvedInput> inputs) =>
        (await new CleanseOperator().ExecuteAsync(OperatorBench.Config<CleanseConfig>(config), _bench.Step(1, null, inputs), default)).ShouldBeOfType<StepResult.Completed>().Outcome;
}
