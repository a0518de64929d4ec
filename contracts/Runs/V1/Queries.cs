using Qualiz.Contracts.Data;

namespace Qualiz.Contracts.Runs.V1;

/// <summary>Request to Runs: does this fence hold its step now, and which pipeline version does the run follow? Answered by <see cref="FenceAnswer"/>.</summary>
public sealed record CheckFence
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }
}

/// <param name="VersionId">The run's pinned pipeline version; null when the fence does not hold.</param>
public sealed record FenceAnswer(bool Holds, Guid? VersionId, Guid? ProjectId);

/// <summary>
/// Request to Runs: what the step last wrote to a port, also when the step failed and kept its rejected rows.
/// Answered by <see cref="StepOutputFound"/> or <see cref="StepOutputUnknown"/>.
/// </summary>
public sealed record GetStepOutput
{
    /// <summary>The project the asker may see; a run of another project is unknown to it.</summary>
    public required string Project { get; init; }
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }

    /// <summary><c>out</c>, <c>rejected</c>, ...</summary>
    public required string Port { get; init; }
}

public sealed record StepOutputFound
{
    public required Guid ProjectId { get; init; }
    public required DatasetRef Content { get; init; }
}

/// <summary>Says what is not there (the run, the step, the port, or no output yet), in a sentence for a person.</summary>
public sealed record StepOutputUnknown
{
    public required string Message { get; init; }
}

/// <summary>
/// Request to Runs: which columns did the inputs of this step have in this run, also where earlier runs wrote them? Answered by
/// <see cref="StepInputsFound"/> or <see cref="StepInputsUnknown"/>.
/// </summary>
public sealed record GetStepInputs
{
    /// <summary>The project the asker may see; a run of another project is unknown to it.</summary>
    public required string Project { get; init; }
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
}

public sealed record StepInputsFound
{
    public required IReadOnlyList<StepInputColumns> Inputs { get; init; }
}

/// <param name="Schema">Null for a <paramref name="Reference"/> (<c>dataset:...</c>), whose columns Datasets knows.</param>
public sealed record StepInputColumns(string Name, DatasetSchema? Schema, string? Reference);

/// <summary>Says what is not there (the run, the step, what it read), in a sentence for a person.</summary>
public sealed record StepInputsUnknown
{
    public required string Message { get; init; }
}

/// <summary>Request to Runs: which columns did the steps of this pipeline give in its last completed run? Answered by <see cref="LastOutputs"/>.</summary>
public sealed record GetLastOutputs
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
}

public sealed record LastOutputs
{
    /// <summary>The pipeline version of that run; null when no run has completed.</summary>
    public int? Version { get; init; }

    /// <summary>By step, then by port.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, DatasetSchema>> Steps { get; init; } = new Dictionary<string, IReadOnlyDictionary<string, DatasetSchema>>();
}

/// <summary>Request to Runs: what all steps of a run wrote last. Answered by <see cref="RunOutputsFound"/> or <see cref="RunUnknown"/>.</summary>
public sealed record GetRunOutputs
{
    public required string Project { get; init; }
    public required Guid RunId { get; init; }
}

public sealed record RunOutputsFound
{
    public required Guid ProjectId { get; init; }
    public required Guid PipelineId { get; init; }
    public required string Pipeline { get; init; }
    public required int PipelineVersion { get; init; }

    /// <summary>False while it is queued, runs or is being cancelled.</summary>
    public required bool Finished { get; init; }
    public required IReadOnlyList<RunStepOutputs> Steps { get; init; }

    /// <summary>It ended well.</summary>
    public bool Completed { get; init; }

    /// <summary>Only repaired rows went through it: that others did not says nothing of them.</summary>
    public bool Delta { get; init; }

    /// <summary>False: the pipeline does not want its rejected rows to wait for a person (<c>keep: {quarantine: false}</c>).</summary>
    public bool Quarantine { get; init; } = true;
}

/// <param name="Outputs">By port.</param>
public sealed record RunStepOutputs(string StepId, string Operator, IReadOnlyDictionary<string, DatasetRef> Outputs)
{
    /// <summary>
    /// Set when elements of a step with <c>forEach</c> failed: what these wrote beside their rejected rows, by port. The rejected
    /// rows of all elements are in <see cref="Outputs"/>; this is in no result.
    /// </summary>
    public IReadOnlyDictionary<string, DatasetRef>? OfFailed { get; init; }
}

public sealed record RunUnknown
{
    public required string Message { get; init; }
}

/// <summary>
/// Request to Runs, by the collector of old data: which of these runs still need what their steps wrote? Answered by
/// <see cref="RunsReviewed"/>.
/// </summary>
public sealed record ReviewRuns
{
    public required string Project { get; init; }
    public required IReadOnlyList<Guid> RunIds { get; init; }

    /// <summary>A pipeline's newest runs keep their data however old they are.</summary>
    public required int KeepRuns { get; init; }

    /// <summary>How long after its end a run keeps its data, where its pipeline says nothing else.</summary>
    public required TimeSpan KeepFor { get; init; }

    /// <summary>The whole project is gone: only what goes on, and what is pinned, is kept.</summary>
    public bool ProjectDeleted { get; init; }

    /// <summary>Pipelines that are gone: the number of their newest runs says nothing any more.</summary>
    public IReadOnlyList<Guid> DeletedPipelines { get; init; } = [];

    /// <summary>True: runs that are not kept are marked, and can be retried no more. False: only a look.</summary>
    public required bool Release { get; init; }
}

public sealed record RunsReviewed
{
    public required IReadOnlyList<ReviewedRun> Runs { get; init; }
}

/// <summary>One of the runs that were asked for.</summary>
public sealed record ReviewedRun
{
    public required Guid RunId { get; init; }

    /// <summary>False: Runs has never heard of it, or no longer has it. Then nothing below is set but <see cref="Remembered"/>.</summary>
    public required bool Known { get; init; }

    /// <summary>Files of this run that the pipeline's state names: its next run reads them, however old they are.</summary>
    public IReadOnlyList<string> Remembered { get; init; } = [];
    public string? Pipeline { get; init; }

    /// <summary>False while it is queued, runs or is being cancelled: everything of it stays.</summary>
    public bool Finished { get; init; }

    /// <summary>False: what its steps wrote may go, as far as nothing else refers to it.</summary>
    public bool Keep { get; init; }

    /// <summary>The keys of everything that its steps' results name, their state and logs included.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Those of <see cref="Files"/> that stay as long as the run's history: the steps' logs.</summary>
    public IReadOnlyList<string> Logs { get; init; } = [];

    /// <summary>Executions under way: what lies under their fence is being written.</summary>
    public IReadOnlyList<ActiveFence> Active { get; init; } = [];

    /// <summary>What a completed run has published; its files belong to these versions from then on.</summary>
    public IReadOnlyList<PublishedStep> Published { get; init; } = [];

    /// <summary>Steps that left rejected rows.</summary>
    public IReadOnlyList<string> Rejecting { get; init; } = [];
}

public sealed record ActiveFence(string StepId, long Fence);

public sealed record PublishedStep(string Dataset, string StepId);
