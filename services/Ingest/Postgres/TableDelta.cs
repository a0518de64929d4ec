using System.Globalization;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Conversion;

namespace Qualiz.Ingest.Postgres;

/// <param name="Seen">Rows that the last run gave already, unchanged.</param>
/// <param name="Replaced">Rows that a later one of the same key takes the place of.</param>
/// <param name="Deleted">Rows that their source marks as deleted.</param>
internal sealed record Sifted(ConvertedFile File, long Seen, long Replaced, long Deleted);

/// <summary>What an incremental read makes of the rows that came: each change once, and the place where the next run goes on.</summary>
internal sealed class TableDelta(EngineSession session, IReadOnlyList<TargetColumn> columns, IncrementalSource? incremental, SourceTable table)
{
    // Rows of the span that is looked back on are known again by hash; with more of them the state would be too large.
    private const int MaxSeen = 20_000;

    private readonly string _content = HiddenColumns.KeyExpression(columns.Select(column => (column.Name, column.Decision.Type)));

    /// <summary>The cursor that the run leaves, from all rows that came.</summary>
    public async Task<SeenCursor?> CursorAsync(ConvertedFile file, IngestState state, SeenCursor? since, List<string> warnings, CancellationToken ct)
    {
        if (incremental is null)
            return state.Cursor;
        var column = Column(incremental.Cursor, "incremental.cursor");
        var type = columns.First(candidate => candidate.Name == column).Decision.Type;
        var name = Sql.Identifier(column);
        var finite = type == ColumnType.Timestamp || type == ColumnType.TimestampTz || type == ColumnType.Date ? $" FILTER (WHERE isfinite({name}))" : "";
        var read = $"read_parquet({Sql.Literal(file.Path)})";
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
        var seen = await session.QueryAsync(
            $"SELECT {_content} FROM {read} WHERE {name} >= CAST({Sql.Literal(last)} AS {type.DuckDb}){span} LIMIT {MaxSeen + 1}", row => row.GetString(0), ct);
        if (seen.Count > MaxSeen)
        {
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"More than {MaxSeen:N0} rows lie within the time looked back on: the next run may give some of them again."));
            seen = [];
        }
        // What was within reach before is seen, too. Rows of equal content count as often as they came.
        if (since is not null && since.Value == last)
        {
            var times = seen.CountBy(content => content).ToDictionary();
            foreach (var (content, before) in since.Seen.CountBy(content => content))
                times[content] = Math.Max(before, times.GetValueOrDefault(content));
            seen = [.. times.SelectMany(one => Enumerable.Repeat(one.Key, one.Value)).Take(MaxSeen)];
        }
        return new SeenCursor(incremental.Cursor, last, seen);
    }

    public async Task<Sifted> SiftAsync(ConvertedFile file, IReadOnlyList<string>? key, SeenCursor? since, Func<string> other, string? deletedPath, CancellationToken ct)
    {
        if (incremental is null || file.Rows == 0)
            return new Sifted(file, 0, 0, 0);
        var cases = new List<string>();
        var read = $"read_parquet({Sql.Literal(file.Path)}, file_row_number = true)";
        if (since is { Seen.Count: > 0 })
        {
            // Beside the source's own columns, whose names may be any.
            await session.ExecuteAsync("CREATE TEMP TABLE seen (\"content seen\" VARCHAR, \"times seen\" BIGINT)", ct);
            foreach (var part in since.Seen.CountBy(content => content).Chunk(5000))
                await session.ExecuteAsync($"INSERT INTO seen VALUES {string.Join(", ", part.Select(one => $"({Sql.Literal(one.Key)}, {Sql.Literal(one.Value)})"))}", ct);
            // One more of the same content than the last run had is a row of its own.
            var time = "row_number() OVER (PARTITION BY \"content seen\" ORDER BY file_row_number)";
            await session.ExecuteAsync($"CREATE TEMP TABLE repeated AS SELECT file_row_number AS row FROM {read} JOIN seen ON {_content} = \"content seen\" QUALIFY {time} <= \"times seen\"", ct);
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
