using System.Globalization;

namespace Qualiz.Benchmarks.Data;

/// <summary>The engine's bare copy and ours take turns, each in a new process with the same memory and threads, so that what else the machine does meets both.</summary>
internal static class SideBySide
{
    /// <param name="argument">The child's; it knows <c>prepare</c>, <c>bare</c> and <c>ours</c>, each with a folder.</param>
    /// <param name="more">What else there is to say of a run of ours.</param>
    /// <returns>Medians, in seconds.</returns>
    public static async Task<(double Bare, double Ours)> RunAsync(string argument, int rounds, Func<ChildResult, string> more, Action<string> say, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("qualiz-bench-").FullName;
        try
        {
            await WorkerChild.RunAsync([argument, "prepare", folder], ct);
            var (bare, ours) = (new List<double>(), new List<double>());
            for (var round = 0; round < rounds; round++)
            {
                var copy = await WorkerChild.RunAsync([argument, "bare", folder], ct);
                var run = await WorkerChild.RunAsync([argument, "ours", folder], ct);
                bare.Add(copy.Seconds);
                ours.Add(run.Seconds);
                say(string.Create(CultureInfo.InvariantCulture, $"bare {copy.Seconds:0.00} s (processor {copy.CpuSeconds:0.00} s), ours {run.Seconds:0.00} s ({run.CpuSeconds:0.00} s){more(run)}, peak {run.PeakBytes / 1e6:0} MB"));
            }
            return (Median(bare), Median(ours));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Median(List<double> seconds) => seconds.Order().ElementAt(seconds.Count / 2);
}
