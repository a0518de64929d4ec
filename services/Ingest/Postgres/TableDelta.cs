using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Conversion;
using Qualiz.Platform.Operators;

namespace Qualiz.Ingest.Postgres;

/// <param name="Seen">Rows that the last run gave already, unchanged.</param>
/// <param name="Replaced">Rows that a later one of the same key takes the place of.</param>
/// <param name="Deleted">Rows that their source marks as deleted.</param>
internal sealed record Sifted(ConvertedFile File, long Seen, long Replaced, long Deleted);

/// <summary>What an incremental read makes of the rows that came: each change once, and the place where the next run goes on.</summary>
internal sealed class TableDelta(EngineSession session, IReadOnlyList<TargetColumn> columns, IncrementalSource? incremental, SourceTable table)
{
    /// <summary>Up to so many hashes stand in the state itself, which people read and the database keeps; more are a file that it names.</summary>
    private const int MostInState = 1000;

    private static readonly DatasetSchema SeenSchema = new()
    {
        Columns = [new DatasetColumn { Name = "content", Type = "text" }, new DatasetColumn { Name = "times", Type = "int64" }],
    };

    private readonly string _content = HiddenColumns.KeyExpression(columns.Select(column => (column.Name, column.Decision.Type)));

    /// <summary>Makes what the last run has seen a table of the session.</summary>
    /// <param name="paths">Of the file that the state names, if it names one.</param>
    public async Task LoadAsync(SeenCursor? since, IReadOnlyList<string> paths, CancellationToken ct)
    {
        await session.ExecuteAsync("CREATE TEMP TABLE seen (\"content seen\" VARCHAR, \"times seen\" BIGINT)", ct);
        foreach (var part in (since?.Seen ?? []).CountBy(content => content).Chunk(5000))
            await session.ExecuteAsync($"INSERT INTO seen VALUES {string.Join(", ", part.Select(one => $"({Sql.Literal(one.Key)}, {Sql.Literal(one.Value)})"))}", ct);
        if (since?.SeenRows is { } file)
            await session.ExecuteAsync($"INSERT INTO seen SELECT * FROM {DatasetFiles.Relation(new LocalDataset(file, paths))}", ct);
    }

    /// <summary>The cursor that the run leaves, from all rows that came.</summary>
    /// <param name="path">Where the hashes go when they are many.</param>
    public async Task<SeenCursor?> CursorAsync(ConvertedFile file, IngestState state, SeenCursor? since, IStepOutputs outputs, string path, List<string> warnings, CancellationToken ct)
    {
        if (incremental is null)
            return state.Cursor;
        var column = Column(incremental.Cursor, "incremental.cursor");
        var type = columns.First(candidate => candidate.Name == column).Decision.Type;
        var name = Sql.Identifier(column);
        var finite = type == ColumnType.Timestamp || type == ColumnType.TimestampTz || type == ColumnType.Date ? $" FILTER (WHERE isfinite({name}))" : "";
        var read = Scan.Parquet(file.Path);
        var reached = since is null ? "false" : $"coalesce(max({name}){finite} <= TRY_CAST({Sql.Literal(since.Value)} AS {type.DuckDb}), false)";
        var (last, nulls, back) = (await session.QueryAsync(
            $"SELECT CAST(max({name}){finite} AS VARCHAR), count(*) - count({name}), {reached} FROM {read}", row => (row.IsDBNull(0) ? null : row.GetString(0), row.GetInt64(1), row.GetBoolean(2)), ct))[0];
        if (nulls > 0)
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"{nulls} rows have no {column}: a later run does not see them change."));
        if (last is null)
            return since;
        // The last row may be gone, and with it the largest value. A cursor that went back with it would ask for rows whose hashes are no longer kept.
        if (back)
            last = since!.Value;
        // The next run asks again for rows from here on.
        var span = incremental.Lookback is { Value: var lookback } && lookback > TimeSpan.Zero
            ? string.Create(CultureInfo.InvariantCulture, $" - INTERVAL '{lookback.TotalSeconds} seconds'") : "";
        await session.ExecuteAsync(
            $"CREATE TEMP TABLE reach AS SELECT {_content} AS \"content now\", count(*) AS \"times now\" FROM {read} WHERE {name} >= CAST({Sql.Literal(last)} AS {type.DuckDb}){span} GROUP BY 1", ct);
        // What was within reach before is seen, too. Rows of equal content count as often as they came.
        if (since is not null && since.Value == last)
        {
            var all = "reach FULL JOIN seen ON \"content now\" = \"content seen\"";
            if (since.Column == incremental.Cursor && !await session.ScalarAsync<bool>($"SELECT coalesce(bool_or(coalesce(\"times now\", 0) > coalesce(\"times seen\", 0)), false) FROM {all}", ct))
                return since;
            await session.ExecuteAsync(
                $"""
                CREATE TEMP TABLE together AS SELECT coalesce("content now", "content seen") AS "content now", greatest(coalesce("times now", 0), coalesce("times seen", 0)) AS "times now" FROM {all};
                DROP TABLE reach;
                ALTER TABLE together RENAME TO reach;
                """,
                ct);
        }
        if (await session.ScalarAsync<long>("SELECT CAST(coalesce(sum(\"times now\"), 0) AS BIGINT) FROM reach", ct) <= MostInState)
        {
            var few = await session.QueryAsync("SELECT \"content now\", \"times now\" FROM reach ORDER BY 1", row => Enumerable.Repeat(row.GetString(0), (int)row.GetInt64(1)), ct);
            return new SeenCursor(incremental.Cursor, last, [.. few.SelectMany(one => one)]);
        }
        var rows = await DatasetFiles.WriteAsync(session, "SELECT \"content now\" AS content, \"times now\" AS times FROM reach", path, ct);
        return new SeenCursor(incremental.Cursor, last, []) { SeenRows = DatasetRef.Of(SeenSchema, await outputs.CommitAsync(path, rows, ct)) };
    }

    public async Task<Sifted> SiftAsync(ConvertedFile file, IReadOnlyList<string>? key, SeenCursor? since, Func<string> other, string? deletedPath, CancellationToken ct)
    {
        if (incremental is null || file.Rows == 0)
            return new Sifted(file, 0, 0, 0);
        var cases = new List<string>();
        var read = Scan.Parquet(file.Path, rowNumbers: true);
        if (since is not null && (since.Seen.Count > 0 || since.SeenRows is not null))
        {
            // One more of the same content than the last run had is a row of its own.
            var time = "row_number() OVER (PARTITION BY \"content seen\" ORDER BY row)";
            await session.ExecuteAsync(
                $"CREATE TEMP TABLE repeated AS SELECT row FROM (SELECT file_row_number AS row, {_content} AS content FROM {read}) JOIN seen ON content = \"content seen\" QUALIFY {time} <= \"times seen\"", ct);
            cases.Add("WHEN file_row_number IN (SELECT row FROM repeated) THEN 'seen'");
        }
        if (key is not null && await session.ScalarAsync<bool>($"SELECT count(*) > 0 FROM (SELECT 1 FROM {read} GROUP BY {Sql.Identifiers(key)} HAVING count(*) > 1)", ct))
        {
            var cursor = Sql.Identifier(Column(incremental.Cursor, "incremental.cursor"));
            // Rows without a key have nothing that would make them states of one row.
            cases.Add($"WHEN {string.Join(" AND ", key.Select(name => $"{Sql.Identifier(name)} IS NOT NULL"))} AND row_number() OVER (PARTITION BY {Sql.Identifiers(key)} ORDER BY {cursor} DESC NULLS LAST, file_row_number DESC) > 1 THEN 'replaced'");
        }
        if (incremental.Deleted is { } mark)
        {
            var column = Column(mark, "incremental.deleted");
            var isBool = columns.First(candidate => candidate.Name == column).Decision.Type == ColumnType.Bool;
            cases.Add($"WHEN {Sql.Identifier(column)} IS {(isBool ? "TRUE" : "NOT NULL")} THEN 'deleted'");
        }
        if (cases.Count == 0)
            return new Sifted(file, 0, 0, 0);
        await session.ExecuteAsync($"CREATE TEMP TABLE fate AS SELECT * FROM (SELECT file_row_number AS row, CASE {string.Join(" ", cases)} END AS fate FROM {read}) WHERE fate IS NOT NULL", ct);
        var counts = (await session.QueryAsync("SELECT fate, count(*) FROM fate GROUP BY fate", row => (Fate: row.GetString(0), Rows: row.GetInt64(1)), ct)).ToDictionary(count => count.Fate, count => count.Rows);
        if (counts.Count == 0)
            return new Sifted(file, 0, 0, 0);
        var hidden = DatasetFiles.HiddenExpressions(file.Origin!);
        var keyed = HiddenColumns.KeyExpression(columns.Where(column => key is null || key.Contains(column.Name, StringComparer.Ordinal)).Select(column => (column.Name, column.Decision.Type)));
        var select = $"SELECT {Sql.Identifiers(columns.Select(column => column.Name))}, {hidden.Source} AS _source, {hidden.Row} AS _row, {keyed} AS _key FROM {read}";
        var deleted = counts.GetValueOrDefault("deleted");
        if (deleted > 0)
            await DatasetFiles.WriteAsync(session, $"{select} WHERE file_row_number IN (SELECT row FROM fate WHERE fate = 'deleted')", deletedPath!, ct);
        var target = other();
        var rows = await DatasetFiles.WriteAsync(session, $"{select} WHERE file_row_number NOT IN (SELECT row FROM fate)", target, ct);
        if (rows + counts.Values.Sum() != file.Rows)
            throw new EngineException(EngineException.EngineFailed, string.Create(CultureInfo.InvariantCulture, $"{file.Rows} rows were sifted, but {rows} kept and {counts.Values.Sum()} left out."));
        File.Delete(file.Path);
        return new Sifted(new ConvertedFile(target, rows, null), counts.GetValueOrDefault("seen"), counts.GetValueOrDefault("replaced"), deleted);
    }

    private string Column(string name, string path) => SourceTable.Find(table.Columns, name, path).Name;
}
