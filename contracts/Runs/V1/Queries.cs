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

    /// <summary>Names of the sensitive columns of all the step's outputs: what its rejected rows hold as JSON is masked by them.</summary>
    public IReadOnlyList<string> SensitiveColumns { get; init; } = [];
}

/// <summary>Says what is not there (the run, the step, the port, or no output yet), in a sentence for a person.</summary>
public sealed record StepOutputUnknown
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
