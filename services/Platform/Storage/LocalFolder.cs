using System.Security.Cryptography;
using System.Text;

namespace Qualiz.Platform.Storage;

/// <summary>A folder outside the store, written to with the store's care: temporary name, flush, rename; no links, no way out.</summary>
public static class LocalFolder
{
    public static IObjectStore Open(string folder) => new LocalObjectStore(folder);

    /// <summary>
    /// A temporary name beside a file whose only writer the caller is, by a lock of its own. What earlier writers of this file have left, because they were killed, is removed.
    /// </summary>
    public static string TakeStagingPath(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        // Others write other files there at the same time: the names of theirs begin otherwise.
        var mine = $"{StoreKey.Unfinished}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFileName(path))))[..16]}-";
        try
        {
            foreach (var left in Directory.EnumerateFiles(folder, mine + "*"))
                File.Delete(left);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It takes room, and nothing else.
        }
        return Path.Combine(folder, $"{mine}{Guid.CreateVersion7():N}{Path.GetExtension(path)}");
    }
}
