using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;
using Qualiz.Ingest.Csv;
using Qualiz.Ingest.Excel;
using Qualiz.Ingest.Json;
using Qualiz.Ingest.Repeats;
using Qualiz.Ingest.Sources;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Conversion;

/// <summary>A column of the dataset that is being made.</summary>
internal sealed record TargetColumn(string Name, ColumnDecision Decision)
{
    /// <summary>No run has seen a value of it yet.</summary>
    public bool Empty { get; init; }

    /// <summary>How an earlier run has seen its dates written.</summary>
    public string? Format { get; init; }

    /// <summary>What the next run is told of it.</summary>
    public SeenColumn Seen => new(Name, Decision.Type.ToString()) { Empty = Empty, Format = Decision.Type == ColumnType.Date ? Decision.Format ?? Format : null };

    /// <summary>A column of the last run that has no values in this one.</summary>
    public static TargetColumn Of(SeenColumn last) => new(last.Name, new ColumnDecision(ColumnType.Parse(last.Type), last.Format is null, last.Format, (byte)'.')) { Empty = last.Empty };
}

/// <param name="Origin">Null when the file holds its hidden columns.</param>
internal sealed record ConvertedFile(string Path, long Rows, RowOrigin? Origin);

/// <summary>
/// Turns a surveyed file into Parquet. The engine's count of rows must be the survey's count of good records: two programs that read
/// the file independently agree, or the file is read another way, or the step fails.
/// </summary>
internal sealed class FileConverter(EngineSession session, IReadOnlyList<TargetColumn> columns, IReadOnlyList<string>? key, string scratch, RepeatFilter? repeats)
{
    // More gaps than this make the derived record number slower to read than a stored one.
    private const int MaxGaps = 1000;

    private const string RecordColumn = "record number of the source";

    public async Task<ConvertedFile> ConvertAsync(SourceSurvey source, string target, CancellationToken ct) => source switch
    {
        CsvSource csv => await ConvertCsvAsync(csv, target, ct),
        JsonSource json => await ConvertJsonAsync(json, target, ct),
        ExcelSource excel => await ConvertRewrittenAsync(excel, excel.Rewritten, excel.LongestRecord, stored: true, [], target, ct),
        ParquetSource parquet => await ConvertParquetAsync(parquet, target, ct),
        _ => throw new ArgumentException("No such source.", nameof(source)),
    };

    private async Task<ConvertedFile> ConvertCsvAsync(CsvSource source, string target, CancellationToken ct)
    {
        var gaps = Gaps(source.Survey.RejectedRecords);
        var stored = gaps.Count > MaxGaps;
        if (!stored && ReadsDirectly(source))
        {
            try
            {
                var read = ReadCsv(source.Text.Path, source.Layout, source.Columns, source.Survey.LongestRecord, direct: true, ignoreErrors: source.Survey.Rejected > 0,
                    source.Survey.LineEnds == LineEnds.CrLf);
                var rows = await DatasetFiles.WriteAsync(session, Watched(Select(source, read, stored: false)), target, ct);
                if (rows == source.Survey.Good)
                    return new ConvertedFile(target, rows, Origin(source.File, gaps));
            }
            catch (EngineException error) when (error.Code is EngineException.CastFailed or EngineException.FileUnreadable)
            {
                // The engine reads this file differently; below it gets it in a form without two readings.
            }
            repeats?.Spoil();
        }
        var rewritten = Path.Combine(scratch, $"rewritten-{Guid.NewGuid():N}.csv");
        try
        {
            var longest = await Task.Run(() => CsvRewriter.Rewrite(source.Text.Path, source.Text.Start, source.Layout, stored, rewritten, ct), ct);
            return await ConvertRewrittenAsync(source, rewritten, longest, stored, gaps, target, ct);
        }
        finally
        {
            File.Delete(rewritten);
        }
    }

    private async Task<ConvertedFile> ConvertJsonAsync(JsonSource source, string target, CancellationToken ct)
    {
        var gaps = Gaps(source.RejectedRecords);
        var stored = gaps.Count > MaxGaps;
        var rewritten = Path.Combine(scratch, $"rewritten-{Guid.NewGuid():N}.csv");
        try
        {
            var longest = await Task.Run(() => JsonRewriter.Rewrite(source, name => Target(name)?.Decision.Type, stored, rewritten, ct), ct);
            return await ConvertRewrittenAsync(source, rewritten, longest, stored, gaps, target, ct);
        }
        finally
        {
            File.Delete(rewritten);
        }
    }

    private async Task<ConvertedFile> ConvertRewrittenAsync(
        SourceSurvey source, string rewritten, long longest, bool stored, IReadOnlyList<RowGap> gaps, string target, CancellationToken ct)
    {
        var found = source.Columns;
        var layout = new CsvLayout { Dialect = new CsvDialect((byte)','), Columns = [.. found.Select(column => column.Name)], Declared = [], Preamble = 0, HeaderRows = 0 };
        var rows = 0L;
        // A quoted line end near a border of the parallel reader's parts can mislead it.
        foreach (var parallel in (bool[])[true, false])
        {
            var read = source.Good == 0
                ? null
                : ReadCsv(rewritten, layout, found, longest, direct: false, ignoreErrors: false, crLf: false, numbered: stored, parallel);
            try
            {
                rows = await DatasetFiles.WriteAsync(session, Watched(Select(source, read, stored)), target, ct);
                if (rows == source.Good)
                    return new ConvertedFile(target, rows, stored ? null : Origin(source.File, gaps));
            }
            catch (EngineException error) when (parallel && error.Code is EngineException.CastFailed or EngineException.FileUnreadable)
            {
                // Once more, one part after the other.
            }
            repeats?.Spoil();
        }
        throw new EngineException(
            EngineException.EngineFailed,
            string.Create(CultureInfo.InvariantCulture, $"{source.File.Name}: {source.Good} good records were counted, but {rows} were written. Nothing was kept; please report this file."));
    }

    private async Task<ConvertedFile> ConvertParquetAsync(ParquetSource source, string target, CancellationToken ct)
    {
        var select = columns.Select(column =>
        {
            var found = source.Columns.FirstOrDefault(candidate => candidate.Name.Equals(column.Name, StringComparison.OrdinalIgnoreCase));
            var name = Sql.Identifier(column.Name);
            if (found is null)
                return $"CAST(NULL AS {column.Decision.Type.DuckDb}) AS {name}";
            var stored = source.Stored[found.Name];
            var value = Sql.Identifier(stored.Name);
            var type = ColumnType.FromDuckDb(stored.Type);
            if (column.Decision.Type == ColumnType.Text && found.Fixed is { IsNested: true })
                value = $"to_json({value})";
            if (type == column.Decision.Type)
                return $"{value} AS {name}";
            return type == ColumnType.Text ? $"{DeclaredCheck.Expression(column.Decision.Type, value, (byte)'.')} AS {name}" : $"CAST({value} AS {column.Decision.Type.DuckDb}) AS {name}";
        });
        var rows = await DatasetFiles.WriteAsync(session, Watched($"SELECT {string.Join(", ", select)} FROM {Scan.Parquet(source.File.Path)}"), target, ct);
        return new ConvertedFile(target, rows, Origin(source.File, []));
    }

    // The engine's own reader takes the file as it lies there when nothing in it can be read in two ways.
    private static bool ReadsDirectly(CsvSource source) =>
        source.Layout is { Pad: false, Preamble: 0, HeaderFaulty: false, Dialect: { Doubles: true, Quote: not 0, IsPlain: true } }
        && (source.Text.Start == 0 || source.Layout.HeaderRows > 0)
        && source.Survey.Good > 0
        && !source.Survey.TopSpansLines
        && source.Survey.OnlyFieldCounts
        && source.Survey.LineEnds is LineEnds.Lf or LineEnds.CrLf;

    private string ReadCsv(
        string path, CsvLayout layout, IReadOnlyList<ColumnFinding> found, long longest, bool direct, bool ignoreErrors, bool crLf, bool numbered = false, bool parallel = true)
    {
        var types = found.Select(column => $"{Sql.Literal(column.Name)}: {Sql.Literal(Target(column.Name)?.Decision.ReadAs ?? "VARCHAR")}");
        if (numbered)
            types = types.Prepend($"{Sql.Literal(RecordColumn)}: 'BIGINT'");
        var nulls = direct ? layout.Nulls.Select(System.Text.Encoding.UTF8.GetString).Prepend("") : found.Count == 1 && !numbered ? ["", CsvWriter.NullText] : [""];
        var line = Math.Max(2L << 20, longest + 1024);
        var options = new List<string>
        {
            "auto_detect = false",
            "header = false",
            $"skip = {(direct ? layout.HeaderRows : 0)}",
            $"delim = {Sql.Literal(((char)layout.Dialect.Delimiter).ToString())}",
            $"quote = {Sql.Literal(((char)layout.Dialect.Quote).ToString())}",
            $"escape = {Sql.Literal(((char)layout.Dialect.Escape).ToString())}",
            $"nullstr = {Sql.List(nulls)}",
            "allow_quoted_nulls = false",
            "strict_mode = true",
            "null_padding = false",
            $"ignore_errors = {Sql.Literal(ignoreErrors)}",
            $"max_line_size = {Sql.Literal(line)}",
            $"columns = {{{string.Join(", ", types)}}}",
        };
        if (line > 2L << 20)
            options.Add($"buffer_size = {Sql.Literal(line * 4)}");
        // Told of CR LF together with the strict mode, the reader of 1.5.6 finds no row at all; left to itself it finds them.
        if (!crLf)
            options.Add("new_line = '\\n'");
        if (!parallel)
            options.Add("parallel = false");
        return Scan.Csv(path, string.Join(", ", options));
    }

    private string Select(SourceSurvey source, string? read, bool stored)
    {
        var select = columns.Select(column =>
        {
            var found = source.Columns.FirstOrDefault(candidate => candidate.Name.Equals(column.Name, StringComparison.OrdinalIgnoreCase));
            var value = found is null || read is null ? $"CAST(NULL AS {column.Decision.Type.DuckDb})" : column.Decision.Expression(found.Name);
            return $"{value} AS {Sql.Identifier(column.Name)}";
        });
        var from = read is null ? "WHERE false" : $"FROM {read}";
        if (!stored)
            return $"SELECT {string.Join(", ", select)} {from}";
        var record = Sql.Identifier(RecordColumn);
        var keys = columns.Where(column => key is null || key.Contains(column.Name, StringComparer.Ordinal)).Select(column => (column.Name, column.Decision.Type));
        return $"SELECT * EXCLUDE ({record}), {Sql.Literal(source.File.Source)} AS _source, {record} AS _row, {HiddenColumns.KeyExpression(keys)} AS _key "
            + $"FROM (SELECT {string.Join(", ", select.Append(read is null ? $"CAST(NULL AS BIGINT) AS {record}" : record))} {from})";
    }

    private string Watched(string query) => repeats is null ? query : repeats.Watch(query);

    private TargetColumn? Target(string name) => columns.FirstOrDefault(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private RowOrigin Origin(SourceFile file, IReadOnlyList<RowGap> gaps) => new() { Source = file.Source, Gaps = gaps, Key = key };

    /// <summary>Where in the file of good records the rejected ones are missing.</summary>
    public static IReadOnlyList<RowGap> Gaps(IReadOnlyList<long> rejected)
    {
        var gaps = new List<RowGap>();
        for (var i = 0; i < rejected.Count; i++)
        {
            var row = rejected[i] - i - 1;
            if (gaps.Count > 0 && gaps[^1].Row == row)
                gaps[^1] = new RowGap(row, i + 1);
            else
                gaps.Add(new RowGap(row, i + 1));
        }
        return gaps;
    }
}
