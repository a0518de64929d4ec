using System.Globalization;

namespace Qualiz.Platform.Operators;

/// <summary>
/// This process's folder for temporary files. What a killed process left behind is removed at the next start: its lock,
/// which ends with the process, tells.
/// </summary>
internal sealed class ScratchFolders : IDisposable
{
    private readonly FileStream _lock;
    private readonly string _folder;
    private long _last;

    public ScratchFolders(EngineOptions options)
    {
        foreach (var other in Directory.GetDirectories(options.ScratchRoot))
            RemoveIfAbandoned(other);
        _folder = Path.Combine(options.ScratchRoot, $"{Environment.ProcessId}-{Guid.CreateVersion7():N}");
        Directory.CreateDirectory(_folder);
        _lock = new FileStream(LockOf(_folder), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>A path for one execution; the folder is made.</summary>
    public string Create()
    {
        var folder = Path.Combine(_folder, Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(folder);
        return folder;
    }

    public static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // A dying worker may still write; the rest goes at the next start.
        }
    }

    public void Dispose()
    {
        _lock.Dispose();
        Remove(_folder);
    }

    private static void RemoveIfAbandoned(string folder)
    {
        try
        {
            // Without a lock file it may be a process that is just starting.
            if (!File.Exists(LockOf(folder)))
                return;
            using (new FileStream(LockOf(folder), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            {
            }

            Remove(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // In use.
        }
    }

    private static string LockOf(string folder) => Path.Combine(folder, "lock");
}
