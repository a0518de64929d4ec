using System.Globalization;

namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>How alike two values with a meaning are. NaN: one of them has not that meaning, so nothing can be said.</summary>
internal static class ValueSimilarity
{
    private const int DaysOfYear = 365;

    /// <summary>Day and month in the other order are a usual slip.</summary>
    private const double Swapped = 0.9;

    /// <summary>The mean radius of the Earth in kilometres (H. Moritz, "Geodetic Reference System 1980").</summary>
    private const double EarthRadius = 6371.0088;

    /// <summary>RFC 5321, 4.5.3.1.3, without its brackets.</summary>
    private const int LongestAddress = 254;

    /// <summary>From here on two places say nothing of each other.</summary>
    private const double Far = 10;

    /// <summary>Digits of a number that two ways of writing it have in common at least, and that count at most: what stands before them is the country's or the trunk's prefix.</summary>
    private const int LeastDigits = 7;
    private const int MostDigits = 9;

    /// <summary>1 - |a - b| / max(|a|, |b|), and 0 below; 1 for two zeros.</summary>
    public static double Number(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (!TryNumber(a, out var x) || !TryNumber(b, out var y))
            return double.NaN;
        return x == y ? 1 : Math.Max(0, 1 - (Math.Abs(x - y) / Math.Max(Math.Abs(x), Math.Abs(y))));
    }

    /// <summary>
    /// Of two days (yyyy-MM-dd; a time behind it does not count) the greatest of: 1 - days between them / 365, 0 from a year on; 0.9 where day and month are in the other order; 1 -
    /// <see cref="EditDistance.Osa"/> of their eight digits / 8.
    /// </summary>
    public static double Date(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (!TryDate(a, out var x) || !TryDate(b, out var y))
            return double.NaN;
        if (x == y)
            return 1;
        Span<char> digits = stackalloc char[8];
        Span<char> others = stackalloc char[8];
        x.TryFormat(digits, out _, "yyyyMMdd", CultureInfo.InvariantCulture);
        y.TryFormat(others, out _, "yyyyMMdd", CultureInfo.InvariantCulture);
        var near = 1 - (Math.Abs(x.DayNumber - y.DayNumber) / (double)DaysOfYear);
        var swapped = x.Year == y.Year && x.Month == y.Day && x.Day == y.Month ? Swapped : 0;
        return Math.Max(near, Math.Max(swapped, EditDistance.Similarity(digits, others)));
    }

    /// <summary>
    /// Of two places (latitude and longitude in degrees, with a comma, semicolon or blank between): 1 - kilometres / 10, 0 from ten kilometres on, along a great circle by the haversine formula (R. W. Sinnott, "Virtues of the
    /// Haversine", Sky and Telescope 68, 1984).
    /// </summary>
    public static double Place(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var kilometres = Kilometres(a, b);
        return double.IsNaN(kilometres) ? double.NaN : Math.Max(0, 1 - (kilometres / Far));
    }

    /// <summary>How far two places are from each other.</summary>
    public static double Kilometres(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (!TryPlace(a, out var x) || !TryPlace(b, out var y))
            return double.NaN;
        var (up, along) = (double.DegreesToRadians(y.Latitude - x.Latitude), double.DegreesToRadians(y.Longitude - x.Longitude));
        var (sinUp, sinAlong) = (Math.Sin(up / 2), Math.Sin(along / 2));
        var h = (sinUp * sinUp) + (Math.Cos(double.DegreesToRadians(x.Latitude)) * Math.Cos(double.DegreesToRadians(y.Latitude)) * sinAlong * sinAlong);
        return 2 * EarthRadius * Math.Asin(Math.Min(1, Math.Sqrt(h)));
    }

    /// <summary>
    /// Of two e-mail addresses: three quarters <see cref="JaroWinkler"/> of the names before the @, without what follows a plus sign there, and one quarter of the domains. Case does not count.
    /// </summary>
    public static double Email(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var (at, other) = (a.LastIndexOf('@'), b.LastIndexOf('@'));
        if (at <= 0 || other <= 0 || a.Length > LongestAddress || b.Length > LongestAddress)
            return double.NaN;
        Span<char> x = stackalloc char[LongestAddress];
        Span<char> y = stackalloc char[LongestAddress];
        x = x[..a.ToLowerInvariant(x)];
        y = y[..b.ToLowerInvariant(y)];
        return ((3 * JaroWinkler.Similarity(Name(x[..at]), Name(y[..other]))) + JaroWinkler.Similarity(x[(at + 1)..], y[(other + 1)..])) / 4;

        static ReadOnlySpan<char> Name(ReadOnlySpan<char> name) => name.IndexOf('+') is > 0 and var plus ? name[..plus] : name;
    }

    /// <summary>
    /// Of two telephone numbers: their digits from the right, at most nine, without a zero at their beginning; 1 where all digits of the one end the other, at least seven of them (a number with and without its country's
    /// prefix), else 1 - <see cref="EditDistance.Osa"/> / the length of the longer one.
    /// </summary>
    public static double Phone(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        Span<char> x = stackalloc char[MostDigits];
        Span<char> y = stackalloc char[MostDigits];
        var left = Digits(a, x);
        var right = Digits(b, y);
        if (left.Length == 0 || right.Length == 0)
            return double.NaN;
        return Math.Min(left.Length, right.Length) >= LeastDigits && (left.EndsWith(right) || right.EndsWith(left)) ? 1 : EditDistance.Similarity(left, right);
    }

    private static ReadOnlySpan<char> Digits(ReadOnlySpan<char> text, Span<char> room)
    {
        var free = room.Length;
        for (var i = text.Length - 1; i >= 0 && free > 0; i--)
        {
            if (char.IsAsciiDigit(text[i]))
                room[--free] = text[i];
        }
        return ((ReadOnlySpan<char>)room[free..]).TrimStart('0');
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out double number) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    private static bool TryDate(ReadOnlySpan<char> text, out DateOnly date)
    {
        date = default;
        return text.Length >= 10 && (text.Length == 10 || text[10] is ' ' or 'T') && DateOnly.TryParseExact(text[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out date);
    }

    private static bool TryPlace(ReadOnlySpan<char> text, out (double Latitude, double Longitude) place)
    {
        place = default;
        var between = text.IndexOfAny(',', ';');
        between = between < 0 ? text.IndexOf(' ') : between;
        if (between < 0 || !TryNumber(text[..between], out var latitude) || !TryNumber(text[(between + 1)..], out var longitude) || Math.Abs(latitude) > 90 || Math.Abs(longitude) > 180)
            return false;
        place = (latitude, longitude);
        return true;
    }
}
