using MassTransit;
using Microsoft.Extensions.Configuration;
using RabbitMQ.Client.Exceptions;

namespace Qualiz.Platform.Messaging;

/// <summary>How many messages were given up: undecodable ones and those that always fail. It should be 0.</summary>
public sealed class ErrorQueues
{
    private readonly BusRegistrations _registrations;
    private readonly IConfiguration _configuration;
    private long _inProcess;

    internal ErrorQueues(BusRegistrations registrations, IConfiguration configuration)
    {
        _registrations = registrations;
        _configuration = configuration;
    }

    /// <summary>Messages in the <c>_error</c> queues of this process's endpoints; on the in-process bus, since it started.</summary>
    public async Task<long> CountAsync(CancellationToken ct)
    {
        if (BusTransport.Of(_configuration) == BusTransport.InProcess)
            return Interlocked.Read(ref _inProcess);
        await using var connection = await RabbitMqTopology.ConnectAsync(_configuration, ct);
        long count = 0;
        foreach (var queue in _registrations.Queues.Where(queue => queue.Kind != QueueKind.Requests).Select(queue => queue.Queue).Distinct())
        {
            // Asking for a queue that is not there closes the channel, so each has its own.
            await using var channel = await connection.CreateChannelAsync(cancellationToken: ct);
            try
            {
                count += (await channel.QueueDeclarePassiveAsync(queue + "_error", ct)).MessageCount;
            }
            catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == 404)
            {
                // Nothing ever failed here.
            }
        }
        return count;
    }

    internal void Given() => Interlocked.Increment(ref _inProcess);

    /// <summary>In the error pipe, just before a message is given up.</summary>
    internal sealed class CountFilter(ErrorQueues errors) : IFilter<ExceptionReceiveContext>
    {
        public Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
        {
            errors.Given();
            return next.Send(context);
        }

        public void Probe(ProbeContext context) => context.CreateFilterScope("count");
    }
}
