using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Contracts.Datasets.V1;

/// <summary>
/// Request to Datasets: the version a <c>dataset:</c> reference means for this run. The first answer is pinned, so that a
/// retried step and a re-run read the same. Answered by <see cref="DatasetResolved"/> or <see cref="DatasetUnknown"/>.
/// </summary>
public sealed record ResolveDataset
{
    public required string Project { get; init; }
    public required Guid RunId { get; init; }

    /// <summary><c>dataset:name</c>, <c>dataset:name@12</c>, <c>dataset:name@2026-11-20</c>, <c>dataset:name@run:&lt;id&gt;</c>.</summary>
    public required string Reference { get; init; }

    /// <summary>Earlier runs that this one does again, nearest first: what one of them has read is read again.</summary>
    public IReadOnlyList<Guid> ReadsLike { get; init; } = [];
}

public sealed record DatasetResolved
{
    public required string Dataset { get; init; }
    public required int Version { get; init; }
    public required DatasetRef Content { get; init; }
}

/// <summary>Request to Datasets: the columns of what a <c>dataset:</c> reference means now. Answered by <see cref="DatasetDescribed"/> or <see cref="DatasetUnknown"/>.</summary>
public sealed record DescribeDataset
{
    public required string Project { get; init; }
    public required string Reference { get; init; }
}

public sealed record DatasetDescribed
{
    public required int Version { get; init; }
    public required DatasetSchema Schema { get; init; }
}

public sealed record DatasetUnknown
{
    public required string Message { get; init; }
}

/// <summary>
/// A dataset has a new version. It belongs to the project's order of dataset events, not to the order of a run (which only
/// Runs can number), so <c>RunId</c> is null; the run that made it is <see cref="SourceRunId"/>.
/// </summary>
public sealed record DatasetPublished : EventRecord
{

    /// <summary>Null for a version made from an upload.</summary>
    public Guid? SourceRunId { get; init; }
    public required string Project { get; init; }
    public required string Dataset { get; init; }
    public required int Version { get; init; }
    public required long Rows { get; init; }
}

/// <summary>Someone looked at sensitive values in clear.</summary>
public sealed record RowsUnmasked : EventRecord
{

    /// <summary>What was read: <c>dataset:name@12</c> or <c>run:&lt;id&gt;/step.port</c>.</summary>
    public required string Subject { get; init; }
    public required IReadOnlyList<string> Columns { get; init; }
}

/// <summary>
/// Request to Datasets, by a step that can apply them: the repairs of rows that wait for this step of this pipeline. Answered
/// by <see cref="PatchesFound"/>.
/// </summary>
public sealed record GetPatches
{
    public required string Project { get; init; }
    public required Guid ProjectId { get; init; }
    public required Guid PipelineId { get; init; }
    public required string Pipeline { get; init; }
    public required string StepId { get; init; }
    public required Guid RunId { get; init; }

    /// <summary>Set when the run re-injects rows of this step.</summary>
    public Reinjection? Reinjection { get; init; }
}

public sealed record PatchesFound
{
    /// <summary>
    /// A Parquet file with the columns <c>patch</c> (int64), <c>key</c> and <c>hash</c> (text: whose row, and made on which
    /// values) <c>changes</c> (text: a JSON object of column and new value) and <c>extra</c> (bool: for <see cref="StepInput.OnlyPatched"/>). Null when nothing
    /// waits and the run re-injects nothing.
    /// </summary>
    public DatasetRef? Content { get; init; }
}

/// <summary>The rejected rows of a run are in the quarantine. Belongs to the project's order of events.</summary>
public sealed record RowsQuarantined : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required string StepId { get; init; }
    public required Guid SourceRunId { get; init; }
    public required long Rejected { get; init; }

    /// <summary>How many of them had not been seen before.</summary>
    public required long New { get; init; }

    /// <summary>Rows of earlier runs that went through this one with a repair.</summary>
    public required long Reinjected { get; init; }

    /// <summary>Rows of earlier runs that the source has put right itself.</summary>
    public required long Settled { get; init; }

    /// <summary>Repairs that no longer fit, because the source sends something else.</summary>
    public required long Superseded { get; init; }

    /// <summary>How many rows of this step wait for a person now.</summary>
    public required long Open { get; init; }
}

/// <summary>Someone worked on rows in the quarantine. What the values are is told nowhere.</summary>
public sealed record QuarantineChanged : EventRecord
{
    public required string Project { get; init; }

    /// <summary>repaired, dismissed, reopened, undone, assigned, due.</summary>
    public required string Change { get; init; }
    public required long Items { get; init; }

    /// <summary>The item, when it was one.</summary>
    public long? Item { get; init; }

    /// <summary>The names of the columns that a repair changes.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];
}

/// <summary>Versions that were too many or too old are gone; their description stays.</summary>
public sealed record DatasetVersionsRemoved : EventRecord
{
    public required string Project { get; init; }
    public required string Dataset { get; init; }
    public required IReadOnlyList<int> Versions { get; init; }
}

/// <summary>A version is kept until the pin is taken away (<see cref="Pinned"/> false).</summary>
public sealed record DatasetVersionPinned : EventRecord
{
    public required string Project { get; init; }
    public required string Dataset { get; init; }
    public required int Version { get; init; }
    public required bool Pinned { get; init; }
}

/// <summary>Files that nobody refers to any more are gone.</summary>
public sealed record DataCollected : EventRecord
{
    public required string Project { get; init; }
    public required long Files { get; init; }
    public required long Bytes { get; init; }

    /// <summary>Runs whose steps' outputs went.</summary>
    public required int Runs { get; init; }
}

/// <summary>A version is not as those before it: unusual figures, columns that came, went or changed their type. Figures and values are told nowhere.</summary>
public sealed record DatasetFindings : EventRecord
{
    /// <summary>Null for a version made from an upload.</summary>
    public Guid? SourceRunId { get; init; }
    public required string Project { get; init; }
    public required string Dataset { get; init; }
    public required int Version { get; init; }
    public required IReadOnlyList<DatasetFinding> Findings { get; init; }
}

/// <param name="Kind">anomaly, columnGone, columnNew, columnType.</param>
/// <param name="Column">Empty for a figure of the whole dataset.</param>
/// <param name="Metric">Of an anomaly: rows, quality, completeness, distinct, mean.</param>
public sealed record DatasetFinding(string Kind, string Column, string Metric);
