using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Qualiz.Platform.Data;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// Turns timers that are due into messages: out of the timers and into the outbox in one statement, so that each fires once
/// whoever looks and whenever somebody dies.
/// </summary>
internal sealed class TimerPoller(
    [FromKeyedServices(BusSchema.Name)] NpgsqlDataSource source,
    ServiceDatabases databases,
    MessageRoutes routes,
    OutboxRelay relay,
    ILogger<TimerPoller> logger) : BackgroundService
{
    private const int Page = 200;
    private static readonly TimeSpan s_longestSleep = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _wake = new(0);
    private readonly string[] _services = [.. databases.All.Select(database => database.Name)];
    private long _sleepsUntil;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        relay.TimerSet = dueAt =>
        {
            if (dueAt.UtcTicks < Interlocked.Read(ref _sleepsUntil))
                _wake.Release();
        };
        var backOff = new BackOff();
        while (!stoppingToken.IsCancellationRequested)
        {
            TimeSpan sleep;
            try
            {
                sleep = await FireDueAsync(stoppingToken);
                backOff = new BackOff();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                sleep = backOff.Next();
                logger.LogWarning("Timers could not be read; trying again in {Wait}: {Reason}", sleep, exception.Message);
            }
            Interlocked.Exchange(ref _sleepsUntil, (DateTime.UtcNow + sleep).Ticks);
            await ((Task)_wake.WaitAsync(sleep, stoppingToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Interlocked.Exchange(ref _sleepsUntil, 0);
        }
    }

    /// <returns>How long until the next look.</returns>
    private async Task<TimeSpan> FireDueAsync(CancellationToken ct)
    {
        await using var batch = source.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"""
            WITH due AS MATERIALIZED (
                SELECT id FROM bus.timer WHERE service = ANY($1) AND due_at <= clock_timestamp()
                ORDER BY due_at LIMIT {Page} FOR UPDATE SKIP LOCKED),
            fired AS (
                DELETE FROM bus.timer AS t USING due WHERE t.id = due.id RETURNING t.*),
            moved AS (
                INSERT INTO bus.outbox (service, message_id, type, queue, body, traceparent, endpoints)
                SELECT service, id, type, queue, body, traceparent,
                    CASE WHEN $2 THEN CASE WHEN queue = ANY($3) THEN ARRAY[queue] ELSE ARRAY[]::text[] END END
                FROM fired ON CONFLICT DO NOTHING)
            SELECT service, id, type, queue, body::text, traceparent FROM fired
            """)
        {
            Parameters =
            {
                OutboxTable.Texts(_services),
                new NpgsqlParameter<bool> { TypedValue = routes.InProcess },
                OutboxTable.Texts(routes.TrackedQueues),
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT min(due_at) - clock_timestamp() FROM bus.timer WHERE service = ANY($1)")
        {
            Parameters = { OutboxTable.Texts(_services) },
        });

        var fired = new List<OutgoingMessage>();
        var next = s_longestSleep;
        await using (var reader = await batch.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                // Of a type that only a newer version knows: it is in the outbox now, for that version.
                if (OutgoingMessage.BodyOf(reader.GetString(2), reader.GetString(4)) is not { } body)
                    continue;
                var queue = reader.GetString(3);
                fired.Add(new OutgoingMessage(reader.GetGuid(1), reader.GetString(0), body, queue,
                    reader.IsDBNull(5) ? null : reader.GetString(5), routes.EndpointsOfQueue(queue)));
            }
            await reader.NextResultAsync(ct);
            if (await reader.ReadAsync(ct) && !reader.IsDBNull(0) && reader.GetTimeSpan(0) is var until && until < next)
                next = until;
        }
        relay.Relay(fired);
        // Another process may hold what is overdue: do not spin on it.
        return fired.Count == Page ? TimeSpan.Zero : next < TimeSpan.FromMilliseconds(5) ? TimeSpan.FromMilliseconds(5) : next;
    }

    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }
}
