using System.Text.Json;
using Qualiz.Contracts.Data;

namespace Qualiz.Contracts.Runs.V1;

/// <summary>Request to Runs: may this worker do this dispatch of the step? Answered by <see cref="StepClaimed"/> or <see cref="ClaimRefused"/>.</summary>
public sealed record ClaimStep
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required int Dispatch { get; init; }

    /// <summary>The host process that asks, e.g. <c>cleanse@host:1234</c>.</summary>
    public required string Worker { get; init; }

    /// <summary>The message id of the <see cref="ExecuteStep"/>, and whether the broker delivers it again: only then may it take over from the execution that this same message began.</summary>
    public required Guid CommandId { get; init; }
    public bool Redelivered { get; init; }

    /// <summary>
    /// Unique per attempt to deliver the command: asked again because the answer was lost, the claim is the same and gets the
    /// same fence. Empty: an asker of an earlier version, whose every question is another claim.
    /// </summary>
    public Guid ClaimId { get; init; }

    /// <summary>
    /// The step reads on from where the last run of the pipeline stopped (cursors, seen files, entities): it gets its turn when no other run
    /// has one. False from askers of an earlier version, which have none to give.
    /// </summary>
    public bool KeepsState { get; init; }
}

public sealed record StepClaimed
{
    /// <summary>Unique per execution and growing. Outputs go under it, and only its completion counts.</summary>
    public required long Fence { get; init; }

    /// <summary>How long the claim holds without a heartbeat.</summary>
    public required TimeSpan Lease { get; init; }

    /// <summary>What the last completed run of the pipeline left for this step (cursors, seen files), or null.</summary>
    public JsonElement? State { get; init; }
}

public sealed record ClaimRefused
{
    public required string Reason { get; init; }
}

/// <summary>Heartbeat, request to Runs; answered by <see cref="LeaseAnswer"/>.</summary>
public sealed record RenewLease
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }
    public StepProgress? Progress { get; init; }
}

/// <param name="Continue">False: an old fence or a cancel; stop at once.</param>
public sealed record LeaseAnswer(bool Continue);

/// <param name="Share">0 to 1, or null when unknown.</param>
public sealed record StepProgress(string? Phase, long Rows, double? Share);

/// <summary>To the saga, from the worker: done. Acknowledged like any message; repeated until confirmed.</summary>
public sealed record CompleteStep
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }
    public required StepOutcome Outcome { get; init; }
}

/// <summary>To the saga, from the worker: it failed. Rejected rows and ledger are kept.</summary>
public sealed record FailStep
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }
    public required StepError Error { get; init; }
    public StepOutcome? Outcome { get; init; }
}

/// <summary>To the saga, from the worker: waiting for something outside; look again at <see cref="NextCheck"/>.</summary>
public sealed record DeferStep
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }
    public required string Key { get; init; }
    public required DateTimeOffset NextCheck { get; init; }

    /// <summary>The object store key of what it has logged so far, if anything.</summary>
    public string? LogKey { get; init; }
}

/// <summary>To the saga, from the worker: there is nothing to do. The step is skipped, and what needs it as well; the run may complete.</summary>
public sealed record SkipStep
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }

    /// <summary>One clause for a person, e.g. <c>no new file was found</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>The object store key of its log, if it logged anything.</summary>
    public string? LogKey { get; init; }
}

/// <summary>What an execution produced: references and counts, never values.</summary>
public sealed record StepOutcome
{
    /// <summary>By port: <c>out</c>, <c>rejected</c>, ...</summary>
    public required IReadOnlyDictionary<string, DatasetRef> Outputs { get; init; }
    public required IReadOnlyList<StepLedger> Ledger { get; init; }

    /// <summary>Named counts beyond the ledger, e.g. new, changed and same of an upsert.</summary>
    public IReadOnlyDictionary<string, long> Counts { get; init; } = new Dictionary<string, long>();

    /// <summary>The step's new state; written only when the run completes. Files of its own execution that it names by their keys stay as long as it does.</summary>
    public JsonElement? State { get; init; }

    /// <summary>
    /// The state is the one the step was given and more, as ids are that must stay what they are, and files that were read: also a run about an earlier time leaves its own.
    /// Without it a backfill leaves the state as it was.
    /// </summary>
    public bool StateGrows { get; init; }
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The object store key of the step's NDJSON log, if it logged anything.</summary>
    public string? LogKey { get; init; }

    public long RowsOut => Outputs.TryGetValue("out", out var output) ? output.Rows : Ledger.Sum(line => line.Out);
    public long RowsRejected => Ledger.Sum(line => line.Rejected);
    public long RowsIn => Ledger.Sum(line => line.In);
}

/// <summary>Why a step failed. Holds no row values and no secrets.</summary>
public sealed record StepError
{
    /// <summary>Stable and machine-readable, e.g. <c>columnUnknown</c>, <c>tooManyRejected</c>, <c>timeout</c>, <c>workerDied</c>, <c>cancelled</c>.</summary>
    public required string Code { get; init; }

    /// <summary>One sentence for a person: what is wrong and what to do.</summary>
    public required string Message { get; init; }

    /// <summary>The place in the configuration, e.g. <c>rules[2].columns[0]</c>; Runs adds <see cref="Place"/>, the same in the pipeline file.</summary>
    public string? Path { get; init; }
    public FilePlace? Place { get; init; }

    /// <summary>True when trying again may help.</summary>
    public bool Transient { get; init; }
}

/// <summary>A place in the pipeline file of the run's version.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
/// <param name="Path">From the document's root: <c>steps.clean.with.rules[2].columns[0]</c>.</param>
public sealed record FilePlace(string File, int Line, int Column, string Path);
