using CsCheck;
using Qualiz.Engine.Sessions;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Tasks.Transform;

namespace Qualiz.Tasks.Tests;

/// <summary>What holds for any rows and any operations.</summary>
public sealed class TransformPropertyTests
{
    private static readonly Gen<string?> Cell = Any<string?>(null, "", "a", "b", "1", "2", "x'y", "🦆");

    private static readonly Gen<string> Operation = Any(
        """{"operation": "filter", "where": "k <> 'a'"}""",
        """{"operation": "filter", "where": "CAST(k AS INTEGER) > 1"}""",
        """{"operation": "select", "columns": ["k", "v"]}""",
        """{"operation": "sort", "by": [{"column": "v", "direction": "desc"}]}""",
        """{"operation": "sample", "rows": 5}""",
        """{"operation": "sample", "share": "40%", "seed": 3}""",
        """{"operation": "sample", "rows": 4, "which": "first"}""",
        """{"operation": "sample", "share": "50%", "which": "first"}""",
        """{"operation": "join", "with": "other", "keys": {"k": "k"}, "columns": []}""",
        """{"operation": "join", "with": "other", "keys": {"k": "k"}, "how": "left", "columns": []}""",
        """{"operation": "join", "with": "other", "keys": {"k": "k"}, "how": "full", "columns": []}""",
        """{"operation": "join", "with": "other", "keys": {"k": "k", "v": "v"}, "how": "semi"}""",
        """{"operation": "join", "with": "other", "keys": {"k": "k"}, "how": "anti"}""");

    private static readonly Gen<(string?[][] Rows, string?[][] Other, string?[][] More, string[] Operations)> Case =
        Gen.Select(Cell.Array[2].Array[0, 15], Cell.Array[2].Array[0, 8], Cell.Array[2].Array[0, 5], Operation.Array[0, 5]);

    [Fact]
    public async Task The_ledger_balances_for_every_input_and_all_rows_are_in_it()
    {
        using var bench = new OperatorBench();
        await Case.SampleAsync(
            async sample =>
            {
                // Every input is used: one is put below the first, the other is looked up in at last.
                var operations = string.Join(", ", sample.Operations.Prepend("""{"operation": "union", "with": ["more"]}""").Append("""{"operation": "join", "with": "other", "keys": {"k": "k"}, "how": "left", "columns": [], "prefix": "o_"}"""));
                var result = await new TransformOperator().ExecuteAsync(
                    OperatorBench.Config<TransformConfig>($$"""{"operations": [{{operations}}]}"""),
                    bench.Step(await bench.InputAsync(Query(sample.Rows)), await bench.InputAsync(Query(sample.More), "more"), await bench.InputAsync(Query(sample.Other), "other")),
                    default);
                var outcome = result switch
                {
                    StepResult.Completed completed => completed.Outcome,
                    StepResult.Failed failed => throw new InvalidOperationException($"{failed.Error.Code} {failed.Error.Path}: {failed.Error.Message}"),
                    _ => throw new InvalidOperationException(),
                };
                outcome.Ledger.ShouldAllBe(line => line.Balances && line.Accounted && line.Added >= 0 && line.Merged >= 0 && line.Filtered >= 0);
                outcome.Ledger.Select(line => (line.Input, line.In)).Take(2).ShouldBe([("in", sample.Rows.Length), ("more", sample.More.Length)]);
                outcome.Ledger.ShouldAllBe(line => line.Filtered == line.Reasons.Where(reason => reason.Kind == "filtered").Sum(reason => reason.Rows));
                var rows = await bench.RowsAsync(outcome.Outputs["out"], "_source", "_row");
                rows.Count.ShouldBe((int)outcome.Ledger.Sum(line => line.Out));
                rows.Count.ShouldBe((int)outcome.Outputs["out"].Rows);
                foreach (var line in outcome.Ledger)
                    rows.Count(row => row.StartsWith($"{line.Input}@1|", StringComparison.Ordinal)).ShouldBe((int)line.Out);
            },
            iter: 60, threads: 1);
    }

    [Fact]
    public async Task A_filter_and_a_join_do_what_they_do_by_hand()
    {
        using var bench = new OperatorBench();
        await Case.SampleAsync(
            async sample =>
            {
                var result = await new TransformOperator().ExecuteAsync(
                    OperatorBench.Config<TransformConfig>("""{"operations": [{"operation": "filter", "where": "v <> 'a'"}, {"operation": "join", "with": "other", "keys": {"k": "k"}, "columns": []}]}"""),
                    bench.Step(await bench.InputAsync(Query(sample.Rows)), await bench.InputAsync(Query(sample.Other), "other")),
                    default);
                var line = result.ShouldBeOfType<StepResult.Completed>().Outcome.Ledger.ShouldHaveSingleItem();
                var kept = sample.Rows.Where(row => row[1] is not null and not "a").ToList();
                var matches = kept.ConvertAll(row => row[0] is null ? 0 : sample.Other.Count(other => other[0] == row[0]));
                (line.In, line.Added, line.Out, line.Filtered).ShouldBe((
                    sample.Rows.Length,
                    matches.Sum(count => Math.Max(0, count - 1)),
                    matches.Sum(),
                    sample.Rows.Length - kept.Count + matches.Count(count => count == 0)));
            },
            iter: 30, threads: 1);
    }

    private static Gen<T> Any<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static string Query(string?[][] rows) => rows.Length == 0
        ? "SELECT NULL::VARCHAR AS k, NULL::VARCHAR AS v WHERE false"
        : $"SELECT k::VARCHAR AS k, v::VARCHAR AS v FROM (VALUES {string.Join(", ", rows.Select(row => $"({Sql.Literal(row[0])}, {Sql.Literal(row[1])})"))}) t(k, v)";
}
