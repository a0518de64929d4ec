using Qualiz.Engine.Types;
using Qualiz.Ingest.Typing;

namespace Qualiz.Ingest.Conversion;

/// <summary>
/// The type that a column keeps from run to run. What one day's values happen to look like does not narrow it: a column of postal codes stays text on a day
/// without a leading zero. What does not fit widens it.
/// </summary>
internal static class KeptType
{
    /// <param name="found">What this run's values alone would make of the column.</param>
    /// <param name="findings">Of the files that have the column.</param>
    /// <returns>Null where that is how it shall be.</returns>
    public static ColumnDecision? Find(SeenColumn last, ColumnDecision found, IReadOnlyList<ColumnFinding> findings, byte sign)
    {
        var type = ColumnType.Parse(last.Type);
        if (type == found.Type)
            return null;
        var texts = new ColumnEvidence();
        foreach (var finding in findings.Where(finding => finding.Fixed is null))
            texts.Merge(finding.Evidence);
        var stated = findings.Where(finding => finding.Fixed is not null).ToList();
        var fits = stated.TrueForAll(finding => Fits(type, finding));
        if (fits && Fits(type, texts))
            return Decision(type, texts, stated.Count == 0, sign);
        // Days and months that could change places: they stand as they did before.
        if (type == ColumnType.Date && stated.Count == 0 && last.Format is { } format && texts.Kinds.HasFlag(format.StartsWith("%d", StringComparison.Ordinal) ? ValueKinds.DayFirst : ValueKinds.MonthFirst))
            return new ColumnDecision(type, false, format.Replace(format[2], (char)texts.DateSeparator), sign);
        if (type.IsNested && found.Type.IsNested)
            return findings.Any(finding => finding.Shape is null) ? null : Decision(Widen(type, findings) ?? ColumnType.Json, texts, plain: false, sign);
        return Decision(Widen(type, found.Type, stated.Count == 0 ? texts.IntegerDigits : 0), texts, stated.Count == 0, sign);
    }

    private static ColumnDecision Decision(ColumnType type, in ColumnEvidence texts, bool plain, byte sign) =>
        plain ? ColumnDecision.Decide("", type, texts, sign, []) : new ColumnDecision(type, type == ColumnType.Text, null, sign);

    private static bool Fits(ColumnType type, in ColumnEvidence values)
    {
        if (values.Values == 0)
            return true;
        return type switch
        {
            ColumnType.DecimalType { Precision: var precision, Scale: var scale } =>
                values.Kinds.HasFlag(ValueKinds.Decimal) && values.IntegerDigits <= precision - scale && values.Scale <= scale,
            _ when type == ColumnType.Text => true,
            _ when type == ColumnType.Bool => values.Kinds.HasFlag(ValueKinds.Bool),
            _ when type == ColumnType.Int64 => values.Kinds.HasFlag(ValueKinds.Int),
            _ when type == ColumnType.Double => values.Kinds.HasFlag(ValueKinds.Double),
            _ when type == ColumnType.Date => (values.Kinds & (ValueKinds.Date | ValueKinds.YearFirst)) != 0,
            _ when type == ColumnType.Time => values.Kinds.HasFlag(ValueKinds.Time),
            _ when type == ColumnType.Timestamp => (values.Kinds & (ValueKinds.Timestamp | ValueKinds.Date)) != 0,
            _ when type == ColumnType.TimestampTz => values.Kinds.HasFlag(ValueKinds.TimestampTz),
            _ => false,
        };
    }

    private static bool Fits(ColumnType type, ColumnFinding finding)
    {
        var stated = finding.Fixed!;
        if (type == stated || type == ColumnType.Text)
            return true;
        if (stated.IsNested)
            return type == ColumnType.Json || (type.IsNested && finding.Shape?.Fits(type) == true);
        if (stated.IsNumeric && finding.Evidence.Values > 0)
            return Fits(type, finding.Evidence);
        return (stated, type) switch
        {
            (ColumnType.DecimalType one, ColumnType.DecimalType other) => one.Precision - one.Scale <= other.Precision - other.Scale && one.Scale <= other.Scale,
            (_, ColumnType.DecimalType { Precision: var precision, Scale: var scale }) => stated == ColumnType.Int64 && precision - scale >= 19,
            _ => stated == ColumnType.Date && type == ColumnType.Timestamp,
        };
    }

    /// <param name="digits">Before the point, in this run's values; 0: as many as their type allows.</param>
    private static ColumnType Widen(ColumnType last, ColumnType found, int digits)
    {
        if (last == ColumnType.Int64 && found is ColumnType.DecimalType)
            return found;
        if (found == ColumnType.Double && last.IsNumeric)
            return found;
        if (last == ColumnType.Date && found == ColumnType.Timestamp)
            return found;
        if (last is ColumnType.DecimalType { Precision: var precision, Scale: var scale } && (found is ColumnType.DecimalType || found == ColumnType.Int64))
        {
            var (whole, parts) = found is ColumnType.DecimalType now ? (now.Precision - now.Scale, now.Scale) : (19, 0);
            if (digits > 0)
                whole = digits;
            parts = Math.Max(parts, scale);
            var room = Math.Max(whole, precision - scale) + parts;
            if (room <= 38)
                return ColumnType.Decimal(precision == 38 || room > 18 ? 38 : 18, parts);
            return whole + parts <= 38 ? ColumnType.Decimal(38, parts) : ColumnType.Text;
        }
        return ColumnType.Text;
    }

    // Members that are new come to those there were. Null: a list is no struct.
    private static ColumnType? Widen(ColumnType last, IReadOnlyList<ColumnFinding> findings)
    {
        var type = last;
        foreach (var finding in findings)
        {
            if (type is null)
                return null;
            type = finding.Shape!.Widen(type);
        }
        return type;
    }
}
