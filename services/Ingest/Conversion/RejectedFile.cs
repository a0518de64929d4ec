using System.Globalization;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest.Csv;

namespace Qualiz.Ingest.Conversion;

/// <summary>Writes the port <c>rejected</c>.</summary>
internal static class RejectedFile
{
    public static Task<long> WriteAsync(EngineSession session, IEnumerable<SourceSurvey> sources, string target, CancellationToken ct)
    {
        var parts = sources.SelectMany((source, number) => source.Spools.Select(spool => Part(number, source, spool.Spool, spool.Records, spool.Lines))).ToList();
        return DatasetFiles.WriteAsync(session, Numbered(parts), target, ct);
    }

    // Equal lines are different records: the second and later ones get keys of their own.
    private static string Numbered(IReadOnlyCollection<string> parts) =>
        $"""
        SELECT _source, _row, CASE WHEN ordinal = 1 THEN _key ELSE left(md5(concat(_key, chr(29), ordinal)), 16) END AS _key, ingested, rejected, reasons
        FROM (SELECT *, CASE WHEN declared THEN 1 ELSE row_number() OVER (PARTITION BY declared, _key ORDER BY source, _row) END AS ordinal FROM ({string.Join(" UNION ALL ", parts)}))
        ORDER BY source, _row
        """;

    private static string Part(int number, SourceSurvey source, RejectSpool spool, long records, long lines)
    {
        var line = Math.Max(2L << 20, spool.LongestRecord + 1024).ToString(CultureInfo.InvariantCulture);
        var lineNumber = $"line + {Sql.Literal(lines)}";
        return $"""
            SELECT {Sql.Literal(number)} AS source, declared, {Sql.Literal(source.File.Source)} AS _source, record + {Sql.Literal(records)} AS _row, key AS _key,
              CAST(ingested AS JSON) AS ingested, CAST(ingested AS JSON) AS rejected,
              json_array(json_object('rule', rule, 'column', "column", 'value', value, 'line', {lineNumber},
                'message', 'Line ' || ({lineNumber}) || ' of ' || {Sql.Literal(source.File.Name)} || ': ' || message || '.')) AS reasons
            FROM read_csv({Sql.Literal(spool.Path)}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', new_line = '\n', nullstr = '',
              allow_quoted_nulls = false, parallel = false, max_line_size = {line}, buffer_size = {line} * 4, columns = {RejectSpool.Columns})
            """;
    }
}
