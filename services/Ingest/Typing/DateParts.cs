using System.Runtime.CompilerServices;

namespace Qualiz.Ingest.Typing;

/// <summary>Calendar and clock, to the letter: a 30th of February or a 60th second is no date or time.</summary>
internal static class DateParts
{
    /// <summary>yyyy-MM-dd or yyyy/MM/dd, ten bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryYearFirst(ReadOnlySpan<byte> text, out byte separator)
    {
        separator = 0;
        if (text.Length != 10)
            return false;
        separator = text[4];
        if (separator is not ((byte)'-' or (byte)'/') || text[7] != separator)
            return false;
        uint y0 = (uint)(text[0] - '0'), y1 = (uint)(text[1] - '0'), y2 = (uint)(text[2] - '0'), y3 = (uint)(text[3] - '0');
        uint m0 = (uint)(text[5] - '0'), m1 = (uint)(text[6] - '0'), d0 = (uint)(text[8] - '0'), d1 = (uint)(text[9] - '0');
        if (y0 > 9 || y1 > 9 || y2 > 9 || y3 > 9 || m0 > 9 || m1 > 9 || d0 > 9 || d1 > 9)
            return false;
        return IsDate((int)((y0 * 1000) + (y1 * 100) + (y2 * 10) + y3), (int)((m0 * 10) + m1), (int)((d0 * 10) + d1));
    }

    /// <summary>Two numbers of one or two digits and a year of four, e.g. 3/11/2026.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryYearLast(ReadOnlySpan<byte> text, out bool dayFirst, out bool monthFirst, out byte separator)
    {
        dayFirst = monthFirst = false;
        separator = 0;
        var first = text.IndexOfAny((byte)'/', (byte)'.', (byte)'-');
        if (first is < 1 or > 2)
            return false;
        separator = text[first];
        var rest = text[(first + 1)..];
        var second = rest.IndexOf(separator);
        if (second is < 1 or > 2 || rest.Length - second - 1 != 4)
            return false;
        if (!TryNumber(text[..first], out var a) || !TryNumber(rest[..second], out var b) || !TryNumber(rest[(second + 1)..], out var year))
            return false;
        dayFirst = IsDate(year, b, a);
        monthFirst = IsDate(year, a, b);
        return dayFirst || monthFirst;
    }

    /// <summary>HH:mm, HH:mm:ss or HH:mm:ss.f to six places, at the beginning of the text.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryTime(ReadOnlySpan<byte> text, out int used, out bool seconds)
    {
        used = 0;
        seconds = false;
        if (text.Length < 5 || text[2] != ':' || !TryNumber(text[..2], out var hour) || !TryNumber(text[3..5], out var minute) || hour > 23 || minute > 59)
            return false;
        used = 5;
        if (text.Length == 5 || text[5] != ':')
            return true;
        if (text.Length < 8 || !TryNumber(text[6..8], out var second) || second > 59)
            return false;
        used = 8;
        seconds = true;
        if (text.Length == 8 || text[8] != '.')
            return true;
        var at = 9;
        while (at < text.Length && (uint)(text[at] - '0') <= 9)
            at++;
        used = at;
        return at - 9 is >= 1 and <= 6;
    }

    /// <summary>Z, +HH, +HHmm or +HH:mm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsZone(ReadOnlySpan<byte> text)
    {
        if (text.Length == 1)
            return text[0] is (byte)'Z';
        if (text.Length is not (3 or 5 or 6) || text[0] is not ((byte)'+' or (byte)'-') || (text.Length == 6 && text[3] != ':'))
            return false;
        return TryNumber(text[1..3], out var hours) && hours <= 14 && (text.Length == 3 || (TryNumber(text[^2..], out var minutes) && minutes <= 59));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool IsDate(int year, int month, int day) =>
        year >= 1 && month is >= 1 and <= 12 && day >= 1 && (day <= 28 || day <= DateTime.DaysInMonth(year, month));

    private static bool TryNumber(ReadOnlySpan<byte> text, out int number)
    {
        number = 0;
        foreach (var digit in text)
        {
            if ((uint)(digit - '0') > 9)
                return false;
            number = (number * 10) + digit - '0';
        }
        return text.Length > 0;
    }
}
