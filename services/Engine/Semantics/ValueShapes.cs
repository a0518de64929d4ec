using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Qualiz.Engine.Kernels.Codes;

namespace Qualiz.Engine.Semantics;

/// <summary>Whether one value is of a kind. Values come without blanks around them.</summary>
internal static partial class ValueShapes
{
    private const int FirstYear = 1000;
    private const int LastYear = 2200;

    public static bool IsEmail(string value) => value.Contains('@', StringComparison.Ordinal) && Email.IsValid(Encoding.UTF8.GetBytes(value));

    public static bool IsUrl(string value) => Url().IsMatch(value);

    public static bool IsDomain(string value) => Domain().IsMatch(value);

    public static bool IsIp(string value) =>
        (value.Count(c => c == '.') == 3 && value.Length <= 15 && IPAddress.TryParse(value, out _)) || (value.Count(c => c == ':') >= 2 && value.Length >= 3 && !Clock().IsMatch(value) && IPAddress.TryParse(value, out _));

    public static bool IsUuid(string value) => value.Length is 36 or 38 && (Guid.TryParseExact(value, "D", out _) || Guid.TryParseExact(value, "B", out _));

    /// <summary>Written as only telephone numbers are.</summary>
    public static bool IsWrittenPhone(string value) =>
        value.Length <= 30 && Digits(value) is >= 8 and <= 15 && (NorthAmerican().IsMatch(value) || International().IsMatch(value) || Grouped().IsMatch(value)) && !IsDate(value);

    /// <summary>Digits that could be one.</summary>
    public static bool CouldBePhone(string value) => value.Length <= 30 && Digits(value) is >= 6 and <= 15 && PhoneSigns().IsMatch(value) && !IsDate(value);

    public static bool IsIban(string value)
    {
        var plain = value.Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant();
        if (!Iban().IsMatch(plain))
            return false;
        var rest = 0;
        foreach (var c in plain[4..] + plain[..4])
            rest = char.IsAsciiDigit(c) ? ((rest * 10) + (c - '0')) % 97 : ((rest * 100) + (c - 'A' + 10)) % 97;
        return rest == 1;
    }

    public static bool IsCreditCard(string value)
    {
        var plain = value.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        if (plain.Length is < 13 or > 19 || !plain.All(char.IsAsciiDigit) || plain[0] is not (>= '2' and <= '6'))
            return false;
        var sum = 0;
        for (var i = 0; i < plain.Length; i++)
        {
            var digit = plain[^(i + 1)] - '0';
            sum += i % 2 == 0 ? digit : digit > 4 ? (2 * digit) - 9 : 2 * digit;
        }
        return sum % 10 == 0;
    }

    public static bool IsIsbn(string value)
    {
        var plain = value.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        if (plain.Length == 13 && plain.All(char.IsAsciiDigit) && (plain.StartsWith("978", StringComparison.Ordinal) || plain.StartsWith("979", StringComparison.Ordinal)))
            return plain.Select((c, i) => (c - '0') * (i % 2 == 0 ? 1 : 3)).Sum() % 10 == 0;
        return plain.Length == 10 && Weighted(plain, 10);
    }

    public static bool IsIssn(string value) => value.Length == 9 && value[4] == '-' && Weighted(value.Remove(4, 1), 8);

    public static bool IsDoi(string value) => Doi().IsMatch(value);

    public static bool IsCountry(string value) => value.Length is > 1 and < 60 && char.IsLetter(value[0]) && CodeTable.Countries.Value.Find(value, "alpha2") is not null;

    public static bool IsCurrency(string value) => value.Length is >= 3 and < 40 && char.IsLetter(value[0]) && CodeTable.Currencies.Value.Find(value, "code") is not null;

    public static bool IsUsState(string value) => value.Length > 1 && (value.Length == 2 ? ReferenceWords.UsStateCodes : ReferenceWords.UsStates).Contains(value.ToLowerInvariant());

    /// <summary>A form that is a postal code and nothing else.</summary>
    public static bool IsWrittenPostcode(string value) => LetterPostcode().IsMatch(value) || PlusFour().IsMatch(value);

    public static bool CouldBePostcode(string value) => PlainPostcode().IsMatch(value) || IsWrittenPostcode(value);

    public static bool IsCoordinates(string value)
    {
        var match = Pair().Match(value);
        return match.Success && Math.Abs(Number(match.Groups[1].Value)) <= 180 && Math.Abs(Number(match.Groups[2].Value)) <= 180;
    }

    public static bool IsMoney(string value) => Digits(value) > 0 && Money().IsMatch(value);

    public static bool IsNumber(string value) => PlainNumber().IsMatch(value);

    public static bool IsPercentage(string value) => Percentage().IsMatch(value);

    public static bool IsTime(string value) => Clock().IsMatch(value);

    public static bool IsDate(string value)
    {
        if (value.Length is < 6 or > 30 || Digits(value) < 3)
            return false;
        var numeric = NumericDate().Match(value);
        if (numeric.Success)
        {
            var (a, b, c) = (Int(numeric.Groups[1]), Int(numeric.Groups[3]), Int(numeric.Groups[4]));
            return numeric.Groups[1].Length == 4
                ? a is >= FirstYear and <= LastYear && b is >= 1 and <= 12 && c is >= 1 and <= 31 && numeric.Groups[4].Length <= 2
                : numeric.Groups[1].Length <= 2 && numeric.Groups[4].Length is 2 or 4 && a is >= 1 and <= 31 && b is >= 1 and <= 31 && (a <= 12 || b <= 12) && (numeric.Groups[4].Length == 2 || c is >= FirstYear and <= LastYear);
        }
        return NamedDate().IsMatch(value);
    }

    /// <summary>Eight digits, the year first.</summary>
    public static bool IsCompactDate(string value) =>
        value.Length == 8 && DateOnly.TryParseExact(value, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) && date.Year is >= 1850 and <= 2100;

    public static bool IsTimestamp(string value)
    {
        var at = value.IndexOfAny(['T', ' ']);
        while (at > 0)
        {
            if (IsDate(value[..at].TrimEnd(',')) && Clock().IsMatch(Offset().Replace(value[(at + 1)..].Trim(), "")))
                return true;
            at = value.IndexOfAny(['T', ' '], at + 1);
        }
        return false;
    }

    public static bool IsYear(string value) => value.Length == 4 && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var year) && year is >= 1700 and <= 2100;

    /// <summary>A year that needs no name to be one: hardly any other number of four digits keeps to these.</summary>
    public static bool IsRecentYear(string value) => IsYear(value) && string.CompareOrdinal(value, "1900") >= 0 && string.CompareOrdinal(value, "2035") <= 0;

    public static bool IsColour(string value) => HexColour().IsMatch(value) || ReferenceWords.Colours.Contains(value.ToLowerInvariant());

    public static bool IsGivenName(string value) => ReferenceWords.GivenNames.Contains(Plain(value));

    public static bool IsSurname(string value) => ReferenceWords.Surnames.Contains(Plain(value));

    /// <summary>Words of letters, as names of people and places are.</summary>
    public static bool IsNameLike(string value) => value.Length is >= 2 and <= 40 && NameLike().IsMatch(value);

    /// <summary>First Last, or Last, First.</summary>
    public static bool IsFullName(string value)
    {
        if (value.Length > 60 || !NameLike().IsMatch(value.Replace(",", "", StringComparison.Ordinal)))
            return false;
        var comma = value.IndexOf(',', StringComparison.Ordinal);
        var (first, last) = comma > 0 ? (value[(comma + 1)..], value[..comma]) : Split(value);
        if (first.Length == 0 || last.Length == 0)
            return false;
        // Many words are surnames too, so without the comma the given name decides.
        return IsGivenName(first.Trim().Split(' ')[0]) || (comma > 0 && IsSurname(last.Trim().Split(' ')[^1]));
    }

    public static bool IsAddress(string value)
    {
        if (value.Length is < 5 or > 120 || !value.Any(char.IsLetter) || !value.Any(char.IsDigit))
            return false;
        if (PostBox().IsMatch(value))
            return true;
        var words = Words(value);
        return (NumberFirst().IsMatch(value) || NumberLast().IsMatch(value)) && words.Any(word => ReferenceWords.Streets.Contains(word) || GermanStreet().IsMatch(word));
    }

    /// <summary>A number and words: an address in a column that is called so.</summary>
    public static bool CouldBeAddress(string value) => IsAddress(value) || (value.Length <= 120 && (NumberFirst().IsMatch(value) || NumberLast().IsMatch(value)) && value.Count(char.IsLetter) >= 3);

    /// <summary>What is full of numbers speaks of an organisation at most.</summary>
    public static bool IsOrganisation(string value) => value.Length is >= 3 and <= 120 && NumberOf().Count(value) <= 1 && Words(value) is { Count: > 1 } words && words.Skip(1).Any(ReferenceWords.Organisations.Contains);

    private static int Digits(string value) => value.Count(char.IsAsciiDigit);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static int Int(Group group) => int.Parse(group.ValueSpan, CultureInfo.InvariantCulture);

    private static (string First, string Last) Split(string value)
    {
        var at = value.LastIndexOf(' ');
        return at < 0 ? ("", "") : (value[..at], value[(at + 1)..]);
    }

    private static List<string> Words(string value) => [.. WordOf().Matches(value).Select(word => word.Value.ToLowerInvariant())];

    private static string Plain(string value) => value.ToLowerInvariant();

    // Check digits of ISBN-10 and ISSN: weights downwards, modulo 11.
    private static bool Weighted(string plain, int length)
    {
        var sum = 0;
        for (var i = 0; i < length; i++)
        {
            var c = plain[i];
            if (!char.IsAsciiDigit(c) && !(i == length - 1 && c is 'X' or 'x'))
                return false;
            sum += (length - i) * (char.IsAsciiDigit(c) ? c - '0' : 10);
        }
        return sum % 11 == 0;
    }

    [GeneratedRegex(@"^(https?|ftp|s3|file)://\S+$|^www\.[\w-]+\.\S+$", RegexOptions.IgnoreCase)]
    private static partial Regex Url();

    [GeneratedRegex(@"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(/\S*)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Domain();

    [GeneratedRegex(@"^(\+?1[ .-]?)?\(?[2-9]\d{2}\)?[ ./-]{1,2}\d{3}[ .-]?\d{4}( ?(x|ext\.?) ?\d{1,6})?$|^\(?[2-9]\d{2}\)[ ./-]?\d{3}[ .-]?\d{4}$", RegexOptions.IgnoreCase)]
    private static partial Regex NorthAmerican();

    [GeneratedRegex(@"^(\+|00)\d[\d ()./-]{6,}$")]
    private static partial Regex International();

    [GeneratedRegex(@"^\(?0\d{1,5}\)?[ /-]\d[\d -]{4,}$")]
    private static partial Regex Grouped();

    [GeneratedRegex(@"^\+?[\d ()./x-]+$", RegexOptions.IgnoreCase)]
    private static partial Regex PhoneSigns();

    [GeneratedRegex("^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")]
    private static partial Regex Iban();

    [GeneratedRegex(@"^(doi:|https?://(dx\.)?doi\.org/)?10\.\d{4,9}/\S+$", RegexOptions.IgnoreCase)]
    private static partial Regex Doi();

    [GeneratedRegex(@"^[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}$|^[A-Z]\d[A-Z] ?\d[A-Z]\d$|^\d{4} [A-Z]{2}$", RegexOptions.IgnoreCase)]
    private static partial Regex LetterPostcode();

    [GeneratedRegex(@"^\d{5}-\d{4}$")]
    private static partial Regex PlusFour();

    [GeneratedRegex(@"^\d{3,7}$|^\d{3} \d{2}$|^\d{2,5}-\d{3,4}$")]
    private static partial Regex PlainPostcode();

    [GeneratedRegex(@"^(?:POINT ?)?\(?\s*(-?\d{1,3}\.\d+)\s*[,;| ]\s*(-?\d{1,3}\.\d+)\s*\)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Pair();

    [GeneratedRegex(@"^-?\(?(\p{Sc}|US\$|(USD|EUR|GBP|CHF|NOK|SEK|DKK|JPY|CAD|AUD|INR|Rs\.?)) ?-?\d[\d.,' ]*\)?[kmb]?$|^-?\d[\d.,' ]* ?(\p{Sc}|USD|EUR|GBP|CHF|NOK|SEK|DKK|JPY|CAD|AUD|INR)$", RegexOptions.IgnoreCase)]
    private static partial Regex Money();

    [GeneratedRegex(@"^[+-]?\d[\d.,' ]*$|^[+-]?\.\d+$")]
    private static partial Regex PlainNumber();

    [GeneratedRegex(@"^[+-]?\d+([.,]\d+)? ?%$")]
    private static partial Regex Percentage();

    [GeneratedRegex(@"^([01]?\d|2[0-4]):[0-5]\d(:[0-5]\d([.,]\d+)?)?( ?[ap]\.?m\.?)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Clock();

    [GeneratedRegex(@" ?(Z|UTC|GMT|[+-]\d{2}:?(\d{2})?)$")]
    private static partial Regex Offset();

    [GeneratedRegex(@"^(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})$")]
    private static partial Regex NumericDate();

    [GeneratedRegex(@"^((mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? )?(\d{1,2}(st|nd|rd|th)?[ .-]{1,2})?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[ ,-]{1,2}(\d{1,2}(st|nd|rd|th)?,? )?'?(\d{4}|\d{2})$", RegexOptions.IgnoreCase)]
    private static partial Regex NamedDate();

    [GeneratedRegex("^#([0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})$", RegexOptions.IgnoreCase)]
    private static partial Regex HexColour();

    [GeneratedRegex(@"^\p{L}[\p{L}\p{M}.'’-]*( [\p{L}][\p{L}\p{M}.'’-]*){0,4}$")]
    private static partial Regex NameLike();

    [GeneratedRegex(@"\bp\.? ?o\.? ?box \w+|\b(rural route|rr|hc) \d+", RegexOptions.IgnoreCase)]
    private static partial Regex PostBox();

    [GeneratedRegex(@"^(#? ?\d+[a-z]?([-/]\d+[a-z]?)?|(one|two|three) ),? +\S*\p{L}", RegexOptions.IgnoreCase)]
    private static partial Regex NumberFirst();

    [GeneratedRegex(@"^\p{L}[\p{L} .'’-]+ \d+ ?[a-z]?$", RegexOptions.IgnoreCase)]
    private static partial Regex NumberLast();

    [GeneratedRegex(@"\p{L}{2,}(straße|strasse|str|weg|gasse|platz|allee|gate|gata|gatan|veien|straat|laan|plein|vej)$")]
    private static partial Regex GermanStreet();

    [GeneratedRegex(@"\d+")]
    private static partial Regex NumberOf();

    [GeneratedRegex(@"[\p{L}\p{M}'’]+")]
    private static partial Regex WordOf();
}
