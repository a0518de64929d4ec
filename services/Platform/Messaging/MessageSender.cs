using MassTransit;
using Microsoft.Extensions.Logging;

namespace Qualiz.Platform.Messaging;

internal sealed class MessageSender(IBus bus, ILogger<MessageSender> logger) : IMessageSender
{
    private static readonly TimeSpan s_sendTime = TimeSpan.FromSeconds(10);

    public Task SendAsync(string queue, object message, CancellationToken ct)
    {
        var id = Guid.CreateVersion7();
        return UntilConfirmedAsync(message, async () =>
        {
            var endpoint = await bus.GetSendEndpoint(new Uri($"queue:{queue}"));
            await endpoint.Send(message, message.GetType(), context => context.MessageId = id, CancellationToken.None);
        }, ct);
    }

    public Task PublishAsync(object message, CancellationToken ct)
    {
        var id = OutgoingMessage.NewId(message);
        return UntilConfirmedAsync(message, () => bus.Publish(message, message.GetType(), context => context.MessageId = id, CancellationToken.None), ct);
    }

    private async Task UntilConfirmedAsync(object message, Func<Task> send, CancellationToken ct)
    {
        for (var backOff = new BackOff(); ;)
        {
            try
            {
                await send().LeaveAloneAfter(s_sendTime, ct);
                return;
            }
            catch (Exception exception) when (!ct.IsCancellationRequested && (exception is OperationCanceledException or TimeoutException || InfrastructureFault.Is(exception)))
            {
                var wait = backOff.Next();
                logger.LogWarning("{Message} could not be sent; trying again in {Wait}: {Reason}", message.GetType().Name, wait, exception.Message);
                await Task.Delay(wait, ct);
            }
        }
    }
}

/// <summary>
/// For everything that the bus is asked to do: it is given up, but never cancelled. RabbitMQ.Client 7.1 loses its connection, or leaves it hanging, when the
/// broker's answer comes after an operation was cancelled (its issues 1827 and 1900); what is left alone ends by itself.
/// </summary>
internal static class BusOperation
{
    /// <exception cref="TimeoutException">It took longer than <paramref name="patience"/>, and may still happen.</exception>
    public static Task LeaveAloneAfter(this Task operation, TimeSpan patience, CancellationToken ct) => operation.WaitAsync(patience, ct);

    /// <inheritdoc cref="LeaveAloneAfter(Task, TimeSpan, CancellationToken)"/>
    public static Task<T> LeaveAloneAfter<T>(this Task<T> operation, TimeSpan patience, CancellationToken ct) => operation.WaitAsync(patience, ct);
}
