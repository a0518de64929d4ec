using System.Globalization;
using System.Text;

namespace Qualiz.Engine.Kernels.Text;

/// <summary>
/// A date format as people write it (<c>dd.MM.yyyy HH:mm</c>), and how text is read by it. Numbers of two digits may lack their leading zero where signs stand between them; a year of
/// four digits has four. Letters stand for themselves in quotes, other signs anywhere.
/// </summary>
internal sealed class DateFormat
{
    private readonly Part[] _parts;
    private readonly string[][] _names;

    // Of each part that is a number, how many digits it has at least.
    private readonly int[] _least;
    private readonly bool _dottedMonths;
    private readonly bool _dottedDays;

    private DateFormat(List<Part> parts, CultureInfo culture)
    {
        _parts = [.. parts];
        _least = [.. parts.Select((part, i) => part.Digits == 2 && (IsNumber(i - 1) || IsNumber(i + 1)) ? 2 : 1)];
        var format = culture.DateTimeFormat;
        _names = [Names(format.MonthGenitiveNames.Concat(format.MonthNames), 13), Names(format.AbbreviatedMonthGenitiveNames.Concat(format.AbbreviatedMonthNames), 13), Names(format.DayNames, 7), Names(format.AbbreviatedDayNames, 7)];
        _dottedMonths = format.AbbreviatedMonthGenitiveNames.Concat(format.AbbreviatedMonthNames).Any(name => name.EndsWith('.'));
        _dottedDays = format.AbbreviatedDayNames.Any(name => name.EndsWith('.'));
    }

    private enum Field
    {
        Literal,
        Year,
        Year2,
        Month,
        MonthName,
        MonthShort,
        Day,
        DayName,
        DayShort,
        Hour,
        Hour12,
        Minute,
        Second,
        Fraction,
        HalfDay,
        Zone,
    }

    public static bool TryRead(string text, out DateFormat format, CultureInfo? culture = null)
    {
        format = null!;
        var parts = new List<Part>();
        for (var at = 0; at < text.Length;)
        {
            var c = text[at];
            if (c == '\'')
            {
                var end = text.IndexOf('\'', at + 1);
                if (end < 0)
                    return false;
                parts.Add(new Part(Field.Literal, end == at + 1 ? "'" : text[(at + 1)..end], 0));
                at = end + 1;
            }
            else if (char.IsAsciiLetter(c) && c is not 'T' and not 'Z')
            {
                var end = at;
                while (end < text.Length && text[end] == c)
                    end++;
                if (Word(text[at..end]) is not { } part)
                    return false;
                parts.Add(part);
                at = end;
            }
            else
            {
                var length = Rune.TryGetRuneAt(text, at, out var rune) ? rune.Utf16SequenceLength : 1;
                parts.Add(new Part(Field.Literal, text.Substring(at, length), 0));
                at += length;
            }
        }
        if (parts.Count == 0)
            return false;
        format = new DateFormat(parts, culture ?? CultureInfo.InvariantCulture);
        return true;
    }

    /// <summary>Reads a text that is all of this form. Blanks around it do not matter.</summary>
    /// <param name="local">Microseconds since 1970-01-01 00:00 on the clock that the text speaks of.</param>
    /// <param name="offset">Minutes by which that clock is ahead of UTC; 0 when the format has no zone.</param>
    public bool TryParse(ReadOnlySpan<byte> text, out long local, out int offset)
    {
        (local, offset) = (0, 0);
        var rest = WhiteSpace.Trim(text);
        int year = 1900, month = 1, day = 1, hour = 0, minute = 0, second = 0, fraction = 0;
        bool? afternoon = null;
        var twelve = false;
        for (var i = 0; i < _parts.Length; i++)
        {
            var part = _parts[i];
            switch (part.Field)
            {
                case Field.Literal:
                    if (!rest.StartsWith(part.Bytes))
                        return false;
                    rest = rest[part.Bytes.Length..];
                    break;
                case Field.Year:
                    if (!Digits(ref rest, 4, 4, out year) || year < 1000)
                        return false;
                    break;
                case Field.Year2:
                    if (!Digits(ref rest, 2, 2, out year))
                        return false;
                    year += year < 69 ? 2000 : 1900;
                    break;
                case Field.Month:
                    if (!Digits(ref rest, _least[i], 2, out month))
                        return false;
                    break;
                case Field.MonthName:
                case Field.MonthShort:
                    if (!Name(ref rest, part.Field == Field.MonthName ? 0 : 1, out month))
                        return false;
                    EndAbbreviation(ref rest, part, i);
                    month = (month % 13) + 1;
                    break;
                case Field.Day:
                    if (!Digits(ref rest, _least[i], 2, out day))
                        return false;
                    break;
                case Field.DayName:
                case Field.DayShort:
                    if (!Name(ref rest, part.Field == Field.DayName ? 2 : 3, out _))
                        return false;
                    EndAbbreviation(ref rest, part, i);
                    break;
                case Field.Hour:
                    if (!Digits(ref rest, _least[i], 2, out hour) || hour > 23)
                        return false;
                    break;
                case Field.Hour12:
                    if (!Digits(ref rest, _least[i], 2, out hour) || hour is < 1 or > 12)
                        return false;
                    twelve = true;
                    break;
                case Field.Minute:
                    if (!Digits(ref rest, _least[i], 2, out minute) || minute > 59)
                        return false;
                    break;
                case Field.Second:
                    if (!Digits(ref rest, _least[i], 2, out second) || second > 59)
                        return false;
                    break;
                case Field.Fraction:
                    var before = rest.Length;
                    if (!Digits(ref rest, 1, part.Digits, out fraction))
                        return false;
                    for (var digits = before - rest.Length; digits < 6; digits++)
                        fraction *= 10;
                    break;
                case Field.HalfDay:
                    if (rest.Length < 2 || (rest[1] | 0x20) != 'm' || (rest[0] | 0x20) is not ('a' or 'p'))
                        return false;
                    afternoon = (rest[0] | 0x20) == 'p';
                    rest = rest[2..];
                    break;
                default:
                    if (!Zone(ref rest, out offset))
                        return false;
                    break;
            }
        }
        if (rest.Length > 0 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        if (twelve)
            hour = (hour % 12) + (afternoon == true ? 12 : 0);
        // By HH, 15:00 PM says the same twice, and 03:00 PM contradicts itself.
        else if (afternoon is { } late && late != hour >= 12)
            return false;
        var days = new DateOnly(year, month, day).DayNumber - 719_162L;
        local = (((((days * 24) + hour) * 60) + minute) * 60 + second) * 1_000_000 + fraction;
        return true;
    }

    private static Part? Word(string word) => word switch
    {
        "yyyy" => new(Field.Year, "", 0),
        "yy" => new(Field.Year2, "", 0),
        "MMMM" => new(Field.MonthName, "", 0),
        "MMM" => new(Field.MonthShort, "", 0),
        "MM" => new(Field.Month, "", 2),
        "M" => new(Field.Month, "", 1),
        "dd" => new(Field.Day, "", 2),
        "d" => new(Field.Day, "", 1),
        "dddd" or "EEEE" => new(Field.DayName, "", 0),
        "ddd" or "EEE" => new(Field.DayShort, "", 0),
        "HH" => new(Field.Hour, "", 2),
        "H" => new(Field.Hour, "", 1),
        "hh" => new(Field.Hour12, "", 2),
        "h" => new(Field.Hour12, "", 1),
        "mm" => new(Field.Minute, "", 2),
        "m" => new(Field.Minute, "", 1),
        "ss" => new(Field.Second, "", 2),
        "s" => new(Field.Second, "", 1),
        "fff" or "SSS" => new(Field.Fraction, "", 3),
        "ffffff" or "SSSSSS" => new(Field.Fraction, "", 6),
        "tt" or "a" => new(Field.HalfDay, "", 0),
        "zzz" or "XXX" => new(Field.Zone, "", 0),
        _ => null,
    };

    private static bool Digits(ref ReadOnlySpan<byte> text, int least, int most, out int value)
    {
        value = 0;
        var count = 0;
        while (count < most && count < text.Length && (uint)(text[count] - '0') <= 9)
            value = (value * 10) + (text[count++] - '0');
        text = text[count..];
        return count >= least;
    }

    // Z, +02:00, +0200, +02
    private static bool Zone(ref ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.Length > 0 && (text[0] | 0x20) == 'z')
        {
            text = text[1..];
            return true;
        }
        if (text.Length == 0 || text[0] is not ((byte)'+' or (byte)'-'))
            return false;
        var sign = text[0] == '-' ? -1 : 1;
        text = text[1..];
        if (!Digits(ref text, 2, 2, out var hours) || hours > 15)
            return false;
        var colon = text.Length > 0 && text[0] == ':';
        if (colon)
            text = text[1..];
        var rest = 0;
        if ((colon || (text.Length > 0 && (uint)(text[0] - '0') <= 9)) && (!Digits(ref text, 2, 2, out rest) || rest > 59))
            return false;
        minutes = sign * ((hours * 60) + rest);
        return true;
    }

    private bool Name(ref ReadOnlySpan<byte> text, int list, out int index)
    {
        index = -1;
        Span<char> start = stackalloc char[Math.Min(text.Length, 64)];
        System.Text.Unicode.Utf8.ToUtf16(text[..Math.Min(text.Length, 64)], start, out _, out var written);
        var longest = 0;
        for (var i = 0; i < _names[list].Length; i++)
        {
            var name = _names[list][i];
            if (name.Length > longest && start[..written].StartsWith(name, StringComparison.OrdinalIgnoreCase))
                (index, longest) = (i, name.Length);
        }
        if (index < 0)
            return false;
        text = text[Encoding.UTF8.GetByteCount(start[..longest])..];
        return true;
    }

    // In 20240111 nothing but their width tells numbers apart, so none may lack its leading zero.
    private bool IsNumber(int part) =>
        part >= 0 && part < _parts.Length && _parts[part].Field is Field.Year or Field.Year2 or Field.Month or Field.Day or Field.Hour or Field.Hour12 or Field.Minute or Field.Second or Field.Fraction;

    // "févr." is the abbreviation that some languages write; the dot belongs to it unless the format has one there.
    private void EndAbbreviation(ref ReadOnlySpan<byte> text, Part part, int index)
    {
        if (((part.Field == Field.MonthShort && _dottedMonths) || (part.Field == Field.DayShort && _dottedDays)) && text.Length > 0 && text[0] == '.'
            && !(index + 1 < _parts.Length && _parts[index + 1] is { Field: Field.Literal, Bytes: [(byte)'.', ..] }))
            text = text[1..];
    }

    // The names of a list of 13 months (the last is empty) come twice: as in "3 marca" and as in "marzec".
    private static string[] Names(IEnumerable<string> names, int count) => [.. names.Select(name => name.TrimEnd('.')).Take(count * 2).Select(name => name.Length == 0 ? "\0" : name)];

    private readonly record struct Part(Field Field, string Text, int Digits)
    {
        public byte[] Bytes { get; } = Encoding.UTF8.GetBytes(Text);
    }
}
