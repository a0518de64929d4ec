using MassTransit;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Datasets.Publishing;

/// <summary>A run ended well: what it published becomes the latest versions, all in one transaction.</summary>
internal sealed class RunCompletedConsumer(Publisher publisher) : IConsumer<RunCompleted>
{
    public async Task Consume(ConsumeContext<RunCompleted> context)
    {
        var run = context.Message;
        // By name, so that two runs which publish the same datasets lock them in the same order.
        foreach (var output in run.Published.OrderBy(output => output.Dataset, StringComparer.Ordinal))
        {
            await publisher.PublishAsync(
                new Publication
                {
                    ProjectId = run.ProjectId,
                    Project = run.Project,
                    Dataset = output.Dataset,
                    Content = output.Content,
                    RunId = run.RunId,
                    StepId = output.StepId,
                    Quality = output.Quality,
                    Actor = run.Actor,
                },
                context.CancellationToken);
        }
    }
}
