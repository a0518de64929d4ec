using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>
/// A broker's bad day: whatever goes into a durable queue goes into it a second time, with the same message id, and commands
/// to the saga a third time under a new one.
/// </summary>
internal sealed class Copier : IAsyncDisposable
{
    private static readonly string[] s_queues =
    [
        "runs.saga", "runs.commands", "runs.claims", "datasets.events", "datasets.requests", "pipelines.requests", "pipelines.operators",
        "operator.ingest.v1", "operator.cleanse.v1", "operator.dedup.v1", "operator.enrich.v1", "operator.deliver.v1", "operator.notify.v1",
        "operator.wait.v1", "operator.log.v1", "operator.transform.v1", "operator.sql.v1", "operator.subjob.v1",
    ];

    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ConcurrentBag<string> _copied = [];
    private int _renamed;

    private Copier(IConnection connection, IChannel channel)
    {
        _connection = connection;
        _channel = channel;
    }

    public int Copies => _copied.Count;
    public int Renamed => Volatile.Read(ref _renamed);

    public static async Task<Copier> StartAsync(string address)
    {
        var connection = await new ConnectionFactory { Uri = new Uri(address) }.CreateConnectionAsync();
        var copier = new Copier(connection, await connection.CreateChannelAsync());
        foreach (var queue in s_queues)
            await copier.CopyAsync(queue);
        return copier;
    }

    /// <summary>Every queue has an exchange of its name before it, so a second queue behind that hears the same.</summary>
    private async Task CopyAsync(string queue)
    {
        var mine = await _channel.QueueDeclareAsync("", durable: false, exclusive: true, autoDelete: true);
        await _channel.QueueBindAsync(mine.QueueName, queue, "");
        var consumer = new AsyncEventingBasicConsumer(_channel);
        consumer.ReceivedAsync += async (_, got) =>
        {
            var body = got.Body.ToArray();
            await _turn.WaitAsync();
            try
            {
                // Not by the exchange, or it would be copied for ever.
                await _channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties(got.BasicProperties), body);
                _copied.Add(queue);
                if (queue != "runs.saga" || got.BasicProperties.MessageId is not { } id)
                    return;
                var other = Guid.NewGuid().ToString(null, CultureInfo.InvariantCulture);
                var renamed = Encoding.UTF8.GetString(body).Replace(id, other, StringComparison.OrdinalIgnoreCase);
                await _channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties(got.BasicProperties) { MessageId = other }, Encoding.UTF8.GetBytes(renamed));
                Interlocked.Increment(ref _renamed);
            }
            finally
            {
                _turn.Release();
            }
        };
        await _channel.BasicConsumeAsync(mine.QueueName, autoAck: true, consumer);
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
        _turn.Dispose();
    }
}
