using MassTransit;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Runs.Starting;

/// <summary>Queue <c>runs.commands</c>: starts that arrive as messages, and admissions. Runs inside the service's transaction.</summary>
internal sealed class RunCommandConsumer(RunStarter starter, Admission admission, ILogger<RunCommandConsumer> log)
    : IConsumer<StartRun>, IConsumer<AdmitNext>
{
    public async Task Consume(ConsumeContext<StartRun> context)
    {
        var result = await starter.StartAsync(context.Message, context.CancellationToken);
        if (result is not StartResult.Started)
        {
            log.LogWarning(
                "Run {RunId} of pipeline {Pipeline} was not started: {Outcome}", context.Message.RunId, context.Message.Pipeline, result.GetType().Name);
        }
    }

    public Task Consume(ConsumeContext<AdmitNext> context) => admission.AdmitNextAsync(context.Message.PipelineId, context.CancellationToken);
}
