using System.Runtime.CompilerServices;

namespace Qualiz.Ingest.Typing;

/// <summary>What all values of a column have shown so far. Merges with that of other parts of the file and of other files.</summary>
internal struct ColumnEvidence()
{
    /// <summary>The kinds that every value seen has.</summary>
    public ValueKinds Kinds = ValueKinds.All;

    /// <summary>Values that are not null.</summary>
    public long Values;

    /// <summary>Quoted and empty: an empty text, or null where the column turns out to be no text.</summary>
    public long QuotedEmpty;
    public int IntegerDigits;
    public int Scale;
    public bool Exponent;

    /// <summary>The separator of day, month and year; 0: none yet.</summary>
    public byte DateSeparator;

    /// <summary>A number with something behind the decimal sign was seen.</summary>
    public bool Fraction;

    /// <summary>A time without seconds, or an offset that the engine does not read as it stands.</summary>
    public bool Unusual;

    public readonly bool IsText => Kinds == ValueKinds.None;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Observe(ReadOnlySpan<byte> value, byte decimalSign)
    {
        Values++;
        // The common case, whole numbers, without a call.
        if (Kinds != ValueKinds.None)
            Kinds &= Classify(value, decimalSign);
    }

    public void Merge(in ColumnEvidence other)
    {
        Kinds &= other.Kinds;
        Values += other.Values;
        QuotedEmpty += other.QuotedEmpty;
        IntegerDigits = Math.Max(IntegerDigits, other.IntegerDigits);
        Scale = Math.Max(Scale, other.Scale);
        Exponent |= other.Exponent;
        Fraction |= other.Fraction;
        Unusual |= other.Unusual;
        if (DateSeparator == 0)
            DateSeparator = other.DateSeparator;
        else if (other.DateSeparator != 0 && other.DateSeparator != DateSeparator)
            Kinds &= ~(ValueKinds.DayFirst | ValueKinds.MonthFirst);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ValueKinds Classify(ReadOnlySpan<byte> value, byte decimalSign)
    {
        var first = value[0];
        if (first - '0' <= 9u || first == '-')
            return Number(value, decimalSign);
        return first is (byte)'t' or (byte)'T' or (byte)'f' or (byte)'F' && IsBool(value) ? ValueKinds.Bool : ValueKinds.None;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ValueKinds Number(ReadOnlySpan<byte> value, byte decimalSign)
    {
        var start = value[0] == '-' ? 1 : 0;
        var at = start;
        while (at < value.Length && (uint)(value[at] - '0') <= 9)
            at++;
        var digits = at - start;
        if (digits == 0)
            return ValueKinds.None;
        var leadingZero = digits > 1 && value[start] == '0';
        if (at == value.Length)
        {
            if (leadingZero || digits > 15)
                return ValueKinds.None;
            IntegerDigits = Math.Max(IntegerDigits, digits);
            return ValueKinds.Int | ValueKinds.Decimal | ValueKinds.Double;
        }
        var sign = value[at];
        if (start == 0 && digits <= 4 && sign != decimalSign && sign is (byte)'-' or (byte)'/' or (byte)'.' or (byte)':')
            return Moment(value, digits);
        if (sign == decimalSign)
        {
            var fraction = at + 1;
            at = fraction;
            while (at < value.Length && (uint)(value[at] - '0') <= 9)
                at++;
            var scale = at - fraction;
            if (at == value.Length)
            {
                if (leadingZero || scale == 0)
                    return ValueKinds.None;
                IntegerDigits = Math.Max(IntegerDigits, digits);
                Scale = Math.Max(Scale, scale);
                Fraction = true;
                var kinds = ValueKinds.None;
                if (IntegerDigits + Scale <= 38)
                    kinds |= ValueKinds.Decimal;
                return digits + scale <= 15 ? kinds | ValueKinds.Double : kinds;
            }
            // 12.05.2020
            if (start == 0 && digits <= 2 && value[at] == '.')
                return Moment(value, digits);
            if (leadingZero || scale == 0 || digits + scale > 15)
                return ValueKinds.None;
        }
        else if (leadingZero || digits > 15)
        {
            return ValueKinds.None;
        }
        return IsExponent(value[at..]) && decimalSign == '.' ? Exponential() : ValueKinds.None;
    }

    private ValueKinds Exponential()
    {
        Exponent = true;
        return ValueKinds.Double;
    }

    // At most three digits, so that the exponent is within what a double can hold for 15 digits.
    private static bool IsExponent(ReadOnlySpan<byte> text)
    {
        if (text.Length < 2 || text[0] is not ((byte)'e' or (byte)'E'))
            return false;
        var at = text[1] is (byte)'+' or (byte)'-' ? 2 : 1;
        var digits = text[at..];
        if (digits.Length is 0 or > 3)
            return false;
        var exponent = 0;
        foreach (var digit in digits)
        {
            if ((uint)(digit - '0') > 9)
                return false;
            exponent = (exponent * 10) + digit - '0';
        }
        return exponent <= 290;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ValueKinds Moment(ReadOnlySpan<byte> value, int digits)
    {
        if (digits == 4)
        {
            if (value.Length < 10 || !DateParts.TryYearFirst(value[..10], out var separator))
                return ValueKinds.None;
            if (value.Length == 10)
                return separator == '-' ? ValueKinds.Date : ValueKinds.YearFirst;
            if (separator != '-' || value[10] is not ((byte)'T' or (byte)' '))
                return ValueKinds.None;
            return DateParts.TryTime(value[11..], out var used, out var seconds) ? Zone(value[(11 + used)..], seconds) : ValueKinds.None;
        }
        if (digits == 2 && value[2] == ':')
        {
            if (!DateParts.TryTime(value, out var used, out var seconds) || used != value.Length)
                return ValueKinds.None;
            Unusual |= !seconds;
            return ValueKinds.Time;
        }
        if (digits <= 2 && DateParts.TryYearLast(value, out var dayFirst, out var monthFirst, out var sign))
        {
            if (DateSeparator == 0)
                DateSeparator = sign;
            if (DateSeparator == sign)
                return (dayFirst ? ValueKinds.DayFirst : ValueKinds.None) | (monthFirst ? ValueKinds.MonthFirst : ValueKinds.None);
        }
        return ValueKinds.None;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ValueKinds Zone(ReadOnlySpan<byte> zone, bool seconds)
    {
        Unusual |= !seconds || zone.Length == 5;
        if (zone.Length == 0)
            return ValueKinds.Timestamp;
        return DateParts.IsZone(zone) ? ValueKinds.TimestampTz : ValueKinds.None;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool IsBool(ReadOnlySpan<byte> value) =>
        value.Length == 4
            ? value.SequenceEqual("true"u8) || value.SequenceEqual("True"u8) || value.SequenceEqual("TRUE"u8)
            : value.SequenceEqual("false"u8) || value.SequenceEqual("False"u8) || value.SequenceEqual("FALSE"u8);
}
