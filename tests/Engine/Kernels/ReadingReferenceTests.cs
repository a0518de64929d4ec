using System.Globalization;
using System.Text.RegularExpressions;
using CsCheck;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests.Kernels;

/// <summary>Numbers, dates, title case and country codes as kernels read them, beside what .NET, ICU and DuckDB make of the same generated texts.</summary>
public sealed partial class ReadingReferenceTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();
    private readonly EngineSession _session;

    public ReadingReferenceTests() => _session = EngineSession.Open(new EngineOptions { MemoryBytes = 256L << 20, Threads = 1, Scratch = _scratch.Path });

    public void Dispose()
    {
        _session.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    [InlineData(".", null)]
    [InlineData(".", ",")]
    [InlineData(",", ".")]
    [InlineData(",", " ")]
    public void A_number_is_what_dotnet_makes_of_it(string point, string? group)
    {
        var format = Sql.Literal($$"""{"decimal":"{{point}}","thousands":{{(group is null ? "null" : $"\"{group}\"")}},"remove":[],"scale":4,"exponent":false}""");
        var separators = $"{point}{group}";
        var written = Gen.Select(Gen.Long[-9_999_999_999_999, 9_999_999_999_999], Gen.Int[0, 5], Gen.Bool, (units, decimals, grouped) =>
            (units / (decimal)Math.Pow(10, decimals)).ToString(grouped && group is not null ? $"N{decimals}" : $"F{decimals}",
                new NumberFormatInfo { NumberDecimalSeparator = point, NumberGroupSeparator = group ?? "", NumberGroupSizes = [3], NegativeSign = "-" }));
        var text = Gen.Frequency(
            (3, written),
            (3, Gen.Select(written, Gen.Int[0, 40], Gen.Char[$"0123456789+- {separators}"], (number, at, sign) => number.Insert(Math.Min(at, number.Length), sign.ToString()))),
            (2, Gen.Char[$"0019+-{separators}"].Array[0, 12].Select(signs => new string(signs))));
        text.Array[100].Sample(
            texts => Compare(
                texts, $"SELECT TRY_CAST(qz_number({format}, v) AS DECIMAL(38,4))", row => row.GetDecimal(0),
                value => ReadNumber(value.Trim(), point, group) is { } number && decimal.Round(number, 4) == number ? number : null),
            iter: 60, threads: 1);
    }

    [Fact]
    public void Words_are_taken_away_in_time_that_grows_with_the_text()
    {
        // Done one by one, each over the whole text, it would take minutes.
        var text = new string('x', 3_000_000) + "12";
        _session.Scalar<string>("""SELECT qz_number('{"decimal":".","thousands":null,"remove":["x","EUR"],"scale":2,"exponent":false}', ?)""", text).ShouldBe("12");
    }

    [Theory]
    [InlineData("yyyy-MM-dd", "yyyy-M-d", "")]
    [InlineData("yyyyMMdd", "yyyyMMdd", "")]
    [InlineData("dd.MM.yyyy", "d.M.yyyy", "")]
    [InlineData("dd/MM/yyyy HH:mm:ss", "d/M/yyyy H:m:s", "")]
    [InlineData("dd/MM/yyyy HH:mm tt", "d/M/yyyy H:m tt", "")]
    [InlineData("yyyy-MM-dd'T'HH:mm:ss.fff", "yyyy-M-d'T'H:m:s.fff", "")]
    [InlineData("d MMMM yyyy", "d MMMM yyyy", "")]
    [InlineData("d. MMMM yyyy", "d. MMMM yyyy", "de-DE")]
    [InlineData("d MMM yyyy", "d MMM yyyy", "fr-FR")]
    [InlineData("d. MMM yyyy", "d. MMM yyyy", "nb-NO")]
    [InlineData("d MMMM yyyy", "d MMMM yyyy", "pl-PL")]
    [InlineData("ddd d MMM yyyy", "ddd d MMM yyyy", "es-ES")]
    [InlineData("dddd, d MMMM yyyy", "dddd, d MMMM yyyy", "")]
    public void A_date_is_what_dotnet_makes_of_it(string format, string reference, string locale)
    {
        var culture = CultureInfo.GetCultureInfo(locale);
        var settings = Sql.Literal($$"""{"formats":["{{format}}"],"locale":{{(locale.Length == 0 ? "null" : $"\"{locale}\"")}}}""");
        // From year 1000 on: before, four digits say nothing to us.
        var moments = Gen.Select(Gen.Long[new DateTime(1000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks / TimeSpan.TicksPerMillisecond, new DateTime(9999, 12, 31, 0, 0, 0, DateTimeKind.Utc).Ticks / TimeSpan.TicksPerMillisecond], Gen.Bool,
            (milliseconds, full) => new DateTime(milliseconds * TimeSpan.TicksPerMillisecond, DateTimeKind.Utc).ToString(full ? format : reference, culture));
        var named = format.Contains("ddd", StringComparison.Ordinal);
        var text = Gen.Frequency(
            (3, moments),
            // Another day of the week than the date has is nothing to us: it is left out here.
            (named ? 0 : 3, Gen.Select(moments, Gen.Int[0, 30], Gen.Char["0123459"], Digit)),
            // An abbreviation without the dot of its language is one to us.
            (named || locale.Length > 0 ? 0 : 1, Gen.Select(moments, Gen.Int[0, 30], (moment, at) => moment.Remove(Math.Min(at, moment.Length - 1), 1))));
        text.Where(value => !format.Contains("fff", StringComparison.Ordinal) || value.Length - value.LastIndexOf('.') == 4).Array[100].Sample(
            texts => Compare(
                texts, $"SELECT qz_timestamp({settings}, v)", row => row.GetDateTime(0),
                value => DateTime.TryParseExact(value.Trim(), reference, culture, DateTimeStyles.None, out var moment) && moment.Year >= 1000 ? moment : null),
            iter: 30, threads: 1);
    }

    [Fact]
    public void A_year_of_two_digits_is_what_duckdb_makes_of_it()
    {
        var text = Gen.Select(Gen.Int[0, 33], Gen.Int[0, 13], Gen.Int[0, 99], (day, month, year) => string.Create(CultureInfo.InvariantCulture, $"{day:00}.{month:00}.{year:00}"));
        text.Array[200].Sample(
            texts =>
            {
                Fill(texts);
                _session.Scalar<long>("""SELECT count(*) FROM t WHERE qz_date('{"formats":["dd.MM.yy"],"locale":null}', v) IS DISTINCT FROM CAST(try_strptime(v, '%d.%m.%y') AS DATE)""").ShouldBe(0);
            },
            iter: 30, threads: 1);
    }

    [Fact]
    public void A_moment_with_a_zone_is_what_dotnet_makes_of_it()
    {
        var text = Gen.Select(Gen.Long[0, 4_000_000_000], Gen.Int[-56, 56], (seconds, quarters) =>
            DateTimeOffset.FromUnixTimeSeconds(seconds).ToOffset(TimeSpan.FromMinutes(quarters * 15)).ToString("yyyy-MM-dd HH:mm:sszzz", CultureInfo.InvariantCulture));
        text.Array[100].Sample(
            texts => Compare(
                texts, """SELECT qz_timestamp('{"formats":["yyyy-MM-dd HH:mm:sszzz"],"locale":null}', v)""", row => row.GetDateTime(0),
                value => DateTimeOffset.ParseExact(value, "yyyy-MM-dd HH:mm:sszzz", CultureInfo.InvariantCulture).UtcDateTime),
            iter: 30, threads: 1);
    }

    [Theory]
    [InlineData("2026-01-01 10:00:00+02", "2026-01-01 08:00:00")]
    [InlineData("2026-01-01 10:00:00-0230", "2026-01-01 12:30:00")]
    [InlineData("2026-01-01 10:00:00Z", "2026-01-01 10:00:00")]
    [InlineData("2026-01-01 10:00:00+02:", null)]
    [InlineData("2026-01-01 10:00:00+2", null)]
    public void A_zone_is_whole_or_none(string text, string? expected) =>
        _session.Scalar<string>("""SELECT CAST(qz_timestamp('{"formats":["yyyy-MM-dd HH:mm:sszzz"],"locale":null}', ?) AS VARCHAR)""", text).ShouldBe(expected);

    [Fact]
    public void Title_case_is_what_it_is_word_by_word()
    {
        var word = Gen.Frequency(
            (4, Gen.Char["abcXYZÉéßøŁñ'.9ıǆ"].Array[1, 8].Select(letters => new string(letters))),
            (1, Gen.Int[0, 4].Select(i => ((string[])["ﬁsh", "İZMİR", "ΟΔΟΣ", "o'neil", "𐐨x"])[i])));
        var gap = Gen.Int[0, 6].Select(i => ((string[])[" ", "-", "/", "\u00a0", "\u2013", "  ", "\t"])[i]);
        Gen.Select(word, gap, (letters, between) => letters + between).Array[1, 6].Select(parts => string.Concat(parts)).Array[60].Sample(
            texts => Compare(
                texts, """SELECT qz_text('[{"op":"title"}]', v)""", row => row.GetString(0),
                value => Words().Replace(value, match =>
                {
                    var first = char.IsSurrogatePair(match.Value, 0) ? 2 : 1;
                    return match.Value[..first].ToUpperInvariant() + match.Value[first..].ToLowerInvariant();
                })),
            iter: 30, threads: 1);
    }

    [Fact]
    public void Countries_are_those_of_the_locale_data()
    {
        var regions = CultureInfo.GetCultures(CultureTypes.SpecificCultures).Select(culture => new RegionInfo(culture.Name))
            // Not of ISO 3166-1: parts of the world (001), Kosovo, whose code is one that users assign themselves, and codes that are reserved only.
            .Where(region => region.TwoLetterISORegionName.Length == 2 && region.TwoLetterISORegionName.All(char.IsAsciiLetterUpper) && region.TwoLetterISORegionName is not ("XK" or "AC" or "CP" or "CQ" or "DG" or "EA" or "IC" or "TA"))
            .DistinctBy(region => region.TwoLetterISORegionName).ToList();
        regions.Count.ShouldBeGreaterThan(200);
        foreach (var region in regions)
        {
            Country("alpha3", region.TwoLetterISORegionName).ShouldBe(region.ThreeLetterISORegionName);
            Country("alpha2", region.ThreeLetterISORegionName.ToLowerInvariant()).ShouldBe(region.TwoLetterISORegionName);
            Country("alpha2", Country("numeric", region.TwoLetterISORegionName)!).ShouldBe(region.TwoLetterISORegionName);
            Country("alpha2", Country("name", region.TwoLetterISORegionName)!).ShouldBe(region.TwoLetterISORegionName);
        }
        string? Country(string form, string text) => _session.Scalar<string>("SELECT qz_country(?, ?)", form, text);
    }

    [Fact]
    public void An_address_taken_as_mail_is_one_to_dotnet_too()
    {
        var text = Gen.Select(Gen.Char["ab.-_+'1\"@ "].Array[1, 10], Gen.Char["ab.-1@"].Array[3, 10], (local, domain) => $"{new string(local)}@{new string(domain)}");
        text.Array[300].Sample(
            texts =>
            {
                Fill(texts);
                foreach (var taken in _session.Query("SELECT qz_email(v) FROM t WHERE qz_email(v) IS NOT NULL", row => row.GetString(0)))
                {
                    System.Net.Mail.MailAddress.TryCreate(taken, out var address).ShouldBeTrue(taken);
                    address!.Address.ShouldBe(taken);
                }
            },
            iter: 30, threads: 1);
    }

    [GeneratedRegex(@"[^\p{Pd}/\s]+")]
    private static partial Regex Words();

    /// <summary>Groups of three or none, then .NET's own reading.</summary>
    private static decimal? ReadNumber(string text, string point, string? group)
    {
        var whole = group is null ? @"\d*" : $@"(\d{{1,3}}({Regex.Escape(group)}\d{{3}})+|\d*)";
        return Regex.IsMatch(text, $@"^[+-]?{whole}({Regex.Escape(point)}\d*)?$") && text.Any(char.IsAsciiDigit)
            && decimal.TryParse((group is null ? text : text.Replace(group, "", StringComparison.Ordinal)).Replace(point, ".", StringComparison.Ordinal), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number : null;
    }

    private static string Digit(string text, int at, char digit)
    {
        var places = Enumerable.Range(0, text.Length).Where(i => char.IsAsciiDigit(text[i])).ToList();
        return places.Count == 0 ? text : text.Remove(places[at % places.Count], 1).Insert(places[at % places.Count], digit.ToString());
    }

    private void Compare<T>(string[] texts, string select, Func<System.Data.Common.DbDataReader, T> read, Func<string, T?> reference) where T : struct
    {
        Fill(texts);
        var answers = _session.Query($"{select} FROM t ORDER BY n", row => row.IsDBNull(0) ? (T?)null : read(row));
        for (var i = 0; i < texts.Length; i++)
            answers[i].ShouldBe(reference(texts[i]), $"\"{texts[i]}\"");
    }

    private void Compare(string[] texts, string select, Func<System.Data.Common.DbDataReader, string> read, Func<string, string?> reference)
    {
        Fill(texts);
        var answers = _session.Query($"{select} FROM t ORDER BY n", row => row.IsDBNull(0) ? null : read(row));
        for (var i = 0; i < texts.Length; i++)
            answers[i].ShouldBe(reference(texts[i]), $"\"{texts[i]}\"");
    }

    private void Fill(IEnumerable<string> texts) =>
        _session.Execute($"CREATE OR REPLACE TEMP TABLE t (n INTEGER, v VARCHAR); INSERT INTO t VALUES {string.Join(", ", texts.Select((text, i) => $"({i}, {Sql.Literal(text)})"))}");
}
