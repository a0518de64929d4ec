namespace Qualiz.Ingest.Sources;

/// <summary>A file to ingest, readable at a local path.</summary>
/// <param name="Id">Names the source in <c>_source</c> and in the state: the same file has the same id in every run.</param>
/// <param name="Name">For the ledger and for people.</param>
internal sealed record SourceFile(string Id, string Name, string Path, long Bytes, string Hash)
{
    /// <summary>The value of <c>_source</c>.</summary>
    public string Source => Given ?? $"{Id}@{Hash[..16]}";

    /// <summary>The same of a source that is no file.</summary>
    public string? Given { get; init; }
}

/// <summary>
/// The files that a step reads, as they were before it began. Each is read several times: what grows meanwhile would be hashed as one thing, counted as another
/// and converted as a third.
/// </summary>
internal sealed class ReadFiles
{
    private readonly List<(string Name, string Path, long Bytes, DateTime Written)> _files = [];

    /// <summary>The name of a file that is no longer what it was; null: there is none.</summary>
    public string? Changed => _files.Find(file => Look(file.Path) != (file.Bytes, file.Written)).Name;

    /// <returns>The file's size now.</returns>
    public long Begin(FoundFile file)
    {
        if (Look(file.Path) is not var (bytes, written))
            throw Gone(file.Name);
        _files.Add((file.Name, file.Path, bytes, written));
        return bytes;
    }

    public void RequireUnchanged()
    {
        if (Changed is { } name)
            throw Gone(name);
    }

    public static IngestException Gone(string name) =>
        new("sourceChanged", $"{name} changed while it was read: it may still be written.", "from") { Transient = true };

    private static (long Bytes, DateTime Written)? Look(string path) => new FileInfo(path) is { Exists: true } file ? (file.Length, file.LastWriteTimeUtc) : null;
}
