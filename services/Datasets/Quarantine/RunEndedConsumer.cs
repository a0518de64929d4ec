using MassTransit;
using Qualiz.Contracts;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Datasets.Quarantine;

/// <summary>A run ended, well or not: what its steps rejected goes into the quarantine.</summary>
internal sealed class RunEndedConsumer(EndedRuns runs) : IConsumer<RunCompleted>, IConsumer<RunFailed>, IConsumer<RunCancelled>
{
    public Task Consume(ConsumeContext<RunCompleted> context) => FillAsync(context.Message, context.Message.Project, completed: true, context.CancellationToken);

    public Task Consume(ConsumeContext<RunFailed> context) => FillAsync(context.Message, context.Message.Project, completed: false, context.CancellationToken);

    public Task Consume(ConsumeContext<RunCancelled> context) => FillAsync(context.Message, context.Message.Project, completed: false, context.CancellationToken);

    private Task FillAsync(EventRecord ended, string project, bool completed, CancellationToken ct) => runs.FillAsync(project, ended.RunId!.Value, completed, ct);
}
