using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Qualiz.Benchmarks.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Profiling;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Benchmarks.Quality;

/// <summary>
/// The semantic types of the columns in semantic-types.tsv, which was labelled by hand before there was a detector; each file goes through ingest and the profiler. The columns are
/// halved by a hash of file and column: the rules were made with one half in sight, <c>semantics.unseen</c> is the other.
/// </summary>
internal sealed class SemanticBenchmark : IBenchmark
{
    private const string Seen = "semantics.seen";
    private const string Unseen = "semantics.unseen";
    private const string Wrong = ".wrong";

    public IReadOnlyList<string> Names => [Seen, Unseen];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var shared = Environment.GetEnvironmentVariable("QUALIZ_SHARED") is { Length: > 0 } given ? Path.Combine(given, "data") : null;
        if (shared is null || !Directory.Exists(shared))
        {
            say("The tables are not here: set QUALIZ_SHARED to the folder that holds data/a_hospital and its like. Nothing is measured.");
            return [];
        }
        var figures = new List<Figure>();
        foreach (var half in (string[])[Seen, Unseen])
        {
            if (!wanted.Contains(half))
                continue;
            var (right, wrong, all) = (0, 0, 0);
            foreach (var file in Labels().Where(label => Half(label) == half).GroupBy(label => label.File))
            {
                var profile = await ProfileAsync(Path.Combine(shared, file.Key), ct);
                foreach (var label in file)
                {
                    var column = profile.Columns.FirstOrDefault(column => string.Equals(column.Name.Trim(), label.Column, StringComparison.OrdinalIgnoreCase))
                        ?? throw new InvalidDataException($"{file.Key} has no column \"{label.Column}\" but {string.Join(", ", profile.Columns.Select(column => column.Name))}.");
                    var found = column.Semantic?.Type;
                    all++;
                    right += found == label.Type ? 1 : 0;
                    wrong += found is not null && found != label.Type ? 1 : 0;
                    // Of the other half only the figures are shown.
                    if (found != label.Type && half == Seen)
                        say(string.Create(CultureInfo.InvariantCulture, $"{label.File} {label.Column} ({column.Type}): {found ?? "unknown"} {column.Semantic?.Confidence:0.00} {column.Semantic?.Share:0.00}, should be {label.Type}"));
                }
            }
            say($"{half}: {right} of {all} right, {wrong} wrong, {all - right - wrong} unknown");
            figures.Add(new Figure(half, (double)right / all, "share", 0.9, (double)right / all / 0.9));
            figures.Add(new Figure(half + Wrong, (double)wrong / all, "share", 0.03, null));
        }
        return figures;
    }

    private static IEnumerable<(string File, string Column, string Type)> Labels()
    {
        using var stream = typeof(SemanticBenchmark).Assembly.GetManifestResourceStream("semantic-types.tsv")!;
        using var reader = new StreamReader(stream);
        reader.ReadLine();
        while (reader.ReadLine() is { } line)
            yield return line.Split('\t') is [var file, var column, var type] ? (file, column, type) : throw new InvalidDataException(line);
    }

    private static string Half((string File, string Column, string Type) label) =>
        XxHash3.HashToUInt64(Encoding.UTF8.GetBytes($"{label.File} {label.Column}")) % 2 == 0 ? Seen : Unseen;

    private static async Task<DatasetProfile> ProfileAsync(string path, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("qualiz-bench-").FullName;
        try
        {
            var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Folders:Roots:0"] = Path.GetDirectoryName(path) }).Build();
            var bench = new OperatorBench(folder);
            var result = await new IngestOperator(configuration, new OutboundGuard(configuration)).ExecuteAsync(
                new IngestConfig { From = new IngestSource { Folder = path } },
                bench.Step(new StepSetup { Grant = new ResourceGrant(IngestChild.MemoryBytes, IngestChild.Threads), Log = NullLogger.Instance }),
                ct);
            if (result is not StepResult.Completed completed)
                throw new InvalidOperationException($"{path}: {((StepResult.Failed)result).Error.Message}");
            var dataset = completed.Outcome.Outputs["out"];
            return await DatasetProfiler.ProfileAsync(
                new LocalDataset(dataset, [.. dataset.Files.Select(file => Path.Combine(bench.StoreFolder, file.Key))]),
                new EngineOptions { MemoryBytes = IngestChild.MemoryBytes, Threads = IngestChild.Threads, Scratch = folder }, ct);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
