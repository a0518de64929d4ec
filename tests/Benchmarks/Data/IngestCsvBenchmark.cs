using System.Globalization;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// Loss-free ingest of a large CSV, rejected lines on, against the bare engine's COPY of the same file; and how much memory it takes, also for
/// a file ten times as large. Bare and ours take turns, each in a new process with the same memory and threads.
/// </summary>
internal sealed class IngestCsvBenchmark : IBenchmark
{
    private const string Ratio = "data.ingest.csv.ratio";
    private const string Memory = "data.ingest.csv.memory";
    private const string Memory10X = "data.ingest.csv.memory10x";
    private const int Rounds = 5;

    public IReadOnlyList<string> Names => [Ratio, Memory, Memory10X];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var figures = new List<Figure>();
        var folder = Directory.CreateTempSubdirectory("qualiz-bench-").FullName;
        try
        {
            var csv = Path.Combine(folder, "customers.csv");
            if (wanted.Contains(Ratio) || wanted.Contains(Memory))
            {
                var bad = BigCsv.Write(csv, BigCsv.RowsOfOne);
                say(string.Create(CultureInfo.InvariantCulture, $"{BigCsv.RowsOfOne:N0} rows, {new FileInfo(csv).Length / 1e6:N0} MB, {bad} broken lines"));
                var ours = new List<ChildResult>();
                var bare = new List<ChildResult>();
                for (var round = 0; round < Rounds; round++)
                {
                    bare.Add(await RunChildAsync("bare", csv, folder, ct));
                    ours.Add(await RunChildAsync("ours", csv, folder, ct));
                    if (ours[^1].Rows + ours[^1].Rejected != BigCsv.RowsOfOne || ours[^1].Rejected != bad)
                        throw new InvalidOperationException($"Ours gave {ours[^1].Rows} rows and {ours[^1].Rejected} rejected ones.");
                    say(string.Create(CultureInfo.InvariantCulture, $"bare {bare[^1].Seconds:0.00} s (processor {bare[^1].CpuSeconds:0.00} s), ours {ours[^1].Seconds:0.00} s ({ours[^1].CpuSeconds:0.00} s), peak {ours[^1].PeakBytes / 1e6:0} MB"));
                }
                var (oursMedian, bareMedian) = (Median(ours), Median(bare));
                if (wanted.Contains(Ratio))
                    figures.Add(new Figure(Ratio, bareMedian / oursMedian, "ratio", 0.6, bareMedian / oursMedian / 0.6));
                if (wanted.Contains(Memory))
                    figures.Add(MemoryFigure(Memory, ours.Max(result => result.PeakBytes)));
            }
            if (wanted.Contains(Memory10X))
            {
                BigCsv.Write(csv, BigCsv.RowsOfOne * 10);
                var large = await RunChildAsync("ours", csv, folder, ct);
                say(string.Create(CultureInfo.InvariantCulture, $"{new FileInfo(csv).Length / 1e6:N0} MB in {large.Seconds:0.0} s"));
                figures.Add(MemoryFigure(Memory10X, large.PeakBytes));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return figures;
    }

    private static Figure MemoryFigure(string name, long peak) => new(name, peak / 1e9, "GB", 2, 2 / (peak / 1e9));

    private static double Median(List<ChildResult> results) => results.Select(result => result.Seconds).Order().ElementAt(results.Count / 2);

    private static async Task<ChildResult> RunChildAsync(string kind, string csv, string folder, CancellationToken ct)
    {
        var work = Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            return await WorkerChild.RunAsync([IngestChild.Argument, kind, csv, work], ct);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }
}
