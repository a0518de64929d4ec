namespace Qualiz.Contracts;

/// <summary>
/// Something that happened. Every event carries who did it, where, and its place in the order of its run
/// (or of its project, when it belongs to no run), so that an auditor can prove that none is missing.
/// </summary>
/// <remarks>The identifier is <c>Id</c>, not <c>EventId</c>: MassTransit silently takes a Guid of that name as the correlation id.</remarks>
public interface IEvent
{
    Guid Id { get; }
    DateTimeOffset OccurredAt { get; }
    Guid ProjectId { get; }

    /// <summary>Who caused it: a person, an API key or a service. Set by the platform, never from a request body.</summary>
    string Actor { get; }

    Guid? RunId { get; }

    /// <summary>1, 2, 3, ... within the run, or, when <see cref="RunId"/> is null, within the project, whichever service publishes the event.</summary>
    long Sequence { get; }
}
