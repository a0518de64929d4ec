using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Datasets;

/// <summary>The columns that carry a row's identity through every operator.</summary>
public static class HiddenColumns
{
    /// <summary>text: <c>&lt;source id&gt;@&lt;version or file hash&gt;</c>.</summary>
    public const string Source = "_source";

    /// <summary>int64: the record's number in that source, 1-based, the header not counted.</summary>
    public const string Row = "_row";

    /// <summary>text: 16 hexadecimal digits, the hash of the declared key, else of the content as ingested plus its ordinal among equals.</summary>
    public const string Key = "_key";

    public static readonly IReadOnlyList<string> Names = [Source, Row, Key];

    /// <summary>Their entries in a schema, to be put after the visible columns.</summary>
    public static readonly IReadOnlyList<DatasetColumn> Columns =
    [
        new() { Name = Source, Type = "text", Nullable = false, Hidden = true },
        new() { Name = Row, Type = "int64", Nullable = false, Hidden = true },
        new() { Name = Key, Type = "text", Nullable = false, Hidden = true },
    ];

    /// <summary>As the engine tells names apart: whatever their case.</summary>
    public static bool IsHidden(string name) => Names.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The SQL expression of <c>_key</c> over columns in scope: a kernel of ours, not the engine's own <c>hash()</c>, which may change with its version.
    /// Columns go in by name and nulls are left out, so that a column's place, or a new column that is empty, changes no key; decimals
    /// lose their trailing zeros, so that a wider scale changes none either.
    /// </summary>
    /// <param name="ordinal">SQL of the row's ordinal among rows of the same content where it is 2 or more, else null: the first keeps the plain key.</param>
    public static string KeyExpression(IEnumerable<(string Name, ColumnType Type)> columns, string? qualifier = null, string? ordinal = null)
    {
        var ordered = columns.OrderBy(column => column.Name, StringComparer.Ordinal).ToList();
        var values = ordered.Select(column =>
        {
            var name = qualifier is null ? Sql.Identifier(column.Name) : $"{qualifier}.{Sql.Identifier(column.Name)}";
            return $", {Canonical(name, column.Type)}";
        });
        // The ordinal has no name.
        IEnumerable<string?> names = ordered.Select(column => column.Name);
        if (ordinal is not null)
        {
            names = names.Append(null);
            values = values.Append($", CAST({ordinal} AS BIGINT)");
        }
        return ordered.Count == 0 && ordinal is null ? "'0000000000000000'" : $"qz_row_key({Sql.Literal(JsonSerializer.Serialize(names))}{string.Concat(values)})";
    }

    /// <summary>The SQL expression of <c>_key</c> of a record of which only its content's key is kept, and which is not the first of that key.</summary>
    public static string OrdinalKeyExpression(string key, string ordinal) => $"qz_row_key('[null,null]', {key}, CAST({ordinal} AS BIGINT))";

    /// <summary>The key of content: for each value that is not null <c>U+001E name U+001F text</c>, ordered by name.</summary>
    public static string KeyOf(ReadOnlySpan<byte> content) => RowKey.Of(content);

    /// <summary>The key of rows that have no value in any column of their declared key: they share it and are not the same row.</summary>
    public static string EmptyKey { get; } = KeyOf([]);

    private static string Canonical(string name, ColumnType type) => type switch
    {
        _ when type == ColumnType.Text => name,
        _ when type == ColumnType.Bool || type == ColumnType.Int64 || type == ColumnType.Date || type is ColumnType.DecimalType => $"CAST({name} AS {type.DuckDb})",
        ColumnType.ListType or ColumnType.StructType => $"CAST(to_json({name}) AS VARCHAR)",
        _ => $"CAST({name} AS VARCHAR)",
    };
}
