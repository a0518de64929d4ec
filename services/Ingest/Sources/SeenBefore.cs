using Qualiz.Platform.Storage;

namespace Qualiz.Ingest.Sources;

/// <summary>The files that earlier runs have read, for <c>onlyNew</c>: by path, size and content; and which of them need not even be fetched to know that.</summary>
internal sealed class SeenBefore(IEnumerable<SeenFile> files)
{
    private readonly Dictionary<string, SeenFile> _byPath = files.GroupBy(file => file.Path, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);

    /// <summary>How many files of the listing were left out: nothing of them has been written since.</summary>
    public int LeftOut { get; private set; }

    public bool Knows(string id) => _byPath.ContainsKey(id);

    public bool Has(string id, long bytes, string hash) => _byPath.TryGetValue(id, out var seen) && seen.Size == bytes && seen.Hash == hash;

    public bool LeavesOut(string id, StoredObject item)
    {
        var same = item.Version is not null && _byPath.TryGetValue(id, out var seen) && seen.Size == item.Bytes && seen.Version == item.Version;
        LeftOut += same ? 1 : 0;
        return same;
    }
}
