using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Sessions;

namespace Qualiz.Benchmarks.Quality;

/// <summary>A table with errors, beside it the same without, and where they differ.</summary>
internal sealed partial class DirtyTable
{
    private DirtyTable(string name, CodedTable dirty, CodedTable clean, IReadOnlyList<string[]>? types)
    {
        Name = name;
        Dirty = dirty;
        Clean = clean;
        Types = types;
        if (dirty.Rows != clean.Rows || dirty.Columns.Count != clean.Columns.Count)
            throw new InvalidDataException($"{name}: the clean table has another shape.");
        var dirtyTexts = Normalised(dirty);
        CleanTexts = Normalised(clean);
        for (var column = 0; column < dirty.Columns.Count; column++)
        {
            for (var row = 0; row < dirty.Rows; row++)
            {
                if (dirtyTexts[column][dirty.Columns[column].Codes[row]] != CleanText(row, column))
                    Errors.Add((row, column));
            }
        }
    }

    public string Name { get; }

    public CodedTable Dirty { get; }

    public CodedTable Clean { get; }

    /// <summary>The kind of each cell's error as the set names it, where it does.</summary>
    public IReadOnlyList<string[]>? Types { get; }

    public HashSet<(int Row, int Column)> Errors { get; } = [];

    private string[][] CleanTexts { get; }

    public string CleanText(int row, int column) => CleanTexts[column][Clean.Columns[column].Codes[row]];

    public static async Task<DirtyTable> ReadAsync(string folder, CancellationToken ct)
    {
        var types = Path.Combine(folder, "error_types.csv");
        return new DirtyTable(
            Path.GetFileName(folder),
            await TableAsync(Path.Combine(folder, "dirty.csv"), ct),
            await TableAsync(Path.Combine(folder, "clean.csv"), ct),
            File.Exists(types) ? await RowsAsync(types, ct) : null);
    }

    /// <summary>As the makers of these sets compare: character references resolved, blanks collapsed.</summary>
    public static string Normalise(string value) => Blanks().Replace(WebUtility.HtmlDecode(value), " ").Trim(' ');

    private static string[][] Normalised(CodedTable table) => [.. table.Columns.Select(column => column.Values.Select(Normalise).ToArray())];

    private static async Task<List<string[]>> RowsAsync(string path, CancellationToken ct)
    {
        var table = await TableAsync(path, ct);
        return [.. Enumerable.Range(0, table.Rows).Select(row => table.Columns.Select(column => column.Values[column.Codes[row]]).ToArray())];
    }

    private static async Task<CodedTable> TableAsync(string path, CancellationToken ct)
    {
        var scratch = Directory.CreateTempSubdirectory("qualiz-bench-");
        try
        {
            using var session = EngineSession.Open(new EngineOptions { MemoryBytes = 512L << 20, Threads = 1, Scratch = scratch.FullName, Paths = [path] });
            var file = string.Create(CultureInfo.InvariantCulture, $"read_csv({Sql.Literal(path)}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', sample_size = -1)");
            var columns = session.Query($"DESCRIBE SELECT * FROM {file}", row => row.GetString(0));
            return await CodedTable.ReadAsync(session, $"SELECT * FROM {file}", columns, ct);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    [GeneratedRegex("[\\t\\n ]+")]
    private static partial Regex Blanks();
}
