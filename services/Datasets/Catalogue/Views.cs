using Qualiz.Contracts.Data;
using Qualiz.Datasets.Model;

namespace Qualiz.Datasets.Catalogue;

internal sealed record DatasetView(string Name, string? Owner, string? Description, DateTimeOffset CreatedAt, VersionView? Latest)
{
    public static DatasetView Of(Dataset dataset, VersionView? latest) =>
        new(dataset.Name, dataset.Owner, dataset.Description, dataset.CreatedAt, latest);
}

/// <param name="RemovedAt">Since when its rows are gone (retention).</param>
internal sealed record VersionView(
    int Version, DateTimeOffset CreatedAt, string Actor, Guid? RunId, string? StepId, Guid? UploadId, long Rows, long Bytes, double? Quality,
    DateTimeOffset? RemovedAt = null, DateTimeOffset? PinnedAt = null)
{
    public static VersionView Of(DatasetVersion version) => new(
        version.Number, version.CreatedAt, version.Actor, version.RunId, version.StepId, version.UploadId, version.Rows, version.Bytes, version.Quality,
        version.RemovedAt, version.PinnedAt);
}

internal sealed record VersionDetail(VersionView Version, DatasetSchema Schema);

internal sealed record EditDataset(string? Owner = null, string? Description = null);

/// <param name="Upload">Which upload holds the rows.</param>
/// <param name="Format">csv or parquet; by default what the file's name says.</param>
internal sealed record AddVersion(Guid Upload, string? Format = null);
