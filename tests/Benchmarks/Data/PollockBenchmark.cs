using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest;
using Qualiz.Ingest.Heads;
using Qualiz.Ingest.Sources;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using EngineOptions = Qualiz.Engine.Sessions.EngineOptions;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// The Pollock benchmark: one file of a shop, polluted in many ways, against what it should be read as. A file gives a point when it is read, and precision, recall
/// and F1 of its header, its records and its cells: ten at most, and the score is the mean over the files. With <c>score</c> the ingest is told the dialect that the
/// benchmark tells the others, with <c>auto</c> nothing.
/// </summary>
internal sealed class PollockBenchmark : IBenchmark
{
    private const string Score = "ingest.pollock.score";
    private const string Auto = "ingest.pollock.auto";

    // DuckDB 1.2 in the benchmark's own list, over all 2,290 files.
    private const double DuckDbTold = 9.961;
    private const double DuckDbAuto = 9.075;

    public IReadOnlyList<string> Names => [Score, Auto];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var shared = Environment.GetEnvironmentVariable("QUALIZ_SHARED") is { Length: > 0 } given ? Path.Combine(given, "data", "d_pollock", "polluted") : null;
        if (shared is null || !Directory.Exists(shared))
        {
            say("The Pollock files are not here: set QUALIZ_SHARED to the folder that holds data/d_pollock. Nothing is measured.");
            return [];
        }
        var figures = new List<Figure>();
        foreach (var name in Names.Where(wanted.Contains))
        {
            var scores = new List<(string File, double Score)>();
            foreach (var path in Directory.EnumerateFiles(Path.Combine(shared, "csv")).Order(StringComparer.Ordinal))
                scores.Add((Path.GetFileName(path), await ScoreAsync(shared, path, told: name == Score, ct)));
            foreach (var (file, score) in scores.Where(file => file.Score < 9.9).OrderBy(file => file.Score).Take(15))
                say(string.Create(CultureInfo.InvariantCulture, $"{score:0.000} {file}"));
            var reference = name == Score ? DuckDbTold : DuckDbAuto;
            var mean = scores.Average(file => file.Score);
            say(string.Create(CultureInfo.InvariantCulture, $"{scores.Count} files"));
            figures.Add(new Figure(name, mean, "of 10", reference, mean / reference));
        }
        return figures;
    }

    private static async Task<double> ScoreAsync(string folder, string path, bool told, CancellationToken ct)
    {
        var clean = Parse(await File.ReadAllTextAsync(Path.Combine(folder, "clean", Path.GetFileName(path)), ct));
        using var parameters = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "parameters", $"{Path.GetFileName(path)}_parameters.json"), ct));
        var headers = int.Parse(parameters.RootElement.GetProperty("header_lines").ToString(), CultureInfo.InvariantCulture);
        var format = told ? Format(parameters.RootElement, headers) : new IngestFormat { Type = FileFormat.Csv };
        var (header, rows) = await LoadAsync(path, format, ct);
        if (header is null)
            return 0;
        // Made-up names are no header of the file.
        var expected = headers > 0 && clean.Count > 0 ? clean[0] : [];
        var data = headers > 0 ? clean.Skip(1).ToList() : clean;
        if (headers == 0)
            header = header.All(column => column.StartsWith("column", StringComparison.Ordinal)) ? [] : header;
        return 1 + Compare(header, expected)
            + Compare(rows.Select(row => string.Join('\u001f', row)), data.Select(row => string.Join('\u001f', row)))
            + Compare(rows.SelectMany(row => row), data.SelectMany(row => row));
    }

    private static IngestFormat Format(JsonElement parameters, int headers)
    {
        string? One(string name) => parameters.GetProperty(name).GetString() is { Length: 1 } text && text[0] is > '\0' and < '\u0080' ? text : null;
        var delimiter = parameters.GetProperty("delimiter").GetString();
        var quote = One("quotechar");
        return new IngestFormat
        {
            Type = FileFormat.Csv,
            Delimiter = delimiter is { Length: > 0 } ? delimiter : null,
            Quote = quote ?? (parameters.GetProperty("quotechar").GetString() is "" ? "" : null),
            Escape = quote is null ? null : One("escapechar"),
            HeaderRows = Math.Max(1, headers),
            Header = headers > 0 ? HeaderMode.Present : HeaderMode.Absent,
        };
    }

    /// <summary>All columns as text, as they stand in the file.</summary>
    private static async Task<(IReadOnlyList<string>? Header, IReadOnlyList<string[]> Rows)> LoadAsync(string path, IngestFormat format, CancellationToken ct)
    {
        using var bench = new OperatorBench();
        var sources = Directory.CreateDirectory(Path.Combine(bench.Folder, "sources")).FullName;
        File.Copy(path, Path.Combine(sources, Path.GetFileName(path)));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Folders:Roots:0"] = sources }).Build();
        var guard = new OutboundGuard(configuration);
        var config = new IngestConfig { From = new IngestSource { Folder = sources }, Format = format };
        var step = bench.Step();
        try
        {
            if (await new SourceHead(configuration, guard).FindAsync(config, new SourceAccess("bench", bench.Store, step.Connections, step.Scratch), [], ct) is not { } head)
                return ([], []);
            config = config with { Types = head.Schema.Columns.Where(column => !column.Hidden).ToDictionary(column => column.Name, _ => "text") };
        }
        catch (IngestException)
        {
            return (null, []);
        }
        if (await new IngestOperator(configuration, guard).ExecuteAsync(config, bench.Step(), ct) is not StepResult.Completed { Outcome: StepOutcome outcome })
            return (null, []);
        var dataset = outcome.Outputs["out"];
        var columns = dataset.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ToList();
        var paths = new List<string>();
        foreach (var file in dataset.Files)
            paths.Add(await bench.Store.GetLocalPathAsync(file.Key, bench.Folder, ct));
        using var session = EngineSession.Open(new EngineOptions { MemoryBytes = 256L << 20, Threads = 1, Scratch = bench.Folder, Paths = paths });
        var rows = session.Query(
            $"SELECT {Sql.Identifiers(columns)} FROM {DatasetFiles.Relation(new LocalDataset(dataset, paths))}",
            row => Enumerable.Range(0, columns.Count).Select(i => row.IsDBNull(i) ? "" : row.GetString(i)).ToArray());
        return (columns, rows);
    }

    /// <summary>Precision + recall + F1 of two bags.</summary>
    private static double Compare(IEnumerable<string> loaded, IEnumerable<string> expected)
    {
        var wanted = expected.CountBy(item => item).ToDictionary(pair => pair.Key, pair => pair.Value);
        var (found, right, total) = (0, 0, wanted.Values.Sum());
        foreach (var item in loaded)
        {
            found++;
            if (wanted.TryGetValue(item, out var left) && left > 0)
            {
                wanted[item] = left - 1;
                right++;
            }
        }
        if (found == 0 && total == 0)
            return 3;
        var precision = found == 0 ? 0 : (double)right / found;
        var recall = total == 0 ? 0 : (double)right / total;
        return precision + recall + (right == 0 ? 0 : 2 * precision * recall / (precision + recall));
    }

    // The clean files are RFC 4180 to the letter.
    private static List<string[]> Parse(string text)
    {
        var rows = new List<string[]>();
        var row = new List<string>();
        var cell = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quoted)
            {
                if (c == '"' && i + 1 < text.Length && text[i + 1] == '"')
                    cell.Append(text[i++]);
                else if (c == '"')
                    quoted = false;
                else
                    cell.Append(c);
            }
            else if (c == '"')
                quoted = true;
            else if (c == ',')
                Next();
            else if (c == '\n')
            {
                Next();
                rows.Add([.. row]);
                row.Clear();
            }
            else if (c != '\r')
                cell.Append(c);
        }
        if (cell.Length > 0 || row.Count > 0)
        {
            Next();
            rows.Add([.. row]);
        }
        return rows;

        void Next()
        {
            row.Add(cell.ToString());
            cell.Clear();
        }
    }
}
