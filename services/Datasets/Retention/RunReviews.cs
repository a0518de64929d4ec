using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Messaging;

namespace Qualiz.Datasets.Retention;

/// <summary>Asks Runs which runs still need what their steps wrote.</summary>
internal sealed class RunReviews(IRequests requests)
{
    public const int Most = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <param name="release">True: those that are not kept are marked, and can be retried no more.</param>
    public async Task<IReadOnlyList<ReviewedRun>> AskAsync(ListedProject project, IReadOnlyList<Guid> runs, RetentionOptions options, bool release, CancellationToken ct)
    {
        var reviewed = new List<ReviewedRun>();
        foreach (var some in runs.Chunk(Most))
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(Patience);
            var answer = await requests.AskAsync<RunsReviewed>(
                Queues.RunReviews,
                new ReviewRuns
                {
                    Project = project.Project,
                    RunIds = some,
                    KeepRuns = options.IntermediateRuns,
                    KeepFor = options.Intermediate,
                    ProjectDeleted = project.Deleted,
                    DeletedPipelines = project.DeletedPipelines,
                    Release = release,
                },
                limit.Token);
            reviewed.AddRange(answer.Runs);
        }

        return reviewed;
    }
}
