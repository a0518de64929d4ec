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
        var parts = sources.SelectMany(source => source.Spools.Select(spool => Part(source, spool.Spool, spool.Records, spool.Lines))).ToList();
        return DatasetFiles.WriteAsync(session, string.Join(" UNION ALL ", parts), target, ct);
    }

    private static string Part(SourceSurvey source, RejectSpool spool, long records, long lines)
    {
        var line = Math.Max(2L << 20, spool.LongestRecord + 1024).ToString(CultureInfo.InvariantCulture);
        var lineNumber = $"line + {Sql.Literal(lines)}";
        return $"""
            SELECT {Sql.Literal(source.File.Source)} AS _source, record + {Sql.Literal(records)} AS _row, key AS _key,
              CAST(ingested AS JSON) AS ingested, CAST(ingested AS JSON) AS rejected,
              json_array(json_object('rule', rule, 'column', "column", 'value', value, 'line', {lineNumber},
                'message', 'Line ' || ({lineNumber}) || ' of ' || {Sql.Literal(source.File.Name)} || ': ' || message || '.')) AS reasons
            FROM read_csv({Sql.Literal(spool.Path)}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', new_line = '\n', nullstr = '',
              allow_quoted_nulls = false, parallel = false, max_line_size = {line}, buffer_size = {line} * 4, columns = {RejectSpool.Columns})
            """;
    }
}
