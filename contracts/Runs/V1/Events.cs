using Qualiz.Contracts.Data;

namespace Qualiz.Contracts.Runs.V1;

public sealed record RunQueued : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public required int PipelineVersion { get; init; }
    public required string Cause { get; init; }

    /// <summary>The run that this one does again.</summary>
    public Guid? RerunOf { get; init; }
}

public sealed record RunStarted : EventRecord
{
    public string? Project { get; init; }
    public string? Pipeline { get; init; }
    public Guid? PipelineId { get; init; }
    public int PipelineVersion { get; init; }
}

public sealed record StepStarted : EventRecord
{
    public required string StepId { get; init; }

    /// <summary>The step with <c>forEach</c> that this is an element of; null for a step itself.</summary>
    public string? ItemOf { get; init; }

    public required int Attempt { get; init; }
    public required long Fence { get; init; }
    public required string Worker { get; init; }
}

public sealed record StepCompleted : EventRecord
{
    public required string StepId { get; init; }

    /// <summary>The step with <c>forEach</c> that this is an element of; null for a step itself.</summary>
    public string? ItemOf { get; init; }

    public required int Attempt { get; init; }
    public required long Fence { get; init; }
    public required StepOutcome Outcome { get; init; }
}

public sealed record StepFailed : EventRecord
{
    public required string StepId { get; init; }

    /// <summary>The step with <c>forEach</c> that this is an element of; null for a step itself.</summary>
    public string? ItemOf { get; init; }

    public required int Attempt { get; init; }
    public required StepError Error { get; init; }
    public StepOutcome? Outcome { get; init; }

    /// <summary>When the next attempt begins; null when this was the last.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}

/// <summary>The step does not run: its condition was false, a step it depends on did not succeed, or it found nothing to do.</summary>
public sealed record StepSkipped : EventRecord
{
    public required string StepId { get; init; }

    /// <summary>The step with <c>forEach</c> that this is an element of; null for a step itself.</summary>
    public string? ItemOf { get; init; }

    public required string Reason { get; init; }
}

public sealed record StepDeferred : EventRecord
{
    public required string StepId { get; init; }

    /// <summary>The step with <c>forEach</c> that this is an element of; null for a step itself.</summary>
    public string? ItemOf { get; init; }

    public required DateTimeOffset NextCheck { get; init; }

    /// <summary>What it waits for, as a clause for a person, where Runs knows it: <c>waits for run 0199...</c>.</summary>
    public string? Reason { get; init; }
}

/// <summary>An execution was lost: its worker died or could not renew its lease.</summary>
public sealed record StepLost : EventRecord
{
    public required string StepId { get; init; }

    /// <summary>The step with <c>forEach</c> that this is an element of; null for a step itself.</summary>
    public string? ItemOf { get; init; }

    public required long Fence { get; init; }
    public required int Times { get; init; }
}

/// <summary>A step with <c>forEach</c> begins; its elements follow as <c>step.1</c>, <c>step.2</c>, ...</summary>
public sealed record StepSpread : EventRecord
{
    public required string StepId { get; init; }
    public required int Attempt { get; init; }
    public required int Items { get; init; }
}

/// <summary>The run is not done by the time that its pipeline names, or takes much longer than usual. Said once of a run.</summary>
public sealed record RunLate : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public required int PipelineVersion { get; init; }

    /// <summary>When it should have been done.</summary>
    public required DateTimeOffset Expected { get; init; }

    /// <summary>In one sentence.</summary>
    public required string Reason { get; init; }
}

public sealed record RunPaused : EventRecord
{
    public string? Project { get; init; }
    public string? Pipeline { get; init; }
    public Guid? PipelineId { get; init; }
    public string? Reason { get; init; }
}

public sealed record RunResumed : EventRecord
{
    public string? Project { get; init; }
    public string? Pipeline { get; init; }
    public Guid? PipelineId { get; init; }
}

public sealed record RunCancelling : EventRecord
{
    public string? Reason { get; init; }
}

public sealed record RunRetried : EventRecord
{
    public required IReadOnlyList<string> Steps { get; init; }
}

/// <summary>The run ended well. Its published datasets become the latest versions.</summary>
public sealed record RunCompleted : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public required int PipelineVersion { get; init; }
    public IReadOnlyList<PublishedOutput> Published { get; init; } = [];

    /// <summary>Rows that its steps rejected, and pairs that wait for a person.</summary>
    public long Rejected { get; init; }
    public long ToReview { get; init; }

    /// <summary>Whether a step of it wrote to the port <c>rejected</c>, be it no row; null: an older version did not say.</summary>
    public bool? HasRejects { get; init; }
}

/// <param name="Dataset">The dataset's name.</param>
/// <param name="Quality">Share of rows without a failing check, 0 to 1; null when nothing was checked.</param>
public sealed record PublishedOutput(string Dataset, string StepId, DatasetRef Content, double? Quality);

public sealed record RunFailed : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public int PipelineVersion { get; init; }
    public string? StepId { get; init; }
    public required StepError Error { get; init; }

    /// <summary>Whether a step of it wrote to the port <c>rejected</c>, be it no row; null: an older version did not say.</summary>
    public bool? HasRejects { get; init; }
}

public sealed record RunCancelled : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public int PipelineVersion { get; init; }

    /// <summary>Whether a step of it wrote to the port <c>rejected</c>, be it no row; null: an older version did not say.</summary>
    public bool? HasRejects { get; init; }
}

/// <summary>What the run's steps wrote is kept until the pin is taken away.</summary>
public sealed record RunPinned : EventRecord;

public sealed record RunUnpinned : EventRecord;
