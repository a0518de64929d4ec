using System.Collections.Concurrent;
using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;

namespace Qualiz.Datasets.Http;

/// <summary>Which projects there are: Pipelines knows. Slugs are never reused, so a found project may be remembered for a while.</summary>
internal sealed class ProjectDirectory(IRequests requests, TimeProvider time)
{
    private static readonly TimeSpan Remember = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, (ProjectFound Project, DateTimeOffset Until)> _known = new(StringComparer.Ordinal);

    public async Task<Answer<ProjectFound, ProjectUnknown>> FindAsync(string slug, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (_known.TryGetValue(slug, out var known) && known.Until > now)
            return new Answer<ProjectFound, ProjectUnknown>(known.Project, null);
        var answer = await requests.AskForPersonAsync<ProjectFound, ProjectUnknown>(Queues.PipelineRequests, new GetProject { Project = slug }, ct);
        if (answer.First is { } found)
            _known[slug] = (found, now + Remember);
        return answer;
    }
}

internal static class RequestsForPeople
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>A person waits for the answer: when it does not come soon they are told so.</summary>
    public static async Task<Answer<TFirst, TSecond>> AskForPersonAsync<TFirst, TSecond>(this IRequests requests, string queue, object request, CancellationToken ct)
        where TFirst : class
        where TSecond : class
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        try
        {
            return await requests.AskAsync<TFirst, TSecond>(queue, request, limit.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ApiException(StatusCodes.Status503ServiceUnavailable, "serviceUnavailable", "Another part of Qualiz does not answer; try again later.");
        }
    }
}
