using System.Text.Json;
using Qualiz.TestKit;
using RabbitMQ.Client;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>Stands for any consumer of all events: a durable queue behind the exchange of IEvent, read when all is over.</summary>
internal sealed class EventListener
{
    private const string Queue = "chaos.heard";
    private readonly ConnectionFactory _factory;
    private readonly Dictionary<Guid, (Guid Run, long Sequence, Guid Id)> _heard = [];

    private EventListener(string address) => _factory = new ConnectionFactory { Uri = new Uri(address) };

    public static async Task<EventListener> StartAsync(string address)
    {
        var listener = new EventListener(address);
        await using var connection = await listener._factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.QueueDeclareAsync(Queue, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync(Queue, "Qualiz.Contracts:IEvent", "");
        return listener;
    }

    /// <summary>Every event of every run came at least once, always the same under its message id, and nothing else came.</summary>
    public async Task ShouldHaveHeardAllAsync(Instance instance)
    {
        await using var database = instance.OpenDatabase();
        var stored = new HashSet<(Guid Run, long Sequence, Guid Id)>();
        await using (var command = database.CreateCommand("SELECT run_id, sequence, (body->>'id')::uuid FROM runs.event"))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                stored.Add((reader.GetGuid(0), reader.GetInt64(1), reader.GetGuid(2)));
        }

        await using var connection = await _factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await TestHost.UntilAsync(async () =>
        {
            while (await channel.BasicGetAsync(Queue, autoAck: true) is { } got)
            {
                using var envelope = JsonDocument.Parse(got.Body);
                var message = envelope.RootElement.GetProperty("message");
                if (message.GetProperty("runId").ValueKind == JsonValueKind.Null)
                    continue;
                var id = envelope.RootElement.GetProperty("messageId").GetGuid();
                var what = (message.GetProperty("runId").GetGuid(), message.GetProperty("sequence").GetInt64(), message.GetProperty("id").GetGuid());
                if (!_heard.TryAdd(id, what))
                    _heard[id].ShouldBe(what, "a message id stands for one event");
            }
            var missing = stored.Except(_heard.Values).ToList();
            return missing.Count == 0 ? null : $"{missing.Count} of {stored.Count} events heard, e.g. {missing[0]}";
        });
        // The events that Datasets publishes about a run are not in Runs' list.
        _heard.Values.Where(what => stored.Any(other => other.Run == what.Run && other.Sequence == what.Sequence && other.Id != what.Id)).ShouldBeEmpty();
        _heard.Values.GroupBy(what => what).Where(group => group.Count() > 1).ShouldBeEmpty("one message id for one event");
    }
}
