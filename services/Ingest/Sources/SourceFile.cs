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
