using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Qualiz.Cli.Demo;

/// <summary>
/// Invented customers of two systems, with the errors of real life: several date formats in one column, words for "nothing",
/// impossible dates, wrong countries and addresses, stray spaces, the same person twice, torn lines, two encodings and two
/// decimal signs. Always the same, so that the demo's figures are too.
/// </summary>
internal static class DemoData
{
    public const int CrmRows = 12_410;
    public const int ShopRowsPerCountry = 3_040;

    private static readonly string[] First =
    [
        "Anna", "James", "Olav", "Mary", "Søren", "Ingrid", "John", "Patricia", "Lars", "Linda", "Åse", "Robert", "Jürgen", "Susan", "Bjørn", "Karen",
        "Siân", "Thomas", "Zoë", "Daniel", "Márta", "Paul", "Nuala", "Mark", "Kari", "George", "Elin", "Edward", "Helen", "Magnus", "Ruth", "Håkon",
    ];

    private static readonly string[] Last =
    [
        "Hansen", "Smith", "O'Brien", "Johansen", "Jones", "Müller", "Taylor", "Øverland", "Williams", "Berg", "Brown", "Nilsen", "Davies", "García",
        "Wilson", "Larsen", "Evans", "Dahl", "Thomas", "Bakke", "Johnson", "Strøm", "Roberts", "Moen", "Walker", "Ås", "Wright", "Lund", "Robinson", "Næss",
    ];

    private static readonly (string Country, string City, string Zip)[] Places =
    [
        ("US", "Portland", "97201"), ("US", "Boston", "02108"), ("US", "Austin", "73301"), ("US", "Denver", "80202"),
        ("GB", "Leeds", "LS1 4AP"), ("GB", "Bristol", "BS1 5TR"), ("GB", "Glasgow", "G1 1XQ"), ("GB", "London", "SW1A 2AA"),
        ("NO", "Oslo", "0150"), ("NO", "Bergen", "5003"), ("NO", "Tromsø", "9008"), ("NO", "Stavanger", "4006"),
    ];

    private static readonly string[] Nothing = ["N/A", "-", "?", "", "null", "n/a"];
    private static readonly string[] WrongCountries = ["UK", "Norge", "U.S.", "XX", "England", "?"];
    private static readonly string[] Columns =
        ["customer_id", "first_name", "last_name", "email", "phone", "birth_date", "country", "city", "zip", "balance", "status", "updated_at"];

    /// <summary>Writes the sources below <paramref name="folder"/>: one file of the CRM, one compressed file for each country of the shop.</summary>
    public static void Write(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "crm"));
        Directory.CreateDirectory(Path.Combine(folder, "shop"));
        var crm = new StringBuilder();
        WriteCrm(crm);
        Replace(Path.Combine(folder, "crm", "customers.csv"), file => file.Write(Encoding.UTF8.GetPreamble().Concat(Encoding.UTF8.GetBytes(crm.ToString())).ToArray()));
        foreach (var country in new[] { "US", "GB", "NO" })
        {
            var shop = new StringBuilder();
            WriteShop(shop, country);
            Replace(Path.Combine(folder, "shop", $"{country}.csv.gz"), file =>
            {
                using var zip = new GZipStream(file, CompressionLevel.Optimal);
                zip.Write(Encoding.Latin1.GetBytes(shop.ToString()));
            });
        }
    }

    private static void Replace(string path, Action<Stream> write)
    {
        using (var file = File.Create(path + ".new"))
        {
            write(file);
        }
        File.Move(path + ".new", path, overwrite: true);
    }

    private static void WriteCrm(StringBuilder text)
    {
        var dice = new Dice(20261120);
        text.Append(string.Join(',', Columns)).Append('\n');
        for (var number = 1; number <= CrmRows; number++)
        {
            var row = Customer(dice, $"C{number:000000}", Places[dice.Below(Places.Length)]);
            // The same customer was entered a second time, under the same number.
            if (dice.Once(600) && number > 1)
            {
                row[0] = $"C{number - 1:000000}";
            }
            row[9] = row[9].Length == 0 ? row[9] : dice.Once(40) ? "$" + row[9] : row[9];
            var line = string.Join(',', row.Select(value => Quote(value, ',')));
            // A line that was torn off. (Not within quotes: that would take half the file with it.)
            text.Append(dice.Once(1_500) && !line.Contains('"', StringComparison.Ordinal) ? line[..(line.Length / 2)] : line).Append('\n');
        }
    }

    private static void WriteShop(StringBuilder text, string country)
    {
        var dice = new Dice(country[0] * 7919 + country[1]);
        var places = Places.Where(place => place.Country == country).ToArray();
        text.Append(string.Join(';', Columns)).Append('\n');
        for (var number = 1; number <= ShopRowsPerCountry; number++)
        {
            var row = Customer(dice, $"S{country}{number:00000}", places[dice.Below(places.Length)]);
            row[9] = row[9].Replace('.', ',');
            text.Append(string.Join(';', row.Select(value => Quote(value, ';')))).Append('\n');
            if (dice.Once(900))
            {
                text.Append(string.Join(';', row.Select(value => Quote(value, ';'))) + ";one;too;many").Append('\n');
            }
        }
    }

    private static string[] Customer(Dice dice, string id, (string Country, string City, string Zip) place)
    {
        var first = First[dice.Below(First.Length)];
        var last = Last[dice.Below(Last.Length)];
        var born = new DateOnly(1938, 1, 1).AddDays(dice.Below(25_000));
        var updated = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(dice.Below(460_000));
        var balance = (dice.Below(2_000_000) - 50_000) / 100m;
        return
        [
            dice.Once(1_200) ? "" : id,
            dice.Once(25) ? $"  {first} " : first,
            dice.Once(30) ? last.ToUpperInvariant() : last,
            Email(dice, first, last),
            dice.Once(12) ? Nothing[dice.Below(Nothing.Length)] : $"+{dice.Below(90) + 1} {dice.Below(900_000) + 100_000}",
            BirthDate(dice, born),
            dice.Once(70) ? WrongCountries[dice.Below(WrongCountries.Length)] : dice.Once(50) ? place.Country.ToLowerInvariant() : place.Country,
            dice.Once(60) ? $"\u00a0{place.City}" : dice.Once(80) ? $"{place.City}\n(centre)" : place.City,
            dice.Once(45) ? Nothing[dice.Below(Nothing.Length)] : place.Zip,
            dice.Once(150) ? "unknown" : balance.ToString("0.00", CultureInfo.InvariantCulture),
            dice.Once(1_700) ? "test" : dice.Once(9) ? "inactive" : "active",
            updated.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        ];
    }

    private static string Email(Dice dice, string first, string last)
    {
        var name = $"{Ascii(first)}.{Ascii(last)}{dice.Below(9_000) + 1_000}";
        return dice.Below(120) switch
        {
            0 => $"{name}example.org",
            1 => $"{name}@example",
            2 => Nothing[dice.Below(Nothing.Length)],
            3 => $"{name}@example.org ",
            4 => $"{name}@@example.org".ToUpperInvariant(),
            _ => $"{name}@example.org",
        };
    }

    private static string BirthDate(Dice dice, DateOnly date) => dice.Below(40) switch
    {
        < 12 => date.ToString("dd.MM.yyyy", CultureInfo.InvariantCulture),
        12 => Nothing[dice.Below(Nothing.Length)],
        13 when dice.Once(5) => "31.02.1980",
        14 when dice.Once(5) => "1889-13-40",
        _ => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
    };

    private static string Ascii(string name) => string.Concat(name.ToLowerInvariant().Normalize(NormalizationForm.FormD)
        .Select(letter => letter switch { 'ø' => 'o', 'æ' => 'a', _ => letter })
        .Where(char.IsAsciiLetter));

    private static string Quote(string value, char separator) =>
        value.Contains(separator, StringComparison.Ordinal) || value.Contains('"', StringComparison.Ordinal) || value.Contains('\n', StringComparison.Ordinal)
            ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : value;

    /// <summary>SplitMix64: the same numbers on every machine and in every version of the framework.</summary>
    private sealed class Dice(ulong seed)
    {
        private ulong _state = seed;

        public Dice(int seed)
            : this((ulong)seed)
        {
        }

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
