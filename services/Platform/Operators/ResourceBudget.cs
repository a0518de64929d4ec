using Qualiz.Platform.Telemetry;

namespace Qualiz.Platform.Operators;

/// <summary>
/// What this host lends to steps at any time: memory strictly, in the order of asking; threads as they are free, at least
/// one; scratch in proportion to memory. Every engine would otherwise take most of the machine for itself.
/// </summary>
internal sealed class ResourceBudget(EngineOptions options)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private long _free = options.MemoryBytes;
    private int _freeThreads = options.Threads;

    public long Granted
    {
        get
        {
            lock (_lock)
                return options.MemoryBytes - _free;
        }
    }

    /// <summary>Waits until what the operator asks for is free.</summary>
    public async Task<Lease> AcquireAsync(OperatorDescription description, CancellationToken ct)
    {
        var share = Math.Clamp(description.MemoryShare ?? 1.0 / options.Workers, 0.01, 1);
        var waiter = new Waiter((long)(options.MemoryBytes * share), description.Threads ?? options.Threads);
        lock (_lock)
        {
            _waiting.AddLast(waiter);
            Serve();
        }

        await using var registration = ct.Register(() =>
        {
            lock (_lock)
                _waiting.Remove(waiter);
            // False when it was granted a moment earlier: then the caller gets the lease and returns it.
            waiter.Granted.TrySetCanceled(ct);
        });
        return await waiter.Granted.Task;
    }

    private void Serve()
    {
        while (_waiting.First is { Value: var next } && next.Memory <= _free)
        {
            var threads = Math.Clamp(_freeThreads, 1, Math.Max(1, next.Threads));
            var scratch = (long)(options.ScratchBytes * ((double)next.Memory / options.MemoryBytes));
            _waiting.RemoveFirst();
            if (!next.Granted.TrySetResult(new Lease(this, new ResourceGrant(next.Memory, threads, scratch))))
                continue;
            _free -= next.Memory;
            _freeThreads -= threads;
            QualizTelemetry.MemoryGranted(next.Memory);
        }
    }

    private void Return(ResourceGrant grant)
    {
        lock (_lock)
        {
            _free += grant.MemoryBytes;
            _freeThreads += grant.Threads;
            QualizTelemetry.MemoryGranted(-grant.MemoryBytes);
            Serve();
        }
    }

    public sealed class Lease(ResourceBudget budget, ResourceGrant grant) : IDisposable
    {
        private int _returned;

        public ResourceGrant Grant => grant;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0)
                budget.Return(grant);
        }
    }

    private sealed record Waiter(long Memory, int Threads)
    {
        public TaskCompletionSource<Lease> Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
