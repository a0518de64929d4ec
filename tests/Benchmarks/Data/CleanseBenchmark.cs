using System.Globalization;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// The fixed recipe of cleanse20.json (20 rules, 3 checks) on the Parquet that ingest makes of the 5-million-row CSV, all four outputs on, against the
/// bare engine's copy of that Parquet. Bare and ours take turns, each in a new process with the same memory and threads.
/// </summary>
internal sealed class CleanseBenchmark : IBenchmark
{
    private const string Ratio = "data.cleanse20.ratio";
    private const int Rounds = 5;

    public IReadOnlyList<string> Names => [Ratio];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("qualiz-bench-").FullName;
        try
        {
            await RunChildAsync("prepare", folder, ct);
            var ours = new List<ChildResult>();
            var bare = new List<ChildResult>();
            for (var round = 0; round < Rounds; round++)
            {
                bare.Add(await RunChildAsync("bare", folder, ct));
                ours.Add(await RunChildAsync("ours", folder, ct));
                say(string.Create(CultureInfo.InvariantCulture, $"bare {bare[^1].Seconds:0.00} s (processor {bare[^1].CpuSeconds:0.00} s), ours {ours[^1].Seconds:0.00} s ({ours[^1].CpuSeconds:0.00} s), {ours[^1].Rows:N0} clean, {ours[^1].Rejected:N0} rejected, peak {ours[^1].PeakBytes / 1e6:0} MB"));
            }
            var ratio = Median(bare) / Median(ours);
            return [new Figure(Ratio, ratio, "ratio", 0.4, ratio / 0.4)];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Median(List<ChildResult> results) => results.Select(result => result.Seconds).Order().ElementAt(results.Count / 2);

    private static Task<ChildResult> RunChildAsync(string kind, string folder, CancellationToken ct) => WorkerChild.RunAsync([CleanseChild.Argument, kind, folder], ct);
}
