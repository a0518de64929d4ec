using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Rows;

/// <summary>How a cell travels: what the column's expression yields and how it is written.</summary>
internal enum WireKind
{
    Text,
    Bool,

    /// <summary>A number within 2^53, else text.</summary>
    Int64,

    /// <summary>A number, or "NaN", "Infinity", "-Infinity".</summary>
    Double,

    /// <summary>JSON text: written as it is.</summary>
    Json,
}

/// <summary>
/// The wire format of product.md 5 as SQL: int64 beyond 2^53, decimals and moments are strings, also inside lists and
/// structs; nested values stay nested. It is done in the engine because .NET's decimal ends at 28 digits and its
/// DateTime at the year 9999, where the engine's types do not.
/// </summary>
internal static class WireExpression
{
    /// <param name="e">An expression of that type.</param>
    public static (string Sql, WireKind Kind) Of(ColumnType type, string e) => type switch
    {
        _ when type == ColumnType.Bool => (e, WireKind.Bool),
        // Files as they came in may hold narrower types than their column's.
        _ when type == ColumnType.Int64 => ($"CAST({e} AS BIGINT)", WireKind.Int64),
        _ when type == ColumnType.Double => ($"CAST({e} AS DOUBLE)", WireKind.Double),
        _ when type == ColumnType.Json => ($"CAST({e} AS VARCHAR)", WireKind.Json),
        ColumnType.ListType or ColumnType.StructType => ($"CAST({Nested(type, e, 0)} AS VARCHAR)", WireKind.Json),
        _ => (Text(type, e), WireKind.Text),
    };

    private static string Text(ColumnType type, string e) => type switch
    {
        // The first blank only: dates before Christ end in ' (BC)'.
        _ when type == ColumnType.Timestamp => $"regexp_replace(CAST({e} AS VARCHAR), ' ', 'T')",
        // The session's time zone is UTC, so the offset is always +00.
        _ when type == ColumnType.TimestampTz => $"regexp_replace(regexp_replace(CAST({e} AS VARCHAR), ' ', 'T'), '\\+00', 'Z')",
        _ => $"CAST({e} AS VARCHAR)",
    };

    /// <summary>An expression of the engine's JSON type, which is embedded in an outer one as it is.</summary>
    private static string Nested(ColumnType type, string e, int depth)
    {
        var x = $"x{depth}";
        return type switch
        {
            ColumnType.ListType list => $"to_json(list_transform({e}, lambda {x}: {Nested(list.Of, x, depth + 1)}))",
            ColumnType.StructType of => $"to_json(CASE WHEN {e} IS NOT NULL THEN struct_pack({string.Join(", ",
                of.Fields.Select(field => $"{Sql.Identifier(field.Name)} := {Nested(field.Type, $"struct_extract({e}, {Sql.Literal(field.Name)})", depth)}"))}) END)",
            _ when type == ColumnType.Bool => $"to_json({e})",
            _ when type == ColumnType.Int64 => $"CASE WHEN {e} BETWEEN -9007199254740991 AND 9007199254740991 THEN to_json({e}) ELSE to_json(CAST({e} AS VARCHAR)) END",
            _ when type == ColumnType.Double => $"CASE WHEN isfinite({e}) THEN to_json({e}) "
                + $"ELSE to_json(CASE WHEN isnan({e}) THEN 'NaN' WHEN {e} > 0 THEN 'Infinity' WHEN {e} < 0 THEN '-Infinity' END) END",
            _ when type == ColumnType.Json => $"CAST({e} AS JSON)",
            _ => $"to_json({Text(type, e)})",
        };
    }
}
