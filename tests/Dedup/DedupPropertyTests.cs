using CsCheck;
using Qualiz.Engine.Matching;
using Qualiz.Engine.Sessions;

namespace Qualiz.Dedup.Tests;

/// <summary>What holds for any rows and any configuration.</summary>
public sealed class DedupPropertyTests
{
    private static readonly Gen<string?> Cell = Any<string?>(null, "", "a", "A ", "ab", "abc", "abcd", "john smith", "jon smith", "smith john", "ä", "1", "12", "x'y", "🦆");

    private static readonly Gen<(string?[][] Rows, string Keys, string Match)> Case = Gen.Select(
        Cell.Array[3].Array[0, 25],
        Any<string>("""[{"columns": ["a"]}]""", """[{"columns": ["a"]}, {"columns": ["b", "c"]}]""", """[{"columns": ["a"]}, {"columns": ["b"], "ignore": []}, {"columns": ["c"]}]"""),
        Any<string>(
            "null",
            """{"auto": true, "accept": 0.8, "review": 0.3}""",
            """{"auto": false, "accept": 0.6, "review": 0.2, "compare": [{"column": "a", "weight": 2}, {"column": "b", "by": "tokens", "weight": 3}, {"column": "c", "by": "levenshtein", "weight": 1}], "blocks": [{"column": "b", "by": "prefix", "length": 1}, {"column": "c", "by": "value"}], "maxBlock": 8}"""));

    [Fact]
    public async Task The_ledger_balances_and_every_row_is_a_member_of_one_entity()
    {
        using var bench = new DedupBench();
        await Case.SampleAsync(
            async sample =>
            {
                var input = await bench.Bench.InputAsync(Query(sample.Rows));
                var outcome = await bench.CompletedAsync($$"""{"entities": "set", "keys": {{sample.Keys}}, "match": {{sample.Match}}}""", null, input);
                var line = outcome.Ledger.ShouldHaveSingleItem();
                line.Balances.ShouldBeTrue();
                line.In.ShouldBe(sample.Rows.Length);
                outcome.Outputs["entities"].Rows.ShouldBe(line.Out);
                var members = (await bench.Bench.RowsAsync(outcome.Outputs["members"], "_row", "entity_id")).Select(row => row.Split('|')).ToList();
                members.Select(member => Number(member[0])).Order().ShouldBe(Enumerable.Range(1, sample.Rows.Length));
                var sizes = (await bench.Bench.RowsAsync(outcome.Outputs["entities"], "entity_id", "size")).Select(row => row.Split('|')).ToDictionary(row => row[0], row => Number(row[1]));
                members.GroupBy(member => member[1]).ToDictionary(group => group.Key, group => group.Count()).ShouldBe(sizes, ignoreOrder: true);

                // Rows with an equal first key are together.
                var of = members.ToDictionary(member => Number(member[0]), member => member[1]);
                foreach (var group in sample.Rows.Select((row, i) => (Key: row[0]?.Trim().ToLowerInvariant(), i)).Where(row => row.Key is { Length: > 0 }).GroupBy(row => row.Key))
                    group.Select(row => of[row.i + 1]).Distinct().Count().ShouldBe(1, group.Key);

                // A second run over the same rows changes nothing.
                var again = await bench.CompletedAsync($$"""{"entities": "set", "keys": {{sample.Keys}}, "match": {{sample.Match}}}""", outcome.State, input);
                again.Outputs["changes"].Rows.ShouldBe(0);
                (await bench.Bench.RowsAsync(again.Outputs["members"], "_row", "entity_id")).Order().ShouldBe(members.Select(member => $"{member[0]}|{member[1]}").Order());
            },
            iter: 25, threads: 1);
    }

    [Fact]
    public void Average_link_joins_only_what_is_alike_on_average_whatever_the_order() =>
        Gen.Select(Gen.Int[2, 9], Gen.Double[0, 1].Array[36], Gen.Int).Sample((count, values, seed) =>
        {
            var pairs = new List<LinkedPair>();
            for (var a = 0; a < count; a++)
            {
                for (var b = a + 1; b < count; b++)
                    pairs.Add(new LinkedPair(a, b, values[(a * (17 - a) / 2) + b - a - 1]));
            }
            var sizes = Enumerable.Range(0, count).ToDictionary(group => group, _ => 1L);
            var clusters = AverageLink.Join(sizes, pairs, 0.7);
            var random = new Random(seed);
            AverageLink.Join(sizes, pairs.OrderBy(_ => random.Next()), 0.7).ShouldBe(clusters, ignoreOrder: true);
            foreach (var cluster in clusters.GroupBy(entry => entry.Value.Group))
            {
                var members = cluster.Select(entry => entry.Key).ToList();
                members.Count.ShouldBeGreaterThan(1);
                cluster.Key.ShouldBe(members.Min());
                cluster.First().Value.Weakest.ShouldBeGreaterThanOrEqualTo(0.7);
            }
            // No two clusters could still be joined.
            var of = Enumerable.Range(0, count).ToDictionary(group => group, group => clusters.TryGetValue(group, out var cluster) ? cluster.Group : group);
            foreach (var between in pairs.Where(pair => of[pair.A] != of[pair.B]).GroupBy(pair => (Math.Min(of[pair.A], of[pair.B]), Math.Max(of[pair.A], of[pair.B]))))
                (between.Sum(pair => pair.Sum) / between.Count()).ShouldBeLessThan(0.7);
        }, iter: 300);

    private static string Query(string?[][] rows) => rows.Length == 0
        ? "SELECT NULL::VARCHAR AS a, NULL::VARCHAR AS b, NULL::VARCHAR AS c WHERE false"
        : $"SELECT a::VARCHAR AS a, b::VARCHAR AS b, c::VARCHAR AS c FROM (VALUES {string.Join(", ", rows.Select(row => $"({string.Join(", ", row.Select(Sql.Literal))})"))}) t(a, b, c)";

    private static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static Gen<T> Any<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
