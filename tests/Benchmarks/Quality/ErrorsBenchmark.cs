using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Errors;

namespace Qualiz.Benchmarks.Quality;

/// <summary>
/// Error detection and repair without labels and without configuration, scored cell by cell: <c>errors.SET</c> is the F1 of detection on that set, beside it the
/// F1 of <see cref="BaselineErrors"/>; <c>errors.clean</c> is the mean share of cells that are flagged in the clean files.
/// </summary>
internal sealed class ErrorsBenchmark(ErrorsOptions options) : IBenchmark
{
    private const string CleanFiles = "errors.clean";

    /// <summary>A set is the tables in one folder, scored together.</summary>
    private static readonly Dictionary<string, string> Sets = new(StringComparer.Ordinal)
    {
        ["errors.flights"] = "a_flights",
        ["errors.hospital"] = "a_hospital",
        ["errors.beers"] = "a_beers",
        ["errors.dgov"] = "a_dgov",
        ["errors.toy"] = "a_toy",
    };

    /// <summary>Of a set whose errors are mostly of one easy kind, the columns with the others.</summary>
    private static readonly Dictionary<string, (string Name, string[] Columns)> Parts = new(StringComparer.Ordinal)
    {
        ["errors.beers"] = ("errors.beers.cities", ["city", "state"]),
    };

    public IReadOnlyList<string> Names => [.. Sets.Keys, CleanFiles];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var shared = Environment.GetEnvironmentVariable("QUALIZ_SHARED") is { Length: > 0 } given ? Path.Combine(given, "data") : null;
        if (shared is null || !Directory.Exists(shared))
        {
            say("The tables are not here: set QUALIZ_SHARED to the folder that holds data/a_hospital and its like. Nothing is measured.");
            return [];
        }
        var figures = new List<Figure>();
        var curves = new List<Curve>();
        foreach (var (name, folder) in Sets.Where(set => wanted.Contains(set.Key)))
        {
            var tables = await TablesAsync(Path.Combine(shared, folder), ct);
            CellScore? all = null;
            CellScore? baseline = null;
            var marked = new List<(double Confidence, bool Right)>();
            foreach (var table in tables)
            {
                var (findings, seconds) = Detect(table.Dirty);
                var score = CellScore.Of(table, findings);
                var simple = CellScore.Of(table, BaselineErrors.Find(table.Dirty));
                Say(say, table.Name, score, seconds, simple);
                SayParts(say, table, findings);
                all = all is null ? score : all + score;
                baseline = baseline is null ? simple : baseline + simple;
                marked.AddRange(findings.Select(finding => (finding.Confidence, table.Errors.Contains((finding.Row, finding.Column)))));
            }
            if (tables.Count > 1)
                Say(say, name, all!, null, baseline!);
            curves.Add(Curve.Of(name, all!.Errors, marked));
            if (Parts.TryGetValue(name, out var part))
                figures.Add(PartOf(part.Name, part.Columns, tables.Single()));
            figures.Add(Beside(name, all.F1, "F1", baseline!.F1));
            figures.Add(Beside($"{name}.precision", all.Precision, "share", baseline.Precision));
            figures.Add(Beside($"{name}.repair", all.RepairF1, "F1", baseline.RepairF1));
        }
        if (wanted.Contains(CleanFiles))
        {
            var shares = new List<double>();
            foreach (var folder in Sets.Values)
            {
                foreach (var table in await TablesAsync(Path.Combine(shared, folder), ct))
                {
                    var (findings, seconds) = Detect(table.Clean);
                    var share = (double)findings.Count / ((long)table.Clean.Rows * table.Clean.Columns.Count);
                    shares.Add(share);
                    say(string.Create(CultureInfo.InvariantCulture, $"{share,7:0.00%} of {table.Name}, clean: {findings.Count} cells in {seconds:0.00} s"));
                }
            }
            figures.Add(new Figure(CleanFiles, shares.Average(), "share", null, null));
            figures.Add(new Figure($"{CleanFiles}.worst", shares.Max(), "share", null, null));
        }
        if (options.Curves is { } path)
            await File.WriteAllTextAsync(path, JsonSerializer.Serialize(curves, Curve.Json), ct);
        return figures;
    }

    private static Figure PartOf(string name, string[] columns, DirtyTable table)
    {
        bool Counts(int row, int column) => columns.Contains(table.Dirty.Columns[column].Name);
        return Beside(name, CellScore.Of(table, Detect(table.Dirty).Findings, Counts).F1, "F1", CellScore.Of(table, BaselineErrors.Find(table.Dirty), Counts).F1);
    }

    private static Figure Beside(string name, double value, string unit, double reference) => new(name, value, unit, reference, reference > 0 ? value / reference : null);

    private static (IReadOnlyList<CellFinding> Findings, double Seconds) Detect(CodedTable table)
    {
        var clock = Stopwatch.StartNew();
        var findings = ErrorDetector.Find(table);
        return (findings, clock.Elapsed.TotalSeconds);
    }

    private static async Task<List<DirtyTable>> TablesAsync(string folder, CancellationToken ct)
    {
        var folders = File.Exists(Path.Combine(folder, "dirty.csv")) ? [folder] : Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).ToList();
        var tables = new List<DirtyTable>();
        foreach (var each in folders)
            tables.Add(await DirtyTable.ReadAsync(each, ct));
        return tables;
    }

    private static void Say(Action<string> say, string name, CellScore score, double? seconds, CellScore baseline) => say(string.Create(
        CultureInfo.InvariantCulture,
        $"{name[..Math.Min(name.Length, 30)],-30} found P {score.Precision:0.000} R {score.Recall:0.000} F1 {score.F1:0.000}  repaired P {score.RepairPrecision:0.000} R {score.RepairRecall:0.000} F1 {score.RepairF1:0.000}  {score.Found} of {score.Errors}, damaged {score.Damaged}{(seconds is { } time ? $"  {time:0.00} s" : "")}  baseline F1 {baseline.F1:0.000}"));

    /// <summary>By the kinds of errors that the set names, and by column where it is a set of one table.</summary>
    private static void SayParts(Action<string> say, DirtyTable table, IReadOnlyList<CellFinding> findings)
    {
        if (table.Types is not { } types)
            return;
        foreach (var kind in table.Errors.Select(error => types[error.Row][error.Column]).Distinct().Order(StringComparer.Ordinal))
        {
            // A false alarm counts for the kind that the finding says it is of.
            var score = CellScore.Of(table, findings.Where(finding => table.Errors.Contains((finding.Row, finding.Column)) || Said(finding, kind)).ToList(),
                (row, column) => types[row][column] == kind || !table.Errors.Contains((row, column)));
            say(string.Create(CultureInfo.InvariantCulture, $"  {kind,-28} P {score.Precision:0.000} R {score.Recall:0.000} F1 {score.F1:0.000}"));
        }
        for (var column = 0; column < table.Dirty.Columns.Count; column++)
        {
            var score = CellScore.Of(table, findings, (_, of) => of == column);
            if (score.Errors + score.Found > 0)
                say(string.Create(CultureInfo.InvariantCulture, $"  {table.Dirty.Columns[column].Name,-28} P {score.Precision:0.000} R {score.Recall:0.000} F1 {score.F1:0.000}  {score.Errors} errors"));
        }
    }

    private static bool Said(CellFinding finding, string kind) => kind switch
    {
        "MV" => finding.Kind == CellKind.Missing,
        "REP" => finding.Kind == CellKind.Normalise,
        _ => finding.Kind == CellKind.Error,
    };
}

/// <summary>What the error benchmarks are told on the command line.</summary>
internal sealed class ErrorsOptions
{
    /// <summary>The file that the precision-recall curves are written to.</summary>
    public string? Curves { get; set; }
}
