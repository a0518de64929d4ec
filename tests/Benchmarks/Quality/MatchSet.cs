using System.Text;
using System.Text.RegularExpressions;
using Qualiz.OperatorKit;

namespace Qualiz.Benchmarks.Quality;

/// <summary>Rows as a matcher may see them: no ids, no keys, in an order that says nothing.</summary>
/// <param name="Columns">The names of the columns.</param>
/// <param name="Rows">Values by row; an empty text is no value.</param>
internal sealed record MatchTable(IReadOnlyList<string> Columns, IReadOnlyList<string[]> Rows);

/// <summary>Rows, and which of them are the same thing. Rows are counted through all tables.</summary>
/// <param name="Truth">Pairs of rows that are the same, the smaller number first.</param>
/// <param name="Labelled">Where only some pairs were looked at: those; else null, and every other pair is a different thing.</param>
internal sealed record MatchSet(string Name, IReadOnlyList<MatchTable> Tables, IReadOnlySet<(int A, int B)> Truth, IReadOnlySet<(int A, int B)>? Labelled = null)
{
    public int Rows => Tables.Sum(table => table.Rows.Count);

    public static (int A, int B) Ordered((int A, int B) pair) => pair.A < pair.B ? pair : (pair.B, pair.A);

    /// <summary>Pairwise precision, recall and F1, as the data's README defines them: of two tables only pairs across them count.</summary>
    public (double Precision, double Recall, double F1) Score(IEnumerable<(int A, int B)> found)
    {
        var border = Tables.Count > 1 ? Tables[0].Rows.Count : int.MaxValue;
        var pairs = found.Select(Ordered).Where(pair => (border == int.MaxValue || pair.A < border && pair.B >= border) && (Labelled?.Contains(pair) ?? true)).ToHashSet();
        var right = (double)pairs.Count(Truth.Contains);
        var (precision, recall) = (pairs.Count == 0 ? 0 : right / pairs.Count, right / Truth.Count);
        return (precision, recall, right == 0 ? 0 : 2 * precision * recall / (precision + recall));
    }
}

/// <summary>The public sets of the shared data folder, each read, stripped of what identifies its rows, and shuffled.</summary>
internal static partial class MatchSets
{
    /// <summary>By name: what gives the set, and the F1 it has to reach (null: an extra look, without a target).</summary>
    public static IReadOnlyDictionary<string, (Func<string, MatchSet> Read, double? Target)> All { get; } = new Dictionary<string, (Func<string, MatchSet>, double?)>
    {
        ["fodors_zagats"] = (FodorsZagats, 0.98),
        ["dblp_acm"] = (DblpAcm, 0.985),
        ["febrl3"] = (data => Febrl(data, 3), 0.999),
        ["fake_1000"] = (Fake1000, 0.95),
        ["early_childhood"] = (EarlyChildhood, 0.80),
        ["imdb_tmdb"] = (ImdbTmdb, 0.90),
        ["oaei_restaurants"] = (OaeiRestaurants, 0.87),
        ["cddb"] = (Cddb, 0.80),
        ["febrl1"] = (data => Febrl(data, 1), null),
        ["febrl2"] = (data => Febrl(data, 2), null),
        ["beer"] = (data => Labelled("beer", data, "b_beer_pairs", "train.txt", "valid.txt", "test.txt"), null),
        ["itunes"] = (data => Labelled("itunes", data, "b_itunes_amazon_pairs", "structured_train.txt", "structured_valid.txt", "structured_test.txt"), null),
        ["itunes_dirty"] = (data => Labelled("itunes_dirty", data, "b_itunes_amazon_pairs", "dirty_train.txt", "dirty_valid.txt", "dirty_test.txt"), null),
    };

    /// <summary>The sets that are made, with truth of their own: matching is developed on these.</summary>
    public static IReadOnlyDictionary<string, Func<MatchSet>> Generated { get; } = GeneratedSets.All.ToDictionary(set => set.Name, set => (Func<MatchSet>)(() => Of(set.Make())));

    private static MatchSet Of(GeneratedSet set)
    {
        var tables = Enumerable.Range(0, set.Source.Max() + 1).Select(source => new MatchTable(set.Columns, [.. set.Rows.Where((_, i) => set.Source[i] == source).Select(row => row.Select(value => value ?? "").ToArray())])).ToList();
        var pairs = set.Thing.Select((thing, i) => (thing, i)).GroupBy(entry => entry.thing).SelectMany(group => from x in @group from y in @group where x.i < y.i && (tables.Count == 1 || set.Source[x.i] != set.Source[y.i]) select (x.i, y.i));
        return new MatchSet(set.Name, tables, pairs.ToHashSet());
    }

    private sealed record Source(IReadOnlyList<string> Header, List<string[]> Rows)
    {
        public int At(string column) => Header.ToList().IndexOf(column);
    }

    private static Source Read(string data, string path, char delimiter = ',', char quote = '"', char? escape = null, Encoding? encoding = null)
    {
        var (header, rows) = DelimitedText.Read(Path.Combine(data, path), delimiter, quote, escape, encoding);
        return new Source(header, rows);
    }

    private static MatchSet FodorsZagats(string data)
    {
        var fodors = Read(data, "b_fodors_zagats/fodors.csv", quote: '\'', escape: '\\');
        var zagats = Read(data, "b_fodors_zagats/zagats.csv", quote: '\'', escape: '\\');
        var truth = Read(data, "b_fodors_zagats/matches_fodors_zagats.csv").Rows.Select(row => (row[0], row[1]));
        return Linked("fodors_zagats", fodors, "id", zagats, "id", truth, "class");
    }

    private static MatchSet DblpAcm(string data)
    {
        var dblp = Read(data, "b_dblp_acm/DBLP2.csv", encoding: Encoding.Latin1);
        var acm = Read(data, "b_dblp_acm/ACM.csv");
        return Linked("dblp_acm", dblp, "id", acm, "id", Read(data, "b_dblp_acm/DBLP-ACM_perfectMapping.csv").Rows.Select(row => (row[0], row[1])));
    }

    private static MatchSet ImdbTmdb(string data) => Linked(
        "imdb_tmdb", Read(data, "b_imdb_tmdb/imdb.csv", '|'), "id", Read(data, "b_imdb_tmdb/tmdb.csv", '|'), "id", Read(data, "b_imdb_tmdb/gt.csv", '|').Rows.Select(row => (row[0], row[1])));

    private static MatchSet OaeiRestaurants(string data) => Linked(
        "oaei_restaurants", Read(data, "b_oaei_restaurants/rest1.csv", '|'), "id", Read(data, "b_oaei_restaurants/rest2.csv", '|'), "id", Read(data, "b_oaei_restaurants/gt.csv", '|').Rows.Select(row => (row[0], row[1])));

    private static MatchSet Febrl(string data, int number)
    {
        var rows = Read(data, $"b_febrl/dataset{number}.csv");
        return Clustered($"febrl{number}", rows, row => Person().Match(row[rows.At("rec_id")]).Groups[1].Value, "rec_id");
    }

    private static MatchSet Fake1000(string data)
    {
        var rows = Read(data, "b_splink_fake_1000/fake_1000.csv");
        return Clustered("fake_1000", rows, row => row[rows.At("cluster")], "unique_id", "cluster");
    }

    private static MatchSet EarlyChildhood(string data)
    {
        var rows = Read(data, "b_early_childhood/csv_example_input_with_true_ids.csv");
        return Clustered("early_childhood", rows, row => row[rows.At("True Id")], "True Id", "Id");
    }

    private static MatchSet Cddb(string data)
    {
        var rows = Read(data, "b_cddb/cddb.csv");
        var (table, order) = Shuffled(rows, "id");
        var at = Numbers(rows, "id", order, 0);
        return new MatchSet("cddb", [table], Read(data, "b_cddb/gt.csv").Rows.Select(row => Pair(at[row[0]], at[row[1]])).ToHashSet());
    }

    /// <summary>Pairs with labels, as the deep-matching literature has them: the rows are the distinct sides of the pairs.</summary>
    private static MatchSet Labelled(string name, string data, string folder, params string[] files)
    {
        var sides = new[] { new Dictionary<string, int>(), [] };
        var header = new List<string>();
        var labels = new List<(int Left, int Right, bool Same)>();
        foreach (var line in files.SelectMany(file => File.ReadLines(Path.Combine(data, folder, file))))
        {
            var parts = line.Split('\t');
            if (parts.Length < 3)
                continue;
            var numbers = sides.Select((side, i) => side.TryGetValue(parts[i].Trim(), out var known) ? known : side[parts[i].Trim()] = side.Count).ToArray();
            labels.Add((numbers[0], numbers[1], parts[2].Trim() == "1"));
        }
        var sources = sides.Select((side, i) =>
        {
            var rows = side.Keys.Select(text => Column().Matches(text).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value.Trim())).ToList();
            var names = rows.SelectMany(row => row.Keys).Distinct().ToList();
            return new Source([.. names, "#"], [.. rows.Select((row, n) => names.Select(column => row.GetValueOrDefault(column, "")).Append($"{n}").ToArray())]);
        }).ToList();
        var linked = Linked(name, sources[0], "#", sources[1], "#", labels.Where(label => label.Same).Select(label => ($"{label.Left}", $"{label.Right}")));
        var known = Linked(name, sources[0], "#", sources[1], "#", labels.Select(label => ($"{label.Left}", $"{label.Right}"))).Truth;
        return linked with { Labelled = known };
    }

    private static MatchSet Linked(string name, Source left, string leftId, Source right, string rightId, IEnumerable<(string Left, string Right)> truth, params string[] hidden)
    {
        var (first, firstOrder) = Shuffled(left, [leftId, .. hidden]);
        var (second, secondOrder) = Shuffled(right, [rightId, .. hidden]);
        var a = Numbers(left, leftId, firstOrder, 0);
        var b = Numbers(right, rightId, secondOrder, first.Rows.Count);
        return new MatchSet(name, [first, second], truth.Select(pair => Pair(a[pair.Left], b[pair.Right])).ToHashSet());
    }

    private static MatchSet Clustered(string name, Source rows, Func<string[], string> thing, params string[] hidden)
    {
        var (table, order) = Shuffled(rows, hidden);
        var things = order.Select(row => thing(rows.Rows[row])).ToList();
        var truth = things.Select((key, i) => (key, i)).GroupBy(entry => entry.key).SelectMany(group => from x in @group from y in @group where x.i < y.i select (x.i, y.i));
        return new MatchSet(name, [table], truth.ToHashSet());
    }

    private static (MatchTable Table, int[] Order) Shuffled(Source source, params string[] hidden)
    {
        var order = Enumerable.Range(0, source.Rows.Count).ToArray();
        new Random(20260101).Shuffle(order);
        var kept = Enumerable.Range(0, source.Header.Count).Where(i => !hidden.Contains(source.Header[i])).ToList();
        return (new MatchTable([.. kept.Select(i => source.Header[i])], [.. order.Select(row => kept.Select(i => i < source.Rows[row].Length ? source.Rows[row][i] : "").ToArray())]), order);
    }

    private static Dictionary<string, int> Numbers(Source source, string id, int[] order, int first)
    {
        var at = source.At(id);
        return order.Select((row, i) => (source.Rows[row][at].Trim(), first + i)).ToDictionary();
    }

    private static (int, int) Pair(int a, int b) => a < b ? (a, b) : (b, a);

    [GeneratedRegex("rec-([0-9]+)-")]
    private static partial Regex Person();

    [GeneratedRegex("COL (.+?) VAL (.*?)(?= COL |$)")]
    private static partial Regex Column();
}
