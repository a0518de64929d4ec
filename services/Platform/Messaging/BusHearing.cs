using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// Sends this process a word by the way that answers come, every few seconds. After a broker's crash in the midst of
/// reconnecting, a process was seen that could send but heard no answer any more: it claimed steps and lost them. Its bus is
/// started anew. Where that fails, too, the process ends: a bus that is half started cannot be started again.
/// </summary>
internal sealed class BusHearing(IBusControl bus, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<BusHearing> log) : BackgroundService
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_stop = TimeSpan.FromSeconds(30);
    private const int Unheard = 2;

    private volatile Waiting? _waiting;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var ear = bus.ConnectHandler<Echo>(context =>
        {
            if (_waiting is { } waiting && waiting.Id == context.Message.Id)
                waiting.Heard.TrySetResult();
            return Task.CompletedTask;
        });
        try
        {
            var unheard = 0;
            while (!stoppingToken.IsCancellationRequested)
            {
                await Task.Delay(s_every, time, stoppingToken);
                try
                {
                    unheard = await HearsAsync(stoppingToken) ? 0 : unheard + 1;
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    // The broker is away: whoever cannot send is not deaf.
                    log.LogDebug(exception, "The bus could not be listened to.");
                }
                if (unheard < Unheard)
                    continue;
                unheard = 0;
                if (!await StartAnewAsync(stoppingToken))
                    return;
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
        finally
        {
            ear.Disconnect();
        }
    }

    /// <returns>False when this process ends instead.</returns>
    private async Task<bool> StartAnewAsync(CancellationToken ct)
    {
        log.LogError("This process can send but does not hear what is sent to it; its bus is started anew.");
        try
        {
            await bus.StopAsync(s_stop);
            // Without a limit: the broker may be away again, and a start that is cut short leaves the bus half started.
            await bus.StartAsync(ct);
            return true;
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            log.LogCritical(exception, "The bus could not be started anew; this process ends.");
            Environment.ExitCode = 1;
            lifetime.StopApplication();
            return false;
        }
    }

    private async Task<bool> HearsAsync(CancellationToken ct)
    {
        var waiting = _waiting = new Waiting(Guid.NewGuid());
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(s_patience);
        var endpoint = await bus.GetSendEndpoint(bus.Address);
        await endpoint.Send(new Echo { Id = waiting.Id }, limit.Token);
        try
        {
            await waiting.Heard.Task.WaitAsync(s_patience, time, ct);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private sealed record Waiting(Guid Id)
    {
        public TaskCompletionSource Heard { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>From a process to itself.</summary>
public sealed record Echo
{
    public required Guid Id { get; init; }
}
