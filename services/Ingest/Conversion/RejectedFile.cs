using System.Globalization;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest.Csv;

namespace Qualiz.Ingest.Conversion;

/// <summary>Writes the port <c>rejected</c>.</summary>
/// <remarks>
/// A record whose values are known has the key that its row would have: over the declared key's values as their types write them, where they fit these;
/// else over the texts as they came. A line that could not be cut into values has the key of its bytes.
/// </remarks>
internal static class RejectedFile
{
    /// <param name="columns">The columns of the dataset.</param>
    /// <param name="key">The columns of the declared key, as the dataset calls them; null: none is declared.</param>
    public static Task<long> WriteAsync(
        EngineSession session, IEnumerable<SourceSurvey> sources, IReadOnlyList<TargetColumn> columns, IReadOnlyList<string>? key, string target, CancellationToken ct)
    {
        var keyed = columns.Where(column => key?.Contains(column.Name, StringComparer.Ordinal) == true).ToList();
        var parts = sources.SelectMany((source, number) => source.Spools.Select(spool => Part(number, source, keyed, spool.Spool, spool.Records, spool.Lines))).ToList();
        return DatasetFiles.WriteAsync(session, Numbered(parts), target, ct);
    }

    // Equal lines are different records: the second and later ones get keys of their own.
    private static string Numbered(IReadOnlyCollection<string> parts) =>
        $"""
        SELECT _source, _row, CASE WHEN ordinal = 1 THEN _key ELSE {HiddenColumns.OrdinalKeyExpression("_key", "ordinal")} END AS _key, ingested, rejected, reasons
        FROM (SELECT *, CASE WHEN declared THEN 1 ELSE row_number() OVER (PARTITION BY declared, _key ORDER BY source, _row) END AS ordinal FROM ({string.Join(" UNION ALL ", parts)}))
        ORDER BY source, _row
        """;

    private static string Part(int number, SourceSurvey source, List<TargetColumn> keyed, RejectSpool spool, long records, long lines)
    {
        var line = Math.Max(2L << 20, spool.LongestRecord + 1024).ToString(CultureInfo.InvariantCulture);
        var lineNumber = $"line + {Sql.Literal(lines)}";
        var read = Scan.Csv(spool.Path, $"""
            auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', new_line = '\n', nullstr = '',
                allow_quoted_nulls = false, parallel = false, max_line_size = {line}, buffer_size = {line} * 4, columns = {RejectSpool.Columns}
            """);
        return $"""
            SELECT {Sql.Literal(number)} AS source, declared, {Sql.Literal(source.File.Source)} AS _source, record + {Sql.Literal(records)} AS _row, {Key(keyed)} AS _key,
              CAST(ingested AS JSON) AS ingested, CAST(ingested AS JSON) AS rejected,
              json_array(json_object('rule', rule, 'column', "column", 'value', value, 'line', {lineNumber},
                'message', 'Line ' || ({lineNumber}) || ' of ' || {Sql.Literal(source.File.Name)} || ': ' || message || '.')) AS reasons
            FROM (SELECT *{string.Concat(Texts(source, keyed).Select((text, i) => $", {text} AS {Sql.Identifier(Name(i))}"))}
              FROM {read})
            """;
    }

    private static string Key(List<TargetColumn> keyed)
    {
        if (keyed.Count == 0)
            return "key";
        var typed = keyed.Select((column, i) => $"TRY({(column.Decision with { Native = false }).Expression(Name(i))}) AS {Sql.Identifier(column.Name)}");
        // What fits is counted beside the values: a text that became nothing did not fit.
        var misfits = string.Join(" OR ", keyed.Select((column, i) => $"({Sql.Identifier(Name(i))} IS NOT NULL AND typed.{Sql.Identifier(column.Name)} IS NULL)"));
        return $"CASE WHEN NOT declared THEN key ELSE (SELECT CASE WHEN {misfits} THEN key ELSE {HiddenColumns.KeyExpression(keyed.Select(column => (column.Name, column.Decision.Type)), "typed")} END FROM (SELECT {string.Join(", ", typed)}) AS typed) END";
    }

    // Each record is an object with the names that the source has.
    private static IEnumerable<string> Texts(SourceSurvey source, IEnumerable<TargetColumn> keyed) => keyed.Select(column =>
    {
        var at = source.Columns.Index().FirstOrDefault(found => found.Item.Name.Equals(column.Name, StringComparison.OrdinalIgnoreCase)) is { Item: { } } found ? found.Index : -1;
        if (at < 0)
            return "NULL::VARCHAR";
        var name = source is JsonSource json ? json.Members[at] : source.Columns[at].Name;
        return $"CASE WHEN declared THEN json_extract_string(ingested, {Sql.Literal($"/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}")}) END";
    });

    private static string Name(int key) => string.Create(CultureInfo.InvariantCulture, $"key {key}");
}
