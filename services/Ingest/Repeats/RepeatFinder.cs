using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest.Conversion;

namespace Qualiz.Ingest.Repeats;

/// <summary>
/// Gives rows of the same content their ordinals. Rows without a declared key are known by their content, and two that are equal are still two
/// rows: the second and later ones, in the order of the files, get another key.
/// </summary>
internal sealed class RepeatFinder(EngineSession session, RepeatFilter? filter, IReadOnlyList<TargetColumn> columns)
{
    // More repeats than this make the derived key slower to read than a stored one.
    private const int MaxRepeats = 1000;

    private readonly IReadOnlyList<string> _names = [.. columns.Select(column => column.Name)];

    /// <param name="files">What was written, in the order of the dataset.</param>
    /// <param name="other">A place for a file that must be written anew.</param>
    public async Task<IReadOnlyList<ConvertedFile>> ResolveAsync(IReadOnlyList<ConvertedFile> files, Func<string> other, CancellationToken ct)
    {
        if (filter?.Suspects is { Count: 0 } || columns.Count == 0)
            return files;
        await FindAsync(files, ct);
        var counts = (await session.QueryAsync("SELECT file, count(*) FROM repeats GROUP BY file", row => (File: row.GetInt32(0), Count: row.GetInt64(1)), ct))
            .ToDictionary(file => file.File, file => file.Count);
        var resolved = new List<ConvertedFile>();
        for (var i = 0; i < files.Count; i++)
        {
            if (!counts.TryGetValue(i, out var count))
                resolved.Add(files[i]);
            else if (files[i].Origin is { } origin && count <= MaxRepeats)
                resolved.Add(files[i] with { Origin = origin with { Repeats = await ReadAsync(i, ct) } });
            else
                resolved.Add(await StoreAsync(i, files[i], other(), ct));
        }
        await session.ExecuteAsync("DROP TABLE repeats", ct);
        return resolved;
    }

    // Only rows that may be repeats are sorted; with a filter that could not keep them, the engine groups the hashes out of core.
    private async Task FindAsync(IReadOnlyList<ConvertedFile> files, CancellationToken ct)
    {
        // Without suspects that were kept, the engine's own hash is as good.
        var hash = filter?.Suspects is null ? $"hash({Sql.Identifiers(_names)})" : filter.Hash;
        var scans = files.Select((file, i) =>
            $"SELECT {i.ToString(CultureInfo.InvariantCulture)} AS file, file_row_number AS row, {hash} AS hash, {Sql.Identifiers(_names)} FROM {Scan.Parquet(file.Path, rowNumbers: true)}");
        await session.ExecuteAsync("CREATE TEMP TABLE suspects (hash UBIGINT)", ct);
        if (filter?.Suspects is { } suspects)
        {
            foreach (var part in suspects.Chunk(10_000))
                await session.ExecuteAsync($"INSERT INTO suspects VALUES {string.Join(", ", part.Select(value => $"({value.ToString(CultureInfo.InvariantCulture)})"))}", ct);
        }
        else
        {
            var hashes = $"SELECT {hash} AS hash FROM {Scan.Parquet(files.Select(file => file.Path), byName: true)}";
            await session.ExecuteAsync($"INSERT INTO suspects SELECT hash FROM ({hashes}) GROUP BY hash HAVING count(*) > 1", ct);
        }
        var key = HiddenColumns.KeyExpression(columns.Select(column => (column.Name, column.Decision.Type)));
        await session.ExecuteAsync(
            $"""
            CREATE TEMP TABLE repeats AS
            SELECT file, row, ordinal FROM (
              SELECT file, row, row_number() OVER (PARTITION BY key ORDER BY file, row) AS ordinal
              FROM (SELECT file, row, {key} AS key FROM ({string.Join(" UNION ALL ", scans)}) WHERE hash IN (SELECT hash FROM suspects)))
            WHERE ordinal > 1
            """,
            ct);
        await session.ExecuteAsync("DROP TABLE suspects", ct);
    }

    private async Task<IReadOnlyList<RowRepeat>> ReadAsync(int file, CancellationToken ct) =>
        await session.QueryAsync("SELECT row, ordinal FROM repeats WHERE file = ? ORDER BY row", row => new RowRepeat(row.GetInt64(0), row.GetInt64(1)), ct, file);

    private async Task<ConvertedFile> StoreAsync(int file, ConvertedFile converted, string target, CancellationToken ct)
    {
        // Rows in their own order, and the key of the content; what is known of the file's origin comes from its description.
        var source = converted.Origin is { } origin
            ? DatasetFiles.HiddenExpressions(origin)
            : (Source: HiddenColumns.Source, Row: HiddenColumns.Row);
        var key = HiddenColumns.KeyExpression(columns.Select(column => (column.Name, column.Decision.Type)), "data", "repeats.ordinal");
        var rows = await DatasetFiles.WriteAsync(
            session,
            $"""
            SELECT {string.Join(", ", _names.Select(name => $"data.{Sql.Identifier(name)}"))}, {source.Source} AS _source, {source.Row} AS _row, {key} AS _key
            FROM {Scan.Parquet(converted.Path, rowNumbers: true)} data
            LEFT JOIN (SELECT row, ordinal FROM repeats WHERE file = {file.ToString(CultureInfo.InvariantCulture)}) repeats ON data.file_row_number = repeats.row
            ORDER BY data.file_row_number
            """,
            target,
            ct);
        if (rows != converted.Rows)
            throw new EngineException(EngineException.EngineFailed, string.Create(CultureInfo.InvariantCulture, $"{converted.Rows} rows were written, but {rows} numbered."));
        File.Delete(converted.Path);
        return new ConvertedFile(target, rows, null);
    }
}
