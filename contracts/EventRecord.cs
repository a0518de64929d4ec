using MassTransit;

namespace Qualiz.Contracts;

/// <summary>
/// The header that all events share. It is filled in by the service that publishes the event, at the moment it numbers it;
/// the bus knows events by their own type and by <see cref="IEvent"/>, not by this one.
/// </summary>
[ExcludeFromTopology]
public abstract record EventRecord : IEvent
{
    public Guid Id { get; init; }
    public DateTimeOffset OccurredAt { get; init; }
    public Guid ProjectId { get; init; }
    public string Actor { get; init; } = "";
    public Guid? RunId { get; init; }
    public long Sequence { get; init; }
}
