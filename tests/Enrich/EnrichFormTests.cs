using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Enrich.Tests;

/// <summary>What people and forms see of the operator.</summary>
public sealed class EnrichFormTests : IDisposable
{
    private readonly EnrichBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_form_can_be_made_of_the_configuration() => FormCheck.Problems<EnrichConfig>().ShouldBeEmpty();

    [Fact]
    public async Task The_documented_examples_are_right()
    {
        var examples = DocumentedExample.Of("enrich");
        examples.ShouldNotBeEmpty();
        foreach (var example in examples)
        {
            foreach (var dataset in example.Tables.Values.Where(table => table.Name.StartsWith("dataset:", StringComparison.Ordinal)))
                await _bench.DatasetAsync(dataset.Name["dataset:".Length..], dataset.Query());
            var outcome = await _bench.CompletedAsync(example.Config, await _bench.Bench.InputAsync(example.Tables["in"].Query()));
            foreach (var table in example.Tables.Values.Where(table => outcome.Outputs.ContainsKey(table.Name)))
                (await _bench.Bench.RowsAsync(outcome.Outputs[table.Name], table.Names)).Order().ShouldBe(table.Lines.Order());
        }
    }

    [Fact]
    public async Task The_columns_are_known_before_a_run()
    {
        var people = Schema(("name", "text"), ("zip", "text"));
        var zips = Schema(("zip", "text"), ("population", "int64"));
        var known = await InferAsync("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"population": "add"}, "derive": [{"column": "more", "expression": "name || zip"}]}""", people, zips);
        known.Outputs["out"].Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}").ShouldBe(["name text", "zip text", "population int64", "more text"]);
        known.Problems.ShouldBeEmpty();

        var wrong = await InferAsync("""{"lookup": "dataset:us-zip", "keys": {"zpi": "zip"}, "take": {"population": "add"}}""", people, zips);
        var problem = wrong.Problems.ShouldHaveSingleItem();
        (problem.Path, problem.Suggestion).ShouldBe(("keys.zpi", "zip"));

        (await InferAsync("""{"lookup": "dataset:us-zip", "keys": {"zip": "zip"}, "take": {"population": "add"}}""", people, null)).NotChecked.ShouldBe("the columns of dataset:us-zip are not known");
    }

    private Task<OutputInferred> InferAsync(string config, DatasetSchema input, DatasetSchema? lookup) => new EnrichOperator().InferOutputAsync(
        OperatorBench.Config<EnrichConfig>(config),
        new InferenceContext
        {
            Request = new InferOutput
            {
                Project = "demo",
                Operator = "enrich",
                Major = 1,
                Config = default,
                Inputs = [new InferInput("people", input)],
                Datasets = lookup is null ? [] : [new InferInput("dataset:us-zip", lookup)],
            },
            Store = _bench.Bench.Store,
            Scratch = _bench.Bench.Folder,
            Grant = new ResourceGrant(64L << 20, 1),
            Connections = null!,
        },
        default);

    private static DatasetSchema Schema(params (string Name, string Type)[] columns) =>
        new() { Columns = [.. columns.Select(column => new DatasetColumn { Name = column.Name, Type = column.Type })] };
}
