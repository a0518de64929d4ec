using Qualiz.Contracts.Plans;

namespace Qualiz.Contracts.Pipelines.V1;

/// <summary>Request to Pipelines: does this project exist? Answered by <see cref="ProjectFound"/> or <see cref="ProjectUnknown"/>. Slugs are never reused, so the answer may be kept for a while.</summary>
public sealed record GetProject
{
    public required string Project { get; init; }
}

public sealed record ProjectFound
{
    public required Guid ProjectId { get; init; }
    public required string Project { get; init; }

    /// <summary>In which its days count, e.g. <c>Europe/Oslo</c>; null: UTC.</summary>
    public string? TimeZone { get; init; }
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

    /// <summary>The project's time zone (IANA), in which its runs have their days; null: UTC.</summary>
    public string? TimeZone { get; init; }
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

/// <summary>
/// Request to Pipelines: what there is and what there was, for whoever tidies up. Answered by <see cref="ProjectsListed"/>,
/// in pages.
/// </summary>
public sealed record ListProjects
{
    /// <summary>The last slug of the page before; null for the first.</summary>
    public string? After { get; init; }
}

public sealed record ProjectsListed
{
    public required IReadOnlyList<ListedProject> Projects { get; init; }
    public required bool More { get; init; }
}

/// <param name="Deleted">Gone for people: nothing of it needs to be kept.</param>
/// <param name="DeletedPipelines">Pipelines of a living project that are gone.</param>
public sealed record ListedProject(Guid Id, string Project, bool Deleted, IReadOnlyList<Guid> DeletedPipelines);

public sealed record ProjectCreated : EventRecord
{
    public required string Project { get; init; }
}

/// <summary>Its name, description or time zone is another one.</summary>
public sealed record ProjectEdited : EventRecord
{
    public required string Project { get; init; }
}

/// <summary>It can be read, and nothing in it starts or changes until it is restored.</summary>
public sealed record ProjectArchived : EventRecord
{
    public required string Project { get; init; }
}

public sealed record ProjectRestored : EventRecord
{
    public required string Project { get; init; }
}

/// <summary>It is gone, with its connections; its data goes with the next collection.</summary>
public sealed record ProjectDeleted : EventRecord
{
    public required string Project { get; init; }
}

public sealed record PipelineArchived : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
}

public sealed record PipelineRestored : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
}

/// <summary>It is gone; runs of it that go on are not touched, and what they published stays.</summary>
public sealed record PipelineDeleted : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
}

/// <summary>A connection was created or changed. Its settings are not told, only that there is another revision.</summary>
public sealed record ConnectionSaved : EventRecord
{
    public required string Project { get; init; }
    public required string Connection { get; init; }
    public required string Type { get; init; }

    /// <summary>1 when it was created.</summary>
    public required int Revision { get; init; }
}

public sealed record ConnectionDeleted : EventRecord
{
    public required string Project { get; init; }
    public required string Connection { get; init; }
}
