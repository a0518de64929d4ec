using MassTransit;
using Qualiz.Contracts;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Messaging;

namespace Qualiz.Datasets.Quarantine;

/// <summary>A run ended, well or not: what its steps rejected goes into the quarantine.</summary>
internal sealed class RunEndedConsumer(QuarantineFill fill, IRequests requests) : IConsumer<RunCompleted>, IConsumer<RunFailed>, IConsumer<RunCancelled>
{
    public Task Consume(ConsumeContext<RunCompleted> context) => FillAsync(context.Message, context.Message.Project, completed: true, context.CancellationToken);

    public Task Consume(ConsumeContext<RunFailed> context) => FillAsync(context.Message, context.Message.Project, completed: false, context.CancellationToken);

    public Task Consume(ConsumeContext<RunCancelled> context) => FillAsync(context.Message, context.Message.Project, completed: false, context.CancellationToken);

    private async Task FillAsync(EventRecord ended, string project, bool completed, CancellationToken ct)
    {
        var run = ended.RunId!.Value;
        var answer = await requests.AskAsync<RunOutputsFound, RunUnknown>(Queues.RunClaims, new GetRunOutputs { Project = project, RunId = run }, ct);
        // Retried since: its next end says what became of its rows. Or removed since: nothing is left to read. Or nobody is to settle them.
        if (answer.First is not { Finished: true, Quarantine: true } found)
            return;
        // In one order, so that two runs of a pipeline do not wait for each other.
        foreach (var step in found.Steps.Where(step => step.Outputs.ContainsKey(Engine.Recipes.RejectedRows.Port)).OrderBy(step => step.StepId, StringComparer.Ordinal))
            await fill.FillAsync(project, run, found, step, completed, ct);
    }
}
