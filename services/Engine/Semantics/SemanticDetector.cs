using System.Globalization;

namespace Qualiz.Engine.Semantics;

/// <summary>Different values of a column, and what is known of all of them.</summary>
/// <param name="Values">Texts without blanks around them, none empty.</param>
/// <param name="Rows">Of each value.</param>
/// <param name="Filled">Rows with a value.</param>
/// <param name="Distinct">Different values.</param>
/// <param name="Whole">All values are whole numbers.</param>
internal sealed record ColumnSample(string Name, bool IsText, bool Whole, IReadOnlyList<string> Values, IReadOnlyList<long> Rows, long Filled, long Distinct);

/// <summary>
/// Finds out what a column's values stand for. A kind whose values look like no others' is known by its values alone; one whose values could be something else also
/// needs a name that says so. Where neither is enough nothing is said.
/// </summary>
internal static class SemanticDetector
{
    private const string Personal = "personal";
    private const string Secret = "secret";

    /// <summary>Most values: the rest are mistakes or words for a missing value.</summary>
    private const double Most = 0.6;

    /// <summary>Where chance, or another kind, gives many of the same values.</summary>
    private const double NearlyAll = 0.9;

    /// <summary>Enough where the name says the same.</summary>
    private const double Some = 0.4;

    public static SemanticType? Detect(ColumnSample sample)
    {
        if (sample.Values.Count == 0)
            return null;
        var column = new Evidence(sample, new ColumnName(sample.Name));
        return sample.IsText ? Text(column) : Number(column);
    }

    private static SemanticType? Text(Evidence column) =>
        Unmistakable(column) ?? Moments(column) ?? Quantities(column) ?? Places(column) ?? Words(column) ?? People(column) ?? Codes(column);

    private static SemanticType? Unmistakable(Evidence column) =>
        column.When(SemanticTypes.Email, Most, ValueShapes.IsEmail, tag: Personal)
        ?? column.When(SemanticTypes.Doi, Most, ValueShapes.IsDoi)
        ?? column.When(SemanticTypes.Url, Most, ValueShapes.IsUrl)
        ?? column.When(SemanticTypes.Uuid, Most, ValueShapes.IsUuid)
        ?? column.When(SemanticTypes.Ip, Most, ValueShapes.IsIp, tag: Personal)
        ?? column.When(SemanticTypes.Iban, Most, ValueShapes.IsIban, tag: Secret)
        ?? column.When(SemanticTypes.Issn, Most, ValueShapes.IsIssn)
        ?? column.When(SemanticTypes.CreditCard, NearlyAll, ValueShapes.IsCreditCard, tag: Secret)
        ?? column.When(SemanticTypes.Isbn, NearlyAll, ValueShapes.IsIsbn)
        ?? column.When(SemanticTypes.Coordinates, Most, ValueShapes.IsCoordinates)
        ?? column.Named(SemanticTypes.Email, Some, ValueShapes.IsEmail, column.Name.Has("email", "mail"), tag: Personal)
        ?? column.Named(SemanticTypes.Url, Most, value => ValueShapes.IsUrl(value) || ValueShapes.IsDomain(value), column.Name.Has("url", "website", "homepage", "domain", "link"));

    private static SemanticType? Moments(Evidence column)
    {
        var born = column.Name.Has("birth", "dob", "born") ? Personal : null;
        return column.When(SemanticTypes.Timestamp, Most, ValueShapes.IsTimestamp, tag: born)
            ?? column.When(SemanticTypes.Date, Most, ValueShapes.IsDate, tag: born)
            ?? column.When(SemanticTypes.Time, Most, ValueShapes.IsTime)
            ?? column.Named(SemanticTypes.Timestamp, Some, ValueShapes.IsTimestamp, column.Name.Has("date", "time", "moment"), tag: born)
            ?? column.Named(SemanticTypes.Date, Some, ValueShapes.IsDate, column.Name.Has("date", "day"), tag: born)
            ?? column.Named(SemanticTypes.Time, Some, ValueShapes.IsTime, column.Name.Has("time"))
            ?? Digits(column);
    }

    /// <summary>What is written with digits alone; in a column of numbers or of text.</summary>
    private static SemanticType? Digits(Evidence column)
    {
        var born = column.Name.Has("birth", "dob", "born") ? Personal : null;
        return column.When(SemanticTypes.Date, 0.95, ValueShapes.IsCompactDate, tag: born)
            ?? column.Named(SemanticTypes.Date, Most, ValueShapes.IsCompactDate, column.Name.Has("date", "dob", "birth"), tag: born)
            ?? column.Named(SemanticTypes.Year, Most, ValueShapes.IsYear, column.Name.HasWord("year", "yr", "yyyy", "jahr", "founded", "established", "built", "vintage") || column.Name.Has("year"))
            ?? column.When(SemanticTypes.Year, 0.97, ValueShapes.IsRecentYear, least: 2)
            ?? column.Named(SemanticTypes.CreditCard, Most, ValueShapes.IsCreditCard, column.Name.Has("card", "cc"), tag: Secret)
            ?? column.Named(SemanticTypes.Postcode, Most, ValueShapes.CouldBePostcode, column.Name.Has("zip", "postcode", "postal", "plz", "postnr"))
            ?? column.Named(SemanticTypes.Phone, Some, ValueShapes.CouldBePhone, column.Name.Has("phone", "fax", "mobile") || column.Name.HasWord("tel", "cell", "mob"), tag: Personal);
    }

    private static SemanticType? Quantities(Evidence column) =>
        column.When(SemanticTypes.Phone, Most, ValueShapes.IsWrittenPhone, tag: Personal)
        ?? column.When(SemanticTypes.Percentage, Most, ValueShapes.IsPercentage)
        ?? column.When(SemanticTypes.Money, Most, ValueShapes.IsMoney)
        ?? column.Named(SemanticTypes.Money, Some, value => ValueShapes.IsMoney(value) || ValueShapes.IsNumber(value), IsMoneyName(column.Name));

    private static SemanticType? Places(Evidence column)
    {
        var isState = column.Name.Has("state", "province") || column.Name.HasWord("st");
        var isCountry = column.Name.Has("country", "nation", "land") || column.Name.HasWord("iso");
        var isCurrency = column.Name.Has("currency") || column.Name.HasWord("iso4217", "ccy");
        var isLanguage = column.Name.Has("language", "lang", "locale");
        // The same two or three letters can be a state, a country, a currency or a language.
        return column.Named(SemanticTypes.UsState, Some, ValueShapes.IsUsState, isState)
            ?? column.Named(SemanticTypes.Currency, Some, ValueShapes.IsCurrency, isCurrency)
            ?? column.Named(SemanticTypes.Language, Some, value => ReferenceWords.Languages.Contains(value.Split('-', '_', ',')[0].ToLowerInvariant()), isLanguage)
            ?? column.Named(SemanticTypes.Country, Some, ValueShapes.IsCountry, isCountry)
            ?? column.When(SemanticTypes.UsState, NearlyAll, ValueShapes.IsUsState, least: 4)
            ?? column.When(SemanticTypes.Country, NearlyAll, ValueShapes.IsCountry, least: 4)
            ?? column.When(SemanticTypes.Currency, NearlyAll, ValueShapes.IsCurrency, least: 2)
            ?? column.When(SemanticTypes.Postcode, Most, ValueShapes.IsWrittenPostcode)
            ?? column.When(SemanticTypes.Address, Most, ValueShapes.IsAddress, tag: Personal)
            ?? column.Named(SemanticTypes.Address, Some, ValueShapes.CouldBeAddress, column.Name.Has("address", "addr", "street", "adresse", "strasse", "straße"), tag: Personal);
    }

    private static SemanticType? Words(Evidence column)
    {
        if (column.Share(value => ReferenceWords.Genders.Contains(value.ToLowerInvariant())) is var gender && column.Frequent <= 8
            && column.Any(value => ReferenceWords.ClearGenders.Contains(value.ToLowerInvariant()), 2)
            && (gender.Rows >= 0.95 || (gender.Rows >= Most && column.Name.Has("gender", "sex", "geschlecht"))))
            return Evidence.Type(SemanticTypes.Gender, gender.Rows, gender.Values, Personal);
        var yes = column.RowShare(value => ReferenceWords.Yes.Contains(value.ToLowerInvariant()));
        var no = column.RowShare(value => ReferenceWords.No.Contains(value.ToLowerInvariant()));
        if (yes + no >= Most && yes > 0 && no > 0 && column.Frequent <= 6)
            return Evidence.Type(SemanticTypes.Boolean, yes + no, column.Share(value => ReferenceWords.Yes.Contains(value.ToLowerInvariant()) || ReferenceWords.No.Contains(value.ToLowerInvariant())).Values, null);
        return column.When(SemanticTypes.Colour, NearlyAll, ValueShapes.IsColour)
            ?? column.Named(SemanticTypes.Colour, Some, ValueShapes.IsColour, column.Name.Has("color", "colour", "farbe", "couleur"));
    }

    private static SemanticType? People(Evidence column)
    {
        var given = column.Share(ValueShapes.IsGivenName).Values;
        var family = column.Share(ValueShapes.IsSurname).Values;
        var names = column.Share(ValueShapes.IsNameLike).Values;
        var full = column.Share(ValueShapes.IsFullName).Values;
        var isFirst = column.Name.Has("firstname", "first_name", "forename", "givenname", "vorname", "fname") || (column.Name.Has("first", "given") && !column.Name.Has("last"));
        var isLast = column.Name.Has("lastname", "surname", "familyname", "nachname", "lname") || (column.Name.Has("last", "family") && !column.Name.Has("first"));
        if (isFirst && names >= Most && given >= 0.25)
            return Evidence.Type(SemanticTypes.FirstName, Confident(given), given, Personal);
        if (isLast && names >= Most && family >= 0.25)
            return Evidence.Type(SemanticTypes.LastName, Confident(family), family, Personal);
        var isCity = column.Name.Has("city", "town", "suburb", "municipality", "village", "ville", "stadt") || column.Name.HasWord("ort", "place");
        if (isCity && names >= Most)
            return Evidence.Type(SemanticTypes.City, 0.8, names, null);
        var organisations = column.Share(ValueShapes.IsOrganisation).Values;
        var isOrganisation = column.Name.Has("company", "vendor", "supplier", "employer", "manufacturer", "organisation", "organization", "publisher", "brewery", "business", "firm", "agency", "merchant");
        if (organisations >= 0.5 && organisations > full || (isOrganisation && organisations >= 0.15))
            return Evidence.Type(SemanticTypes.Company, isOrganisation ? 0.9 : Confident(organisations), organisations, null);
        if (full >= 0.7 && organisations < 0.1 && column.Share(value => value.Contains(' ', StringComparison.Ordinal)).Values >= 0.8 && column.Distinctive)
            return Evidence.Type(SemanticTypes.FullName, Confident(full), full, Personal);
        if (given >= 0.75 && given > 1.2 * family && column.Distinctive)
            return Evidence.Type(SemanticTypes.FirstName, Confident(given), given, Personal);
        if (family >= 0.75 && family > 1.2 * given && column.Distinctive)
            return Evidence.Type(SemanticTypes.LastName, Confident(family), family, Personal);
        return null;
    }

    private static SemanticType? Codes(Evidence column)
    {
        if (column.LooksLikeKey(out var uniform) && (column.Name.HasWord("id", "key", "uid", "guid", "code", "number", "no", "nr", "ref") || column.Name.Has("identifier")))
            return Evidence.Type(SemanticTypes.Id, 0.8, uniform, null);
        return column.IsCategory(out var share) ? Evidence.Type(SemanticTypes.Category, 0.7, share, null) : null;
    }

    private static SemanticType? Number(Evidence column)
    {
        var latitude = column.Name.Has("latitude") || column.Name.HasWord("lat");
        var longitude = column.Name.Has("longitude") || column.Name.HasWord("lon", "lng", "long");
        bool Within(string value, double limit) => double.TryParse(value, CultureInfo.InvariantCulture, out var number) && Math.Abs(number) <= limit;
        if (!column.Sample.Whole)
        {
            // Whole numbers that went through a floating point column.
            var plain = column.Map(value => value.EndsWith(".0", StringComparison.Ordinal) ? value[..^2] : value);
            return column.Named(SemanticTypes.Latitude, NearlyAll, value => Within(value, 90), latitude)
                ?? column.Named(SemanticTypes.Longitude, NearlyAll, value => Within(value, 180), longitude)
                ?? column.Named(SemanticTypes.Money, NearlyAll, _ => true, IsMoneyName(column.Name))
                ?? column.Named(SemanticTypes.Percentage, NearlyAll, value => Within(value, 1000), column.Name.Has("percent", "pct"))
                ?? (plain.Share(value => !value.Contains('.', StringComparison.Ordinal)).Values >= NearlyAll ? Digits(plain) : null);
        }
        if (column.Sample.Values.All(value => value is "0" or "1") && column.Sample.Values.Count == 2)
            return Evidence.Type(SemanticTypes.Boolean, 0.7, 1, null);
        return column.When(SemanticTypes.CreditCard, NearlyAll, ValueShapes.IsCreditCard, least: 20, tag: Secret)
            ?? Digits(column)
            ?? column.Named(SemanticTypes.Money, NearlyAll, _ => true, IsMoneyName(column.Name))
            ?? (column.LooksLikeKey(out var uniform) && column.Name.HasWord("id", "key", "uid", "number", "no", "nr") ? Evidence.Type(SemanticTypes.Id, 0.8, uniform, null) : null);
    }

    private static bool IsMoneyName(ColumnName name) =>
        name.Has("price", "salary", "income", "revenue", "amount", "turnover", "wage", "budget", "balance", "payment") || name.HasWord("fare", "cost", "costs", "fee", "tax", "tip", "pay", "sales", "preis", "gehalt");

    private static double Confident(double share) => Math.Clamp(0.6 + (share / 2.5), 0, 0.95);

    private sealed class Evidence(ColumnSample sample, ColumnName name)
    {
        private readonly long _rows = sample.Rows.Sum();

        public ColumnSample Sample => sample;

        public ColumnName Name => name;

        /// <summary>Values that are there more than by mistake.</summary>
        public int Frequent => sample.Rows.Count(rows => rows * 100 >= _rows);

        /// <summary>Not just a handful of words.</summary>
        public bool Distinctive => sample.Distinct >= 10;

        public Evidence Map(Func<string, string> map) => new(sample with { Values = [.. sample.Values.Select(map)] }, name);

        public (double Values, double Rows) Share(Func<string, bool> fits)
        {
            var (values, rows) = (0, 0L);
            for (var i = 0; i < sample.Values.Count; i++)
            {
                if (fits(sample.Values[i]))
                {
                    values++;
                    rows += sample.Rows[i];
                }
            }
            return ((double)values / sample.Values.Count, (double)rows / _rows);
        }

        public double RowShare(Func<string, bool> fits) => Share(fits).Rows;

        public bool Any(Func<string, bool> fits, int least) => sample.Values.Count(fits) >= least;

        /// <summary>By the values alone: of the different ones or of the rows, as mistakes are many among the one and few among the other.</summary>
        /// <param name="least">Different values below which it might be chance.</param>
        public SemanticType? When(string type, double share, Func<string, bool> fits, int least = 1, string? tag = null)
        {
            var (values, rows) = Share(fits);
            return Math.Max(values, rows) >= share && Any(fits, least) ? Type(type, Math.Clamp(0.7 + (0.3 * Math.Max(values, rows)), 0, 0.99), values, tag) : null;
        }

        public SemanticType? Named(string type, double share, Func<string, bool> fits, bool named, string? tag = null)
        {
            if (!named)
                return null;
            var (values, rows) = Share(fits);
            return Math.Max(values, rows) >= share ? Type(type, 0.6 + (0.35 * Math.Max(values, rows)), values, tag) : null;
        }

        public static SemanticType Type(string type, double confidence, double share, string? tag) => new(type, Math.Round(confidence, 3), Math.Round(share, 4), tag);

        /// <summary>Hardly a value twice, and all of one form.</summary>
        public bool LooksLikeKey(out double share)
        {
            share = Share(value => value.Length <= 40 && !value.Contains(' ', StringComparison.Ordinal) && value.Any(char.IsDigit)).Values;
            return sample.Distinct >= 0.95 * sample.Filled && sample.Filled >= 2 && share >= NearlyAll;
        }

        /// <summary>A few words that fill nearly all rows. What mostly begins with a digit or says that there is no value are amounts and numbers, some of them written in words.</summary>
        public bool IsCategory(out double share)
        {
            const int MostWords = 30;
            share = 0;
            if (sample.Filled < 20 || sample.Values.Average(value => value.Length) > 40 || RowShare(value => char.IsLetter(value[0]) && !ReferenceWords.Missing.Contains(value.ToLowerInvariant())) < Most)
                return false;
            share = (double)sample.Rows.OrderDescending().Take(MostWords).Sum() / _rows;
            return share >= 0.8 && Math.Min(sample.Distinct, MostWords) * 5 <= sample.Filled;
        }
    }
}
