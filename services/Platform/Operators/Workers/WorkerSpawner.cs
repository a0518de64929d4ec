using System.Collections.Concurrent;
using System.Diagnostics;

namespace Qualiz.Platform.Operators.Workers;

/// <summary>
/// Starts all child processes from one thread that never ends: Linux delivers a child's parent-death signal when the
/// <em>thread</em> that started it ends, and pool threads come and go.
/// </summary>
internal static class WorkerSpawner
{
    private static readonly BlockingCollection<(ProcessStartInfo Start, TaskCompletionSource<Process> Started)> Requests = [];

    static WorkerSpawner() => new Thread(Work) { IsBackground = true, Name = "engine worker spawner" }.Start();

    public static Task<Process> StartAsync(ProcessStartInfo start)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Requests.Add((start, started));
        return started.Task;
    }

    private static void Work()
    {
        foreach (var (start, started) in Requests.GetConsumingEnumerable())
        {
            try
            {
                started.SetResult(Process.Start(start)!);
            }
            catch (Exception exception)
            {
                started.SetException(exception);
            }
        }
    }
}
