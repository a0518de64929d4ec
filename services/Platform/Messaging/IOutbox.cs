namespace Qualiz.Platform.Messaging;

/// <summary>
/// Messages that leave if, and only if, the caller's transaction commits (architecture.md 2). Used alike by saga
/// activities, consumers and HTTP handlers.
/// </summary>
public interface IOutbox
{
    /// <summary>
    /// Publishes an event: everyone subscribed to its type, or to an interface it has, receives it. An event that belongs to no
    /// run gets its number within its project when the transaction commits.
    /// </summary>
    void Publish(object message);

    /// <summary>Sends a command to one queue, by name.</summary>
    void Send(string queue, object message);

    /// <summary>Sends a command when <paramref name="dueAt"/> has come: a timer that survives every restart.</summary>
    void SendAt(DateTimeOffset dueAt, string queue, object message);
}
