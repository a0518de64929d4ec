using System.Globalization;

namespace Qualiz.OperatorKit;

/// <summary>Rows whose truth is known because they were made.</summary>
/// <param name="Source">By row: its source, from 0 on.</param>
/// <param name="Thing">By row: what it is about.</param>
public sealed record GeneratedSet(string Name, IReadOnlyList<string> Columns, IReadOnlyList<string?[]> Rows, IReadOnlyList<int> Source, IReadOnlyList<int> Thing);

/// <summary>
/// Tables of several shapes to develop matching on without looking at any public truth: people with households, sparse people in large clusters, sites of companies, and two sources of products, songs
/// (of albums that share all but a title) and drinks, with their values in place or in other columns. The same every time.
/// </summary>
public static class GeneratedSets
{
    private static readonly string[] Syllables =
    [
        "ba", "cor", "da", "el", "fi", "gar", "ho", "in", "jo", "kel", "la", "mor", "na", "os", "pe", "qui", "ro", "ten", "tu", "ul", "ve", "wil", "ash", "bri", "car", "den", "fa", "gre", "ha", "ken", "lu", "mi", "nes", "pra", "sha", "tra", "wes", "yar", "zo", "sti",
    ];

    public static IReadOnlyList<(string Name, Func<GeneratedSet> Make)> All { get; } =
    [
        ("people", () => People("people", 4_000, 3)),
        ("people_few", () => FewTwice(4)),
        ("sparse", () => Sparse("sparse", 300, 0.2, 8, 5)),
        ("sparse_more", () => Sparse("sparse_more", 500, 0.35, 3, 6)),
        ("sparse_wrong", () => Sparse("sparse_wrong", 400, 0.25, 6, 14, wrong: 0.3)),
        ("sites", () => Sites(900, 7)),
        ("products", () => Products(8)),
        ("songs", () => Songs("songs", 0, 9)),
        ("songs_moved", () => Songs("songs_moved", 0.5, 10)),
        ("drinks", () => Drinks("drinks", 0, 11)),
        ("drinks_moved", () => Drinks("drinks_moved", 0.4, 12)),
        ("clean_links", () => CleanLinks(13)),
    ];

    public static GeneratedSet People(string name, int count, int seed)
    {
        var people = new GeneratedPeople(count, seed);
        return new GeneratedSet(name, GeneratedPeople.Columns, [.. Enumerable.Range(0, count).Select(people.Record)], new int[count], [.. Enumerable.Range(0, count).Select(people.PersonOf)]);
    }

    /// <summary>One row in fifty has another one beside it.</summary>
    private static GeneratedSet FewTwice(int seed)
    {
        var all = People("people_few", 9_000, seed);
        var seen = new Dictionary<int, int>();
        var kept = Enumerable.Range(0, all.Rows.Count).Where(i =>
        {
            seen[all.Thing[i]] = seen.GetValueOrDefault(all.Thing[i]) + 1;
            return seen[all.Thing[i]] == 1 || (seen[all.Thing[i]] == 2 && all.Thing[i] % 11 == 0);
        }).ToList();
        return new GeneratedSet(all.Name, all.Columns, [.. kept.Select(i => all.Rows[i])], new int[kept.Count], [.. kept.Select(i => all.Thing[i])]);
    }

    /// <summary>People of few columns, of which many cells are empty or wrong, in clusters of up to a given size.</summary>
    private static GeneratedSet Sparse(string name, int people, double bad, int most, int seed, double wrong = 0)
    {
        var random = new Random(seed);
        var (rows, things) = (new List<string?[]>(), new List<int>());
        var towns = Words(random, 60, 3);
        var (given, family) = (Words(random, 150, 2), Words(random, 400, 3));
        for (var person = 0; person < people; person++)
        {
            string[] whole =
            [
                given[Often(random, given.Length)], family[Often(random, family.Length)], string.Create(CultureInfo.InvariantCulture, $"{random.Next(1950, 2010)}-{random.Next(1, 13):00}-{random.Next(1, 29):00}"),
                towns[Often(random, towns.Length)], "",
            ];
            whole[4] = $"{whole[0]}.{whole[1]}@{Syllables[random.Next(8)]}.com";
            for (var copies = random.Next(1, most + 1); copies > 0; copies--)
            {
                var row = whole.Select(value => (string?)value).ToArray();
                var worse = bad * 2 * random.NextDouble();
                for (var c = 0; c < row.Length; c++)
                {
                    if (random.NextDouble() >= worse)
                        continue;
                    if (wrong > 0 && rows.Count > 0 && random.NextDouble() < wrong)
                        row[c] = rows[random.Next(rows.Count)][c];
                    else
                        row[c] = random.Next(5) < 2 ? null : Typo(Typo(row[c]!, random), random);
                }
                if (random.Next(12) == 0)
                    (row[0], row[1]) = (row[1], row[0]);
                rows.Add(row);
                things.Add(person);
            }
        }
        return Shuffled(name, ["first_name", "surname", "dob", "city", "email"], rows, null, things, random);
    }

    /// <summary>Sites of organisations from several lists: a site comes up to five times, an organisation has several sites under one name, and half of the columns are mostly empty.</summary>
    private static GeneratedSet Sites(int sites, int seed)
    {
        var random = new Random(seed);
        var (rows, things) = (new List<string?[]>(), new List<int>());
        var (words, streets) = (Words(random, 300, 2), Words(random, 500, 2));
        string[] kinds = ["center", "school", "program", "day care", "early learning", "academy"];
        var name = "";
        for (var site = 0; site < sites; site++)
        {
            if (site == 0 || random.Next(5) > 0)
                name = $"{words[Often(random, words.Length)]} {words[random.Next(words.Length)]} {kinds[random.Next(kinds.Length)]}";
            var street = $"{random.Next(1, 9000)} {(random.Next(2) == 0 ? "N" : "S")} {streets[random.Next(streets.Length)]} {(random.Next(2) == 0 ? "St" : "Ave")}";
            var (zip, phone) = ($"{60600 + random.Next(60)}", $"{random.Next(200, 900)}{random.Next(1_000_000, 9_999_999)}");
            for (var copies = 1 + (int)(random.NextDouble() * random.NextDouble() * 6); copies > 0; copies--)
            {
                var row = new string?[12];
                (row[0], row[1], row[2], row[3]) = (name, street, zip, phone);
                if (random.Next(4) == 0)
                    row[0] = string.Join(' ', name.Split(' ').Where(_ => random.Next(4) > 0)) is { Length: > 0 } less ? less : name;
                if (random.Next(4) == 0)
                    row[1] = street.Replace(" St", " Street", StringComparison.Ordinal).Replace(" Ave", " Avenue", StringComparison.Ordinal);
                if (random.Next(8) == 0)
                    row[3] = $"{random.Next(200, 900)}{random.Next(1_000_000, 9_999_999)}";
                for (var c = 0; c < 4; c++)
                {
                    if (random.Next(10) == 0)
                        row[c] = Typo(row[c]!, random);
                    if (c > 0 && random.Next(6) == 0)
                        row[c] = null;
                }
                for (var c = 4; c < row.Length; c++)
                    row[c] = random.Next(c) > 1 ? null : c < 8 ? $"{random.Next(0, 40)}" : words[Often(random, 12)];
                rows.Add(row);
                things.Add(site);
            }
        }
        return Shuffled("sites", ["site_name", "address", "zip", "phone", .. Enumerable.Range(0, 8).Select(c => $"extra{c}")], rows, null, things, random);
    }

    /// <summary>Two shops: titles in other words, of several variants of a thing one or two.</summary>
    private static GeneratedSet Products(int seed)
    {
        var random = new Random(seed);
        var (rows, sources, things) = (new List<string?[]>(), new List<int>(), new List<int>());
        var (brands, words) = (Words(random, 40, 2), Words(random, 400, 2));
        for (var (line, thing) = (0, 0); line < 500; line++)
        {
            var brand = brands[Often(random, brands.Length)];
            var title = Enumerable.Range(0, random.Next(3, 7)).Select(_ => words[Often(random, words.Length)]).ToList();
            var letters = $"{(char)('a' + random.Next(26))}{(char)('a' + random.Next(26))}";
            for (var variants = random.Next(1, 4); variants > 0; variants--, thing++)
            {
                var (model, price) = ($"{letters}{random.Next(100, 999)}", 10 + (random.NextDouble() * 500));
                for (var source = 0; source < 2; source++)
                {
                    if (random.Next(5) < (source == 0 ? 2 : 1))
                        continue;
                    var said = title.Where(_ => random.Next(6) > 0).ToList();
                    if (random.Next(3) > 0)
                        said.Insert(source == 0 ? 0 : said.Count, model);
                    if (source == 1)
                        said.Insert(0, brand);
                    if (random.Next(3) == 0)
                        said.Add(words[random.Next(words.Length)]);
                    rows.Add(
                    [
                        string.Join(' ', said), random.Next(3) == 0 ? null : brand, random.Next(6) == 0 ? null : (price * (0.9 + (random.NextDouble() * 0.2))).ToString("0.00", CultureInfo.InvariantCulture),
                        source == 0 || random.Next(2) == 0 ? null : string.Join(' ', title.Concat(Enumerable.Range(0, 10).Select(_ => words[Often(random, words.Length)]))),
                    ]);
                    sources.Add(source);
                    things.Add(thing);
                }
            }
        }
        return Shuffled("products", ["title", "manufacturer", "price", "description"], rows, sources, things, random);
    }

    /// <summary>Two shops of songs: those of an album share all but title and length.</summary>
    private static GeneratedSet Songs(string name, double moved, int seed)
    {
        var random = new Random(seed);
        var (rows, sources, things) = (new List<string?[]>(), new List<int>(), new List<int>());
        var (words, people) = (Words(random, 500, 2), Words(random, 200, 2));
        string[] genres = ["Pop", "Rock", "Country", "Hip-Hop/Rap", "Dance", "R&B/Soul"];
        for (var (album, thing) = (0, 0); album < 60; album++)
        {
            var artist = $"{people[Often(random, people.Length)]} {people[random.Next(people.Length)]}";
            var title = string.Join(' ', Enumerable.Range(0, random.Next(1, 4)).Select(_ => words[random.Next(words.Length)]));
            var (genre, year, label, day) = (genres[random.Next(genres.Length)], random.Next(1990, 2016), words[Often(random, 30)], new DateOnly(2000, 1, 1).AddDays(random.Next(5_000)));
            var (both, once) = (random.Next(3) > 0, random.Next(2));
            for (var track = random.Next(3, 12); track > 0; track--, thing++)
            {
                var song = string.Join(' ', Enumerable.Range(0, random.Next(1, 5)).Select(_ => words[random.Next(words.Length)]));
                var seconds = random.Next(150, 330);
                for (var source = 0; source < 2; source++)
                {
                    if ((!both && source != once) || random.Next(5) == 0)
                        continue;
                    var length = seconds + random.Next(-1, 2);
                    string?[] row = source == 0
                        ? [song, artist, title, $"{genre},Music", "$ 1.29", $"℗ {year} {label} Records", $"{length / 60}:{length % 60:00}", day.ToString("d-MMM-yy", CultureInfo.InvariantCulture)]
                        : [random.Next(3) == 0 ? $"{song} [Explicit]" : song, artist, random.Next(3) == 0 ? $"{title} (Deluxe Version)" : title, genre, "$ 1.29", $"(C) {year} {label}", $"{length / 60}:{length % 60:00}", day.ToString("MMMM d, yyyy", CultureInfo.InvariantCulture)];
                    rows.Add(Moved(row, moved, random));
                    sources.Add(source);
                    things.Add(thing);
                }
            }
        }
        return Shuffled(name, ["song", "artist", "album", "genre", "price", "copyright", "time", "released"], rows, sources, things, random);
    }

    /// <summary>Two lists of drinks: many of one maker, with few words each.</summary>
    private static GeneratedSet Drinks(string name, double moved, int seed)
    {
        var random = new Random(seed);
        var (rows, sources, things) = (new List<string?[]>(), new List<int>(), new List<int>());
        var words = Words(random, 300, 2);
        string[] styles = ["American Amber / Red Ale", "American IPA", "Russian Imperial Stout", "Irish Red Ale", "Witbier", "American Pale Ale"];
        var others = styles.Select(style => $"{style.Split('/')[0].Trim()}{(random.Next(2) == 0 ? " Style" : "")}").ToArray();
        for (var thing = 0; thing < 450; thing++)
        {
            var style = random.Next(styles.Length);
            var maker = $"{words[thing * 7 % 80]} {words[thing * 7 % 80 * 3 % 300]} Brewing Company";
            var drink = $"{(random.Next(3) == 0 ? maker.Split(' ')[0] + " " : "")}{words[random.Next(words.Length)]}{(random.Next(2) == 0 ? " " + words[random.Next(words.Length)] : "")} {styles[style].Split(' ')[^1]}";
            var strength = 3 + (random.NextDouble() * 8);
            var where = random.Next(6);
            for (var source = 0; source < 2; source++)
            {
                if (where > 0 && source != where % 2)
                    continue;
                var strong = strength.ToString("0.0", CultureInfo.InvariantCulture);
                string?[] row = source == 0
                    ? [drink, maker, styles[style], random.Next(8) == 0 ? "-" : $"{strong}0%"]
                    : [random.Next(3) == 0 ? drink.Replace(" Ale", "", StringComparison.Ordinal) : drink, random.Next(3) == 0 ? maker.Replace(" Company", "", StringComparison.Ordinal) : maker, others[style], random.Next(8) == 0 ? null : $"{strong}%"];
                rows.Add(Moved(row, moved, random));
                sources.Add(source);
                things.Add(thing);
            }
        }
        return Shuffled(name, ["name", "maker", "style", "strength"], rows, sources, things, random);
    }

    /// <summary>Two clean lists of people of which a part is in both.</summary>
    private static GeneratedSet CleanLinks(int seed)
    {
        var all = People("clean_links", 6_000, seed);
        var groups = Enumerable.Range(0, all.Rows.Count).GroupBy(i => all.Thing[i]).ToList();
        var kept = groups.SelectMany(group => group.Take(2).Select((row, copy) => (row, source: copy == 1 ? 1 : group.Count() == 1 ? group.Key % 2 : 0))).ToList();
        return Shuffled(all.Name, all.Columns, [.. kept.Select(entry => all.Rows[entry.row])], [.. kept.Select(entry => entry.source)], [.. kept.Select(entry => all.Thing[entry.row])], new Random(seed));
    }

    /// <summary>Values that stand at the end of another column, and not in their own.</summary>
    private static string?[] Moved(string?[] row, double share, Random random)
    {
        for (var c = 1; c < row.Length; c++)
        {
            if (random.NextDouble() >= share)
                continue;
            row[0] = $"{row[0]} {row[c]}";
            row[c] = null;
        }
        return row;
    }

    private static GeneratedSet Shuffled(string name, IReadOnlyList<string> columns, List<string?[]> rows, List<int>? sources, List<int> things, Random random)
    {
        var order = Enumerable.Range(0, rows.Count).ToArray();
        random.Shuffle(order);
        order = [.. order.OrderBy(row => sources?[row] ?? 0)];
        return new GeneratedSet(name, columns, [.. order.Select(row => rows[row])], [.. order.Select(row => sources?[row] ?? 0)], [.. order.Select(row => things[row])]);
    }

    private static string[] Words(Random random, int count, int syllables) =>
        [.. Enumerable.Range(0, count).Select(_ => string.Concat(Enumerable.Range(0, syllables + random.Next(2)).Select(_ => Syllables[random.Next(Syllables.Length)])))];

    /// <summary>The first of a list more often than the later ones, as with names.</summary>
    private static int Often(Random random, int count) => (int)(Math.Pow(count + 1, random.NextDouble()) - 1);

    private static string Typo(string value, Random random)
    {
        if (value.Length < 2)
            return value;
        var at = random.Next(value.Length - 1);
        var letter = char.IsAsciiDigit(value[at]) ? (char)('0' + random.Next(10)) : (char)('a' + random.Next(26));
        return random.Next(3) switch
        {
            0 => value.Remove(at, 1),
            1 => $"{value[..at]}{value[at + 1]}{value[at]}{value[(at + 2)..]}",
            _ => $"{value[..at]}{letter}{value[(at + 1)..]}",
        };
    }
}
