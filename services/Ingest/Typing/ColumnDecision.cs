using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Ingest.Typing;

/// <summary>The type a column gets, and how its text becomes that type.</summary>
/// <param name="Native">The engine's CSV reader may read the type by itself: every value is in its plain form.</param>
/// <param name="Format">strptime format of a date with the year last, else null.</param>
internal sealed record ColumnDecision(ColumnType Type, bool Native, string? Format, byte DecimalSign)
{
    /// <summary>How dates of a declared column are written beside those with the year first; each is told by itself.</summary>
    public string? Dates { get; init; }

    public static ColumnDecision Decide(string name, ColumnType? declared, ColumnEvidence evidence, byte decimalSign, List<string> warnings, string? dates = null)
    {
        if (declared is not null)
            return new ColumnDecision(declared, declared == ColumnType.Text || (evidence.QuotedEmpty == 0 && IsPlain(declared, evidence, decimalSign)), null, decimalSign) { Dates = dates };
        var kinds = evidence.Values == 0 ? ValueKinds.None : evidence.Kinds;
        if (evidence.IntegerDigits + evidence.Scale > 38)
            kinds &= ~ValueKinds.Decimal;
        var (type, format) = (ColumnType.Text, (string?)null);
        if (kinds.HasFlag(ValueKinds.Bool))
            type = ColumnType.Bool;
        else if (kinds.HasFlag(ValueKinds.Int))
            type = ColumnType.Int64;
        else if (kinds.HasFlag(ValueKinds.Decimal))
            type = ColumnType.Decimal(evidence.IntegerDigits + evidence.Scale <= 18 ? 18 : 38, evidence.Scale);
        else if (kinds.HasFlag(ValueKinds.Double))
            type = ColumnType.Double;
        else if ((kinds & (ValueKinds.Date | ValueKinds.YearFirst)) != 0)
            type = ColumnType.Date;
        else if ((kinds & (ValueKinds.DayFirst | ValueKinds.MonthFirst)) == (ValueKinds.DayFirst | ValueKinds.MonthFirst))
            warnings.Add($"Column \"{name}\" stays text: its dates can be read with the day first or with the month first. Say which with the rule date.");
        else if ((kinds & (ValueKinds.DayFirst | ValueKinds.MonthFirst)) != 0)
        {
            type = ColumnType.Date;
            var separator = (char)evidence.DateSeparator;
            format = kinds.HasFlag(ValueKinds.DayFirst) ? $"%d{separator}%m{separator}%Y" : $"%m{separator}%d{separator}%Y";
        }
        else if (kinds.HasFlag(ValueKinds.Time))
            type = ColumnType.Time;
        else if (kinds.HasFlag(ValueKinds.Timestamp))
            type = ColumnType.Timestamp;
        else if (kinds.HasFlag(ValueKinds.TimestampTz))
            type = ColumnType.TimestampTz;
        return new ColumnDecision(type, type == ColumnType.Text || (format is null && evidence.QuotedEmpty == 0 && IsPlain(type, evidence, decimalSign)), format, decimalSign);
    }

    /// <summary>The type that the engine's CSV reader is told.</summary>
    public string ReadAs => Native ? Type.DuckDb : "VARCHAR";

    /// <summary>The SQL of the value, from the column as read.</summary>
    public string Expression(string readName)
    {
        var name = Sql.Identifier(readName);
        if (Native)
            return name;
        return Format is null
            ? DeclaredCheck.Expression(Type, name, DecimalSign, Dates)
            : $"CAST(strptime(nullif({name}, ''), {Sql.Literal(Format)}) AS DATE)";
    }

    private static bool IsPlain(ColumnType type, in ColumnEvidence evidence, byte decimalSign)
    {
        var kind = type switch
        {
            _ when type == ColumnType.Bool => ValueKinds.Bool,
            _ when type == ColumnType.Int64 => ValueKinds.Int,
            ColumnType.DecimalType when decimalSign == '.' => ValueKinds.Decimal,
            _ when type == ColumnType.Double && decimalSign == '.' => ValueKinds.Double,
            _ when type == ColumnType.Date => ValueKinds.Date,
            _ when type == ColumnType.Time && !evidence.Unusual => ValueKinds.Time,
            _ when type == ColumnType.Timestamp && !evidence.Unusual => ValueKinds.Timestamp,
            _ when type == ColumnType.TimestampTz && !evidence.Unusual => ValueKinds.TimestampTz,
            _ => ValueKinds.None,
        };
        return kind != ValueKinds.None && evidence.Kinds.HasFlag(kind);
    }
}
