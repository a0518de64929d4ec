using Qualiz.Contracts.Runs.V1;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Enrich.Tests;

/// <summary>An enrich step with a dataset to look up in.</summary>
internal sealed class EnrichBench : IDisposable
{
    public OperatorBench Bench { get; } = new();

    /// <summary>Makes the query's rows version 3 of a dataset of the project.</summary>
    public async Task DatasetAsync(string name, string query, params IReadOnlyList<(string Column, string Tag)> tags)
    {
        var stored = await Bench.InputAsync(query, name, tags);
        Bench.Datasets[$"dataset:{name}"] = new ResolvedDataset(name, 3, stored.Dataset);
    }

    public Task<StepResult> RunAsync(string config, params IReadOnlyList<ResolvedInput> inputs) =>
        new EnrichOperator().ExecuteAsync(OperatorBench.Config<EnrichConfig>(config), Bench.Step(new StepSetup { Inputs = inputs }), default);

    public async Task<StepOutcome> CompletedAsync(string config, params IReadOnlyList<ResolvedInput> inputs) =>
        (await RunAsync(config, inputs)) switch
        {
            StepResult.Completed completed => completed.Outcome,
            StepResult.Failed failed => throw new InvalidOperationException($"{failed.Error.Code} at {failed.Error.Path}: {failed.Error.Message}"),
            var other => throw new InvalidOperationException($"{other}"),
        };

    public void Dispose() => Bench.Dispose();
}
