using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Qualiz.Platform.Data;

namespace Qualiz.Platform.Messaging;

/// <summary>Deletes what is done: sent messages, and inbox rows whose message cannot come again.</summary>
internal sealed class BusJanitor([FromKeyedServices(BusSchema.Name)] NpgsqlDataSource source, MessageRoutes routes, ILogger<BusJanitor> logger)
    : BackgroundService
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(s_pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
                return;
            try
            {
                await CleanAsync(TimeSpan.FromMinutes(10), TimeSpan.FromHours(1), TimeSpan.FromDays(7), stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogWarning("Old messages could not be deleted: {Reason}", exception.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <param name="keepDone">In-process: how long a message that all its queues have handled is kept, with its inbox rows.</param>
    /// <param name="keepSent">With a broker: how long a sent message is kept to be looked at.</param>
    /// <param name="keepInbox">How long a message may come a second time.</param>
    internal async Task CleanAsync(TimeSpan keepDone, TimeSpan keepSent, TimeSpan keepInbox, CancellationToken ct)
    {
        if (routes.InProcess)
        {
            await InChunksAsync(
                """
                WITH done AS MATERIALIZED (
                    SELECT message_id FROM bus.outbox AS o
                    WHERE sent_at IS NULL AND endpoints IS NOT NULL AND created_at < clock_timestamp() - $1 AND NOT EXISTS (
                        SELECT FROM unnest(o.endpoints) AS e (endpoint)
                        WHERE NOT EXISTS (SELECT FROM bus.inbox AS i WHERE i.message_id = o.message_id AND i.endpoint = e.endpoint))
                    LIMIT 5000),
                handled AS (DELETE FROM bus.inbox AS i USING done WHERE i.message_id = done.message_id)
                DELETE FROM bus.outbox AS o USING done WHERE o.message_id = done.message_id
                """, keepDone, ct);
        }
        await InChunksAsync(
            """
            DELETE FROM bus.outbox WHERE message_id IN (
                SELECT message_id FROM bus.outbox WHERE created_at < clock_timestamp() - $1 AND sent_at IS NOT NULL LIMIT 5000)
            """, keepSent, ct);
        // A message that is still to be sent may have been handled before its process could mark it: its inbox row stays.
        await InChunksAsync(
            """
            DELETE FROM bus.inbox WHERE (message_id, endpoint) IN (
                SELECT message_id, endpoint FROM bus.inbox AS i WHERE received_at < clock_timestamp() - $1
                  AND NOT EXISTS (SELECT FROM bus.outbox AS o WHERE o.message_id = i.message_id AND o.sent_at IS NULL) LIMIT 5000)
            """, keepInbox, ct);
    }

    private async Task InChunksAsync(string sql, TimeSpan age, CancellationToken ct)
    {
        int deleted;
        do
        {
            await using var command = source.CreateCommand(sql);
            command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = age });
            deleted = await command.ExecuteNonQueryAsync(ct);
        }
        while (deleted >= 5000);
    }
}
