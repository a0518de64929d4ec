using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Qualiz.Cli.Demo;

/// <summary>
/// Invented customers of two systems, with the errors of real life: several date formats in one column, words for "nothing",
/// impossible dates, telephone numbers written in every way, wrong countries and addresses, stray spaces, the same person twice and in both systems, torn lines, two
/// encodings and two decimal signs. A row depends on its number alone, so the demo's figures are always the same, and any number of
/// rows is made without holding them.
/// </summary>
internal static class DemoData
{
    public const long CrmRows = 12_410;
    public const long ShopRowsPerCountry = 3_040;

    public static readonly string[] Countries = ["US", "GB", "NO"];

    public static readonly string[] Columns =
        ["customer_id", "first_name", "last_name", "email", "phone", "birth_date", "country", "city", "zip", "balance", "status", "updated_at"];

    private static readonly string[] First =
    [
        "Anna", "James", "Olav", "Mary", "Søren", "Ingrid", "John", "Patricia", "Lars", "Linda", "Åse", "Robert", "Jürgen", "Susan", "Bjørn", "Karen",
        "Siân", "Thomas", "Zoë", "Daniel", "Márta", "Paul", "Nuala", "Mark", "Kari", "George", "Elin", "Edward", "Helen", "Magnus", "Ruth", "Håkon",
        "Grace", "Oliver", "Sunniva", "Peter", "Emily", "Torstein", "Fiona", "Samuel", "Marit", "Henry", "Dolores", "Eirik", "Joan", "Victor", "Solveig", "Hugh",
    ];

    private static readonly string[] Stem =
    [
        "Hag", "Wood", "Sol", "Black", "Tor", "Green", "Ny", "White", "Øst", "Hart", "Lind", "Ash", "Berg", "Mill", "Kvam", "Stone", "Hol", "Brad", "Eik", "Win",
        "Strøm", "Clay", "Fager", "North", "Bjørk", "Rosen", "Ham", "Thorn", "Sand", "Wester", "Lang", "Moor", "Grøn", "Fair", "Sund", "Locke", "Vik", "Har", "Ås", "Pem",
    ];

    private static readonly string[] Tail =
        ["en", "land", "by", "man", "dal", "ley", "vik", "worth", "rud", "ford", "sen", "field", "stad", "ton", "heim", "well", "berg", "er", "bakken", "wick", "moen", "son", "nes", "ham", "lie"];

    // Area codes and the numbers below them that nobody has: 555-01xx in America, those that Ofcom keeps for films in Britain. Norway keeps none; these are of a block that is not given out.
    private static readonly Home[] Places =
    [
        new("US", "Portland", "97201", "503", "55501##"), new("US", "Boston", "02108", "617", "55501##"), new("US", "Austin", "73301", "512", "55501##"),
        new("US", "Denver", "80202", "303", "55501##"), new("US", "Seattle", "98101", "206", "55501##"), new("US", "Chicago", "60601", "312", "55501##"),
        new("GB", "Leeds", "LS1 4AP", "113", "4960###"), new("GB", "Bristol", "BS1 5TR", "117", "4960###"), new("GB", "Glasgow", "G1 1XQ", "141", "4960###"),
        new("GB", "London", "SW1A 2AA", "20", "79460###"),
        new("NO", "Oslo", "0150", "22", "000###"), new("NO", "Bergen", "5003", "55", "000###"), new("NO", "Tromsø", "9008", "77", "000###"), new("NO", "Stavanger", "4006", "51", "000###"),
    ];

    private static readonly string[] Nothing = ["N/A", "-", "?", "", "null", "n/a"];
    private static readonly string[] WrongCountries = ["UK", "Norge", "U.S.", "XX", "England", "?"];

    /// <summary>
    /// Rows of the CRM's table. In the first round they are all its customers; each later round holds some that have changed since, and a
    /// few new ones.
    /// </summary>
    public static IEnumerable<string[]> Crm(int round, long rows = CrmRows)
    {
        var (from, to) = round == 0 ? (1L, rows) : (rows + ((round - 1) * 40L) + 1, rows + (round * 40L));
        for (var number = from; number <= to; number++)
        {
            yield return CrmRow(number, round);
        }
        for (var changed = 0; round > 0 && changed < 600; changed++)
        {
            yield return CrmRow((((round * 7919L) + (changed * 17L)) % rows) + 1, round);
        }
    }

    /// <summary>Rows of the shop's file of one country; a third of its customers are known to the CRM, written somewhat differently.</summary>
    public static IEnumerable<string[]> Shop(string country, int round, long rows = ShopRowsPerCountry, long crmRows = CrmRows)
    {
        var count = round == 0 ? rows : Math.Max(1, rows / 10);
        for (var number = 1L; number <= count; number++)
        {
            var dice = new Dice((country[0] * 7919L) + country[1] + (number * 31) + (round * 1_000_003L));
            var known = dice.Below(3) == 0 && Known(dice, country, crmRows) is { } found ? found : (long?)null;
            var person = known ?? 100_000_000L + (number * 3) + Array.IndexOf(Countries, country) + (round * 10_000_000L);
            var row = Row(dice, Person.Of(person, known is null ? country : null), $"S{country}{(round * rows) + number:00000}", round, isCopy: known is not null);
            row[9] = row[9].Replace('.', ',');
            yield return row;
        }
    }

    /// <summary>Writes one file of each country for that day below <paramref name="folder"/>; compressed, with semicolons, the Norwegian one in Latin-1.</summary>
    public static void WriteShop(string folder, DateOnly day, int round, long rows = ShopRowsPerCountry, long crmRows = CrmRows)
    {
        foreach (var country in Countries)
        {
            var target = Path.Combine(folder, "shop", day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), country, $"customers-{round + 1:000}.csv.gz");
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using (var file = File.Create(target + ".new"))
            using (var zip = new GZipStream(file, CompressionLevel.Fastest))
            using (var text = new StreamWriter(zip, country == "NO" ? Encoding.Latin1 : new UTF8Encoding(false)) { NewLine = "\n" })
            {
                text.WriteLine(string.Join(';', Columns));
                var number = 0L;
                foreach (var row in Shop(country, round, rows, crmRows))
                {
                    var line = string.Join(';', row.Select(value => Quote(value, ';')));
                    text.WriteLine(line);
                    if (++number % 900 == 0)
                    {
                        text.WriteLine(line + ";one;too;many");
                    }
                }
            }
            File.Move(target + ".new", target, overwrite: true);
        }
    }

    /// <summary>The file of the CRM, as the small pipeline of the demo reads it.</summary>
    public static void WriteCrmFile(string folder)
    {
        var target = Path.Combine(folder, "crm", "customers.csv");
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        using (var text = new StreamWriter(target + ".new", append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true)) { NewLine = "\n" })
        {
            text.WriteLine(string.Join(',', Columns));
            var number = 0;
            foreach (var row in Crm(0))
            {
                var line = string.Join(',', row.Select(value => Quote(value, ',')));
                // A line that was torn off. (Not within quotes: that would take half the file with it.)
                text.WriteLine(++number % 1_500 == 0 && !line.Contains('"', StringComparison.Ordinal) ? line[..(line.Length / 2)] : line);
            }
        }
        File.Move(target + ".new", target, overwrite: true);
    }

    public static string Quote(string value, char separator) =>
        value.Contains(separator, StringComparison.Ordinal) || value.Contains('"', StringComparison.Ordinal) || value.Contains('\n', StringComparison.Ordinal)
            ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : value;

    private static string[] CrmRow(long number, int round)
    {
        var dice = new Dice((number * 2_654_435_761L) + round);
        var row = Row(dice, Person.Of(number, null), $"C{number:000000}", round, isCopy: false);
        row[9] = row[9].Length > 0 && dice.Once(40) ? "$" + row[9] : row[9];
        return row;
    }

    /// <summary>Somebody of the CRM who lives there.</summary>
    private static long? Known(Dice dice, string country, long crmRows)
    {
        for (var tries = 0; tries < 8; tries++)
        {
            var number = dice.Below((int)Math.Min(crmRows, int.MaxValue)) + 1L;
            if (Person.Of(number, null).Place.Country == country)
            {
                return number;
            }
        }
        return null;
    }

    /// <param name="isCopy">The same person in the other system: typed again, by somebody else.</param>
    private static string[] Row(Dice dice, Person person, string id, int round, bool isCopy)
    {
        var (first, last) = (person.First, person.Last);
        if (isCopy && dice.Once(4))
        {
            last = Mistyped(dice, last);
        }
        if (isCopy && dice.Once(5))
        {
            first = first[..1] + ".";
        }
        var updated = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddDays(round * 2).AddMinutes(round == 0 ? dice.Below(460_000) : 460_000 + dice.Below(2_000));
        return
        [
            dice.Once(1_200) ? "" : id,
            dice.Once(25) ? $"  {first} " : first,
            dice.Once(30) ? last.ToUpperInvariant() : last,
            Email(dice, person, isCopy),
            Phone(dice, person),
            BirthDate(dice, person.Born),
            dice.Once(120) ? WrongCountries[dice.Below(WrongCountries.Length)] : dice.Once(50) ? person.Place.Country.ToLowerInvariant() : person.Place.Country,
            dice.Once(60) ? $"\u00a0{person.Place.City}" : dice.Once(80) ? $"{person.Place.City}\n(centre)" : dice.Once(30) ? Nothing[dice.Below(Nothing.Length)] : person.Place.City,
            dice.Once(45) ? Nothing[dice.Below(Nothing.Length)] : person.Place.Zip,
            dice.Once(150) ? "unknown" : ((dice.Below(2_000_000) - 50_000) / 100m).ToString("0.00", CultureInfo.InvariantCulture),
            dice.Once(1_700) ? "test" : dice.Once(9) ? "inactive" : "active",
            updated.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        ];
    }

    private static string Email(Dice dice, Person person, bool isCopy)
    {
        var name = isCopy && dice.Once(5) ? $"{person.Mail}.privat" : person.Mail;
        return dice.Below(600) switch
        {
            0 => $"{name}example.org",
            1 => $"{name}@example",
            2 => Nothing[dice.Below(Nothing.Length)],
            3 => $"{name}@example.org ",
            4 => $"{name}@@example.org".ToUpperInvariant(),
            _ => $"{name}@example.org",
        };
    }

    /// <summary>One number in the ways that people write it; now and then half of it, or none.</summary>
    private static string Phone(Dice dice, Person person)
    {
        var (area, number) = (person.Place.Area, person.Number);
        var half = number.Length - 4;
        var (head, tail) = (number[..half], number[half..]);
        if (dice.Once(12))
        {
            return Nothing[dice.Below(Nothing.Length)];
        }
        if (dice.Once(70))
        {
            return dice.Once(2) ? $"{head}{tail[..2]}" : $"{area}-{head}-{tail} ext. {dice.Below(90) + 10} / evening {tail}";
        }
        return (person.Place.Country, dice.Below(6)) switch
        {
            ("US", 0) => $"+1 {area} {head} {tail}",
            ("US", 1) => $"+1{area}{number}",
            ("US", 2) => $"1-{area}-{head}-{tail}",
            ("US", 3) => $"{area}.{head}.{tail}",
            ("US", _) => $"({area}) {head}-{tail}",
            ("GB", 0) => $"+44 {area} {head} {tail}",
            ("GB", 1) => $"0044{area}{number}",
            ("GB", 2) => $"+44 (0){area} {head} {tail}",
            ("GB", 3) => $"(0{area}) {number}",
            ("GB", _) => $"0{area} {head} {tail}",
            (_, 0) => $"+47 {area} {number[..2]} {number[2..4]} {number[4..]}",
            (_, 1) => $"+47{area}{number}",
            (_, 2) => $"0047 {area}{number}",
            (_, 3) => $"{area}{number[..1]} {number[1..3]} {number[3..]}",
            _ => $"{area} {number[..2]} {number[2..4]} {number[4..]}",
        };
    }

    private static string BirthDate(Dice dice, DateOnly date) => dice.Below(40) switch
    {
        < 12 => date.ToString("dd.MM.yyyy", CultureInfo.InvariantCulture),
        12 => Nothing[dice.Below(Nothing.Length)],
        13 when dice.Once(16) => "31.02.1980",
        14 when dice.Once(16) => "1889-13-40",
        _ => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
    };

    /// <summary>A letter left out, or two exchanged.</summary>
    private static string Mistyped(Dice dice, string text)
    {
        var at = 1 + dice.Below(text.Length - 2);
        return dice.Once(2) ? text.Remove(at, 1) : $"{text[..at]}{text[at + 1]}{text[at]}{text[(at + 2)..]}";
    }

    private static string Ascii(string name) => string.Concat(name.ToLowerInvariant().Normalize(NormalizationForm.FormD)
        .Select(letter => letter switch { 'ø' => 'o', 'æ' => 'a', _ => letter })
        .Where(char.IsAsciiLetter));

    /// <summary>Who it is, before anybody typed it in.</summary>
    /// <param name="Number">Behind the area code.</param>
    private sealed record Person(string First, string Last, string Mail, string Number, DateOnly Born, Home Place)
    {
        /// <param name="country">Where they live; null: anywhere.</param>
        public static Person Of(long number, string? country)
        {
            var dice = new Dice(number * 6_364_136_223_846_793_005L);
            var first = DemoData.First[dice.Below(DemoData.First.Length)];
            var last = Stem[dice.Below(Stem.Length)] + Tail[dice.Below(Tail.Length)];
            var places = country is null ? Places : [.. Places.Where(candidate => candidate.Country == country)];
            var place = places[dice.Below(places.Length)];
            return new Person(
                first,
                last,
                $"{Ascii(first)}.{Ascii(last)}{dice.Below(900) + 100}",
                string.Concat(place.Numbers.Select(sign => sign == '#' ? (char)('0' + dice.Below(10)) : sign)),
                new DateOnly(1938, 1, 1).AddDays(dice.Below(25_000)),
                place);
        }
    }

    /// <param name="Area">The code before the telephone numbers there, without the zero of calls within the country.</param>
    /// <param name="Numbers">The numbers; any digit for a #.</param>
    private sealed record Home(string Country, string City, string Zip, string Area, string Numbers);

    /// <summary>SplitMix64: the same numbers on every machine and in every version of the framework.</summary>
    private sealed class Dice(long seed)
    {
        private ulong _state = unchecked((ulong)seed);

        public int Below(int limit)
        {
            _state += 0x9E3779B97F4A7C15;
            var mixed = _state;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            return (int)((mixed ^ (mixed >> 31)) % (ulong)limit);
        }

        /// <summary>True about once in <paramref name="times"/>.</summary>
        public bool Once(int times) => Below(times) == 0;
    }
}
