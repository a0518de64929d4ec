using MassTransit;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// Since when this process could be reached and do its work without a break: on the bus, with its database. What others
/// failed to tell it across a break says nothing about them.
/// </summary>
public sealed class Uptime(TimeProvider time) : IReceiveEndpointObserver
{
    private readonly Lock _lock = new();
    private bool _connected;
    private DateTimeOffset _since = time.GetUtcNow();

    /// <summary>Whether there was no break from <paramref name="moment"/> until now.</summary>
    public bool Since(DateTimeOffset moment)
    {
        lock (_lock)
            return _connected && _since <= moment;
    }

    /// <summary>Something that is needed is away now.</summary>
    public void Interrupted()
    {
        lock (_lock)
            _since = time.GetUtcNow();
    }

    Task IReceiveEndpointObserver.Ready(ReceiveEndpointReady ready) => Connect(true);

    Task IReceiveEndpointObserver.Faulted(ReceiveEndpointFaulted faulted) => Connect(false);

    Task IReceiveEndpointObserver.Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

    Task IReceiveEndpointObserver.Completed(ReceiveEndpointCompleted completed) => Task.CompletedTask;

    private Task Connect(bool connected)
    {
        lock (_lock)
        {
            _connected = connected;
            _since = time.GetUtcNow();
        }
        return Task.CompletedTask;
    }
}
