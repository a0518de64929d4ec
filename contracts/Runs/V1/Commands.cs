using System.Text.Json;
using Qualiz.Contracts.Data;

namespace Qualiz.Contracts.Runs.V1;

/// <summary>Starts a run of a published pipeline version. The same idempotency key starts the same run.</summary>
public sealed record StartRun
{
    public required Guid RunId { get; init; }
    public required string Project { get; init; }
    public required string Pipeline { get; init; }

    /// <summary>Null: the latest version.</summary>
    public int? Version { get; init; }
    public JsonElement? Params { get; init; }
    public DateOnly? Day { get; init; }

    /// <summary>The logical interval; both or none. Without it, the day from midnight to midnight in the pipeline's time zone.</summary>
    public DateTimeOffset? IntervalStart { get; init; }
    public DateTimeOffset? IntervalEnd { get; init; }

    /// <summary>The run that this one does again, perhaps with changed parameters.</summary>
    public Guid? RerunOf { get; init; }

    /// <summary>Read today's versions of named datasets, not those that the run which is done again has read.</summary>
    public bool LatestData { get; init; }
    public string? IdempotencyKey { get; init; }

    /// <summary>What caused it, in words: <c>api</c>, <c>schedule nightly</c>, <c>event 01K9...</c>.</summary>
    public required string Cause { get; init; }
    public required string Actor { get; init; }

    /// <summary>The step that starts it; null for a run that stands by itself.</summary>
    public ParentStep? Parent { get; init; }

    /// <summary>Set: the run re-injects rows.</summary>
    public ReinjectedRows? Reinjects { get; init; }
}

/// <summary>Admits waiting runs of a pipeline while its concurrency limit allows.</summary>
public sealed record AdmitNext
{
    public required Guid PipelineId { get; init; }
}

/// <summary>To the saga: the run has a slot and begins.</summary>
public sealed record AdmitRun
{
    public required Guid RunId { get; init; }
}

public sealed record CancelRun
{
    public required Guid RunId { get; init; }
    public required string Actor { get; init; }
    public string? Reason { get; init; }
}

/// <summary>Same run, next attempt of its failed steps; the outputs of good steps are reused.</summary>
public sealed record RetryRun
{
    public required Guid RunId { get; init; }
    public required string Actor { get; init; }
}

/// <summary>To the saga: begin nothing more until <see cref="ResumeRun"/>; what runs may finish.</summary>
public sealed record PauseRun
{
    public required Guid RunId { get; init; }
    public required string Actor { get; init; }
    public string? Reason { get; init; }
}

public sealed record ResumeRun
{
    public required Guid RunId { get; init; }
    public required string Actor { get; init; }
}

/// <summary>To the saga: the run's time is up.</summary>
public sealed record ExpireRun
{
    public required Guid RunId { get; init; }
}

/// <summary>To the saga, by a timer: a run that has not ended by now is late.</summary>
public sealed record ReportLate
{
    public required Guid RunId { get; init; }

    /// <summary>When it should have been done.</summary>
    public required DateTimeOffset Expected { get; init; }

    /// <summary>Why that is late, in one sentence.</summary>
    public required string Reason { get; init; }
}

/// <summary>To the saga, by a timer: a step's back-off or its next check is due.</summary>
public sealed record ResumeStep
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }

    /// <summary>The dispatch that the timer followed; a later one makes the timer stale.</summary>
    public required int Dispatch { get; init; }
}

/// <summary>To the saga, by the reconciler or the worker's host: the execution with this fence is lost (its lease ran out, its process died).</summary>
public sealed record LoseStep
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }

    /// <summary>
    /// True when the whole host, the broker or the database went and came back, or a host that is stopping gives its work back: that says nothing
    /// against the step, so it is not counted.
    /// </summary>
    public bool HostRestarted { get; init; }
}

/// <summary>To an operator's queue: do a step. It may arrive twice or late; the claim decides who works.</summary>
public sealed record ExecuteStep
{
    public required Guid RunId { get; init; }

    /// <summary>Earlier runs whose versions of named datasets this one reads too, nearest first.</summary>
    public IReadOnlyList<Guid> ReadsLike { get; init; } = [];
    public required Guid ProjectId { get; init; }
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public required int PipelineVersion { get; init; }
    public required string StepId { get; init; }
    public required string Operator { get; init; }
    public required int Major { get; init; }

    /// <summary>1, 2, ...: the user-visible attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>1, 2, ...: every time the saga sends the step out, by retry, resumption or after a lost worker.</summary>
    public required int Dispatch { get; init; }

    /// <summary>The configuration with all parameters filled in.</summary>
    public required JsonElement Config { get; init; }
    public required IReadOnlyList<StepInput> Inputs { get; init; }
    public required LogicalInterval Interval { get; init; }
    public TimeSpan? Timeout { get; init; }

    /// <summary>Set when the step comes back from waiting.</summary>
    public Deferral? Deferral { get; init; }

    /// <summary>Set on the step of a re-injection that rejected the rows.</summary>
    public Reinjection? Reinjection { get; init; }
}

/// <summary>Exactly one of <see cref="Dataset"/> (an earlier step's output) and <see cref="Reference"/> (<c>dataset:...</c>, resolved at execution) is set.</summary>
public sealed record StepInput
{
    public required string Name { get; init; }
    public DatasetRef? Dataset { get; init; }
    public string? Reference { get; init; }

    /// <summary>Of these rows only the ones that are re-injected count, with their repairs.</summary>
    public bool OnlyPatched { get; init; }
}

public sealed record LogicalInterval(DateOnly Day, DateTimeOffset Start, DateTimeOffset End);

/// <param name="Key">What the operator gave to find its outside work again.</param>
/// <param name="Count">How many times the step has come back, this one included.</param>
public sealed record Deferral(string Key, int Count);

/// <summary>Published to every worker's own queue: stop this execution; the claim is gone or the run is cancelled.</summary>
public sealed record StopStep
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }
}
