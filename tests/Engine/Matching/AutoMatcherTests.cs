using Qualiz.Engine.Columns;
using Qualiz.Engine.Matching.Automatic;

namespace Qualiz.Engine.Tests.Matching;

/// <summary>Matching with nothing said, on generated rows.</summary>
public sealed class AutoMatcherTests
{
    private static readonly string[] First = ["anna", "bernd", "carla", "dieter", "elena", "frank", "greta", "hannes", "ines", "jakob", "katrin", "lukas", "marta", "niklas", "olga", "peter", "quentin", "rosa", "stefan", "tanja"];
    private static readonly string[] Last = ["abel", "brandt", "conrad", "dorn", "engel", "fuchs", "graf", "hahn", "iser", "jung", "keller", "lorenz", "maurer", "neumann", "ott", "pohl", "quast", "ritter", "seidel", "thoma", "ulrich", "vogt", "weber", "zander"];
    private static readonly string[] City = ["berlin", "hamburg", "koeln", "bonn", "dresden"];
    private static readonly string[] Names = ["name", "born", "phone", "city"];

    /// <summary>People, of whom the first ones come twice: with a typing error, without a phone number, or moved.</summary>
    private static List<(int Person, string?[] Values)> People(int count, int twice, int seed)
    {
        var random = new Random(seed);
        var rows = new List<(int, string?[])>();
        for (var person = 0; person < count; person++)
        {
            string?[] values =
            [
                $"{First[random.Next(First.Length)]} {Last[random.Next(Last.Length)]}", $"{random.Next(1940, 2005)}-{random.Next(1, 13):00}-{random.Next(1, 29):00}",
                $"0{random.Next(100, 999)} {random.Next(100_000, 999_999)}", City[random.Next(City.Length)],
            ];
            rows.Add((person, values));
            if (person >= twice)
                continue;
            var again = values.ToArray();
            switch (person % 3)
            {
                case 0:
                    var at = random.Next(1, 4);
                    again[0] = again[0]!.Remove(at, 1);
                    break;
                case 1:
                    again[2] = null;
                    break;
                default:
                    again[3] = City[random.Next(City.Length)];
                    break;
            }
            rows.Add((person, again));
        }
        return rows;
    }

    private static AutoMatcher Match(List<(int Person, string?[] Values)> rows, int[]? source = null, int threads = 2, string[]? names = null) =>
        AutoMatcher.Run(CodedTable.Of(names ?? Names, rows.Select(row => row.Values)), source ?? new int[rows.Count], new AutoMatchOptions(threads), default);

    private static HashSet<string> Found(AutoMatcher matcher, List<(int Person, string?[] Values)> rows) =>
        [.. matcher.Matches(matcher.Threshold).Select(pair => string.Join(" = ", new[] { string.Join('|', rows[pair.A].Values), string.Join('|', rows[pair.B].Values) }.Order(StringComparer.Ordinal)))];

    private static (double Precision, double Recall) Score(AutoMatcher matcher, List<(int Person, string?[] Values)> rows, int twice)
    {
        var found = matcher.Matches(matcher.Threshold).ToList();
        double right = found.Count(pair => rows[pair.A].Person == rows[pair.B].Person);
        return (right / found.Count, right / twice);
    }

    [Fact]
    public void People_that_come_twice_are_found()
    {
        var rows = People(600, 150, 1);
        var (precision, recall) = Score(Match(rows), rows, 150);
        precision.ShouldBeGreaterThan(0.95);
        recall.ShouldBeGreaterThan(0.95);
    }

    [Fact]
    public void Neither_the_order_of_rows_nor_threads_change_what_is_found()
    {
        var rows = People(400, 100, 2);
        var once = Match(rows);
        var shuffled = rows.OrderBy(row => string.Join('|', row.Values.Reverse()), StringComparer.Ordinal).ToList();
        var again = Match(shuffled, threads: 1);
        again.Threshold.ShouldBe(once.Threshold);
        Found(again, shuffled).ShouldBe(Found(once, rows), ignoreOrder: true);
    }

    [Fact]
    public void Two_sources_without_duplicates_are_linked_one_to_one_even_under_other_column_names()
    {
        var people = People(500, 200, 3);
        var seen = new HashSet<int>();
        var rows = people.Select(row => (row, Source: seen.Add(row.Person) ? 0 : 1)).Where(entry => entry.Source == 1 || entry.row.Person < 300).OrderBy(entry => entry.Source).ToList();
        // The second source calls the phone number otherwise.
        var source = rows.Select(entry => entry.Source).ToArray();
        string[] names = ["name", "born", "city", "phone", "phone_number"];
        var table = CodedTable.Of(names, rows.Select(entry => (string?[])
        [
            entry.row.Values[0], entry.row.Values[1], entry.row.Values[3], entry.Source == 0 ? entry.row.Values[2] : null, entry.Source == 1 ? entry.row.Values[2] : null,
        ]));
        var matcher = AutoMatcher.Run(table, source, new AutoMatchOptions(2), default);
        matcher.Form.ShouldBe(MatchForm.OneToOne);
        matcher.Columns.Count.ShouldBe(4);
        var found = matcher.Matches(matcher.Threshold).ToList();
        found.Select(pair => pair.A).ShouldBeUnique();
        found.Select(pair => pair.B).ShouldBeUnique();
        double right = found.Count(pair => rows[pair.A].row.Person == rows[pair.B].row.Person);
        (right / found.Count).ShouldBeGreaterThan(0.95);
        (right / 200).ShouldBeGreaterThan(0.95);
    }

    [Fact]
    public void A_source_with_duplicates_lets_them_share_a_partner()
    {
        var people = People(400, 200, 4);
        // One source has each person once, the other has it twice.
        var clean = people.GroupBy(row => row.Person).Select(person => person.First()).ToList();
        var all = clean.Concat(people.Where(row => row.Person < 200)).ToList();
        var matcher = Match(all, [.. Enumerable.Repeat(0, clean.Count), .. Enumerable.Repeat(1, all.Count - clean.Count)]);
        matcher.Form.ShouldBe(MatchForm.ManyToOne);
        matcher.Matches(matcher.Threshold).GroupBy(pair => pair.A).Count(row => row.Count() > 1).ShouldBeGreaterThan(150);
    }

    [Fact]
    public void The_weights_of_the_fields_add_up_to_the_score()
    {
        var matcher = Match(People(300, 100, 5));
        for (var i = 0; i < matcher.Candidates.Count; i++)
        {
            var (prior, fields) = matcher.Explain(i);
            ((float)fields.Aggregate(prior, (sum, field) => sum + field.Weight)).ShouldBe(matcher.Scores[i]);
            fields.Where(field => field.Level < 0).ShouldAllBe(field => field.Weight == 0);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Few_rows_are_no_trouble(int count)
    {
        var rows = People(count, 0, 6);
        Match(rows).Matches(0).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(5, 3)]
    [InlineData(8, 8)]
    [InlineData(12, 6)]
    [InlineData(20, 10)]
    [InlineData(40, 20)]
    public void A_handful_of_rows_with_several_columns_is_matched(int count, int twice)
    {
        var (right, found) = (0, 0);
        for (var seed = 1; seed <= 10; seed++)
        {
            var rows = People(count, twice, seed);
            var matcher = Match(rows);
            var pairs = matcher.Matches(matcher.Threshold).ToList();
            found += pairs.Count;
            right += pairs.Count(pair => rows[pair.A].Person == rows[pair.B].Person);
        }
        (right / (10.0 * twice)).ShouldBeGreaterThan(0.9);
        ((double)right / found).ShouldBeGreaterThan(0.95);
    }

    [Theory]
    [InlineData("name", "born", "town")]
    [InlineData("name", "born")]
    [InlineData("name", "born", "town", "mail")]
    public void Rows_too_few_to_learn_from_are_matched_by_what_is_usual(params string[] names)
    {
        string[] all = ["name", "born", "town", "mail"];
        string[] lines =
        [
            "Ada Lovelace|1815-12-10|London|ada@x.org", "Ada Lovelase|1815-12-10|London|", "Charles Babbage|1791-12-26|London|cb@y.org", "Grace Hopper|1906-12-09|New York|", "Grace Hoper|1906-12-09|New York City|grace@navy.mil",
            "Alan Turing|1912-06-23|London|alan@b.uk", "Katherine Johnson|1918-08-26|Hampton|kj@nasa.gov", "Edsger Dijkstra|1930-05-11|Rotterdam|",
        ];
        var rows = lines.Select((line, i) => (i, line.Split('|').Where((_, c) => names.Contains(all[c])).Select(cell => cell.Length == 0 ? null : cell).ToArray())).ToList();
        var matcher = Match(rows, names: names);
        matcher.Matches(matcher.Threshold).Select(pair => (Math.Min(pair.A, pair.B), Math.Max(pair.A, pair.B))).Order().ShouldBe([(0, 1), (3, 4)]);
    }

    [Fact]
    public void Few_different_rows_stay_apart()
    {
        string[] lines = ["Ada Lovelace|1815-12-10|London", "Charles Babbage|1791-12-26|London", "Grace Hopper|1906-12-09|New York", "Alan Turing|1912-06-23|London", "Ada Byron|1788-01-22|London", "Grace Murray|1902-03-09|New York"];
        var rows = lines.Select((line, i) => (i, line.Split('|').ToArray<string?>())).ToList();
        var matcher = Match(rows, names: ["name", "born", "town"]);
        matcher.Matches(matcher.Threshold).ShouldBeEmpty();
    }

    [Fact]
    public void A_large_block_is_parted_by_other_columns()
    {
        // One value for nearly all: comparing by it would be comparing everything with everything.
        var rows = People(900, 0, 7).Select(row => (row.Person, (string?[])[row.Values[0], row.Values[1], row.Values[2], row.Person % 450 == 0 ? "elsewhere" : "here"])).ToList();
        var matcher = Match(rows);
        matcher.Candidates.Count.ShouldBeLessThan(900 * 899 / 4);
        var report = matcher.Candidates.Reports.Single(report => report.Column == "city" && report.By == "value");
        report.Pairs.ShouldBeInRange(1, 10_000);
        // Of 898 rows some pairs have something else in common too; the two others are a block of their own.
        report.Dropped.ShouldBe((898 * 897 / 2) + 1 - report.Pairs);
        matcher.Dropped.ShouldBeGreaterThanOrEqualTo(report.Dropped);
        matcher.Candidates.IsLimited.ShouldBeFalse();
    }

    [Fact]
    public void Of_equal_rows_one_is_compared_with_others()
    {
        string[] names = ["a", "b"];
        var table = CodedTable.Of(names, Enumerable.Range(0, 900).Select(i => (string?[])[i % 450 == 0 ? "elsewhere" : "here", $"{i % 3}"]));
        var matcher = AutoMatcher.Run(table, new int[900], new AutoMatchOptions(2), default);
        // There are four different rows; each other one is paired with the first that is equal to it.
        matcher.Candidates.Count.ShouldBeInRange(896, 896 + 6);
    }

    [Fact]
    public void No_more_pairs_are_compared_than_there_may_be()
    {
        var rows = People(3000, 300, 9);
        var table = CodedTable.Of(Names, rows.Select(row => row.Values));
        var all = AutoMatcher.Run(table, new int[rows.Count], new AutoMatchOptions(2), default);
        var few = AutoMatcher.Run(table, new int[rows.Count], new AutoMatchOptions(2) { MostPairs = 20_000 }, default);
        all.Candidates.Count.ShouldBeGreaterThan(40_000);
        few.Candidates.Count.ShouldBeLessThanOrEqualTo(20_000);
        few.Candidates.IsLimited.ShouldBeTrue();
        few.Dropped.ShouldBeGreaterThan(all.Dropped);
        var (precision, recall) = Score(few, rows, 300);
        precision.ShouldBeGreaterThan(0.95);
        recall.ShouldBeGreaterThan(0.9);
    }

    [Fact]
    public void Groups_are_joined_by_the_average_of_all_their_pairs()
    {
        // A chain: neighbours are alike, ends are not.
        static float Chain(int i, int j) => Math.Abs(i - j) == 1 ? 5 : -12;
        WeightClusters.AverageLink(4, Chain).ShouldBe([0, 0, 2, 2]);
        WeightClusters.AverageLink(3, (_, _) => 1).ShouldBe([0, 0, 0]);
        WeightClusters.AverageLink(2, (_, _) => -1).ShouldBe([0, 1]);
    }

    [Fact]
    public void The_threshold_lies_in_the_valley_between_two_hills()
    {
        var random = new Random(8);
        float Around(double middle, double spread) => (float)(middle + (spread * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5)));
        var scores = Enumerable.Range(0, 2000).Select(_ => Around(-4, 8)).Concat(Enumerable.Range(0, 300).Select(_ => Around(22, 6))).ToList();
        ScoreThreshold.Valley(scores, ScoreThreshold.Even).ShouldBeInRange(7, 14);
        ScoreThreshold.Valley([], ScoreThreshold.Sure).ShouldBe(ScoreThreshold.Sure);
        // Where it goes down no more than a little before the next hill, there is no valley to go to.
        var flat = Enumerable.Range(0, 400).Select(_ => Around(-10, 4)).Concat(Enumerable.Range(0, 800).Select(i => i / 40f)).Concat(Enumerable.Range(0, 300).Select(_ => Around(16, 4))).ToList();
        ScoreThreshold.Valley(flat, ScoreThreshold.Even).ShouldBeInRange(-2, 0);
    }

    [Fact]
    public void Of_too_many_pairs_to_keep_the_likely_ones_are_kept()
    {
        var rows = People(2_000, 300, 12);
        var table = CodedTable.Of(Names, rows.Select(row => row.Values));
        using var scratch = new ScratchFolder();
        var all = AutoMatcher.Run(table, new int[rows.Count], new AutoMatchOptions(2), default);
        var few = AutoMatcher.Run(table, new int[rows.Count], new AutoMatchOptions(2) { MostKept = 3_000, Scratch = scratch.Path }, default);
        all.Candidates.Count.ShouldBeGreaterThan(10_000);
        few.Candidates.Compared.ShouldBe(all.Candidates.Count);
        few.Candidates.Count.ShouldBeLessThanOrEqualTo(3_000);
        few.Candidates.IsLetGo.ShouldBeTrue();
        var (precision, recall) = Score(few, rows, 300);
        precision.ShouldBeGreaterThan(0.95);
        recall.ShouldBeGreaterThan(0.95);
    }

    [Fact]
    public void Numbers_of_several_threads_come_sorted_and_once_from_memory_and_from_disk()
    {
        using var scratch = new ScratchFolder();
        foreach (var held in (long[])[0, 5_000, 1_000_000])
        {
            using var runs = new PairRuns(scratch.Path, held);
            Parallel.For(0, 7, part =>
            {
                var writer = runs.Open();
                for (var i = 0; i < 20_000; i++)
                    writer.Add((ulong)((i * 7_919L) + (part * 31)) % 50_000);
                writer.End();
            });
            runs.Count.ShouldBe(140_000);
            var merged = runs.Merged().ToList();
            merged.ShouldBe([.. merged.Distinct().Order()]);
            merged.ShouldBe(Enumerable.Range(0, 7).SelectMany(part => Enumerable.Range(0, 20_000).Select(i => (ulong)((i * 7_919L) + (part * 31)) % 50_000)).Distinct().Order());
        }
        Directory.EnumerateFiles(scratch.Path).ShouldBeEmpty();
    }
}
