using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// Sends this process a word by the way that answers come, every few seconds, and ends the process when it has long not heard it, or not all of its queues
/// are consumed, although the broker takes messages from others: whoever supervises it starts it anew. MassTransit comes back by itself from most
/// losses of a broker, within its longest wait of half a minute; but an endpoint whose channel is being opened when the broker goes a second time may give up
/// for good (ReceiveTransport lets a cancelled operation end its loop), a connection was seen on which every operation hangs, and a bus that is stopped and
/// started again keeps such endpoints as they are.
/// </summary>
internal sealed class BusHearing(IBusControl bus, IConfiguration configuration, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<BusHearing> log) : BackgroundService
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(10);

    private readonly TimeSpan _patience = configuration.GetValue("Bus:Patience", TimeSpan.FromSeconds(90));
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
            var heard = time.GetTimestamp();
            while (time.GetElapsedTime(heard) < _patience)
            {
                await Task.Delay(s_every, time, stoppingToken);
                if (await HearsAsync(stoppingToken) || !await BrokerTakesMessagesAsync(stoppingToken))
                    heard = time.GetTimestamp();
            }
            log.LogCritical("The broker works, but for {Patience} this process could not send to it or has not heard all that it was sent; it ends, to be started anew.", _patience);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
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

    private async Task<bool> HearsAsync(CancellationToken ct)
    {
        var waiting = _waiting = new Waiting(Guid.NewGuid());
        try
        {
            var endpoint = await bus.GetSendEndpoint(bus.Address);
            await endpoint.Send(new Echo { Id = waiting.Id }, CancellationToken.None).WaitAsync(s_answer, ct);
            await waiting.Heard.Task.WaitAsync(s_answer, ct);
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            log.LogDebug(exception, "A word to this process itself was not heard.");
            return false;
        }
        return bus.CheckHealth().Status == BusHealthStatus.Healthy;
    }

    /// <summary>By a connection of its own. A broker that is away, or takes nothing because its disk or memory is full, is not helped by an end of this process.</summary>
    private async Task<bool> BrokerTakesMessagesAsync(CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(s_answer);
        try
        {
            var broker = new ConnectionFactory { Uri = new Uri(configuration["Bus:Uri"]!), AutomaticRecoveryEnabled = false };
            await using var connection = await broker.CreateConnectionAsync(limit.Token);
            await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), limit.Token);
            // To no queue: the broker confirms it and lets it fall.
            await channel.BasicPublishAsync("", $"qualiz.probe.{Guid.NewGuid():N}", ReadOnlyMemory<byte>.Empty, limit.Token);
            return true;
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            log.LogDebug(exception, "The broker takes no messages.");
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
