using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Rows;

/// <summary>
/// Rows of a dataset for people: pages and downloads in the wire format of product.md 5, in the order of the files, with
/// bounded memory. The session sees exactly the files of the dataset.
/// </summary>
public sealed class RowReader : IDisposable
{
    /// <summary>What stands in the place of a sensitive value.</summary>
    public const string Mask = "•••";

    private const long MemoryBytes = 128L << 20;

    private readonly EngineSession _session;
    private readonly LocalDataset _dataset;

    private RowReader(EngineSession session, LocalDataset dataset)
    {
        _session = session;
        _dataset = dataset;
    }

    /// <param name="scratch">An existing folder of this reader alone.</param>
    public static RowReader Open(LocalDataset dataset, string scratch)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        return new RowReader(EngineSession.Open(Options(scratch, dataset.Paths)), dataset);
    }

    /// <summary>The rows from the query's position on. The row object is the same each time: use it before asking for the next.</summary>
    public async IAsyncEnumerable<Row> ReadAsync(RowQuery query, [EnumeratorCancellation] CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        var left = query.Limit;
        for (var file = query.From.File; file < _dataset.Paths.Count && left > 0; file++)
        {
            var first = file == query.From.File ? query.From.Row : 0;
            var (sql, kinds, parameters) = Select(query, file, first, left);
            Row? row = null;
            await foreach (var reader in _session.StreamAsync(sql, reader => reader, ct, parameters).ConfigureAwait(false))
            {
                row ??= new Row(query, kinds, reader, file);
                left--;
                yield return row;
            }
        }
    }

    /// <summary>Writes all columns of the query to one Parquet file, with their own types; masked columns become text.</summary>
    public async Task<long> CopyToParquetAsync(RowQuery query, string path, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        var columns = query.Columns.Select(column =>
        {
            var name = Sql.Identifier(column.Name);
            return query.Masked.Contains(column.Name) ? $"CASE WHEN {name} IS NOT NULL THEN {Sql.Literal(Mask)} END AS {name}" : name;
        });
        // Small row groups, because a thread holds one in memory.
        return await _session.ExecuteAsync(
            $"COPY (SELECT {string.Join(", ", columns)} FROM {DatasetFiles.Relation(_dataset, [.. query.Columns.Select(column => column.Name)])}) "
            + $"TO {Sql.Literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)",
            ct).ConfigureAwait(false);
    }

    public void Dispose() => _session.Dispose();

    internal static EngineOptions Options(string scratch, IReadOnlyCollection<string> paths) =>
        new() { MemoryBytes = MemoryBytes, Threads = 1, Scratch = scratch, Paths = paths };

    private (string Sql, WireKind[] Kinds, List<object?> Parameters) Select(RowQuery query, int file, long first, long limit)
    {
        var path = Path.GetFullPath(_dataset.Paths[file]);
        var origin = _dataset.Dataset.Files[file].Origin;
        var stored = _session.Query($"DESCRIBE SELECT * FROM {Scan.Parquet(path)}", column => column.GetString(0)).ToHashSet(StringComparer.Ordinal);
        var (from, place) = DatasetFiles.Placed(path, stored);
        var kinds = new WireKind[query.Columns.Count];
        var select = new List<string>();
        for (var i = 0; i < kinds.Length; i++)
        {
            var column = query.Columns[i];
            var derived = origin is not null && HiddenColumns.IsHidden(column.Name);
            var value = derived || stored.Contains(column.Name) ? DatasetFiles.Expression(_dataset.Schema, column.Name, origin, place) : "NULL";
            (var sql, kinds[i]) = WireExpression.Of(DatasetFiles.TypeOf(column), value);
            if (value == "NULL")
                (sql, kinds[i]) = ("CAST(NULL AS VARCHAR)", WireKind.Text);
            else if (query.Masked.Contains(column.Name))
                (sql, kinds[i]) = ($"CASE WHEN {value} IS NOT NULL THEN {Sql.Literal(Mask)} END", WireKind.Text);
            else if (query.MaskInside is not null || query.Rule is not null || query.ReasonColumn is not null)
                kinds[i] = RejectedKind(column.Name, kinds[i]);
            select.Add(sql);
        }

        var where = $"{place} >= {Sql.Literal(first)}";
        var parameters = new List<object?>();
        if (query.Rule is not null)
            where += $" AND list_contains(json_extract_string(reasons, '$[*].rule'), {Parameter(query.Rule)})";
        if (query.ReasonColumn is not null)
            where += $" AND list_contains(json_extract_string(reasons, '$[*].column'), {Parameter(query.ReasonColumn)})";
        foreach (var (column, text) in query.Having)
            where += stored.Contains(column) ? $" AND {Sql.Identifier(column)} = {Parameter(text)}" : " AND false";
        // One thread and insertion order: rows come in the file's order, and row groups before the first are skipped whole.
        var limited = limit < long.MaxValue ? $" LIMIT {Sql.Literal(limit)}" : "";
        return ($"SELECT {string.Join("", select.Select(sql => sql + ", "))}{place} FROM {from} WHERE {where}{limited}", kinds, parameters);

        string Parameter(string value)
        {
            parameters.Add(value);
            return "?";
        }
    }

    /// <summary>They are JSON, whatever their declared type.</summary>
    private static WireKind RejectedKind(string column, WireKind kind) =>
        column is "ingested" or "rejected" or "reasons" && kind == WireKind.Text ? WireKind.Json : kind;
}

/// <summary>The row under the reader.</summary>
public sealed class Row
{
    // JavaScript's safe integers.
    private const long MaxNumber = 9007199254740991;

    private readonly RowQuery _query;
    private readonly WireKind[] _kinds;
    private readonly DbDataReader _reader;
    private readonly int _file;

    internal Row(RowQuery query, WireKind[] kinds, DbDataReader reader, int file)
    {
        _query = query;
        _kinds = kinds;
        _reader = reader;
        _file = file;
    }

    /// <summary>Where a later reader goes on after this row.</summary>
    public RowPosition Next => new(_file, _reader.GetInt64(_kinds.Length) + 1);

    public void WriteJson(Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(json);
        json.WriteStartObject();
        for (var i = 0; i < _kinds.Length; i++)
        {
            json.WritePropertyName(_query.Columns[i].Name);
            WriteCell(json, i);
        }
        json.WriteEndObject();
    }

    /// <summary>The cell as text, null when it is missing.</summary>
    public string? Text(int column)
    {
        if (_reader.IsDBNull(column))
            return null;
        switch (_kinds[column])
        {
            case WireKind.Bool:
                return _reader.GetBoolean(column) ? "true" : "false";
            case WireKind.Int64:
                return _reader.GetInt64(column).ToString(CultureInfo.InvariantCulture);
            case WireKind.Double:
                var number = _reader.GetDouble(column);
                return double.IsNaN(number) ? "NaN"
                    : double.IsInfinity(number) ? number > 0 ? "Infinity" : "-Infinity"
                    : number.ToString("R", CultureInfo.InvariantCulture);
            case WireKind.Json when _query.MaskInside is { } mask:
                return mask.Apply(_query.Columns[column].Name, _reader.GetString(column));
            default:
                return _reader.GetString(column);
        }
    }

    private void WriteCell(Utf8JsonWriter json, int column)
    {
        if (_reader.IsDBNull(column))
        {
            json.WriteNullValue();
            return;
        }
        switch (_kinds[column])
        {
            case WireKind.Bool:
                json.WriteBooleanValue(_reader.GetBoolean(column));
                break;
            case WireKind.Int64 when _reader.GetInt64(column) is >= -MaxNumber and <= MaxNumber and var number:
                json.WriteNumberValue(number);
                break;
            case WireKind.Double when _reader.GetDouble(column) is var number && double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case WireKind.Json:
                WriteJsonText(json, Text(column)!);
                break;
            default:
                json.WriteStringValue(Text(column));
                break;
        }
    }

    private static void WriteJsonText(Utf8JsonWriter json, string text)
    {
        try
        {
            // Parsed first: a raw value that proves invalid half way would leave a torn document.
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 256 });
            json.WriteRawValue(text, skipInputValidation: true);
        }
        catch (JsonException)
        {
            json.WriteStringValue(text);
        }
    }
}
