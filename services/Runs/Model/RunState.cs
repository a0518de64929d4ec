using System.Text.Json;
using MassTransit;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Runs.Model;

/// <summary>A run: the saga's instance. Its row is written by the start, before any message can refer to it.</summary>
internal sealed class RunState : SagaStateMachineInstance
{
    public Guid CorrelationId { get; set; }
    public string CurrentState { get; set; } = "Queued";

    /// <summary>PostgreSQL's xmin: the second net under the saga's lock.</summary>
    public uint RowVersion { get; set; }

    public Guid ProjectId { get; set; }
    public string Project { get; set; } = "";
    public Guid PipelineId { get; set; }
    public string Pipeline { get; set; } = "";
    public int PipelineVersion { get; set; }
    public Guid VersionId { get; set; }
    public JsonElement Params { get; set; }
    public DateOnly Day { get; set; }
    public DateTimeOffset IntervalStart { get; set; }
    public DateTimeOffset IntervalEnd { get; set; }
    public string Cause { get; set; } = "";
    public string Actor { get; set; } = "";
    public string? IdempotencyKey { get; set; }

    /// <summary>Hash of what was asked for under the idempotency key, so that the same key for another request is refused.</summary>
    public string? RequestHash { get; set; }

    /// <summary>The pipeline's limit of active runs when this one was started; null: none.</summary>
    public int? Concurrency { get; set; }

    /// <summary>The step of another run that started this one.</summary>
    public Guid? ParentRunId { get; set; }
    public string? ParentStepId { get; set; }
    public int? ParentAttempt { get; set; }

    /// <summary>The number of the run's last event.</summary>
    public long Sequence { get; set; }
    public StepError? Error { get; set; }
    public string? FailedStep { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? AdmittedAt { get; set; }
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When its time is up (limits.timeout), counted from the start or the last retry.</summary>
    public DateTimeOffset? Deadline { get; set; }
    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>Since when it is paused; the time does not count towards its deadline.</summary>
    public DateTimeOffset? PausedAt { get; set; }

    /// <summary>The parameters as given at the start; <see cref="Params"/> has the defaults too.</summary>
    public JsonElement? Given { get; set; }

    /// <summary>The run that this one does again.</summary>
    public Guid? RerunOf { get; set; }

    /// <summary>Earlier runs whose versions of named datasets this one reads too, nearest first.</summary>
    public Guid[] ReadsLike { get; set; } = [];

    /// <summary>Set: it re-injects rows that another run rejected.</summary>
    public ReinjectionState? Reinjection { get; set; }

    /// <summary>No other run of its pipeline is active while it is: its result is an earlier one's with more rows.</summary>
    public bool Alone { get; set; }

    /// <summary>When it was told that the run is late.</summary>
    public DateTimeOffset? LateAt { get; set; }

    public bool IsPaused => CurrentState == "Paused";
    public bool IsCancelling => CurrentState == "Cancelling";

    /// <summary>Why a run that could begin waits, in words for people; null when it waits for nothing but its turn.</summary>
    public string? Held { get; set; }

    /// <summary>It has its turn with what its pipeline remembers, from its first step that reads on from there to its end. Says nothing once it has ended.</summary>
    public bool HoldsState { get; set; }

    /// <summary>Since when what its steps wrote may be gone.</summary>
    public DateTimeOffset? CollectedAt { get; set; }
    public DateTimeOffset? PinnedAt { get; set; }
    public string? PinnedBy { get; set; }

    public LogicalInterval Interval => new(Day, IntervalStart, IntervalEnd);
}

/// <summary>What a re-injection is about, and, once it has begun, how it goes about it.</summary>
internal sealed record ReinjectionState
{
    /// <summary>The run that rejected the rows, and its step that did.</summary>
    public required Guid Of { get; init; }
    public required string StepId { get; init; }

    /// <summary>Somebody wants all rows done again, even where the repaired ones alone would do.</summary>
    public bool Whole { get; init; }

    /// <summary>The pipeline's last run that read its sources: the result is what this one's was, with the repaired rows. Null: it has not begun.</summary>
    public Guid? Base { get; init; }

    /// <summary>Re-injections that have completed on the same <see cref="Base"/> before.</summary>
    public Guid[] Since { get; init; } = [];

    /// <summary>True: only the repaired rows flow. False: the base's rows, and the repaired ones of other runs, are done again.</summary>
    public bool Delta { get; init; }

    /// <summary>The runs whose rows are read beside those of the steps before, as far as they are repaired.</summary>
    public Guid[] Sources { get; init; } = [];
}

/// <summary>One step of a run.</summary>
internal sealed class StepState
{
    public Guid RunId { get; set; }
    public string StepId { get; set; } = "";
    public int Ordinal { get; set; }
    public string Project { get; set; } = "";
    public string Operator { get; set; } = "";

    /// <summary>Set on an element of a step with <c>forEach</c>: that step. <see cref="Ordinal"/> is the element's number then.</summary>
    public string? Parent { get; set; }

    /// <summary>The element's value.</summary>
    public JsonElement? Item { get; set; }

    /// <summary>Under which name the element remembers from run to run; null: under <see cref="StepId"/>.</summary>
    public string? MemoryKey { get; set; }

    /// <summary>The version of the state that the execution was given to read on from; <see cref="Guid.Empty"/>: there was none. Null: it does not read on.</summary>
    public Guid? MemoryVersion { get; set; }

    /// <summary>Set while it is deferred because another run has its turn with the pipeline's state: that run.</summary>
    public Guid? WaitsFor { get; set; }

    /// <summary>Set on a step with <c>forEach</c> once its elements are known.</summary>
    public ItemTally? Items { get; set; }
    public StepStatus State { get; set; }

    /// <summary>It has not run: a re-injection has its output from an earlier run.</summary>
    public bool IsTakenOver => State == StepStatus.Completed && Attempt == 0;

    /// <summary>The attempt that people see; it goes on counting when the run is retried by hand.</summary>
    public int Attempt { get; set; }

    /// <summary>Retries used of the step's policy since the run was last started or retried.</summary>
    public int Retries { get; set; }
    public int Dispatch { get; set; }
    public long Fence { get; set; }

    /// <summary>Executions lost in this attempt (the worker died or let its lease run out).</summary>
    public int Lost { get; set; }

    /// <summary>The fences of the executions that <see cref="Lost"/> counts: one that is heard of again after all has not died.</summary>
    public long[] LostFences { get; set; } = [];

    /// <summary>The current execution vanished.</summary>
    public void CountLost()
    {
        Lost++;
        LostFences = [.. LostFences, Fence];
    }

    /// <summary>A word from an execution: if it was counted as lost, its worker was only cut off, and that is no death.</summary>
    public void HearAgain(long fence)
    {
        if (LostFences.Contains(fence))
        {
            Lost--;
            LostFences = [.. LostFences.Where(lost => lost != fence)];
        }
    }

    public void ForgetLosses()
    {
        Lost = 0;
        LostAt = null;
        LostFences = [];
    }

    /// <summary>When a redelivered command last counted as a lost execution.</summary>
    public DateTimeOffset? LostAt { get; set; }

    /// <summary>How often the reconciler sent this dispatch again.</summary>
    public int Resends { get; set; }
    public string? Worker { get; set; }
    public Guid? CommandId { get; set; }
    public Guid? ClaimId { get; set; }
    public DateTimeOffset? LeaseUntil { get; set; }
    public DateTimeOffset? ReadyAt { get; set; }
    public DateTimeOffset? DispatchedAt { get; set; }
    public DateTimeOffset? StartedAt { get; set; }
    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>When a waiting step comes back (back-off or next check).</summary>
    public DateTimeOffset? DueAt { get; set; }

    /// <summary>When the time of this attempt is up, once it has begun to wait for something outside: while it waits no worker watches the clock.</summary>
    public DateTimeOffset? Deadline { get; set; }
    public StepProgress? Progress { get; set; }
    public Deferral? Deferral { get; set; }
    public StepOutcome? Outcome { get; set; }
    public StepError? Error { get; set; }

    /// <summary>Why it was skipped, or waits for another run.</summary>
    public string? Reason { get; set; }

    /// <summary>The object store keys of its executions' logs, oldest first.</summary>
    public string[] Logs { get; set; } = [];
}

/// <summary>The plan of a pipeline version.</summary>
internal sealed class PlanRow
{
    public Guid VersionId { get; set; }
    public string Body { get; set; } = "";
}

/// <summary>What the last completed run of a pipeline left for a step.</summary>
internal sealed class StepMemory
{
    public Guid PipelineId { get; set; }
    public string StepId { get; set; } = "";
    public JsonElement Value { get; set; }

    /// <summary>Another one with every change; <see cref="Guid.Empty"/> until the first since this is written down.</summary>
    public Guid Version { get; set; }
    public Guid RunId { get; set; }

    /// <summary>The end of the interval of the run that left it, but not after that run's own end. Null: nobody knows.</summary>
    public DateTimeOffset? ReadUntil { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }
}
