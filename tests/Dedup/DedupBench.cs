using System.Text.Json;
using Qualiz.Contracts.Runs.V1;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Dedup.Tests;

internal sealed class DedupBench : IDisposable
{
    public OperatorBench Bench { get; } = new();

    public Task<StepResult> RunAsync(string config, JsonElement? state, params IReadOnlyList<ResolvedInput> inputs) =>
        RunAsync(config, new StepSetup { Inputs = inputs, State = state });

    private Task<StepResult> RunAsync(string config, StepSetup setup) => new DedupOperator().ExecuteAsync(OperatorBench.Config<DedupConfig>(config), Bench.Step(setup), default);

    public Task<StepOutcome> CompletedAsync(string config, JsonElement? state, params IReadOnlyList<ResolvedInput> inputs) =>
        CompletedAsync(config, new StepSetup { Inputs = inputs, State = state });

    public async Task<StepOutcome> CompletedAsync(string config, StepSetup setup) =>
        (await RunAsync(config, setup)) switch
        {
            StepResult.Completed completed => completed.Outcome,
            StepResult.Failed failed => throw new InvalidOperationException($"{failed.Error.Code} at {failed.Error.Path}: {failed.Error.Message}"),
            var other => throw new InvalidOperationException($"{other}"),
        };

    /// <summary>The members as sets of row numbers, e.g. <c>1,2 | 3</c>.</summary>
    public async Task<string> EntitiesAsync(StepOutcome outcome)
    {
        var members = (await Bench.RowsAsync(outcome.Outputs["members"], "entity_id", "row")).Select(line => line.Split('|')).ToList();
        return string.Join(" | ", members.GroupBy(member => member[0]).Select(group => string.Join(",", group.Select(member => int.Parse(member[1], System.Globalization.CultureInfo.InvariantCulture)).Order()))
            .OrderBy(text => int.Parse(text.Split(',')[0], System.Globalization.CultureInfo.InvariantCulture)));
    }

    public void Dispose() => Bench.Dispose();
}
