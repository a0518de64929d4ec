using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>Clients that keep starting runs, some at a time, until there were enough and the chaos is over.</summary>
internal sealed class Traffic(Workload workload, Api api, int runs)
{
    private const int Lanes = 3;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(4);
    private int _number;
    private int _ended;
    private volatile bool _failed;

    /// <summary>How many runs have ended.</summary>
    public int Ended => Volatile.Read(ref _ended);

    public async Task UntilOneMoreEndedAsync()
    {
        var before = Ended;
        await TestHost.UntilAsync(() => Ended > before || _failed ? null : $"one more than {before} runs that ended", s_patience);
        if (_failed)
            throw new OperationCanceledException("A client has failed.");
    }

    /// <param name="chaos">While it goes on, so do new runs.</param>
    public Task RunAsync(Task chaos) => Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => LaneAsync(chaos)));

    private async Task LaneAsync(Task chaos)
    {
        while (true)
        {
            var number = Interlocked.Increment(ref _number);
            if (_failed || chaos.IsFaulted || (number > runs && chaos.IsCompleted))
                return;
            try
            {
                await api.UntilEndAsync(await workload.StartAsync(workload.Next()), s_patience);
                Interlocked.Increment(ref _ended);
            }
            catch
            {
                _failed = true;
                throw;
            }
        }
    }
}
