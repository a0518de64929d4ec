using Qualiz.Contracts.Data;

namespace Qualiz.Datasets.Model;

internal sealed class Dataset
{
    public required Guid Id { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Project { get; init; }
    public required string Name { get; init; }
    public string? Owner { get; set; }
    public string? Description { get; set; }

    /// <summary>The number of the newest version, 0 before the first.</summary>
    public int Latest { get; set; }
    public required DateTimeOffset CreatedAt { get; init; }
    public uint RowVersion { get; init; }
}

/// <summary>Its content is immutable. It comes from a step of a run or from an upload.</summary>
internal sealed class DatasetVersion
{
    public required Guid DatasetId { get; init; }
    public required int Number { get; init; }
    public Guid? RunId { get; init; }
    public string? StepId { get; init; }
    public Guid? UploadId { get; init; }
    public required DatasetRef Content { get; init; }
    public required long Rows { get; init; }
    public required long Bytes { get; init; }
    public double? Quality { get; init; }
    public required string Actor { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its figures were taken; null: not yet.</summary>
    public DateTimeOffset? MeasuredAt { get; set; }

    /// <summary>Since when its files are gone, or going; nobody begins to read it from then on.</summary>
    public DateTimeOffset? RemovedAt { get; set; }
    public DateTimeOffset? PinnedAt { get; set; }
    public string? PinnedBy { get; set; }
}

/// <summary>What a reference meant to a run when it was first asked.</summary>
internal sealed class ReadPin
{
    public required Guid RunId { get; init; }
    public required string Reference { get; init; }
    public required Guid DatasetId { get; init; }
    public required int Number { get; init; }
    public required DateTimeOffset PinnedAt { get; init; }
}

internal sealed class Upload
{
    public required Guid Id { get; init; }
    public required string Project { get; init; }

    /// <summary>The file's name as its owner knows it.</summary>
    public required string Name { get; init; }

    /// <summary>The object store key.</summary>
    public required string Key { get; init; }
    public required long Bytes { get; init; }
    public required string Sha256 { get; init; }
    public required string Actor { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}
