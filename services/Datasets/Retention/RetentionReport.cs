namespace Qualiz.Datasets.Retention;

/// <param name="Kind">intermediate, log, rejected, published, upload, reference, patch, orphan or unknown.</param>
/// <param name="Pipeline">Empty for what belongs to no pipeline.</param>
internal sealed record StorageLine(string Kind, string Pipeline, string Step, long Files, long Bytes);

internal sealed record RemovedVersions(string Dataset, IReadOnlyList<int> Versions);

/// <summary>What a collection removed, or what one would remove now.</summary>
/// <param name="Removed">Files that go (went), by what they are and whose.</param>
/// <param name="Kept">Files that stay.</param>
/// <param name="Runs">Runs whose intermediate data go.</param>
/// <param name="QuarantineItems">Rejected rows that were settled long ago.</param>
internal sealed record RetentionReport(
    string Project, bool Preview, long Files, long Bytes, int Runs, IReadOnlyList<RemovedVersions> Versions, long QuarantineItems,
    IReadOnlyList<StorageLine> Removed, IReadOnlyList<StorageLine> Kept);

/// <summary>The sizes and numbers of one side of a report.</summary>
internal sealed class StorageTally
{
    private readonly Dictionary<(string Kind, string Pipeline, string Step), (long Files, long Bytes)> _lines = [];

    public long Files { get; private set; }
    public long Bytes { get; private set; }

    public IReadOnlyList<StorageLine> Lines =>
        [.. _lines.Select(line => new StorageLine(line.Key.Kind, line.Key.Pipeline, line.Key.Step, line.Value.Files, line.Value.Bytes)).OrderByDescending(line => line.Bytes).ThenBy(line => line.Pipeline, StringComparer.Ordinal).ThenBy(line => line.Step, StringComparer.Ordinal)];

    public void Add(string kind, string pipeline, string step, long bytes)
    {
        var line = _lines.GetValueOrDefault((kind, pipeline, step));
        _lines[(kind, pipeline, step)] = (line.Files + 1, line.Bytes + bytes);
        Files++;
        Bytes += bytes;
    }
}
