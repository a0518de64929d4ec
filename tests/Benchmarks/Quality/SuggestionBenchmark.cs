using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Suggestions;

namespace Qualiz.Benchmarks.Quality;

/// <summary>
/// Rules that are suggested for the tables of <c>data/a_*</c> with a confidence above 0.9, run as a recipe: <c>suggestions.precision</c> is the share of the cells they change that become what the truth says, over all tables together;
/// <c>suggestions.clean</c> is the most repairs suggested for one of the clean files. <c>auto</c> is what <c>cleanse</c> does with <c>auto: 95%</c>, and nothing else: repair F1 of all cells of all tables together, with <c>auto.precision</c> and
/// <c>auto.recall</c>, <c>auto.SET</c> for each set, and <c>auto.clean</c>, the cells that it changes in all clean files together. The detectors behind them were written with these tables and their right values in view.
/// </summary>
internal sealed class SuggestionBenchmark : IBenchmark
{
    private const string Precision = "suggestions.precision";
    private const string CleanFiles = "suggestions.clean";
    private const string Auto = "auto";
    private const double Sure = 0.9;
    private const double AutoFrom = 0.95;

    private static readonly string[] Sets = ["a_flights", "a_hospital", "a_beers", "a_dgov", "a_toy"];

    public IReadOnlyList<string> Names => [Precision, CleanFiles, Auto];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var shared = Environment.GetEnvironmentVariable("QUALIZ_SHARED") is { Length: > 0 } given ? Path.Combine(given, "data") : null;
        if (shared is null || !Directory.Exists(shared))
        {
            say("The tables are not here: set QUALIZ_SHARED to the folder that holds data/a_hospital and its like. Nothing is measured.");
            return [];
        }
        var (right, changed, errors, most) = (0L, 0L, 0L, 0);
        var auto = Sets.ToDictionary(set => set, _ => new CellScore(0, 0, 0, 0, 0, 0, 0));
        var (autoRules, autoCells) = (0, 0);
        foreach (var (set, folder) in Sets.SelectMany(set => Folders(Path.Combine(shared, set)).Select(folder => (set, folder))))
        {
            var table = await DirtyTable.ReadAsync(folder, ct);
            if (wanted.Contains(Precision))
            {
                var (repairs, cells) = await RepairAsync(Path.Combine(folder, "dirty.csv"), table.Dirty, confidence => confidence > Sure, ct);
                var good = cells.Count(cell => DirtyTable.Normalise(cell.Value) == table.CleanText(cell.Row, cell.Column));
                var damaged = cells.Count(cell => !table.Errors.Contains((cell.Row, cell.Column)));
                say(string.Create(CultureInfo.InvariantCulture, $"{table.Name[..Math.Min(30, table.Name.Length)],-30} {repairs,3} repairs, {good,5} of {cells.Count,5} cells right, {damaged,4} damaged, {table.Errors.Count} errors"));
                (right, changed, errors) = (right + good, changed + cells.Count, errors + table.Errors.Count);
            }
            if (wanted.Contains(CleanFiles))
            {
                var (repairs, cells) = await RepairAsync(Path.Combine(folder, "clean.csv"), table.Clean, confidence => confidence > Sure, ct);
                say(string.Create(CultureInfo.InvariantCulture, $"{table.Name[..Math.Min(30, table.Name.Length)],-30} clean: {repairs} repairs of {cells.Count} cells{string.Concat(cells.GroupBy(cell => cell.Column).Select(column => $", {table.Clean.Columns[column.Key].Name} {column.Count()} ({column.First().Value})"))}"));
                most = Math.Max(most, repairs);
            }
            if (wanted.Contains(Auto))
            {
                var (rules, cells) = await RepairAsync(Path.Combine(folder, "dirty.csv"), table.Dirty, confidence => confidence >= AutoFrom, ct);
                var wrong = cells.Count(cell => table.Errors.Contains((cell.Row, cell.Column)));
                var score = new CellScore(
                    (long)table.Dirty.Rows * table.Dirty.Columns.Count, table.Errors.Count, cells.Count, wrong, cells.Count, cells.Count(cell => DirtyTable.Normalise(cell.Value) == table.CleanText(cell.Row, cell.Column)), cells.Count - wrong);
                auto[set] += score;
                var (onClean, cleanCells) = await RepairAsync(Path.Combine(folder, "clean.csv"), table.Clean, confidence => confidence >= AutoFrom, ct);
                (autoRules, autoCells) = (autoRules + onClean, autoCells + cleanCells.Count);
                say(string.Create(CultureInfo.InvariantCulture, $"{table.Name[..Math.Min(30, table.Name.Length)],-30} auto: {rules,2} rules, P {score.RepairPrecision:0.000} R {score.RepairRecall:0.000} F1 {score.RepairF1:0.000}, {score.Damaged} damaged; clean: {onClean} rules, {cleanCells.Count} cells"));
            }
        }
        var figures = new List<Figure>();
        if (wanted.Contains(Precision))
        {
            say(string.Create(CultureInfo.InvariantCulture, $"{right} of {changed} cells right; {errors} errors"));
            figures.Add(new Figure(Precision, (double)right / Math.Max(1, changed), "share", 0.95, (double)right / Math.Max(1, changed) / 0.95));
        }
        if (wanted.Contains(CleanFiles))
            figures.Add(new Figure(CleanFiles, most, "repairs", 1, null));
        if (wanted.Contains(Auto))
        {
            foreach (var (set, score) in auto)
                figures.Add(new Figure($"{Auto}.{set[2..]}", score.RepairF1, "F1", null, null));
            var all = auto.Values.Aggregate((one, other) => one + other);
            say(string.Create(CultureInfo.InvariantCulture, $"{all.Repaired} of {all.Changed} cells right, {all.Damaged} damaged; {all.Errors} errors; clean files: {autoRules} rules, {autoCells} cells"));
            figures.Add(new Figure(Auto, all.RepairF1, "F1", null, null));
            figures.Add(new Figure($"{Auto}.precision", all.RepairPrecision, "share", null, null));
            figures.Add(new Figure($"{Auto}.recall", all.RepairRecall, "share", null, null));
            figures.Add(new Figure($"{Auto}.clean", autoCells, "cells", null, null));
        }
        return figures;
    }

    private static IEnumerable<string> Folders(string folder) => File.Exists(Path.Combine(folder, "dirty.csv")) ? [folder] : Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal);

    /// <summary>How many rules are suggested, and which cells they change, as the makers of the tables compare texts.</summary>
    /// <param name="taken">By the confidence of a suggestion.</param>
    private static async Task<(int Repairs, List<(int Row, int Column, string Value)> Cells)> RepairAsync(string csv, CodedTable before, Predicate<double> taken, CancellationToken ct)
    {
        var scratch = Directory.CreateTempSubdirectory("qualiz-bench-").FullName;
        try
        {
            using var session = EngineSession.Open(new EngineOptions { MemoryBytes = 512L << 20, Threads = 2, Scratch = scratch, Paths = [csv] });
            var path = Path.Combine(scratch, "in.parquet");
            var rows = await DatasetFiles.WriteAsync(
                session, string.Create(CultureInfo.InvariantCulture, $"SELECT * FROM read_csv({Sql.Literal(csv)}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', sample_size = -1)"), path, ct);
            var schema = DatasetFiles.Describe(session, $"SELECT * FROM {Scan.Parquet(path)}");
            var dataset = new LocalDataset(
                new DatasetRef
                {
                    Files = [new DataFile { Key = path, Rows = rows, Bytes = 1, Sha256 = "", Origin = new RowOrigin { Source = "in@1" } }],
                    Schema = new DatasetSchema { Columns = [.. schema.Columns, .. HiddenColumns.Columns] },
                    Rows = rows,
                    Bytes = 1,
                }, [path]);
            var found = await SuggestionFinder.FindAsync(dataset, unmask: false, new EngineOptions { MemoryBytes = SuggestionFinder.MemoryBytes, Threads = Environment.ProcessorCount, Scratch = scratch }, ct);
            var rules = found.Items.Where(suggestion => suggestion.Rule is not null && taken(suggestion.Confidence)).Select(suggestion => suggestion.Rule!.Value.Deserialize<Rule>(ConfigJson.Options)!).ToList();
            if (rules.Count == 0)
                return (0, []);
            var compiled = RecipeCompiler.Compile(session, new Recipe([], []) { Suggested = rules }, [new RecipeInput("in", dataset)]);
            var output = Path.Combine(scratch, "out.parquet");
            await RecipeRun.ExecuteAsync(session, compiled, new RecipeFiles(output, Path.Combine(scratch, "rejected.parquet"), Path.Combine(scratch, "changes.parquet")), ct);
            var after = await CodedTable.ReadAsync(
                session, $"SELECT {string.Join(", ", schema.Columns.Select(column => $"CAST({Sql.Identifier(column.Name)} AS VARCHAR)"))} FROM read_parquet({Sql.Literal(output)}) ORDER BY _row", [.. schema.Columns.Select(column => column.Name)], ct);
            var cells = new List<(int, int, string)>();
            for (var column = 0; column < after.Columns.Count; column++)
            {
                for (var row = 0; row < after.Rows; row++)
                {
                    var (old, value) = (before.Columns[column].Values[before.Columns[column].Codes[row]], after.Columns[column].Values[after.Columns[column].Codes[row]]);
                    if (DirtyTable.Normalise(old) != DirtyTable.Normalise(value))
                        cells.Add((row, column, value));
                }
            }
            return (rules.Count, cells);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }
}
