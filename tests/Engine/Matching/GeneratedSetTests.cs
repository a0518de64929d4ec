using Qualiz.Engine.Columns;
using Qualiz.Engine.Matching.Automatic;
using Qualiz.OperatorKit;

namespace Qualiz.Engine.Tests.Matching;

/// <summary>How well rows of several shapes are matched with nothing said; their truth is known because they are made, and no public set had a part in them.</summary>
public sealed class GeneratedSetTests
{
    // Floors lie some hundredths below what is reached.
    [Theory]
    [InlineData("people", 0.86)]
    [InlineData("people_few", 0.91)]
    [InlineData("sparse", 0.95)]
    [InlineData("sparse_more", 0.86)]
    [InlineData("sparse_wrong", 0.86)]
    [InlineData("sites", 0.92)]
    [InlineData("products", 0.67)]
    [InlineData("songs", 0.90)]
    [InlineData("songs_moved", 0.96)]
    [InlineData("drinks", 0.95)]
    [InlineData("drinks_moved", 0.96)]
    [InlineData("clean_links", 0.92)]
    public void Sets_of_many_shapes_are_matched_well(string name, double least)
    {
        var set = GeneratedSets.All.Single(entry => entry.Name == name).Make();
        F1(set, Match(set)).ShouldBeGreaterThan(least);
    }

    [Fact]
    public void People_of_one_household_and_songs_of_one_album_are_told_from_the_same()
    {
        foreach (var (name, shared, own) in ((string, string, string)[])[("people", "street", "birth_date"), ("songs", "album", "song")])
        {
            var matcher = Match(GeneratedSets.All.Single(entry => entry.Name == name).Make());
            var columns = matcher.Columns.Select(column => column.Name).ToList();
            var relation = matcher.Relations.ShouldHaveSingleItem();
            relation.Shares[columns.IndexOf(shared)].ShouldBeGreaterThan(0.7);
            relation.Shares[columns.IndexOf(own)].ShouldBeLessThan(0.3);
            matcher.Found().ShouldContain(line => line.Contains(shared, StringComparison.Ordinal) && line.EndsWith("without being the same", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("people")]
    [InlineData("sparse")]
    [InlineData("sites")]
    [InlineData("clean_links")]
    public void What_share_of_the_same_pairs_blocks_bring_together_is_told_about_right(string name)
    {
        var set = GeneratedSets.All.Single(entry => entry.Name == name).Make();
        var matcher = Match(set);
        // Of rows that are equal in all columns one stands for all.
        var first = new Dictionary<string, int>();
        var stands = set.Rows.Select((row, i) =>
        {
            var content = $"{set.Source[i]} {string.Join('|', row.Select(value => string.Concat((value ?? "").Where(char.IsLetterOrDigit))))}".ToUpperInvariant();
            return first.TryGetValue(content, out var known) ? known : first[content] = i;
        }).ToList();
        var brought = Enumerable.Range(0, matcher.Candidates.Count).Select(matcher.Pair).Select(pair => Ordered((stands[pair.A], stands[pair.B]))).ToHashSet();
        var truth = TruePairs(set).Select(pair => Ordered((stands[pair.A], stands[pair.B]))).Where(pair => pair.A != pair.B).Distinct().ToList();
        var complete = (double)truth.Count(brought.Contains) / truth.Count;
        matcher.Blocking.ShouldNotBeNull().Completeness.ShouldBe(complete, 0.04);
        matcher.Found().ShouldContain(line => line.StartsWith("blocks bring together about ", StringComparison.Ordinal));
    }

    // A large table may have so many pairs for each row, and most of the blocks that would bring others are too large in it.
    [Fact]
    public void People_of_one_household_are_told_apart_where_few_pairs_may_be_compared_too_and_nobody_is_where_there_are_none()
    {
        var set = GeneratedSets.People("people", 10_000, 7);
        var few = new AutoMatchOptions(2) { MostPairs = 15 * set.Rows.Count };
        var matcher = Match(set, few);
        matcher.Relations.ShouldHaveSingleItem();
        F1(set, matcher).ShouldBeGreaterThan(0.95);

        var alone = Enumerable.Range(0, set.Rows.Count).Where(i => !GeneratedPeople.LivesWithAnother(set.Thing[i])).ToList();
        var apart = set with { Rows = [.. alone.Select(i => set.Rows[i])], Source = new int[alone.Count], Thing = [.. alone.Select(i => set.Thing[i])] };
        matcher = Match(apart, few);
        matcher.Relations.ShouldBeEmpty();
        F1(apart, matcher).ShouldBeGreaterThan(0.95);
    }

    [Fact]
    public void With_relations_too_fields_add_up_to_the_score_and_neither_the_order_of_rows_nor_threads_matter()
    {
        var set = GeneratedSets.People("people", 1_500, 21);
        var matcher = Match(set);
        matcher.Relations.ShouldNotBeEmpty();
        var priors = new HashSet<double>();
        for (var i = 0; i < matcher.Candidates.Count; i++)
        {
            if (matcher.Scores[i] < -20)
                continue;
            var (prior, fields) = matcher.Explain(i);
            fields.Aggregate(prior, (sum, field) => sum + field.Weight).ShouldBe(matcher.Scores[i]);
            priors.Add(prior);
        }
        priors.Count.ShouldBeGreaterThan(1);
        var order = Enumerable.Range(0, set.Rows.Count).ToArray();
        new Random(5).Shuffle(order);
        var other = Match(set with { Rows = [.. order.Select(row => set.Rows[row])], Thing = [.. order.Select(row => set.Thing[row])] }, threads: 1);
        other.Threshold.ShouldBe(matcher.Threshold);
        var pairs = matcher.Matches(matcher.Threshold).Select(Ordered).ToHashSet();
        other.Matches(other.Threshold).Select(pair => Ordered((order[pair.A], order[pair.B]))).ShouldBe(pairs, ignoreOrder: true);
    }

    [Theory]
    [InlineData("songs_moved")]
    [InlineData("drinks_moved")]
    public void Where_values_stand_in_other_columns_all_words_count_and_fields_still_add_up_whatever_the_order(string name)
    {
        var set = GeneratedSets.All.Single(entry => entry.Name == name).Make();
        var matcher = Match(set);
        matcher.Found().ShouldContain(line => line.Contains("words of a row count", StringComparison.Ordinal));
        matcher.Fields[^1].ShouldBe(WholeView.Field);
        for (var i = 0; i < matcher.Candidates.Count; i += 7)
        {
            var (prior, fields) = matcher.Explain(i);
            fields.Count.ShouldBe(matcher.Fields.Count);
            fields.Aggregate(prior, (sum, field) => sum + field.Weight).ShouldBe(matcher.Scores[i]);
        }
        var order = Enumerable.Range(0, set.Rows.Count).ToArray();
        new Random(6).Shuffle(order);
        var other = Match(set with { Rows = [.. order.Select(row => set.Rows[row])], Source = [.. order.Select(row => set.Source[row])], Thing = [.. order.Select(row => set.Thing[row])] }, threads: 1);
        other.Threshold.ShouldBe(matcher.Threshold);
        other.Matches(other.Threshold).Select(pair => Ordered((order[pair.A], order[pair.B]))).ShouldBe(matcher.Matches(matcher.Threshold).Select(Ordered), ignoreOrder: true);
    }

    [Fact]
    public void Where_columns_are_in_order_they_alone_count()
    {
        foreach (var name in (string[])["songs", "drinks", "clean_links"])
        {
            var matcher = Match(GeneratedSets.All.Single(entry => entry.Name == name).Make());
            matcher.Fields.ShouldNotContain(WholeView.Field);
        }
        // A few rows say nothing about which of the two is better.
        var few = Match(new GeneratedSet("few", ["k", "n"], [["1", "Ann"], ["2", "Bob"], ["9", "Ann L."], ["1", "Cid"], ["2", "Dot"]], [0, 0, 0, 1, 1], [0, 1, 2, 3, 4]));
        few.Fields.ShouldNotContain(WholeView.Field);
        few.Matches(few.Threshold).ShouldBeEmpty();
    }

    private static AutoMatcher Match(GeneratedSet set, int threads = 2) => Match(set, new AutoMatchOptions(threads));

    private static AutoMatcher Match(GeneratedSet set, AutoMatchOptions options) => AutoMatcher.Run(CodedTable.Of(set.Columns, set.Rows), [.. set.Source], options, default);

    private static double F1(GeneratedSet set, AutoMatcher matcher)
    {
        var across = set.Source.Contains(1);
        var found = matcher.Matches(matcher.Threshold).ToList();
        var truth = set.Thing.Select((thing, row) => (thing, row)).GroupBy(entry => entry.thing)
            .Sum(rows => across ? rows.Count(entry => set.Source[entry.row] == 0) * rows.Count(entry => set.Source[entry.row] == 1) : rows.Count() * (rows.Count() - 1) / 2);
        return 2.0 * found.Count(pair => set.Thing[pair.A] == set.Thing[pair.B]) / (found.Count + truth);
    }

    private static IEnumerable<(int A, int B)> TruePairs(GeneratedSet set)
    {
        var across = set.Source.Contains(1);
        return set.Thing.Select((thing, row) => (thing, row)).GroupBy(entry => entry.thing, entry => entry.row)
            .SelectMany(rows => rows.SelectMany(a => rows.Where(b => a < b && (!across || set.Source[a] != set.Source[b])).Select(b => (a, b))));
    }

    private static (int A, int B) Ordered((int A, int B) pair) => pair.A < pair.B ? pair : (pair.B, pair.A);
}
