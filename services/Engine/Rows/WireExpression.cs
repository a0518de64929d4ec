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
        ColumnType.ListType or ColumnType.StructType => (Nested(type, e), WireKind.Json),
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

    /// <summary>
    /// An expression of a list's or struct's JSON text; null where it is. Put together as text: a value that went through the engine's
    /// JSON would have its numbers spelled anew.
    /// </summary>
    /// <param name="numbers">For readers that hold any number: all of them are numbers, with all their digits.</param>
    public static string Nested(ColumnType type, string e, bool numbers = false) => Inner(type, e, 0, numbers);

    private static string Inner(ColumnType type, string e, int depth, bool numbers)
    {
        var x = $"x{depth}";
        string Member(ColumnType of, string value, int at) => $"coalesce({Inner(of, value, at, numbers)}, 'null')";
        return type switch
        {
            ColumnType.ListType list => $"'[' || array_to_string(list_transform({e}, lambda {x}: {Member(list.Of, x, depth + 1)}), ',') || ']'",
            ColumnType.StructType of => $"CASE WHEN {e} IS NOT NULL THEN '{{' || {string.Join(" || ',' || ",
                of.Fields.Select(field => $"{Sql.Literal($"{RowJson.Name(field.Name)}:")} || {Member(field.Type, $"struct_extract({e}, {Sql.Literal(field.Name)})", depth)}"))} || '}}' END",
            _ when type == ColumnType.Bool => $"CAST({e} AS VARCHAR)",
            _ when type == ColumnType.Int64 => numbers ? $"CAST({e} AS VARCHAR)"
                : $"CASE WHEN {e} BETWEEN -9007199254740991 AND 9007199254740991 THEN CAST({e} AS VARCHAR) ELSE '\"' || CAST({e} AS VARCHAR) || '\"' END",
            // What is no number makes no JSON then, and is refused by who reads it.
            _ when type == ColumnType.Double && numbers => $"CAST(to_json({e}) AS VARCHAR)",
            _ when type == ColumnType.Double => $"CASE WHEN isfinite({e}) THEN CAST(to_json({e}) AS VARCHAR) "
                + $"WHEN isnan({e}) THEN '\"NaN\"' WHEN {e} > 0 THEN '\"Infinity\"' WHEN {e} < 0 THEN '\"-Infinity\"' END",
            _ when type == ColumnType.Json => $"CAST({e} AS VARCHAR)",
            ColumnType.DecimalType when numbers => $"CAST({e} AS VARCHAR)",
            _ => $"CAST(to_json({(numbers ? e : Text(type, e))}) AS VARCHAR)",
        };
    }
}
