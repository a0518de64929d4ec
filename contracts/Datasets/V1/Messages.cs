using Qualiz.Contracts.Data;

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
