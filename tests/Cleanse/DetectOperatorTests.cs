using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Cleanse.Tests;

public sealed class DetectOperatorTests : IDisposable
{
    private const string Towns = """
        SELECT CAST(10 + i % 10 AS VARCHAR) AS postcode, CASE WHEN i = 23 THEN 'Leeds' ELSE ['Aberdeen', 'Bath', 'Cardiff', 'Dover', 'Ely', 'Frome', 'Goole', 'Hull', 'Ilkley', 'Kendal'][i % 10 + 1] END AS town,
            CAST(CASE WHEN i = 51 THEN 99000 ELSE 100 + i * 37 % 101 END AS BIGINT) AS points
        FROM range(80) t(i)
        """;

    private readonly OperatorBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_form_can_be_made_of_the_configuration() => FormCheck.Problems<DetectConfig>().ShouldBeEmpty();

    [Fact]
    public async Task The_documented_example_is_right()
    {
        var example = DocumentedExample.Of("detect").ShouldHaveSingleItem();
        var outcome = await CompletedAsync(example.Config, await _bench.InputAsync(example.Tables["in"].Query()));
        foreach (var table in (string[])["out", "cells"])
            (await _bench.RowsAsync(outcome.Outputs[table], example.Tables[table].Names)).ShouldBe(example.Tables[table].Lines);
    }

    [Fact]
    public async Task Rows_pass_unchanged_and_wrong_cells_are_told_by_their_row_in_the_source()
    {
        var outcome = await CompletedAsync("{}", await _bench.InputAsync(Towns, "in", ("town", "personal")));
        (await _bench.RowsAsync(outcome.Outputs["out"], "town")).ShouldContain("Leeds");
        outcome.Outputs["out"].Rows.ShouldBe(80);
        (await _bench.RowsAsync(outcome.Outputs["cells"], "_source", "_row", "source", "row", "column", "value", "suggested", "kind", "repaired")).ShouldBe(
            ["in@1|24|in@1|24|town|Leeds|Dover|error|false", "in@1|52|in@1|52|points|99000|∅|error|false"]);
        outcome.Outputs["cells"].Schema.Find("value")!.Sensitivity.ShouldBe("personal");
        outcome.Outputs["cells"].Schema.Find("_key")!.Hidden.ShouldBeTrue();
        outcome.Ledger.ShouldHaveSingleItem().Balances.ShouldBeTrue();
        outcome.Counts["errors"].ShouldBe(2);
        _bench.Log.Lines.ShouldNotContain(line => line.Contains("Leeds", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_certain_enough_is_repaired_in_the_rows()
    {
        var outcome = await CompletedAsync("""{"repair": "60%"}""", await _bench.InputAsync(Towns));
        var towns = await _bench.RowsAsync(outcome.Outputs["out"], "town");
        (towns[23], towns.Count).ShouldBe(("Dover", 80));
        towns.ShouldNotContain("Leeds");
        // For the number nothing is suggested, so it stays.
        (await _bench.RowsAsync(outcome.Outputs["out"], "points"))[51].ShouldBe("99000");
        outcome.Counts["repaired"].ShouldBe(1);
        outcome.Outputs["out"].Schema.Find("points")!.Type.ShouldBe("int64");
    }

    [Fact]
    public async Task Two_inputs_are_looked_at_together_and_keep_their_row_numbers()
    {
        var first = await _bench.InputAsync($"SELECT postcode, town FROM ({Towns}) LIMIT 40", "first");
        var second = await _bench.InputAsync($"SELECT postcode, town FROM ({Towns}) OFFSET 40", "second");
        var outcome = await CompletedAsync("{}", first, second);
        (await _bench.RowsAsync(outcome.Outputs["cells"], "source", "row", "column")).ShouldBe(["first@1|24|town"]);
        outcome.Ledger.Select(line => $"{line.Input} {line.In} {line.Out}").ShouldBe(["first 40 40", "second 40 40"]);
    }

    [Fact]
    public async Task Of_the_rows_that_were_made_of_one_record_only_the_wrong_one_is_repaired()
    {
        var exploded = await _bench.InputAsync($"SELECT * EXCLUDE (i), 0 AS place, 'files@1' AS _source, i // 2 + 1 AS _row, printf('%016x', i) AS _key FROM (SELECT *, row_number() OVER () - 1 AS i FROM ({Towns}))");
        var outcome = await CompletedAsync("""{"repair": "60%"}""", exploded);
        (await _bench.RowsAsync(outcome.Outputs["cells"], "row", "_key", "column", "repaired")).ShouldBe(["12|0000000000000017|town|true", "26|0000000000000033|points|false"]);
        var towns = await _bench.RowsAsync(outcome.Outputs["out"], "town", "_row");
        towns.Skip(22).Take(2).ShouldBe(["Cardiff|12", "Dover|12"]);
        towns.Count.ShouldBe(80);
    }

    [Fact]
    public async Task Only_the_named_columns_are_looked_at()
    {
        var outcome = await CompletedAsync("""{"columns": ["points"]}""", await _bench.InputAsync(Towns));
        (await _bench.RowsAsync(outcome.Outputs["cells"], "row", "column")).ShouldBe(["52|points"]);
    }

    [Theory]
    [InlineData("""{"report": "20%"}""", "more probably right than wrong")]
    [InlineData("""{"report": "80%", "repair": "70%"}""", "only what is reported can be repaired")]
    public void What_contradicts_itself_is_said(string json, string message)
    {
        var config = OperatorBench.Config<DetectConfig>(json);
        config.Validate(new System.ComponentModel.DataAnnotations.ValidationContext(config)).ShouldHaveSingleItem().ErrorMessage!.ShouldContain(message);
    }

    [Fact]
    public async Task The_columns_are_known_before_a_run()
    {
        var columns = new DatasetSchema { Columns = [new DatasetColumn { Name = "town", Type = "text" }, new DatasetColumn { Name = "points", Type = "int64" }] };
        var known = await InferAsync("{}", columns);
        known.Outputs["out"].Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}").ShouldBe(["town text", "points int64"]);
        known.Outputs["cells"].Find("row")!.Type.ShouldBe("int64");
        var problem = (await InferAsync("""{"columns": ["twon"]}""", columns)).Problems.ShouldHaveSingleItem();
        (problem.Path, problem.Code).ShouldBe(("columns[0]", "columnUnknown"));
        (await InferAsync("{}", null)).NotChecked.ShouldNotBeNull();
    }

    private async Task<Qualiz.Contracts.Runs.V1.StepOutcome> CompletedAsync(string config, params IReadOnlyList<ResolvedInput> inputs) =>
        (await new DetectOperator().ExecuteAsync(OperatorBench.Config<DetectConfig>(config), _bench.Step(inputs), default)) switch
        {
            StepResult.Completed completed => completed.Outcome,
            StepResult.Failed failed => throw new InvalidOperationException($"{failed.Error.Code} at {failed.Error.Path}: {failed.Error.Message}"),
            var other => throw new InvalidOperationException($"{other}"),
        };

    private Task<OutputInferred> InferAsync(string config, DatasetSchema? input) => new DetectOperator().InferOutputAsync(
        OperatorBench.Config<DetectConfig>(config),
        new InferenceContext
        {
            Request = new InferOutput { Project = "demo", Operator = "detect", Major = 1, Config = default, Inputs = [new InferInput("in", input)] },
            Store = _bench.Store,
            Scratch = _bench.Folder,
            Grant = new ResourceGrant(64L << 20, 1),
            Connections = null!,
        },
        default);
}
