using Qualiz.Platform.Storage;

namespace Qualiz.Datasets.Rows;

/// <summary>
/// Local paths of objects. With the local store these are the objects themselves; with S3 they are copies, kept for the
/// next page and removed, least recently used first, when they take too much room.
/// </summary>
internal sealed class LocalCopies(IObjectStore store, string folder)
{
    private const long MostBytes = 4L << 30;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Copy> _copies = new(StringComparer.Ordinal);
    private readonly string _prefix = folder + Path.DirectorySeparatorChar;

    public async Task<Copy> TakeAsync(string key, CancellationToken ct)
    {
        while (true)
        {
            var path = await store.GetLocalPathAsync(key, folder, ct);
            lock (_lock)
            {
                // Between the answer and here it may have been removed as unused.
                if (path.StartsWith(_prefix, StringComparison.Ordinal) && !File.Exists(path))
                    continue;
                if (!_copies.TryGetValue(path, out var copy))
                    _copies[path] = copy = new Copy(this, path);
                copy.Users++;
                return copy;
            }
        }
    }

    private void Release(Copy copy)
    {
        lock (_lock)
        {
            copy.Users--;
            copy.LastUsed = Environment.TickCount64;
            if (!copy.Path.StartsWith(_prefix, StringComparison.Ordinal))
            {
                if (copy.Users == 0)
                    _copies.Remove(copy.Path);
                return;
            }
            var bytes = _copies.Values.Sum(other => new FileInfo(other.Path) is { Exists: true } file ? file.Length : 0);
            foreach (var unused in _copies.Values.Where(other => other.Users == 0).OrderBy(other => other.LastUsed).ToList())
            {
                if (bytes <= MostBytes)
                    return;
                bytes -= new FileInfo(unused.Path) is { Exists: true } file ? file.Length : 0;
                File.Delete(unused.Path);
                _copies.Remove(unused.Path);
            }
        }
    }

    internal sealed class Copy(LocalCopies owner, string path)
    {
        public string Path => path;
        public int Users { get; set; }
        public long LastUsed { get; set; }

        public void Release() => owner.Release(this);
    }
}
