using CsCheck;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Operators;

namespace Qualiz.Enrich.Tests;

/// <summary>What holds for any rows, any dataset and any configuration.</summary>
public sealed class EnrichPropertyTests
{
    private static readonly Gen<string?> Cell = Any<string?>(null, "", " ", "a", "A", " a", "b", "1", "2", "x'y", "🦆");

    private static readonly Gen<(string?[][] Rows, string?[][] Known, string Take, string Missing, string Multiple, string Derive, bool IgnoreCase)> Case = Gen.Select(
        Cell.Array[2].Array[0, 20],
        Cell.Array[3].Array[0, 12],
        Any<string>("""{"v": "add"}""", """{"w": "fill"}""", """{"w": "override", "v": "add"}"""),
        Any<string>("keep", "reject", "fail"),
        Any<string>("fail", "first", "reject", "all"),
        Any<string>("[]", """[{"column": "d", "expression": "CAST(k AS BIGINT)"}]""", """[{"column": "w", "expression": "CAST(w AS INTEGER)", "else": "null"}]""", """[{"column": "d", "expression": "CAST(k AS BIGINT)", "else": "fail"}]"""),
        Gen.Bool);

    [Fact]
    public async Task The_ledger_balances_and_every_row_is_in_one_place()
    {
        using var bench = new EnrichBench();
        await Case.SampleAsync(
            async sample =>
            {
                await bench.DatasetAsync("known", Query(sample.Known, "k", "v", "w"));
                var input = await bench.Bench.InputAsync(Query(sample.Rows, "k", "w"));
                var config = $$"""{"lookup": "dataset:known", "keys": {"k": "k"}, "take": {{sample.Take}}, "onMissing": "{{sample.Missing}}", "onMultiple": "{{sample.Multiple}}", "derive": {{sample.Derive}}, "ignoreCase": {{(sample.IgnoreCase ? "true" : "false")}}}""";
                var result = await bench.RunAsync(config, input);
                var outcome = result switch
                {
                    StepResult.Completed completed => completed.Outcome,
                    StepResult.Failed { Outcome: { } kept } => kept,
                    _ => throw new InvalidOperationException($"{result}"),
                };
                var line = outcome.Ledger.ShouldHaveSingleItem();
                line.Balances.ShouldBeTrue();
                line.In.ShouldBe(sample.Rows.Length);
                (await bench.Bench.RowsAsync(outcome.Outputs["rejected"], "_row")).Count.ShouldBe((int)line.Rejected);

                // What the same lookup gives when it is done by hand.
                string? Comparable(string? key) => key is null || !sample.IgnoreCase ? key : key.Trim().ToLowerInvariant();
                var matches = sample.Rows.Select(row => row[0] is null ? 0 : sample.Known.Count(known => known[0] is not null && Comparable(known[0]) == Comparable(row[0]))).ToList();
                outcome.Counts["unmatched"].ShouldBe(matches.Count(count => count == 0));
                var added = sample.Multiple == "all" ? matches.Sum(count => Math.Max(0, count - 1)) : 0;
                line.Added.ShouldBe(added);
                var missing = sample.Missing == "keep" ? 0 : matches.Count(count => count == 0);
                var several = sample.Multiple is "fail" or "reject" ? matches.Count(count => count > 1) : 0;
                line.Reasons.Where(reason => reason.Reason == "noMatch(k)").Sum(reason => reason.Rows).ShouldBe(missing);
                line.Reasons.Where(reason => reason.Reason == "severalMatches(k)").Sum(reason => reason.Rows).ShouldBe(several);
                line.Rejected.ShouldBe(line.Reasons.Where(reason => reason.Kind == "rejected").Sum(reason => reason.Rows));
                if (result is StepResult.Failed)
                {
                    outcome.Outputs.Keys.ShouldNotContain("out");
                    return;
                }
                var rows = await bench.Bench.RowsAsync(outcome.Outputs["out"], "_row");
                rows.Count.ShouldBe((int)line.Out);
                var rejected = (await bench.Bench.RowsAsync(outcome.Outputs["rejected"], "_row")).ToHashSet();
                if (sample.Multiple != "all")
                    rows.Concat(rejected).Select(int.Parse).Order().ShouldBe(Enumerable.Range(1, sample.Rows.Length));
            },
            iter: 30, threads: 1);
    }

    private static Gen<T> Any<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static string Query(string?[][] rows, params string[] names)
    {
        var columns = string.Join(", ", names.Select(name => $"{name}::VARCHAR AS {name}"));
        return rows.Length == 0
            ? $"SELECT {string.Join(", ", names.Select(name => $"NULL::VARCHAR AS {name}"))} WHERE false"
            : $"SELECT {columns} FROM (VALUES {string.Join(", ", rows.Select(row => $"({string.Join(", ", row.Select(Sql.Literal))})"))}) t({string.Join(", ", names)})";
    }
}
