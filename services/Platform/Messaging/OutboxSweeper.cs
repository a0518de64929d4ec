using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Qualiz.Platform.Data;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// With a broker: sends what has been unsent for some seconds, because its process died or the broker was away. One process
/// at a time for each service. It asks for what is unsent and never for "after the last one": ids commit out of order.
/// </summary>
internal sealed class OutboxSweeper(
    [FromKeyedServices(BusSchema.Name)] NpgsqlDataSource source, ServiceDatabases databases, OutboxRelay relay, ILogger<OutboxSweeper> logger)
    : BackgroundService
{
    private const int Page = 500;

    /// <summary>Longer than the relay needs from commit to mark.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);
    private readonly HashSet<string> _unknown = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backOff = new BackOff();
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = s_pause;
            try
            {
                foreach (var database in databases.All)
                    await SweepAsync(database.Name, stoppingToken);
                backOff = new BackOff();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                wait += backOff.Next();
                logger.LogWarning("The outbox could not be swept; trying again in {Wait}: {Reason}", wait, exception.Message);
            }
            await Task.Delay(wait, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal async Task SweepAsync(string service, CancellationToken ct)
    {
        // A pass goes forward by id, so that messages which cannot be sent do not hide those after them; the next begins again.
        for (long last = 0; ;)
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var select = new NpgsqlCommand(
                $"""
                SELECT {OutboxTable.Columns} FROM bus.outbox
                WHERE service = $1 AND sent_at IS NULL AND id > $2 AND created_at < clock_timestamp() - $3
                  AND pg_try_advisory_xact_lock(hashtextextended('qualiz sweeper ' || $1, 0))
                ORDER BY id LIMIT {Page}
                """, connection)
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = service },
                    new NpgsqlParameter<long> { TypedValue = last },
                    new NpgsqlParameter<TimeSpan> { TypedValue = s_patience },
                },
            };
            var rows = await OutboxTable.ReadAsync(select, ct);
            if (rows.Count == 0)
                return;
            last = rows[^1].Id;

            foreach (var row in rows.Where(row => row.Message is null && _unknown.Add(row.Type)))
                logger.LogError("The outbox of {Service} holds messages of type {Type}, which this version does not know", service, row.Type);

            using var time = CancellationTokenSource.CreateLinkedTokenSource(ct);
            time.CancelAfter(TimeSpan.FromSeconds(20));
            var known = rows.Where(row => row.Message is not null).Select(row => row.Message!).ToList();
            var sent = await Task.WhenAll(known.Select(message => relay.TrySendAsync(message, time.Token)));
            var done = known.Where((_, index) => sent[index]).Select(message => message.Id).ToArray();
            await using var mark = new NpgsqlCommand("UPDATE bus.outbox SET sent_at = clock_timestamp() WHERE message_id = ANY($1) AND sent_at IS NULL", connection)
            {
                Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = done } },
            };
            await mark.ExecuteNonQueryAsync(CancellationToken.None);
            await transaction.CommitAsync(CancellationToken.None);
            if (done.Length > 0)
                logger.LogInformation("Sent {Count} messages of {Service} that had been left in the outbox", done.Length, service);
            if (rows.Count < Page || done.Length == 0)
                return;
        }
    }
}
