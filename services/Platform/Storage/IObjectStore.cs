namespace Qualiz.Platform.Storage;

/// <summary>
/// Where datasets, logs and uploads live: a local folder (default) or S3. Keys are relative, with forward slashes;
/// a key that would leave the store (<c>..</c>, absolute, symlink) is refused with <see cref="ArgumentException"/>.
/// A key appears whole or not at all.
/// </summary>
public interface IObjectStore
{
    /// <exception cref="FileNotFoundException">No such key.</exception>
    Task<Stream> OpenReadAsync(string key, CancellationToken ct);

    /// <summary>Reads a part, and no more than that comes over the line. For a look into an object of any size.</summary>
    /// <returns>How many bytes there were: fewer than asked for at the object's end, 0 behind it.</returns>
    /// <exception cref="FileNotFoundException">No such key.</exception>
    Task<int> ReadAsync(string key, long from, Memory<byte> into, CancellationToken ct);

    /// <summary>
    /// A path at which the object can be read in place: its own file with the local store, a copy under
    /// <paramref name="scratch"/> with S3 (made once per key and scratch folder).
    /// </summary>
    /// <exception cref="FileNotFoundException">No such key.</exception>
    Task<string> GetLocalPathAsync(string key, string scratch, CancellationToken ct);

    /// <summary>Moves a finished local file (same file system: fsync and rename; S3: upload, then delete) to the key, replacing what was there.</summary>
    Task<StoredObject> PutFileAsync(string key, string path, CancellationToken ct);

    Task<StoredObject> PutAsync(string key, Stream content, CancellationToken ct);

    /// <summary>
    /// A path beside which nothing else writes and from which <see cref="PutFileAsync"/> to <paramref name="key"/> is a rename
    /// where the store allows it, else a path under <paramref name="scratch"/>.
    /// </summary>
    string GetStagingPath(string key, string scratch);

    Task<bool> ExistsAsync(string key, CancellationToken ct);

    IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken ct);

    /// <summary>Deletes the key; does nothing when it is not there.</summary>
    Task DeleteAsync(string key, CancellationToken ct);

    /// <summary>
    /// Removes what killed writers left below <paramref name="prefix"/> (a folder, with its slash) and nobody has written to since <paramref name="before"/>,
    /// and folders that are empty since then. With S3 that is the bucket's business: a lifecycle rule aborts unfinished uploads.
    /// </summary>
    Task RemoveUnfinishedAsync(string prefix, DateTimeOffset before, CancellationToken ct);
}

/// <param name="Bytes">The object's size.</param>
/// <param name="Version">Another one whenever the content is written anew, where a listing tells that; null: it does not.</param>
public sealed record StoredObject(string Key, long Bytes, DateTimeOffset ModifiedAt, string? Version = null);
