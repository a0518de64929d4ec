using System.Globalization;
using Qualiz.Platform.Native;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Operators;

internal static class Processes
{
    public static bool IsAlive(int id)
    {
        try
        {
            // A zombie has ended; only nobody has asked for its exit code.
            return !File.ReadLines($"/proc/{id}/status").Any(line => line.StartsWith("State:", StringComparison.Ordinal) && line.Contains('Z', StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return false;
        }
    }

    public static void Kill(int id) => _ = Libc.Kill(id, Libc.SigKill);

    public static Task UntilGoneAsync(IEnumerable<int> ids, TimeSpan patience) => TestHost.UntilAsync(
        () => ids.Where(IsAlive).ToList() is { Count: > 0 } alive ? $"the end of {string.Join(", ", alive)}" : null, patience);

    /// <summary>The process ids that a probe puts into its progress.</summary>
    public static async Task<int[]> FromProgressAsync(FakeLine line, int count)
    {
        int[] ids = [];
        await TestHost.UntilAsync(() =>
        {
            ids = [.. (line.Renewals.Select(renewal => renewal.Progress?.Phase).LastOrDefault(phase => phase is not null) ?? "")
                .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
            return ids.Length == count ? null : $"{count} process ids in a heartbeat";
        });
        return ids;
    }
}
