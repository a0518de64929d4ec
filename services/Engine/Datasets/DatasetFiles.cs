using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Datasets;

/// <summary>A dataset whose files lie on this machine.</summary>
/// <param name="Paths">The local path of each of <see cref="DatasetRef.Files"/>, in that order.</param>
public sealed record LocalDataset(DatasetRef Dataset, IReadOnlyList<string> Paths)
{
    public DatasetSchema Schema => Dataset.Schema;
}

/// <summary>Reads and writes datasets in an engine session.</summary>
public static class DatasetFiles
{
    private const string Place = "file_row_number";

    /// <summary>
    /// A table expression (in parentheses) with exactly the columns of the schema, in its order and types, the hidden ones included.
    /// Rows come in the order of the files. A file without a schema of its own has all columns of the dataset.
    /// </summary>
    public static string Relation(LocalDataset dataset) => Relation(dataset, [.. dataset.Schema.Columns.Select(column => column.Name)]);

    /// <summary>The same with only <paramref name="columns"/>: what is not asked for is not read or computed.</summary>
    public static string Relation(LocalDataset dataset, IReadOnlyList<string> columns)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        if (dataset.Paths.Count != dataset.Dataset.Files.Count)
            throw new ArgumentException("There must be one path per file.", nameof(dataset));
        var schema = columns.Select(name => dataset.Schema.Find(name) ?? throw new ArgumentException($"The dataset has no column \"{name}\".", nameof(columns))).ToList();
        var parts = new List<string>();
        // Files that hold their hidden columns are read by one scan as long as they follow each other.
        for (var i = 0; i < dataset.Paths.Count;)
        {
            var file = dataset.Dataset.Files[i];
            if (file.Schema is { } own)
            {
                parts.Add(Partial(own, schema, dataset.Paths[i], file.Origin));
                i++;
                continue;
            }
            if (file.Origin is { } origin)
            {
                parts.Add(Derived(dataset.Schema, schema, dataset.Paths[i], origin));
                i++;
                continue;
            }
            var start = i;
            while (i < dataset.Paths.Count && dataset.Dataset.Files[i] is { Origin: null, Schema: null })
                i++;
            parts.Add(Stored(schema, dataset.Paths.Skip(start).Take(i - start)));
        }
        if (parts.Count == 0)
            return $"(SELECT {string.Join(", ", schema.Select(column => $"CAST(NULL AS {TypeOf(column).DuckDb}) AS {Sql.Identifier(column.Name)}"))} WHERE false)";
        return parts.Count == 1 ? parts[0] : $"({string.Join(" UNION ALL ", parts)})";
    }

    /// <summary>Makes the relation a view of that name.</summary>
    public static void CreateView(EngineSession session, string name, LocalDataset dataset) =>
        session.Execute($"CREATE OR REPLACE TEMP VIEW {Sql.Identifier(name)} AS SELECT * FROM {Relation(dataset)}");

    /// <summary>Writes the rows of a query to one Parquet file; the answer is their number.</summary>
    /// <param name="path">A staging path: the file appears under its final name only after it is whole.</param>
    public static async Task<long> WriteAsync(EngineSession session, string query, string path, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(session);
        await session.ExecuteAsync($"COPY ({query}) TO {Sql.Literal(path)} ({OwnParquetOptions})", ct).ConfigureAwait(false);
        // The file's own count: the statement's is 32 bits wide in the driver.
        return await session.ScalarAsync<long>("SELECT CAST(sum(num_rows) AS BIGINT) FROM parquet_file_metadata(?)", ct, path).ConfigureAwait(false);
    }

    /// <summary>Snappy is what keeps both cores busy with data instead of with compression; row groups of the default size keep memory bounded.
    /// The path is a staging path already, and beside it nothing may be written. For files that go to other programs, of which some know
    /// only Parquet's first encodings.</summary>
    public const string ParquetOptions = "FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880, USE_TMP_FILE false";

    // Numbers as differences and texts without their lengths between them: files with row numbers and keys are a third smaller and faster both ways.
    private const string OwnParquetOptions = $"{ParquetOptions}, PARQUET_VERSION v2";

    /// <summary>The columns of a query, typed. Columns of types that are none of ours are refused.</summary>
    public static DatasetSchema Describe(EngineSession session, string query)
    {
        ArgumentNullException.ThrowIfNull(session);
        var columns = session.Query(
            $"DESCRIBE {query}",
            row => (Name: row.GetString(0), Type: row.GetString(1)));
        return new DatasetSchema
        {
            Columns =
            [
                .. columns.Select(column => new DatasetColumn
                {
                    Name = column.Name,
                    Type = (ColumnType.FromDuckDb(column.Type)
                        ?? throw new EngineException(EngineException.CastFailed, $"Column \"{column.Name}\" has the type {column.Type}, which Qualiz does not have; cast it.")).ToString(),
                    Hidden = HiddenColumns.IsHidden(column.Name),
                }),
            ],
        };
    }

    public static ColumnType TypeOf(DatasetColumn column)
    {
        ArgumentNullException.ThrowIfNull(column);
        return ColumnType.Parse(column.Type);
    }

    private static string Stored(List<DatasetColumn> columns, IEnumerable<string> paths) =>
        $"(SELECT {Names(columns)} FROM {Scan.Parquet(paths)})";

    /// <summary>A file with columns of its own: those of the dataset that it lacks are empty.</summary>
    private static string Partial(DatasetSchema own, List<DatasetColumn> columns, string path, RowOrigin? origin)
    {
        var (from, place) = origin is null ? (Scan.Parquet(path), Place) : Placed(path, own.Columns.Select(column => column.Name));
        var select = columns.Select(column =>
            (own.Find(column.Name) is null ? $"CAST(NULL AS {TypeOf(column).DuckDb})" : Expression(own, column.Name, origin, place)) + $" AS {Sql.Identifier(column.Name)}");
        return $"(SELECT {string.Join(", ", select)} FROM {from})";
    }

    private static string Names(List<DatasetColumn> columns) => Sql.Identifiers(columns.Select(column => column.Name));

    private static string Derived(DatasetSchema all, List<DatasetColumn> columns, string path, RowOrigin origin)
    {
        var (from, place) = Placed(path, all.Columns.Select(column => column.Name));
        var select = columns.Select(column => $"{Expression(all, column.Name, origin, place)} AS {Sql.Identifier(column.Name)}");
        return $"(SELECT {string.Join(", ", select)} FROM {from})";
    }

    /// <summary>
    /// A scan of one file, and the SQL of each row's place in it, from 0 on: the engine's own number, which costs nothing; where a column of the file has that
    /// name the engine refuses to give it, and the rows are counted.
    /// </summary>
    /// <param name="columns">That the file has.</param>
    internal static (string From, string Place) Placed(string path, IEnumerable<string> columns)
    {
        var taken = columns.ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (!taken.Contains(Place))
            return (Scan.Parquet(path, rowNumbers: true), Place);
        var name = "place";
        while (taken.Contains(name))
            name += "_";
        return ($"(SELECT *, row_number() OVER () - 1 AS {name} FROM {Scan.Parquet(path)})", name);
    }

    /// <summary>The value of a column in a scan of one file.</summary>
    /// <param name="place">The row's place in it, as <see cref="Placed"/> has it.</param>
    internal static string Expression(DatasetSchema all, string column, RowOrigin? origin, string place) => column switch
    {
        HiddenColumns.Source when origin is not null => Sql.Literal(origin.Source),
        HiddenColumns.Row when origin is not null => $"({RecordNumber(origin.Gaps, place)})",
        HiddenColumns.Key when origin is not null => HiddenColumns.KeyExpression(KeyColumns(all, origin), ordinal: Ordinal(origin.Repeats, place)),
        _ => Sql.Identifier(column),
    };

    /// <summary>The SQL of <c>_source</c> and <c>_row</c> in a scan of that file with <c>file_row_number = true</c>.</summary>
    public static (string Source, string Row) HiddenExpressions(RowOrigin origin)
    {
        ArgumentNullException.ThrowIfNull(origin);
        return (Sql.Literal(origin.Source), $"({RecordNumber(origin.Gaps, Place)})");
    }

    private static IEnumerable<(string Name, ColumnType Type)> KeyColumns(DatasetSchema schema, RowOrigin origin) =>
        schema.Columns
            .Where(column => !column.Hidden && (origin.Key is null || origin.Key.Contains(column.Name, StringComparer.Ordinal)))
            .Select(column => (column.Name, TypeOf(column)));

    private static string? Ordinal(IReadOnlyList<RowRepeat> repeats, string place)
    {
        return repeats.Count == 0 ? null : $"({Find(0, repeats.Count)})";

        string Find(int from, int to)
        {
            if (to - from == 1)
                return $"CASE WHEN {place} = {repeats[from].Row.ToString(CultureInfo.InvariantCulture)} THEN {repeats[from].Ordinal.ToString(CultureInfo.InvariantCulture)} END";
            var middle = (from + to) / 2;
            return $"CASE WHEN {place} < {repeats[middle].Row.ToString(CultureInfo.InvariantCulture)} THEN {Find(from, middle)} ELSE {Find(middle, to)} END";
        }
    }

    // A balanced tree of CASEs: the engine evaluates only branches that rows take, so a vector of consecutive rows costs log(gaps) comparisons.
    private static string RecordNumber(IReadOnlyList<RowGap> gaps, string place)
    {
        return gaps.Count == 0 ? $"{place} + 1" : $"{place} + 1 + {Skipped(0, gaps.Count + 1)}";

        string Skipped(int from, int to)
        {
            if (to - from == 1)
                return (from == 0 ? 0 : gaps[from - 1].Skipped).ToString(CultureInfo.InvariantCulture);
            var middle = (from + to) / 2;
            return $"CASE WHEN {place} < {gaps[middle - 1].Row.ToString(CultureInfo.InvariantCulture)} THEN {Skipped(from, middle)} ELSE {Skipped(middle, to)} END";
        }
    }
}
