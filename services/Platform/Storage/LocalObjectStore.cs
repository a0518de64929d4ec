using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Qualiz.Platform.Native;

namespace Qualiz.Platform.Storage;

/// <summary>
/// The store as a folder. A file is written under a temporary name in its final folder, flushed, renamed, and the folder
/// flushed: after a crash or power cut a key is there whole or not at all.
/// </summary>
internal sealed class LocalObjectStore : IObjectStore, IStoreProbe
{
    /// <summary>Lies in the folder of a store that <see cref="Open"/> has opened; it is none of the keys.</summary>
    private const string Marker = ".qualiz-store";

    private readonly string _root;
    private readonly bool _own;
    private bool _marks;

    public LocalObjectStore(string root)
    {
        Directory.CreateDirectory(root);
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
    }

    private LocalObjectStore(string root, bool marks)
        : this(root) => (_own, _marks) = (true, marks);

    /// <summary>
    /// Qualiz's own store. A host leaves a mark in its folder: when that is gone, the disk below was unmounted, and an empty
    /// mount point must pass neither for a store without files nor for a place to write to.
    /// </summary>
    /// <param name="marks">True for a host; its workers find the mark there, whenever they start.</param>
    public static LocalObjectStore Open(string root, bool marks)
    {
        var store = new LocalObjectStore(root, marks);
        store.Mark();
        return store;
    }

    public Task<Stream> OpenReadAsync(string key, CancellationToken ct)
    {
        var path = PathOf(key);
        return Task.FromResult<Stream>(Guard(key, () => new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Open,
            Access = FileAccess.Read,
            Share = FileShare.Read | FileShare.Delete,
            Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
        })));
    }

    public async Task<int> ReadAsync(string key, long from, Memory<byte> into, CancellationToken ct)
    {
        await using var stream = await OpenReadAsync(key, ct);
        stream.Position = from;
        return await stream.ReadAtLeastAsync(into, into.Length, throwOnEndOfStream: false, ct);
    }

    public Task<string> GetLocalPathAsync(string key, string scratch, CancellationToken ct)
    {
        var path = PathOf(key);
        if (!File.Exists(path))
            throw Missing(key);
        return Task.FromResult(path);
    }

    public async Task<StoredObject> PutFileAsync(string key, string path, CancellationToken ct)
    {
        var target = PathOf(key);
        using (var handle = Guard(key, () => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite)))
            Guard(key, () => RandomAccess.FlushToDisk(handle));
        if (TryRename(path, target, key))
            return Describe(key, target);

        // Another file system: only a rename within one is atomic, so the copy is made beside the target first.
        await using (var source = Guard(key, () => File.OpenRead(path)))
            await WriteAsync(key, target, source, ct);
        File.Delete(path);
        return Describe(key, target);
    }

    public async Task<StoredObject> PutAsync(string key, Stream content, CancellationToken ct)
    {
        var target = PathOf(key);
        await WriteAsync(key, target, content, ct);
        return Describe(key, target);
    }

    /// <summary>
    /// Whole or not at all as ever, but not flushed: a power cut may take it. For what is only read by people (step logs),
    /// because flushing costs several milliseconds, more than a small step itself.
    /// </summary>
    public async Task PutUnflushedAsync(string key, Stream content, CancellationToken ct) =>
        await WriteAsync(key, PathOf(key), content, ct, flush: false);

    public string GetStagingPath(string key, string scratch)
    {
        var target = PathOf(key);
        Guard(key, () => CreateFolder(Path.GetDirectoryName(target)!));
        return UnfinishedName(target);
    }

    public Task<bool> ExistsAsync(string key, CancellationToken ct)
    {
        var exists = File.Exists(PathOf(key));
        if (!exists)
            RequireRoot();
        return Task.FromResult(exists);
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        StoreKey.CheckPrefix(prefix);
        RequireRoot();
        var slash = prefix.LastIndexOf('/');
        var folder = slash < 0 ? _root : PathOf(prefix[..slash]);
        if (!Directory.Exists(folder))
            yield break;
        var files = await Task.Run(() => Guard(prefix, () => new DirectoryInfo(folder)
            .EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Where(file => !file.Name.StartsWith(StoreKey.Unfinished, StringComparison.Ordinal))
            .Select(file => (key: Path.GetRelativePath(_root, file.FullName), file))
            .Where(entry => entry.key != Marker && entry.key.StartsWith(prefix, StringComparison.Ordinal))
            .OrderBy(entry => entry.key, StringComparer.Ordinal)
            .ToList()), ct);
        foreach (var (key, file) in files)
        {
            ct.ThrowIfCancellationRequested();
            if (file.Exists)
                yield return new StoredObject(key, file.Length, file.LastWriteTimeUtc);
        }
    }

    public Task DeleteAsync(string key, CancellationToken ct)
    {
        var path = PathOf(key);
        if (File.Exists(path))
            Guard(key, () => File.Delete(path));
        return Task.CompletedTask;
    }

    public Task RemoveUnfinishedAsync(string prefix, DateTimeOffset before, CancellationToken ct)
    {
        StoreKey.CheckPrefix(prefix);
        RequireRoot();
        var root = new DirectoryInfo(PathOf(prefix.TrimEnd('/')));
        return root.Exists ? Task.Run(() => Guard(prefix, () => Sweep(root)), ct) : Task.CompletedTask;

        void Sweep(DirectoryInfo folder)
        {
            ct.ThrowIfCancellationRequested();
            // Read before its content goes, which would make it young again.
            var old = folder.LastWriteTimeUtc < before;
            foreach (var child in folder.EnumerateDirectories("*", new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint }))
                Sweep(child);
            foreach (var file in folder.EnumerateFiles(StoreKey.Unfinished + "*"))
            {
                if (file.LastWriteTimeUtc < before)
                    file.Delete();
            }
            if (old && !folder.EnumerateFileSystemInfos().Any())
                folder.Delete();
        }
    }

    public Task ProbeAsync(CancellationToken ct)
    {
        RequireRoot();
        Guard("", () =>
        {
            var path = Path.Combine(_root, StoreKey.Unfinished + Guid.CreateVersion7().ToString("N"));
            File.WriteAllBytes(path, [1]);
            File.Delete(path);
        });
        return Task.CompletedTask;
    }

    /// <summary>Removes what a killed writer left under a folder.</summary>
    public void RemoveUnfinished(string folder)
    {
        try
        {
            var path = PathOf(folder);
            if (!Directory.Exists(path))
                return;
            foreach (var file in Directory.EnumerateFiles(path, StoreKey.Unfinished + "*"))
                File.Delete(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The collector removes it when it is old.
        }
    }

    private async Task WriteAsync(string key, string target, Stream content, CancellationToken ct, bool flush = true)
    {
        Guard(key, () => CreateFolder(Path.GetDirectoryName(target)!, flush));
        var unfinished = UnfinishedName(target);
        try
        {
            await using (var file = Guard(key, () => new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write, FileShare.None, 128 * 1024, FileOptions.Asynchronous)))
            {
                var buffer = new byte[128 * 1024];
                int read;
                while ((read = await content.ReadAsync(buffer, ct)) > 0)
                {
                    try
                    {
                        await file.WriteAsync(buffer.AsMemory(0, read), ct);
                    }
                    catch (IOException exception)
                    {
                        throw Unavailable(key, exception);
                    }
                }

                Guard(key, () => file.Flush(flushToDisk: flush));
            }

            if (!TryRename(unfinished, target, key, flush))
                throw new StoreUnavailableException($"The store cannot take {key}: its folder changed while it was written.");
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }

    /// <summary>False when the two are on different file systems.</summary>
    private bool TryRename(string from, string to, string key, bool flush = true)
    {
        var folder = Path.GetDirectoryName(to)!;
        Guard(key, () => CreateFolder(folder, flush));
        if (Libc.Rename(from, to) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error == Libc.Exdev ? false : throw Unavailable(key, new IOException(Marshal.GetPInvokeErrorMessage(error)));
        }

        if (flush)
            FlushFolder(folder, key);
        return true;
    }

    /// <summary>Creates the folder and makes each new level durable in the one above it.</summary>
    private void CreateFolder(string folder, bool flush = true)
    {
        if (Directory.Exists(folder))
            return;
        var above = Path.GetDirectoryName(folder)!;
        if (folder.Length > _root.Length)
            CreateFolder(above, flush);
        RequireRoot();
        Directory.CreateDirectory(folder);
        if (flush)
            FlushFolder(above, folder);
    }

    private static void FlushFolder(string folder, string what)
    {
        var descriptor = Libc.Open(folder, Libc.OpenDirectory);
        var failed = descriptor < 0 || Libc.Fsync(descriptor) != 0;
        var error = Marshal.GetLastPInvokeError();
        if (descriptor >= 0)
            _ = Libc.Close(descriptor);
        if (failed)
            throw Unavailable(what, new IOException(Marshal.GetPInvokeErrorMessage(error)));
    }

    /// <summary>The file of a key. Links inside the store are refused wherever they lead: the store makes none.</summary>
    private string PathOf(string key)
    {
        StoreKey.Check(key);
        var path = _root;
        foreach (var segment in key.Split('/'))
        {
            path = Path.Combine(path, segment);
            if (new FileInfo(path).LinkTarget is not null)
                throw new ArgumentException("A key must not lead through a link.", nameof(key));
        }

        return path;
    }

    private static string UnfinishedName(string target) =>
        Path.Combine(Path.GetDirectoryName(target)!, $"{StoreKey.Unfinished}{Guid.CreateVersion7():N}{Path.GetExtension(target)}");

    private static StoredObject Describe(string key, string path)
    {
        var file = new FileInfo(path);
        return new StoredObject(key, file.Length, file.LastWriteTimeUtc);
    }

    private void RequireRoot()
    {
        if (!Directory.Exists(_root))
            throw new StoreUnavailableException($"The store's folder {_root} is not there.");
        Mark();
        if (_own && !File.Exists(Path.Combine(_root, Marker)))
            throw new StoreUnavailableException($"The store's folder {_root} is another one than at start, or cannot be written to ({Marker} is missing): is its disk mounted?");
    }

    /// <summary>Once; a disk that is full or read-only at start gets its mark later.</summary>
    private void Mark()
    {
        if (!_marks)
            return;
        try
        {
            var mark = Path.Combine(_root, Marker);
            if (!File.Exists(mark))
                File.Create(mark).Dispose();
            _marks = false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Readiness says so.
        }
    }

    private FileNotFoundException Missing(string key)
    {
        RequireRoot();
        return new FileNotFoundException($"The store has no {key}.", key);
    }

    private void Guard(string key, Action action) => Guard(key, () =>
    {
        action();
        return true;
    });

    private T Guard<T>(string key, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Missing(key);
        }
        catch (Exception exception) when (exception is IOException and not StoreUnavailableException or UnauthorizedAccessException)
        {
            throw Unavailable(key, exception);
        }
    }

    private static StoreUnavailableException Unavailable(string key, Exception exception) =>
        new($"The store cannot do this with {key}: {exception.Message}", exception);
}
