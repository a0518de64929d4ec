using System.Diagnostics;
using System.Threading.Channels;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Qualiz.Platform.Data;
using Qualiz.Platform.Telemetry;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// Sends what this process has just committed: handed over in memory, so without reading it back and without waiting for a
/// poll. What it does not get to (the process dies, the broker is away) stays unsent in the table, where the sweeper, or on
/// the in-process bus the next start, finds it (docs/adr/0002-outbox-hand-off.md).
/// </summary>
internal sealed class OutboxRelay(IServiceProvider services, MessageRoutes routes, ILogger<OutboxRelay> logger) : BackgroundService
{
    private const int MaxInFlight = 200;

    /// <summary>Above it, messages are left to the sweeper: a broker that is away must not fill the memory.</summary>
    private const int MaxWaiting = 10_000;

    private static readonly TimeSpan s_sendTime = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _slots = new(MaxInFlight);
    private readonly Channel<Guid> _sent = Channel.CreateUnbounded<Guid>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lazy<IBus> _bus = new(services.GetRequiredService<IBus>);
    private readonly CancellationTokenSource _stopping = new();
    private int _waiting;
    private bool _stopped;
    private long _nextWarning;

    /// <summary>Set by the timer poller, which wants to know when a timer is set that is due before its next look.</summary>
    public Action<DateTimeOffset> TimerSet { get; set; } = _ => { };

    /// <summary>Sends without making the committing code wait.</summary>
    public void Relay(IReadOnlyList<OutgoingMessage> committed)
    {
        var messages = committed.Where(routes.IsHeard).ToArray();
        if (messages.Length == 0)
            return;
        if (Interlocked.Add(ref _waiting, messages.Length) > MaxWaiting && !routes.InProcess)
        {
            Interlocked.Add(ref _waiting, -messages.Length);
            return;
        }
        _ = Task.Run(() => SendAllAsync(messages));
    }

    private async Task SendAllAsync(OutgoingMessage[] messages)
    {
        using var time = routes.InProcess ? null : CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        time?.CancelAfter(s_sendTime);
        var ct = time?.Token ?? CancellationToken.None;
        await Task.WhenAll(messages.Select(async message =>
        {
            try
            {
                if (await TrySendAsync(message, ct) && !routes.InProcess)
                    _sent.Writer.TryWrite(message.Id);
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
        }));
    }

    /// <returns>False when it could not be sent; it is still unsent in the table then.</returns>
    public async Task<bool> TrySendAsync(OutgoingMessage message, CancellationToken ct)
    {
        try
        {
            await _slots.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        try
        {
            await SendAsync(message, ct);
            return true;
        }
        catch (Exception exception)
        {
            if (TimeToWarn())
                logger.LogWarning(exception, "{Type} could not be sent yet; it stays in the outbox", message.Body.GetType().Name);
            return false;
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        // The sender's span, not the one of whoever happens to run the relay.
        Activity.Current = null;
        using var activity = message.TraceParent is { } trace && ActivityContext.TryParse(trace, null, isRemote: true, out var parent)
            ? QualizTelemetry.Activities.StartActivity("outbox send", ActivityKind.Internal, parent)
            : null;
        var id = new MessageIdPipe(message.Id);
        if (message.Queue is { } queue)
        {
            var endpoint = await _bus.Value.GetSendEndpoint(new Uri($"queue:{queue}"));
            await endpoint.Send(message.Body, message.Body.GetType(), id, CancellationToken.None).WaitAsync(ct);
        }
        else
        {
            await _bus.Value.Publish(message.Body, message.Body.GetType(), id, CancellationToken.None).WaitAsync(ct);
        }
    }

    /// <summary>
    /// A commit's answer was lost. With a broker the sweeper finds out; on the in-process bus nobody reads the table before
    /// the next start, so look here whether it is there.
    /// </summary>
    public void Doubt(IReadOnlyList<OutgoingMessage> messages)
    {
        if (routes.InProcess && messages.Any(MessageRoutes.IsDurable))
            _ = Task.Run(() => ResolveDoubtAsync([.. messages]));
    }

    private async Task ResolveDoubtAsync(OutgoingMessage[] messages)
    {
        var witness = messages.First(MessageRoutes.IsDurable).Id;
        var until = DateTime.UtcNow + BackOff.Longest;
        var backOff = new BackOff();
        // The server may still be at it although the connection broke: absent is final only after a while.
        while (DateTime.UtcNow < until && !_stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(backOff.Next(), _stopping.Token);
                await using var command = Source.CreateCommand("SELECT 1 FROM bus.outbox WHERE message_id = $1");
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = witness });
                if (await command.ExecuteScalarAsync(_stopping.Token) is null)
                    continue;
                Relay(messages);
                return;
            }
            catch (Exception exception) when (InfrastructureFault.Is(exception))
            {
                until = DateTime.UtcNow + BackOff.Longest;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Marks what was sent, many rows in one UPDATE.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (routes.InProcess)
            return;
        var ids = new List<Guid>();
        var backOff = new BackOff();
        while (await _sent.Reader.WaitToReadAsync(CancellationToken.None))
        {
            // Nobody waits for the mark; only the sweeper's patience (seconds) bounds it.
            if (!stoppingToken.IsCancellationRequested)
                await Task.Delay(100, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (ids.Count < 2000 && _sent.Reader.TryRead(out var id))
                ids.Add(id);
            try
            {
                await MarkSentAsync(Source, ids, CancellationToken.None);
                backOff = new BackOff();
            }
            catch (Exception exception)
            {
                // Unmarked means sent once more by the sweeper, and dropped by the inboxes.
                logger.LogWarning("{Count} messages could not be marked as sent: {Reason}", ids.Count, exception.Message);
                if (stoppingToken.IsCancellationRequested)
                    return;
                await Task.Delay(backOff.Next(), stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            ids.Clear();
        }
    }

    public static async Task MarkSentAsync(NpgsqlDataSource source, IReadOnlyList<Guid> ids, CancellationToken ct)
    {
        await using var command = source.CreateCommand("UPDATE bus.outbox SET sent_at = clock_timestamp() WHERE message_id = ANY($1) AND sent_at IS NULL");
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. ids] });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Gives what is on its way a moment, then lets go: the table knows what is left.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // A host that is stopped and disposed stops its services twice.
        if (Interlocked.Exchange(ref _stopped, true))
            return;
        var until = Environment.TickCount64 + 3000;
        while (Volatile.Read(ref _waiting) > 0 && Environment.TickCount64 < until && !cancellationToken.IsCancellationRequested)
            await Task.Delay(20, CancellationToken.None);
        await _stopping.CancelAsync();
        _sent.Writer.TryComplete();
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _stopping.Dispose();
        _slots.Dispose();
        base.Dispose();
    }

    private NpgsqlDataSource Source => services.GetRequiredKeyedService<NpgsqlDataSource>(BusSchema.Name);

    private bool TimeToWarn()
    {
        var now = Environment.TickCount64;
        var next = Interlocked.Read(ref _nextWarning);
        return now >= next && Interlocked.CompareExchange(ref _nextWarning, now + 10_000, next) == next;
    }

    private sealed class MessageIdPipe(Guid id) : IPipe<SendContext>, IPipe<PublishContext>
    {
        public Task Send(SendContext context)
        {
            context.MessageId = id;
            return Task.CompletedTask;
        }

        public Task Send(PublishContext context) => Send((SendContext)context);

        public void Probe(ProbeContext context)
        {
        }
    }
}
