using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Qualiz.Contracts;
using RabbitMQ.Client;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// Declares, before this process sends anything, what every service of the system receives: an event published while its
/// consumer has never run yet waits in the consumer's queue. The table is <see cref="Queues.Subscriptions"/>; names and
/// arguments are those that MassTransit itself declares.
/// </summary>
internal sealed class RabbitMqTopology(BusRegistrations registrations, IConfiguration configuration, ILogger<RabbitMqTopology> logger) : IHostedService
{
    private static readonly RabbitMqMessageNameFormatter s_names = new();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var backOff = new BackOff(); ;)
        {
            try
            {
                await DeclareAsync(cancellationToken);
                return;
            }
            catch (Exception exception) when (InfrastructureFault.Is(exception))
            {
                var wait = backOff.Next();
                logger.LogWarning("The broker cannot be reached; trying again in {Wait}: {Reason}", wait, exception.Message);
                await Task.Delay(wait, cancellationToken);
            }
        }
    }

    private async Task DeclareAsync(CancellationToken ct)
    {
        await using var connection = await ConnectAsync(configuration, ct);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: ct);

        var events = typeof(IEvent).Assembly.GetExportedTypes().Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IEvent)));
        foreach (var type in events)
            await DeclareTypeAsync(channel, type, ct);

        foreach (var queue in Queues.Durable.Concat(registrations.Queues.Select(queue => queue.Queue)).Distinct())
        {
            await channel.ExchangeDeclareAsync(queue, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: ct);
            await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, cancellationToken: ct);
            await channel.QueueBindAsync(queue, queue, "", cancellationToken: ct);
        }

        foreach (var (queue, type) in Queues.Subscriptions)
        {
            await DeclareTypeAsync(channel, type, ct);
            await channel.ExchangeBindAsync(destination: queue, source: s_names.GetMessageName(type), "", cancellationToken: ct);
        }
    }

    /// <summary>An exchange for the type, bound to one for each interface of it, so that subscribers to an interface hear it.</summary>
    private static async Task DeclareTypeAsync(IChannel channel, Type type, CancellationToken ct)
    {
        var name = s_names.GetMessageName(type);
        await channel.ExchangeDeclareAsync(name, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: ct);
        foreach (var heard in type.GetInterfaces().Where(heard => heard.Assembly == typeof(IEvent).Assembly))
        {
            var heardName = s_names.GetMessageName(heard);
            await channel.ExchangeDeclareAsync(heardName, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: ct);
            await channel.ExchangeBindAsync(destination: heardName, source: name, "", cancellationToken: ct);
        }
    }

    public static async Task<IConnection> ConnectAsync(IConfiguration configuration, CancellationToken ct) =>
        await new ConnectionFactory { Uri = BusTransport.Address(configuration), ClientProvidedName = "qualiz topology" }.CreateConnectionAsync(ct);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
