using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Cli.Running;

/// <summary>Reads a run's events to its end, through lost connections: each event once, in order.</summary>
internal sealed class RunFollower(QualizClient client, TimeProvider time)
{
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(2);

    /// <param name="between">Done after each event was shown.</param>
    public async Task FollowAsync(string runPath, string? after, Action<string, string> show, CancellationToken ct, Func<Task>? between = null)
    {
        var last = after;
        var lastHeard = time.GetTimestamp();
        while (true)
        {
            try
            {
                await foreach (var item in client.EventsAsync($"{runPath}/events", last, ct))
                {
                    lastHeard = time.GetTimestamp();
                    last = item.EventId ?? last;
                    if (item.Data.Length > 0)
                    {
                        show(item.EventType, item.Data);
                    }
                    if (between is not null)
                    {
                        await between();
                    }
                    if (item.EventType is nameof(RunCompleted) or nameof(RunFailed) or nameof(RunCancelled))
                    {
                        return;
                    }
                }
            }
            catch (Exception lost) when (!ct.IsCancellationRequested && IsLost(lost))
            {
                if (time.GetElapsedTime(lastHeard) > GiveUpAfter)
                {
                    throw new UnreachableException($"the connection to {client.Address} was lost; the run may still be going on (./qualiz attach follows it again).", lost);
                }
            }
            await Task.Delay(TimeSpan.FromSeconds(0.5), time, ct);
        }
    }

    private static bool IsLost(Exception exception) =>
        exception is UnreachableException or IOException or HttpRequestException
        || exception is ProblemException { Status: >= System.Net.HttpStatusCode.InternalServerError };
}
