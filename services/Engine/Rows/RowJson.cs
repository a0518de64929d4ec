using System.Globalization;
using System.Text.Json;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Rows;

/// <summary>Rows and values as JSON text in the wire format, computed by the engine.</summary>
public static class RowJson
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A column's name as JSON has it.</summary>
    public static string Name(string name) => JsonSerializer.Serialize(name, Readable);

    /// <summary>An SQL expression of the JSON text of a list or struct for readers that hold any number: all numbers are numbers. Null where the value is.</summary>
    public static string WithNumbers(ColumnType type, string value) => WireExpression.Nested(type, value, numbers: true);

    /// <summary>An SQL expression of the JSON text of an object.</summary>
    /// <param name="members">Names and SQL expressions of their values.</param>
    public static string Object(IEnumerable<(string Name, ColumnType Type, string Value)> members)
    {
        var parts = members.Select(member => $"{Sql.Literal($"{Name(member.Name)}:")} || {Value(member.Type, member.Value)}");
        return $"'{{' || concat_ws(',', {string.Join(", ", parts.DefaultIfEmpty("NULL"))}) || '}}'";
    }

    /// <summary>An SQL expression of a value's JSON text; <c>null</c> for an empty one.</summary>
    public static string Value(ColumnType type, string value)
    {
        var (wire, kind) = WireExpression.Of(type, value);
        var json = kind switch
        {
            WireKind.Json => wire,
            WireKind.Int64 => $"CASE WHEN {wire} BETWEEN -9007199254740991 AND 9007199254740991 THEN CAST({wire} AS VARCHAR) ELSE '\"' || CAST({wire} AS VARCHAR) || '\"' END",
            WireKind.Double => $"CASE WHEN isfinite({wire}) THEN CAST(to_json({wire}) AS VARCHAR) WHEN isnan({wire}) THEN '\"NaN\"' WHEN {wire} > 0 THEN '\"Infinity\"' ELSE '\"-Infinity\"' END",
            _ => $"CAST(to_json({wire}) AS VARCHAR)",
        };
        return $"CASE WHEN {value} IS NULL THEN 'null' ELSE {json} END";
    }

    /// <summary>An SQL expression of that JSON text on one line: nested values keep their spelling, but outside of its texts a break is a blank, and in them there is none.</summary>
    public static string OnOneLine(string json) => $"translate({json}, chr(9) || chr(10) || chr(13), '   ')";

    /// <summary>An SQL expression of a value as text, as it stands on screen.</summary>
    public static string Text(ColumnType type, string value)
    {
        var (wire, _) = WireExpression.Of(type, value);
        return $"CAST({wire} AS VARCHAR)";
    }

    /// <summary>An SQL expression of a member of a JSON object as text; null when it is empty or not there.</summary>
    public static string Member(string json, string name) => $"json_extract_string({json}, {Pointer(name)})";

    /// <summary>An SQL expression of a member of a JSON object as a value of a type; null when it is none.</summary>
    public static string MemberAs(ColumnType type, string json, string name) => type switch
    {
        { IsNested: true } => $"TRY_CAST(json_extract({json}, {Pointer(name)}) AS {type.DuckDb})",
        // The engine would round what has more digits than the type.
        ColumnType.DecimalType of => Exactly(type, json, name, of.Scale),
        _ when type == ColumnType.Int64 => Exactly(type, json, name, 0),
        _ => $"TRY_CAST({Member(json, name)} AS {type.DuckDb})",
    };

    private static string Exactly(ColumnType type, string json, string name, int scale) =>
        $"CASE WHEN regexp_full_match({Member(json, name)}, '\\s*[+-]?\\d*(\\.\\d{{0,{scale.ToString(CultureInfo.InvariantCulture)}}}0*)?\\s*') THEN TRY_CAST({Member(json, name)} AS {type.DuckDb}) END";

    private static string Pointer(string name) => Sql.Literal($"/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}");
}
