using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Qualiz.Platform.Data;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// On the in-process bus, messages die with the process. At start, every stored message that has not reached all of its
/// queues is sent again, however old; the inboxes of those it did reach drop it.
/// </summary>
internal sealed class InProcessRecovery(
    [FromKeyedServices(BusSchema.Name)] NpgsqlDataSource source,
    ServiceDatabases databases,
    MessageRoutes routes,
    OutboxRelay relay,
    ILogger<InProcessRecovery> logger) : IHostedService
{
    private const int Page = 500;

    /// <summary>Runs after the bus has started and before anything in this process writes messages.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        string[] services = [.. databases.All.Select(database => database.Name)];
        var count = 0;
        for (long last = 0; ;)
        {
            await using var command = source.CreateCommand(
                $"""
                SELECT {OutboxTable.Columns} FROM bus.outbox AS o
                WHERE service = ANY($1) AND sent_at IS NULL AND id > $2 AND (endpoints IS NULL OR EXISTS (
                    SELECT FROM unnest(o.endpoints) AS e (endpoint)
                    WHERE NOT EXISTS (SELECT FROM bus.inbox AS i WHERE i.message_id = o.message_id AND i.endpoint = e.endpoint)))
                ORDER BY id LIMIT {Page}
                """);
            command.Parameters.Add(OutboxTable.Texts(services));
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = last });
            var rows = await OutboxTable.ReadAsync(command, cancellationToken);
            if (rows.Count == 0)
                break;
            last = rows[^1].Id;
            foreach (var row in rows)
            {
                if (row.Message is not { } message)
                {
                    logger.LogError("The outbox holds a message of type {Type}, which this version does not know", row.Type);
                    continue;
                }
                if (message.Endpoints is null)
                    await AdoptAsync(message, cancellationToken);
                if (routes.IsHeard(message) && await relay.TrySendAsync(message, cancellationToken))
                    count++;
            }
        }
        if (count > 0)
            logger.LogInformation("Sent {Count} messages again that the last process had not finished", count);
    }

    /// <summary>It was written while the system ran on a broker: from now on this process's inboxes say when it is done.</summary>
    private async Task AdoptAsync(OutgoingMessage message, CancellationToken ct)
    {
        await using var command = source.CreateCommand("UPDATE bus.outbox SET endpoints = $2 WHERE message_id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = message.Id });
        command.Parameters.Add(OutboxTable.Texts(
            (message.Queue is { } queue ? routes.EndpointsOfQueue(queue) : routes.EndpointsOf(message.Body)) ?? []));
        await command.ExecuteNonQueryAsync(ct);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
