using MassTransit;

namespace Qualiz.Contracts;

/// <summary>
/// The header that all events share, filled in by the service that publishes the event. An event of no run is published without
/// a <see cref="Sequence"/>: the commit that takes it along numbers it. The bus knows events by their own type and by <see cref="IEvent"/>, not by this one.
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
