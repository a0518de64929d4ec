using System.Globalization;
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
/// The semantic types of columns, each file through ingest and the profiler. The columns of semantic-types.tsv were labelled before there was a detector, but its author had the labels in view:
/// <c>semantics.first</c> says how well it was made, not how well it does elsewhere. Those of semantic-types-later.tsv, of which half are of no type ("-"), were labelled by looking at the columns,
/// by somebody who had read the detector, before it was run on them; three things were mended after that first run. Those of semantic-types-last.tsv were labelled in the same way, in files that no
/// other label is of, after that, and nothing was changed because of them.
/// </summary>
internal sealed class SemanticBenchmark : IBenchmark
{
    private const string First = "semantics.first";
    private const string Later = "semantics.later";
    private const string Last = "semantics.last";
    private const string Wrong = ".wrong";
    private const string NoType = "-";

    public IReadOnlyList<string> Names => [First, Later, Last];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var shared = Environment.GetEnvironmentVariable("QUALIZ_SHARED") is { Length: > 0 } given ? Path.Combine(given, "data") : null;
        if (shared is null || !Directory.Exists(shared))
        {
            say("The tables are not here: set QUALIZ_SHARED to the folder that holds data/a_hospital and its like. Nothing is measured.");
            return [];
        }
        var figures = new List<Figure>();
        foreach (var (set, labels) in ((string, string)[])[(First, "semantic-types.tsv"), (Later, "semantic-types-later.tsv"), (Last, "semantic-types-last.tsv")])
        {
            if (!wanted.Contains(set))
                continue;
            var (right, wrong, all) = (0, 0, 0);
            foreach (var file in Labels(labels).GroupBy(label => label.File))
            {
                var profile = await ProfileAsync(Path.Combine(shared, file.Key), ct);
                foreach (var label in file)
                {
                    var column = profile.Columns.FirstOrDefault(column => string.Equals(column.Name.Trim(), label.Column, StringComparison.OrdinalIgnoreCase))
                        ?? throw new InvalidDataException($"{file.Key} has no column \"{label.Column}\" but {string.Join(", ", profile.Columns.Select(column => column.Name))}.");
                    var found = column.Semantic?.Type ?? NoType;
                    all++;
                    right += found == label.Type ? 1 : 0;
                    wrong += found != NoType && found != label.Type ? 1 : 0;
                    if (found != label.Type)
                        say(string.Create(CultureInfo.InvariantCulture, $"{label.File} {label.Column} ({column.Type}): {found} {column.Semantic?.Confidence:0.00} {column.Semantic?.Share:0.00}, should be {label.Type}"));
                }
            }
            say($"{set}: {right} of {all} right, {wrong} wrong, {all - right - wrong} unknown");
            figures.Add(new Figure(set, (double)right / all, "share", 0.9, (double)right / all / 0.9));
            figures.Add(new Figure(set + Wrong, (double)wrong / all, "share", 0.03, null));
        }
        return figures;
    }

    private static IEnumerable<(string File, string Column, string Type)> Labels(string name)
    {
        using var stream = typeof(SemanticBenchmark).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        reader.ReadLine();
        while (reader.ReadLine() is { } line)
            yield return line.Split('\t') is [var file, var column, var type] ? (file, column, type) : throw new InvalidDataException(line);
    }

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
