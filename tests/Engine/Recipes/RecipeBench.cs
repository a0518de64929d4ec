using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Tests.Recipes;

/// <summary>Runs recipes, written as in the pipeline file, on rows given as SQL.</summary>
internal sealed class RecipeBench : IDisposable
{
    private readonly ScratchFolder _scratch = new();
    private int _files;

    public RecipeBench(int threads = 2)
    {
        Masks.Add("masking", MaskSecret);
        Session = EngineSession.Open(new EngineOptions { MemoryBytes = 512L << 20, Threads = threads, Scratch = _scratch.Path });
    }

    /// <summary>The key <c>masking</c> of the project <c>demo</c>.</summary>
    public const string MaskSecret = "a key of tests, which anybody may know";

    public MaskKeys Masks { get; set; } = new("demo");

    public EngineSession Session { get; }

    public int? ChangesPerRule { get; set; }

    /// <summary>By reference: <c>dataset:countries</c>.</summary>
    public Dictionary<string, LocalDataset> References { get; } = [];

    public static Recipe Read(string rules, string checks = "[]") =>
        new(JsonSerializer.Deserialize<List<Rule>>(rules, ConfigJson.Options)!, JsonSerializer.Deserialize<List<Check>>(checks, ConfigJson.Options)!);

    /// <summary>A dataset of the query's rows; rows are numbered unless the query has the hidden columns.</summary>
    public async Task<RecipeInput> InputAsync(string query, string name = "in")
    {
        var path = _scratch.File($"in-{_files++}.parquet");
        // Literals have the engine's small types.
        var casts = Session.Query($"DESCRIBE {query}", row => $"CAST({Sql.Identifier(row.GetString(0))} AS {ColumnType.NearestTo(row.GetString(1))!.DuckDb}) AS {Sql.Identifier(row.GetString(0))}");
        var rows = await DatasetFiles.WriteAsync(Session, $"SELECT {string.Join(", ", casts)} FROM ({query})", path, default);
        var schema = DatasetFiles.Describe(Session, $"SELECT * FROM {Scan.Parquet(path)}");
        var stored = schema.Columns.Any(column => column.Hidden);
        var dataset = new DatasetRef
        {
            Files = [new DataFile { Key = path, Rows = rows, Bytes = 0, Sha256 = "", Origin = stored ? null : new RowOrigin { Source = $"{name}@1" } }],
            Schema = stored ? schema : new DatasetSchema { Columns = [.. schema.Columns, .. HiddenColumns.Columns] },
            Rows = rows,
            Bytes = 0,
        };
        return new RecipeInput(name, new LocalDataset(dataset, [path]));
    }

    /// <summary>The same rows, which have their identity, in several files; the first of them has the most.</summary>
    public async Task<RecipeInput> InputAsync(string query, int parts, string name = "in")
    {
        var whole = await InputAsync(query, name);
        var rows = whole.Dataset.Dataset.Rows;
        var files = new List<DataFile>();
        for (var (part, from) = (0, 0L); part < parts; part++)
        {
            var to = part == parts - 1 ? rows : from + ((rows - from) / 2);
            var path = _scratch.File($"part-{_files++}.parquet");
            Session.Execute($"COPY (SELECT * FROM {Scan.Parquet(whole.Dataset.Paths[0])} LIMIT {to - from} OFFSET {from}) TO {Sql.Literal(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048)");
            files.Add(new DataFile { Key = path, Rows = to - from, Bytes = 0, Sha256 = "" });
            from = to;
        }
        return whole with { Dataset = new LocalDataset(whole.Dataset.Dataset with { Files = files }, [.. files.Select(file => file.Key)]) };
    }

    public CompiledRecipe Compile(Recipe recipe, params IReadOnlyList<RecipeInput> inputs) => RecipeCompiler.Compile(Session, recipe, inputs, References, Masks);

    public async Task<RecipeOutput> RunAsync(string query, string rules, string checks = "[]") =>
        await RunAsync(Read(rules, checks), await InputAsync(query));

    public async Task<RecipeOutput> RunAsync(Recipe recipe, params IReadOnlyList<RecipeInput> inputs)
    {
        var compiled = Compile(recipe, inputs);
        var outPath = _scratch.File($"out-{_files++}.parquet");
        var rejectedPath = _scratch.File($"rejected-{_files++}.parquet");
        var changesPath = _scratch.File($"changes-{_files++}.parquet");
        var result = await RecipeRun.ExecuteAsync(Session, compiled, new RecipeFiles(outPath, rejectedPath, changesPath) { ChangesPerRule = ChangesPerRule }, default);
        var visible = compiled.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ToList();
        var text = string.Join(", ", visible.Select(name => $"CAST({Sql.Identifier(name)} AS VARCHAR)"));
        var rows = Session.Query($"SELECT {text} FROM read_parquet({Sql.Literal(outPath)})",
            row => string.Join("|", Enumerable.Range(0, visible.Count).Select(i => row.IsDBNull(i) ? "∅" : row.GetString(i))));
        var rejected = Session.Query(
            $"SELECT _source, _row, _key, ingested, rejected, reasons FROM read_parquet({Sql.Literal(rejectedPath)})",
            row => new RejectedRow(row.GetString(0), row.GetInt64(1), row.GetString(2), Parse(row.GetString(3)), Parse(row.GetString(4)), Parse(row.GetString(5))));
        var changes = Session.Query(
            $"SELECT _source, _row, rule, \"column\", old, new FROM read_parquet({Sql.Literal(changesPath)})",
            row => new ChangedCell(row.GetString(0), row.GetInt64(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4), row.IsDBNull(5) ? null : row.GetString(5)));
        return new RecipeOutput(compiled, result, rows, rejected, outPath) { Changes = changes };
    }

    private static JsonElement Parse(string text) => JsonSerializer.Deserialize<JsonElement>(text);

    public void Dispose()
    {
        Session.Dispose();
        Masks.Dispose();
        _scratch.Dispose();
    }
}

/// <param name="Rows">The clean rows, cells joined by a bar, ∅ for an empty one.</param>
internal sealed record RecipeOutput(CompiledRecipe Compiled, RecipeResult Result, IReadOnlyList<string> Rows, IReadOnlyList<RejectedRow> Rejected, string Path)
{
    public IReadOnlyList<ChangedCell> Changes { get; init; } = [];

    public DatasetColumn Column(string name) => Compiled.Schema.Find(name)!;

    public IEnumerable<string> ReasonsOf(long row) => Rejected.Single(rejected => rejected.Row == row).Reasons.EnumerateArray()
        .Select(reason => $"{reason.GetProperty("rule")}({reason.GetProperty("column")})");
}

internal sealed record RejectedRow(string Source, long Row, string Key, JsonElement Ingested, JsonElement Rejected, JsonElement Reasons);

internal sealed record ChangedCell(string Source, long Row, string Rule, string Column, string? Old, string? New);
