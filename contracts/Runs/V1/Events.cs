using Qualiz.Contracts.Data;

namespace Qualiz.Contracts.Runs.V1;

public sealed record RunQueued : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public required int PipelineVersion { get; init; }
    public required string Cause { get; init; }
}

public sealed record RunStarted : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
}

public sealed record StepStarted : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required string StepId { get; init; }
    public required int Attempt { get; init; }
    public required long Fence { get; init; }
    public required string Worker { get; init; }
}

public sealed record StepCompleted : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required string StepId { get; init; }
    public required int Attempt { get; init; }
    public required long Fence { get; init; }
    public required StepOutcome Outcome { get; init; }
}

public sealed record StepFailed : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required string StepId { get; init; }
    public required int Attempt { get; init; }
    public required StepError Error { get; init; }
    public StepOutcome? Outcome { get; init; }

    /// <summary>When the next attempt begins; null when this was the last.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}

/// <summary>The step will not run: its condition was false, or a step it depends on did not succeed.</summary>
public sealed record StepSkipped : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required string StepId { get; init; }
    public required string Reason { get; init; }
}

public sealed record StepDeferred : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required string StepId { get; init; }
    public required DateTimeOffset NextCheck { get; init; }
}

/// <summary>An execution was lost: its worker died or could not renew its lease.</summary>
public sealed record StepLost : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }
    public required int Times { get; init; }
}

public sealed record RunCancelling : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public string? Reason { get; init; }
}

public sealed record RunRetried : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required IReadOnlyList<string> Steps { get; init; }
}

/// <summary>The run ended well. Its published datasets become the latest versions.</summary>
public sealed record RunCompleted : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public required int PipelineVersion { get; init; }
    public IReadOnlyList<PublishedOutput> Published { get; init; } = [];
}

/// <param name="Dataset">The dataset's name.</param>
/// <param name="Quality">Share of rows without a failing check, 0 to 1; null when nothing was checked.</param>
public sealed record PublishedOutput(string Dataset, string StepId, DatasetRef Content, double? Quality);

public sealed record RunFailed : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public string? StepId { get; init; }
    public required StepError Error { get; init; }
}

public sealed record RunCancelled : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public required Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
}
