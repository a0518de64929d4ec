namespace Qualiz.Platform.Messaging;

/// <summary>
/// Messages that leave at once, outside any transaction: results of operators, announcements, stops. What belongs to a
/// change of state goes through <see cref="IOutbox"/> instead. Like everything that the bus is asked to do, a send is given up after a while but never cancelled:
/// RabbitMQ.Client 7.1 loses its connection, or leaves it hanging, when the broker's answer comes after an operation was cancelled (its issues 1827 and 1900).
/// </summary>
public interface IMessageSender
{
    /// <summary>
    /// Returns when the broker has confirmed the message. While the broker is away it tries again, with back-off up to 30 s and
    /// without limit, until <paramref name="ct"/> ends it; every try carries the same message id.
    /// </summary>
    Task SendAsync(string queue, object message, CancellationToken ct);

    /// <summary>As <see cref="SendAsync"/>, to everyone subscribed.</summary>
    Task PublishAsync(object message, CancellationToken ct);
}
