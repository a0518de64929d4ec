using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Rows;

public enum ReferenceFormat
{
    Csv,
    Parquet,
}

/// <summary>
/// Turns an uploaded file into a file of a dataset. CSV stays text, column by column: lists of codes with leading zeros are
/// what reference data mostly is, and whoever wants types runs it through a pipeline.
/// </summary>
public static class ReferenceData
{
    private const string CsvOptions = "header = true, all_varchar = true, strict_mode = true, null_padding = false";

    /// <param name="target">Where to write; a staging path.</param>
    /// <param name="scratch">An existing folder of this import alone.</param>
    /// <exception cref="EngineException">The file is not what it claims to be.</exception>
    public static async Task<(DatasetSchema Schema, long Rows)> ImportAsync(ReferenceFormat format, string path, string target, string scratch, CancellationToken ct)
    {
        if (new FileInfo(path).Length == 0)
            throw new EngineException(EngineException.FileUnreadable, "The file is empty.");
        using var session = EngineSession.Open(RowReader.Options(scratch, [path, target]));
        var scan = Scan.Parquet(path);
        (string Delimiter, string Quote)? dialect = null;
        if (format == ReferenceFormat.Csv)
        {
            var (delimiter, quote) = await DialectAsync(session, path, ct).ConfigureAwait(false);
            dialect = (delimiter, quote);
            scan = Scan.Csv(path, $"{CsvOptions}, skip = 0, comment = '', delim = {Sql.Literal(delimiter)}, quote = {Sql.Literal(quote)}");
        }
        var found = await session.QueryAsync($"DESCRIBE SELECT * FROM {scan}", column => (Name: column.GetString(0), Engine: column.GetString(1)), ct).ConfigureAwait(false);
        // A row's identity follows from its place in this file; what another one had is of no use.
        var columns = found.Where(column => !HiddenColumns.IsHidden(column.Name))
            .Select(column => (column.Name, Type: ColumnType.NearestTo(column.Engine) ?? ColumnType.Text))
            .ToList();
        if (columns.Count == 0)
            throw new EngineException(EngineException.FileUnreadable, "The file has no columns.");
        var select = columns.Select(column => $"CAST({Sql.Identifier(column.Name)} AS {column.Type.DuckDb}) AS {Sql.Identifier(column.Name)}");
        var rows = await session.ExecuteAsync(
            $"COPY (SELECT {string.Join(", ", select)} FROM {scan}) TO {Sql.Literal(target)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)", ct).ConfigureAwait(false);
        if (dialect is { } csv)
            await CompareAsync(path, csv, rows, ct).ConfigureAwait(false);
        var schema = new DatasetSchema
        {
            Columns = [.. columns.Select(column => new DatasetColumn { Name = column.Name, Type = column.Type.ToString() }), .. HiddenColumns.Columns],
        };
        return (schema, rows);
    }

    /// <summary>How the engine reads the file. It would leave out, without a word, lines above the table that have other fields than it, and lines that look like comments.</summary>
    private static async Task<(string Delimiter, string Quote)> DialectAsync(EngineSession session, string path, CancellationToken ct)
    {
        var found = (await session.QueryAsync(
            $"SELECT CAST(SkipRows AS BIGINT), Comment, Delimiter, Quote FROM sniff_csv({Sql.Literal(path)}, {CsvOptions})",
            row => (Skipped: row.GetInt64(0), Comment: Sign(row, 1), Delimiter: Sign(row, 2), Quote: Sign(row, 3)), ct).ConfigureAwait(false))[0];
        if (found.Skipped > 0)
        {
            throw new EngineException(EngineException.FileUnreadable, string.Create(
                CultureInfo.InvariantCulture, $"The table begins only at line {found.Skipped + 1}; the lines above have other fields than it. Take them out, or read the file with an ingest step."));
        }
        return found.Comment.Length == 0
            ? (found.Delimiter, found.Quote)
            : throw new EngineException(EngineException.FileUnreadable, $"Lines that begin with {found.Comment} look like comments. Take them out, or read the file with an ingest step.");

        // What there is none of is written as a word, or as NUL.
        static string Sign(System.Data.Common.DbDataReader row, int column) => row.IsDBNull(column) || row.GetString(column) is "(empty)" or "\0" ? "" : row.GetString(column);
    }

    /// <summary>Counts the records by itself: whatever the engine has left out, for whatever reason, must not be missing without a word.</summary>
    private static async Task CompareAsync(string path, (string Delimiter, string Quote) dialect, long rows, CancellationToken ct)
    {
        if (dialect is not ({ Length: 1 } delimiter, { Length: <= 1 } quote) || delimiter[0] > 127 || (quote.Length == 1 && quote[0] > 127))
            return;
        var (lines, filled) = await CountAsync(path, (byte)delimiter[0], quote.Length == 1 ? (byte)quote[0] : null, ct).ConfigureAwait(false);
        // The header is none. An empty line is no row, unless there is only one column.
        if (rows + 1 != filled && rows + 1 != lines)
            throw new EngineException(EngineException.FileUnreadable, string.Create(CultureInfo.InvariantCulture, $"The file has {filled:N0} lines with the header, but {rows:N0} rows can be read. Read it with an ingest step, which says what is wrong with the others."));
    }

    /// <summary>Records, and those of them that hold anything; a line break between quotes ends none.</summary>
    private static async Task<(long Lines, long Filled)> CountAsync(string path, byte delimiter, byte? quote, CancellationToken ct)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var block = new byte[1 << 16];
        var (lines, filled) = (0L, 0L);
        var (inRecord, fieldBegins, quoted, closed) = (false, true, false, false);
        byte last = 0;
        for (int length; (length = await file.ReadAsync(block, ct).ConfigureAwait(false)) > 0;)
        {
            foreach (var c in block.AsSpan(0, length))
            {
                if (quoted)
                {
                    quoted = c != quote;
                    closed = !quoted;
                }
                else if (c is (byte)'\n' or (byte)'\r')
                {
                    if (c != '\n' || last != '\r')
                    {
                        lines++;
                        filled += inRecord ? 1 : 0;
                    }
                    (inRecord, fieldBegins, closed) = (false, true, false);
                }
                else
                {
                    // One right behind the end is a doubled one: the text goes on.
                    quoted = c == quote && (fieldBegins || closed);
                    (inRecord, fieldBegins, closed) = (true, c == delimiter, false);
                }
                last = c;
            }
        }
        return inRecord ? (lines + 1, filled + 1) : (lines, filled);
    }
}
