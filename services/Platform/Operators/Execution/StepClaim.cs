using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Platform.Operators.Execution;

/// <summary>Why an execution must end before its operator does.</summary>
internal enum StopReason
{
    None,

    /// <summary>Runs said so: a cancel, or someone else holds the step.</summary>
    Refused,

    /// <summary>Two thirds of the lease went by without a renewal: somebody else may begin soon.</summary>
    LeaseLost,

    /// <summary>The step's own time is up.</summary>
    Timeout,

    /// <summary>This process is stopping.</summary>
    Shutdown,
}

/// <summary>A claimed step: renews its lease while the work goes on, and stops the work when it may not.</summary>
internal sealed class StepClaim : IAsyncDisposable
{
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(1);

    private readonly IRunsLine _line;
    private readonly ExecuteStep _command;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _work = new();
    private readonly CancellationTokenSource _refused = new();
    private readonly CancellationTokenSource _beating = new();
    private readonly TimeSpan _lease;
    private readonly ITimer? _timeout;
    private readonly CancellationTokenRegistration _shutdown;
    private readonly Task _heart;
    private readonly SemaphoreSlim _news = new(0, 1);
    private StepProgress? _progress;
    private int _reason;
    private long _renewed;

    public StepClaim(IRunsLine line, ExecuteStep command, StepClaimed claimed, long claimedAt, TimeProvider time, CancellationToken shutdown)
    {
        _line = line;
        _command = command;
        _time = time;
        _lease = claimed.Lease;
        _renewed = claimedAt;
        Fence = claimed.Fence;
        if (command.Timeout is { } limit && limit > TimeSpan.Zero)
            _timeout = time.CreateTimer(_ => Stop(StopReason.Timeout), null, limit, System.Threading.Timeout.InfiniteTimeSpan);
        _shutdown = shutdown.Register(() => Stop(StopReason.Shutdown));
        _heart = BeatAsync();
    }

    public long Fence { get; }
    public Guid RunId => _command.RunId;
    public string StepId => _command.StepId;

    /// <summary>Ends with the right to work.</summary>
    public CancellationToken Work => _work.Token;

    /// <summary>Ends when Runs no longer wants this execution's result.</summary>
    public CancellationToken Wanted => _refused.Token;

    /// <summary>The first reason counts.</summary>
    public StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    public void Report(StepProgress progress)
    {
        _progress = progress;
        try
        {
            if (_news.CurrentCount == 0)
                _news.Release();
        }
        catch (SemaphoreFullException)
        {
            // Two reports at once: one wake-up is enough.
        }
    }

    public void Stop(StopReason reason)
    {
        Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None);
        if (reason == StopReason.Refused)
            _refused.Cancel();
        _work.Cancel();
    }

    public async ValueTask DisposeAsync()
    {
        await _beating.CancelAsync();
        await _heart;
        await _shutdown.DisposeAsync();
        if (_timeout is not null)
            await _timeout.DisposeAsync();
        // The token sources are not disposed: a late stop may still reach this claim, and they hold no timers.
    }

    /// <summary>
    /// Beats until the claim is disposed, so also while the result is being reported. The lease's own clock starts at Runs
    /// later than ours here, so counting from our side errs on the safe one.
    /// </summary>
    private async Task BeatAsync()
    {
        var beat = _lease / 3;
        var giveUp = _lease * 2 / 3;
        try
        {
            // The claim itself may have been long on its way.
            var next = _time.GetElapsedTime(_renewed) > beat ? TimeSpan.Zero : beat;
            while (true)
            {
                await WaitAsync(next);
                var asked = _time.GetTimestamp();
                var left = giveUp - _time.GetElapsedTime(_renewed);
                if (left <= TimeSpan.Zero)
                {
                    Stop(StopReason.LeaseLost);
                    left = beat;
                }

                var renewed = await RenewAsync(left);
                if (renewed is false)
                {
                    Stop(StopReason.Refused);
                    return;
                }

                if (renewed is true)
                    _renewed = asked;
                next = renewed is true ? beat : RetryEvery < beat ? RetryEvery : beat;
            }
        }
        catch (OperationCanceledException) when (_beating.IsCancellationRequested)
        {
        }
    }

    /// <summary>Until the next beat is due, or sooner when there is progress to tell.</summary>
    private async Task WaitAsync(TimeSpan until)
    {
        var from = _time.GetTimestamp();
        var least = until < ProgressEvery ? until : ProgressEvery;
        await Task.Delay(least, _time, _beating.Token);
        var rest = until - _time.GetElapsedTime(from);
        if (rest > TimeSpan.Zero)
            await _news.WaitAsync(rest, _beating.Token);
    }

    /// <summary>Null when no answer came in time.</summary>
    private async Task<bool?> RenewAsync(TimeSpan within)
    {
        using var timer = new CancellationTokenSource(within, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_beating.Token, timer.Token);
        try
        {
            return await _line.RenewAsync(new RenewLease { RunId = RunId, StepId = StepId, Fence = Fence, Progress = _progress }, limit.Token);
        }
        catch (Exception) when (!_beating.IsCancellationRequested)
        {
            return null;
        }
    }
}
