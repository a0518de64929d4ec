namespace Qualiz.Platform.Messaging;

/// <summary>What a transaction is going to say, until it commits.</summary>
internal sealed class OutboxBuffer(string service, MessageRoutes routes) : IOutbox
{
    public List<OutgoingMessage> Messages { get; } = [];
    public List<OutgoingTimer> Timers { get; } = [];

    public void Publish(object message) => Messages.Add(new OutgoingMessage(
        OutgoingMessage.NewId(message), service, message, null, OutgoingMessage.CurrentTrace(), routes.EndpointsOf(message)));

    public void Send(string queue, object message) => Messages.Add(new OutgoingMessage(
        Guid.CreateVersion7(), service, message, queue, OutgoingMessage.CurrentTrace(), routes.EndpointsOfQueue(queue)));

    public void SendAt(DateTimeOffset dueAt, string queue, object message) =>
        Timers.Add(new OutgoingTimer(Guid.CreateVersion7(), dueAt.ToUniversalTime(), queue, message, OutgoingMessage.CurrentTrace()));

    public void Clear()
    {
        Messages.Clear();
        Timers.Clear();
    }
}
