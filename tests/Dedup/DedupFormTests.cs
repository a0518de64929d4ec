using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Dedup.Tests;

/// <summary>What people and forms see of the operator.</summary>
public sealed class DedupFormTests : IDisposable
{
    private readonly DedupBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_form_can_be_made_of_the_configuration() => FormCheck.Problems<DedupConfig>().ShouldBeEmpty();

    [Fact]
    public async Task The_documented_examples_are_right()
    {
        var examples = DocumentedExample.Of("dedup");
        examples.Count.ShouldBe(2);
        foreach (var example in examples)
        {
            var outcome = await _bench.CompletedAsync(example.Config, null, await _bench.Bench.InputAsync(example.Tables["in"].Query()));
            foreach (var table in example.Tables.Values.Where(table => outcome.Outputs.ContainsKey(table.Name)))
                (await _bench.Bench.RowsAsync(outcome.Outputs[table.Name], table.Names)).Order().ShouldBe(table.Lines.Order());
        }
    }

    [Theory]
    [InlineData("{}", "exact keys, similarity or both are needed")]
    [InlineData("""{"match": {"accept": 0.5, "review": 0.6}}""", "review begins below accept")]
    [InlineData("""{"match": {"auto": false, "blocks": [{"column": "a"}]}}""", "name the columns to compare")]
    [InlineData("""{"match": {"auto": false, "compare": [{"column": "a"}]}}""", "name the blocks")]
    [InlineData("""{"keys": [{"columns": ["a"]}], "survivorship": [{"columns": "*", "keep": "mostRecent"}]}""", "needs the column that tells")]
    [InlineData("""{"keys": [{"columns": ["a"]}], "survivorship": [{"columns": "*", "keep": "first", "pattern": "x"}]}""", "only used by validFirst")]
    public void What_contradicts_itself_is_said(string json, string message)
    {
        var config = OperatorBench.Config<DedupConfig>(json);
        config.Validate(new System.ComponentModel.DataAnnotations.ValidationContext(config)).ShouldHaveSingleItem().ErrorMessage!.ShouldContain(message);
    }

    [Fact]
    public async Task The_columns_are_known_before_a_run()
    {
        var columns = new DatasetSchema { Columns = [new DatasetColumn { Name = "state", Type = "text" }, new DatasetColumn { Name = "balance", Type = "decimal(18,2)" }] };
        var known = await InferAsync("""{"keys": [{"columns": ["state"]}]}""", columns);
        known.Outputs["entities"].Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}").ShouldBe(
            ["entity_id text", "size int64", "sources list(text)", "confidence double", "entity_state text", "state text", "balance decimal(18,2)", "created_run text", "changed_run text"]);
        known.Outputs.Keys.ShouldBe(["entities", "members", "pairs", "provenance", "changes"], ignoreOrder: true);
        var problem = (await InferAsync("""{"keys": [{"columns": ["sate"]}]}""", columns)).Problems.ShouldHaveSingleItem();
        (problem.Path, problem.Suggestion).ShouldBe(("keys[0].columns[0]", "state"));
        (await InferAsync("""{"keys": [{"columns": ["state"]}]}""", null)).NotChecked.ShouldNotBeNull();
    }

    private Task<OutputInferred> InferAsync(string config, DatasetSchema? input) => new DedupOperator().InferOutputAsync(
        OperatorBench.Config<DedupConfig>(config),
        new InferenceContext
        {
            Request = new InferOutput { Project = "demo", Operator = "dedup", Major = 1, Config = default, Inputs = [new InferInput("people", input)] },
            Store = _bench.Bench.Store,
            Scratch = _bench.Bench.Folder,
            Grant = new ResourceGrant(64L << 20, 1),
            Connections = null!,
        },
        default);
}
