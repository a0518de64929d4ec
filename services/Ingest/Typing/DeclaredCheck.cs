using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Ingest.Typing;

/// <summary>Does a text hold a value of a declared type, exactly? More forms are read than would be guessed: blanks around, leading zeros, a plus sign.</summary>
internal static class DeclaredCheck
{
    public const int MaxJsonDepth = 64;

    /// <param name="dates">How dates may be written beside those with the year first: strptime's words.</param>
    public static bool Fits(ColumnType type, ReadOnlySpan<byte> value, byte decimalSign, string? dates = null)
    {
        if (type == ColumnType.Text)
            return true;
        value = Trim(value);
        if (value.IsEmpty)
            return true;
        return type switch
        {
            ColumnType.DecimalType { Precision: var precision, Scale: var scale } => FitsDecimal(value, precision - scale, scale, decimalSign),
            ColumnType.ListType or ColumnType.StructType => FitsNested(type, value),
            _ when type == ColumnType.Int64 => FitsInt64(value),
            _ when type == ColumnType.Double => FitsDouble(value, decimalSign),
            _ when type == ColumnType.Bool => IsBool(value),
            _ when type == ColumnType.Date => DateParts.TryYearFirst(value, out _) || (dates is not null && FitsYearLast(value, IsDayFirst(dates))),
            _ when type == ColumnType.Time => DateParts.TryTime(value, out var used, out _) && used == value.Length,
            _ when type == ColumnType.Timestamp => FitsTimestamp(value, zone: false),
            _ when type == ColumnType.TimestampTz => FitsTimestamp(value, zone: true),
            _ => IsJson(value),
        };
    }

    /// <summary>The SQL that turns the text <paramref name="text"/>, known to fit, into the type.</summary>
    public static string Expression(ColumnType type, string text, byte decimalSign, string? dates = null)
    {
        if (type == ColumnType.Text)
            return text;
        var trimmed = $"nullif(trim({text}, ' \t'), '')";
        if (decimalSign != '.' && (type is ColumnType.DecimalType || type == ColumnType.Double))
            trimmed = $"replace({trimmed}, '{(char)decimalSign}', '.')";
        if (type == ColumnType.Bool)
            return $"(lower({trimmed}) IN ('true', 't', 'yes', 'y', '1'))";
        // With the year last, the first sign stands behind two figures at most.
        if (type == ColumnType.Date && dates is not null)
        {
            var plain = $"translate({trimmed}, '.-', '//')";
            return $"CASE WHEN strpos({plain}, '/') = 5 THEN CAST(replace({plain}, '/', '-') AS DATE) ELSE CAST(strptime({plain}, '{(IsDayFirst(dates) ? "%d/%m/%Y" : "%m/%d/%Y")}') AS DATE) END";
        }
        if (type == ColumnType.Date)
            return $"CAST(replace({trimmed}, '/', '-') AS DATE)";
        if (type == ColumnType.TimestampTz)
            return TimestampTz(trimmed);
        if (type == ColumnType.Timestamp || type == ColumnType.Time)
            return $"CAST({WithSeconds(trimmed)} AS {type.DuckDb})";
        if (type is ColumnType.ListType or ColumnType.StructType)
            return $"json_transform({trimmed}, {Sql.Literal(Structure(type).ToJsonString())})";
        return $"CAST({trimmed} AS {type.DuckDb})";
    }

    // The engine reads an offset only behind seconds and only with a colon.
    public static string TimestampTz(string text) =>
        $"CAST(regexp_replace(regexp_replace(regexp_replace({text}, '^(.{{16}})($|Z|[+-])', '\\1:00\\2'), '([+-]\\d\\d)(\\d\\d)$', '\\1:\\2'), '^(.{{19}}[0-9.]*)$', '\\1Z') AS TIMESTAMPTZ)";

    public static string WithSeconds(string text) => $"regexp_replace({text}, '((?:^|[T ])\\d\\d:\\d\\d)$', '\\1:00')";

    private static bool FitsYearLast(ReadOnlySpan<byte> value, bool dayFirst) =>
        DateParts.TryYearLast(value, out var asDay, out var asMonth, out _) && (dayFirst ? asDay : asMonth);

    private static bool IsDayFirst(string dates) => dates.StartsWith("%d", StringComparison.Ordinal);

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value) => value.Trim(" \t"u8);

    private static bool FitsInt64(ReadOnlySpan<byte> value)
    {
        if (value is [(byte)'+', var digit, ..])
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            value = value[1..];
        }
        return Utf8Parser.TryParse(value, out long _, out var used) && used == value.Length && used > 0;
    }

    private static bool FitsDecimal(ReadOnlySpan<byte> value, int integerDigits, int scale, byte decimalSign)
    {
        if (value[0] is (byte)'-' or (byte)'+')
            value = value[1..];
        var point = value.IndexOf(decimalSign);
        var whole = point < 0 ? value : value[..point];
        var fraction = point < 0 ? [] : value[(point + 1)..];
        if (whole.IsEmpty && fraction.IsEmpty)
            return false;
        if (whole.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0 || fraction.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0)
            return false;
        return whole.TrimStart((byte)'0').Length <= integerDigits && fraction.TrimEnd((byte)'0').Length <= scale;
    }

    private static bool FitsDouble(ReadOnlySpan<byte> value, byte decimalSign)
    {
        Span<byte> copy = stackalloc byte[64];
        if (value.Length > copy.Length)
            return false;
        value.CopyTo(copy);
        copy = copy[..value.Length];
        if (decimalSign != '.')
        {
            if (copy.Contains((byte)'.'))
                return false;
            copy.Replace(decimalSign, (byte)'.');
        }
        if (copy is [(byte)'+', not ((byte)'+' or (byte)'-'), ..])
            copy = copy[1..];
        // Infinity and the like are no measurements; a number beyond the range would become one.
        return copy.IndexOfAnyExcept(NumberBytes) < 0 && Utf8Parser.TryParse(copy, out double number, out var used) && used == copy.Length && double.IsFinite(number);
    }

    private static readonly SearchValues<byte> NumberBytes = SearchValues.Create("0123456789+-.eE"u8);

    private static bool IsBool(ReadOnlySpan<byte> value)
    {
        if (value.Length > 5)
            return false;
        Span<byte> lower = stackalloc byte[value.Length];
        for (var i = 0; i < value.Length; i++)
            lower[i] = value[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(value[i] | 0x20) : value[i];
        return lower.SequenceEqual("true"u8) || lower.SequenceEqual("false"u8) || lower.SequenceEqual("t"u8) || lower.SequenceEqual("f"u8)
            || lower.SequenceEqual("yes"u8) || lower.SequenceEqual("no"u8) || lower.SequenceEqual("y"u8) || lower.SequenceEqual("n"u8)
            || lower.SequenceEqual("1"u8) || lower.SequenceEqual("0"u8);
    }

    private static bool FitsTimestamp(ReadOnlySpan<byte> value, bool zone)
    {
        if (value.Length < 10 || !DateParts.TryYearFirst(value[..10], out var separator) || separator != '-')
            return false;
        if (value.Length == 10)
            return !zone;
        if (value[10] is not ((byte)'T' or (byte)' ') || !DateParts.TryTime(value[11..], out var used, out _))
            return false;
        var rest = value[(11 + used)..];
        return rest.IsEmpty || (zone && DateParts.IsZone(rest));
    }

    // The engine's own conversion rounds and drops what does not fit, or refuses a member that is missing: so it is told only of what fits.
    private static JsonNode Structure(ColumnType type) => type switch
    {
        ColumnType.ListType list => new JsonArray(Structure(list.Of)),
        ColumnType.StructType { Fields: var fields } => new JsonObject(fields.Select(field => KeyValuePair.Create(field.Name, (JsonNode?)Structure(field.Type)))),
        _ => JsonValue.Create(type.DuckDb),
    };

    private static bool FitsNested(ColumnType type, ReadOnlySpan<byte> value)
    {
        try
        {
            var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = MaxJsonDepth });
            using var document = JsonDocument.ParseValue(ref reader);
            return !reader.Read() && Fits(type, document.RootElement);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool Fits(ColumnType type, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null || type == ColumnType.Text)
            return true;
        switch (type)
        {
            case ColumnType.ListType list:
                return value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => Fits(list.Of, item));
            case ColumnType.StructType { Fields: var fields }:
                return value.ValueKind == JsonValueKind.Object
                    && value.EnumerateObject().All(member => fields.FirstOrDefault(field => field.Name == member.Name) is { } known && Fits(known.Type, member.Value));
            case var _ when type == ColumnType.Json:
                return true;
            case var _ when type == ColumnType.Bool:
                return value.ValueKind is JsonValueKind.True or JsonValueKind.False;
            case var _ when type.IsNumeric:
                // Numbers in nested JSON pass through doubles, except for whole ones.
                var raw = System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value);
                return value.ValueKind == JsonValueKind.Number && Fits(type, raw, (byte)'.')
                    && (type == ColumnType.Int64 || Encoding.ASCII.GetString(raw).Count(char.IsAsciiDigit) <= 15);
            default:
                return value.ValueKind == JsonValueKind.String && Fits(type, Encoding.UTF8.GetBytes(value.GetString()!), (byte)'.');
        }
    }

    private static bool IsJson(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = MaxJsonDepth });
        try
        {
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
