using MassTransit;
using Microsoft.Extensions.Logging;

namespace Qualiz.Platform.Messaging;

internal sealed class MessageSender(IBus bus, ILogger<MessageSender> logger) : IMessageSender
{
    private static readonly TimeSpan s_sendTime = TimeSpan.FromSeconds(10);

    public Task SendAsync(string queue, object message, CancellationToken ct)
    {
        var id = Guid.CreateVersion7();
        return UntilConfirmedAsync(message, async time =>
        {
            var endpoint = await bus.GetSendEndpoint(new Uri($"queue:{queue}"));
            await endpoint.Send(message, message.GetType(), context => context.MessageId = id, time);
        }, ct);
    }

    public Task PublishAsync(object message, CancellationToken ct)
    {
        var id = OutgoingMessage.NewId(message);
        return UntilConfirmedAsync(message, time => bus.Publish(message, message.GetType(), context => context.MessageId = id, time), ct);
    }

    private async Task UntilConfirmedAsync(object message, Func<CancellationToken, Task> send, CancellationToken ct)
    {
        for (var backOff = new BackOff(); ;)
        {
            using var time = CancellationTokenSource.CreateLinkedTokenSource(ct);
            time.CancelAfter(s_sendTime);
            try
            {
                await send(time.Token);
                return;
            }
            catch (Exception exception) when (!ct.IsCancellationRequested && (exception is OperationCanceledException || InfrastructureFault.Is(exception)))
            {
                var wait = backOff.Next();
                logger.LogWarning("{Message} could not be sent; trying again in {Wait}: {Reason}", message.GetType().Name, wait, exception.Message);
                await Task.Delay(wait, ct);
            }
        }
    }
}
