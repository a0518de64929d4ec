using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Qualiz.Platform.Storage;

/// <summary>Whether the object store has room for new work.</summary>
public interface IStoreSpace
{
    /// <summary>One sentence for a person when it is too full for new runs; null when it is not.</summary>
    string? Objection();
}

/// <summary><c>Store:MinFree</c> (10 %) of the disk stays free: running work needs it. A bucket has no end.</summary>
internal sealed class StoreSpace(IConfiguration configuration) : IStoreSpace
{
    private readonly double _minimum = configuration.GetValue<double?>("Store:MinFree") ?? 0.1;
    private readonly string? _root = (configuration["Store:Type"] ?? "local") == "local" ? configuration["Store:Root"] : null;

    public string? Objection()
    {
        if (_minimum <= 0 || string.IsNullOrEmpty(_root) || !Directory.Exists(_root))
            return null;
        try
        {
            var disk = new DriveInfo(Path.GetFullPath(_root));
            return Objection(disk.AvailableFreeSpace, disk.TotalSize, _minimum);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A disk that cannot even be asked is not what a full one is; whoever writes to it will say so.
            return null;
        }
    }

    internal static string? Objection(long free, long total, double minimum) => total <= 0 || free >= total * minimum
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"The disk of the object store has {100.0 * free / total:0.#} % free ({Size(free)} of {Size(total)}); new runs wait until there is {100 * minimum:0.#} %. Remove old data (qualiz retention run), or give it room.");

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.#} GB");
}
