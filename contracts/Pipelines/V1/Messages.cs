using Qualiz.Contracts.Plans;

namespace Qualiz.Contracts.Pipelines.V1;

/// <summary>Request to Pipelines: does this project exist? Answered by <see cref="ProjectFound"/> or <see cref="ProjectUnknown"/>. Slugs are never reused, so the answer may be kept.</summary>
public sealed record GetProject
{
    public required string Project { get; init; }
}

public sealed record ProjectFound
{
    public required Guid ProjectId { get; init; }
    public required string Project { get; init; }
}

public sealed record ProjectUnknown
{
    public required string Message { get; init; }
}

/// <summary>Request to Pipelines: which version does a start mean? Answered by <see cref="PipelineResolved"/> or <see cref="PipelineUnknown"/>.</summary>
public sealed record ResolvePipeline
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }

    /// <summary>Null: the latest.</summary>
    public int? Version { get; init; }
}

public sealed record PipelineResolved
{
    public required Guid ProjectId { get; init; }
    public required Guid PipelineId { get; init; }

    /// <summary>Names the immutable version; its plan may be cached for ever.</summary>
    public required Guid VersionId { get; init; }
    public required int Version { get; init; }
}

/// <summary>Says what is not there, in a sentence for a person.</summary>
public sealed record PipelineUnknown
{
    public required string Message { get; init; }
}

/// <summary>Request to Pipelines; answered by <see cref="PipelinePlanFound"/> or <see cref="PipelineUnknown"/>.</summary>
public sealed record GetPipelinePlan
{
    public required Guid VersionId { get; init; }
}

public sealed record PipelinePlanFound
{
    public required PipelinePlan Plan { get; init; }
}

public sealed record PipelinePublished : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public required int Version { get; init; }
}

/// <summary>An execution was given a connection's secret. It belongs to the project's order of events, so <c>RunId</c> is null.</summary>
public sealed record ConnectionUsed : EventRecord
{
    public required Guid SourceRunId { get; init; }
    public required string Connection { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }
}
