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
                await send().WaitAsync(s_sendTime, ct);
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
