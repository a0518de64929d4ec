using System.Globalization;
using System.Text;

namespace Qualiz.OperatorKit;

/// <summary>
/// Records of people with the errors that people make: several records of one person with typing errors, swapped names, missing values, transposed digits, nicknames, new addresses, and households whose members share a
/// surname, an address and a telephone number. A record follows from the seed and its number alone, so nothing has to be kept; the same every time.
/// </summary>
public sealed class GeneratedPeople
{
    /// <summary>How often a field of a record is misspelt, empty, or no longer true.</summary>
    private const double Misspelt = 0.04;
    private const double Moved = 0.08;
    private const double OtherPhone = 0.08;
    private const double OtherMail = 0.12;
    private const double Nickname = 0.10;
    private const double SwappedNames = 0.02;
    private const double SwappedDay = 0.02;

    /// <summary>Of so many people one lives with the one before.</summary>
    private const int Household = 4;

    // By how many records a person has, the share of people: about 0.6 people a record.
    private static readonly double[] Shares = [0.62, 0.23, 0.09, 0.04, 0.02];

    private static readonly string[] Given =
    [
        "James", "Mary", "Robert", "Patricia", "John", "Jennifer", "Michael", "Linda", "David", "Elizabeth", "William", "Barbara", "Richard", "Susan", "Joseph", "Jessica", "Thomas", "Sarah", "Christopher", "Karen",
        "Charles", "Lisa", "Daniel", "Nancy", "Matthew", "Betty", "Anthony", "Sandra", "Mark", "Margaret", "Donald", "Ashley", "Steven", "Kimberly", "Andrew", "Emily", "Paul", "Donna", "Joshua", "Michelle", "Kenneth",
        "Carol", "Kevin", "Amanda", "Brian", "Melissa", "Timothy", "Deborah", "Ronald", "Stephanie", "Jason", "Rebecca", "George", "Sharon", "Edward", "Laura", "Jeffrey", "Cynthia", "Ryan", "Dorothy", "Jacob", "Amy",
        "Nicholas", "Kathleen", "Gary", "Angela", "Eric", "Shirley", "Jonathan", "Emma", "Stephen", "Brenda", "Larry", "Pamela", "Justin", "Nicole", "Scott", "Anna", "Brandon", "Samantha", "Benjamin", "Katherine",
        "Samuel", "Christine", "Gregory", "Debra", "Alexander", "Rachel", "Patrick", "Carolyn", "Frank", "Janet", "Raymond", "Maria", "Jack", "Olivia", "Dennis", "Heather", "Jerry", "Helen", "Tyler", "Catherine", "Aaron",
        "Diane", "José", "Julie", "Adam", "Victoria", "Nathan", "Joyce", "Henry", "Lauren", "Zachary", "Kelly", "Douglas", "Christina", "Peter", "Ruth", "Kyle", "Joan", "Noah", "Virginia", "Ethan", "Judith", "Jeremy",
        "Evelyn", "Christian", "Hannah", "Walter", "Andrea", "Keith", "Megan", "Austin", "Cheryl", "Roger", "Jacqueline", "Terry", "Madison", "Sean", "Teresa", "Gerald", "Abigail", "Carl", "Sophia", "Dylan", "Martha",
        "Harold", "Sara", "Jordan", "Gloria", "Jesse", "Janice", "Bryan", "Kathryn", "Lawrence", "Ann", "Arthur", "Isabella", "Gabriel", "Judy", "Bruce", "Charlotte", "Logan", "Julia", "Billy", "Grace", "Albert", "Zoë",
        "Willie", "Denise", "Juan", "Amber", "Mohammed", "Theresa", "Wei", "Beverly", "Ivan", "Danielle", "Søren", "Marilyn", "Jürgen", "Brittany", "Rahul", "Diana", "Hiroshi", "Natalie", "André", "Sofía",
    ];

    private static readonly Dictionary<string, string> Nicknames = (
        "James:Jim Robert:Bob John:Jack Michael:Mike William:Bill Richard:Rick Joseph:Joe Thomas:Tom Charles:Chuck Christopher:Chris Daniel:Dan Matthew:Matt Anthony:Tony Steven:Steve Andrew:Drew Kenneth:Ken Edward:Ted Patricia:Pat Jennifer:Jen Elizabeth:Liz "
        + "Barbara:Barb Susan:Sue Margaret:Peggy Deborah:Debbie Katherine:Kate Catherine:Cathy Rebecca:Becky Samantha:Sam Samuel:Sam Benjamin:Ben Alexander:Alex Nicholas:Nick Jonathan:Jon Gregory:Greg Timothy:Tim Victoria:Vicky Theresa:Terri Lawrence:Larry").Split(' ').Select(pair => pair.Split(':')).ToDictionary(pair => pair[0], pair => pair[1]);

    private static readonly string[] Surnames =
    [
        "Smith", "Johnson", "Williams", "Brown", "Jones", "Garcia", "Miller", "Davis", "Rodriguez", "Martinez", "Hernandez", "Lopez", "Gonzalez", "Wilson", "Anderson", "Thomas", "Taylor", "Moore", "Jackson", "Martin", "Lee",
        "Perez", "Thompson", "White", "Harris", "Sanchez", "Clark", "Ramirez", "Lewis", "Robinson", "Walker", "Young", "Allen", "King", "Wright", "Scott", "Torres", "Nguyen", "Hill", "Flores", "Green", "Adams", "Nelson",
        "Baker", "Hall", "Rivera", "Campbell", "Mitchell", "Carter", "Roberts", "O'Neill", "Müller", "Núñez", "van der Berg", "Øverland", "Kowalski", "Rossi", "Fernández", "Tanaka", "Singh", "Patel", "Kim", "Chen", "Ali",
    ];

    private static readonly string[] Syllables =
    [
        "al", "ber", "cor", "dan", "el", "fin", "gar", "hol", "in", "jor", "kel", "lam", "mor", "nor", "os", "pet", "quin", "ros", "ten", "tor", "ul", "ver", "wil", "ash", "bar", "car", "den", "far", "gre", "hal", "ken", "lan",
        "mar", "nes", "pen", "rad", "sha", "tra", "wes", "yar",
    ];

    private static readonly string[] NameEnds = ["son", "man", "ton", "ley", "field", "er", "berg", "ski", "ez", "ham", "well", "ford", "stein", "gard", "wood", "es"];
    private static readonly string[] TownEnds = ["ton", "ville", "burg", "field", "ford", "port", "haven", " Falls", " Springs", "dale", "mouth", "bury", "wick", " Heights"];
    private static readonly (string Long, string Short)[] Ways = [("Street", "St"), ("Avenue", "Ave"), ("Road", "Rd"), ("Lane", "Ln"), ("Drive", "Dr"), ("Court", "Ct"), ("Boulevard", "Blvd"), ("Place", "Pl")];
    private static readonly string[] Hosts = ["gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "example.org", "mail.example.net", "comcast.net", "proton.me"];

    private readonly int _seed;

    /// <summary>By record: its person, and which of this one's records it is.</summary>
    private readonly (int Person, byte Copy)[] _records;

    public GeneratedPeople(int records, int seed = 1)
    {
        _seed = seed;
        _records = new (int, byte)[records];
        var random = new Random(seed);
        for (var (at, person) = (0, 0); at < records; person++)
        {
            var share = random.NextDouble();
            byte copy = 0;
            do
            {
                _records[at++] = (person, copy);
                share -= Shares[copy++];
            }
            while (share > 0 && copy < Shares.Length && at < records);
        }
        random.Shuffle(_records);
    }

    public static IReadOnlyList<string> Columns { get; } = ["first_name", "last_name", "birth_date", "street", "city", "zip", "phone", "email"];

    public int Count => _records.Length;

    /// <summary>Who a record is about; records are counted from 0.</summary>
    public int PersonOf(int record) => _records[record].Person;

    /// <summary>A person who lives with the one before.</summary>
    public static bool LivesWithAnother(int person) => person % Household == 1;

    /// <summary>The record's values in the order of <see cref="Columns"/>; null is no value.</summary>
    public string?[] Record(int record)
    {
        var (person, copy) = _records[record];
        var values = Person(person);
        var random = new Random(HashCode(person, copy + 1));
        if (copy > 0)
        {
            // What has changed in that person's life, or how it was told.
            if (random.NextDouble() < Moved)
                Address(random).CopyTo(values.AsSpan(3));
            if (random.NextDouble() < OtherPhone)
                values[6] = Phone(random);
            if (random.NextDouble() < OtherMail)
                values[7] = Mail(values, random);
        }
        if (random.NextDouble() < Nickname)
            values[0] = Nicknames.GetValueOrDefault(values[0], values[0]);
        else if (random.NextDouble() < 0.02)
            values[0] = values[0][..1];
        if (random.NextDouble() < SwappedNames)
            (values[0], values[1]) = (values[1], values[0]);
        if (random.NextDouble() < SwappedDay && string.CompareOrdinal(values[2][8..], "12") <= 0)
            values[2] = $"{values[2][..4]}-{values[2][8..]}-{values[2][5..7]}";
        if (random.Next(3) == 0)
            values[3] = Ways.Aggregate(values[3], (street, way) => street.EndsWith(way.Long, StringComparison.Ordinal) ? street[..^way.Long.Length] + way.Short : street);
        values[6] = (random.Next(4), values[6]) switch
        {
            (0, var digits) => $"({digits[..3]}) {digits[3..6]}-{digits[6..]}",
            (1, var digits) => $"{digits[..3]}-{digits[3..6]}-{digits[6..]}",
            (2, var digits) => $"+1 {digits[..3]} {digits[3..6]} {digits[6..]}",
            (_, var digits) => digits,
        };
        if (random.Next(12) == 0)
            values[1] = values[1].ToUpperInvariant();
        double[] missing = [0.01, 0.01, 0.06, 0.04, 0.03, 0.05, 0.22, 0.30];
        var result = new string?[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i];
            while (random.NextDouble() < Misspelt)
                value = Typo(value, random);
            result[i] = random.NextDouble() < missing[i] || value.Length == 0 ? null : value;
        }
        return result;
    }

    /// <summary>All records as a CSV file with a header, in the order of their numbers.</summary>
    /// <param name="from">The first record, and <paramref name="to"/> the one behind the last.</param>
    public void WriteCsv(string path, int from, int to)
    {
        using var file = new StreamWriter(path, false, new UTF8Encoding(false), 1 << 20);
        file.Write(string.Join(',', Columns));
        file.Write('\n');
        for (var record = from; record < to; record++)
        {
            file.Write(string.Join(',', Record(record).Select(value => value is null ? "" : value.AsSpan().ContainsAny(',', '"') ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value)));
            file.Write('\n');
        }
    }

    private string[] Person(int person)
    {
        var random = new Random(HashCode(person, 0));
        var values = new string[Columns.Count];
        values[0] = Given[Often(random, Given.Length)];
        values[1] = Surname(random);
        values[2] = new DateOnly(1930, 1, 1).AddDays(random.Next(28_000)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        Address(random).CopyTo(values.AsSpan(3));
        values[6] = Phone(random);
        if (LivesWithAnother(person))
        {
            var other = Person(person - 1);
            foreach (var shared in (int[])[1, 3, 4, 5, 6])
                values[shared] = other[shared];
        }
        values[7] = Mail(values, random);
        return values;
    }

    private int HashCode(int person, int copy)
    {
        // SplitMix64's last steps: numbers that lie next to each other give seeds that do not.
        var mixed = ((ulong)(uint)_seed << 40) ^ ((ulong)(uint)person << 4) ^ (ulong)copy;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return (int)((mixed ^ (mixed >> 31)) & int.MaxValue);
    }

    /// <summary>The first of a list more often than the later ones, as with names.</summary>
    private static int Often(Random random, int count) => (int)(Math.Pow(count + 1, random.NextDouble()) - 1);

    /// <summary>About a third has one of the frequent names, the others have one of some ten thousand.</summary>
    private static string Surname(Random random)
    {
        if (random.Next(3) == 0)
            return Surnames[Often(random, Surnames.Length)];
        var name = Syllables[Often(random, Syllables.Length)] + Syllables[random.Next(Syllables.Length)] + NameEnds[random.Next(NameEnds.Length)];
        return char.ToUpperInvariant(name[0]) + name[1..];
    }

    private static string[] Address(Random random)
    {
        // A few large towns and many small ones; each with as many postcodes as it needs.
        var town = Often(random, 4_000);
        var name = Syllables[town % Syllables.Length] + (town % 3 == 0 ? "" : Syllables[town / 7 % Syllables.Length]) + TownEnds[town / 11 % TownEnds.Length];
        var street = random.Next(1, 4) == 1
            ? $"{random.Next(1, 120)}{(random.Next(2) == 0 ? "th" : "nd")}"
            : string.Concat(char.ToUpperInvariant(Syllables[random.Next(Syllables.Length)][0]), Syllables[random.Next(Syllables.Length)], NameEnds[random.Next(NameEnds.Length)]);
        var zip = 10_000 + (town * 20) + random.Next(1 + (400 / (town + 20)));
        var flat = random.Next(8) == 0 ? $" Apt {random.Next(1, 60)}" : "";
        return
        [
            string.Create(CultureInfo.InvariantCulture, $"{1 + (int)Math.Pow(random.NextDouble() * 90, 2)} {street} {Ways[random.Next(Ways.Length)].Long}{flat}"),
            char.ToUpperInvariant(name[0]) + name[1..],
            zip.ToString(CultureInfo.InvariantCulture),
        ];
    }

    private static string Phone(Random random) => string.Create(CultureInfo.InvariantCulture, $"{random.Next(201, 990)}{random.Next(200, 1000)}{random.Next(0, 10_000):0000}");

    private static string Mail(string[] values, Random random)
    {
        var (first, last) = (Ascii(values[0]), Ascii(values[1]));
        var name = random.Next(4) switch
        {
            0 => $"{first}.{last}",
            1 => $"{first[..1]}{last}{random.Next(100)}",
            2 => $"{first}{values[2][..4]}{random.Next(10)}",
            _ => $"{last}.{first}{random.Next(1000)}",
        };
        return $"{name}@{Hosts[Often(random, Hosts.Length)]}";

        static string Ascii(string name) => string.Concat(name.ToLowerInvariant().Where(char.IsAsciiLetter)) is { Length: > 0 } ascii ? ascii : "x";
    }

    private static string Typo(string value, Random random)
    {
        if (value.Length < 2)
            return value;
        var at = random.Next(value.Length - 1);
        var letter = char.IsAsciiDigit(value[at]) ? (char)('0' + random.Next(10)) : (char)('a' + random.Next(26));
        return random.Next(4) switch
        {
            0 => value.Remove(at, 1),
            1 => value.Insert(at, $"{letter}"),
            2 => $"{value[..at]}{value[at + 1]}{value[at]}{value[(at + 2)..]}",
            _ => $"{value[..at]}{letter}{value[(at + 1)..]}",
        };
    }
}
