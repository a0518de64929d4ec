using System.Text.Json;
using System.Text.RegularExpressions;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Matching;
using Qualiz.Engine.Sessions;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Dedup.Tests;

public sealed class DedupOperatorTests : IDisposable
{
    private const string People = """
        SELECT * FROM (VALUES
          ('Ada Lovelace', 'ada@x.org', '1815-12-10', 'London', 1),
          ('Ada Lovelase', 'ADA@x.org ', '1815-12-10', 'London', 3),
          ('Charles Babbage', 'cb@y.org', '1791-12-26', 'London', 2),
          ('Grace Hopper', NULL, '1906-12-09', 'New York', 1),
          ('Grace Hoper', 'grace@navy.mil', '1906-12-09', 'New York City', 2),
          ('Alan Turing', 'alan@b.uk', '1912-06-23', 'London', 1)) t(name, email, born, city, updated)
        """;

    private readonly DedupBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Rows_with_an_equal_key_are_one_entity()
    {
        var people = await _bench.Bench.InputAsync(People, "people");
        var outcome = await _bench.CompletedAsync("""{"keys": [{"columns": ["email"]}], "survivorship": [{"columns": "*", "keep": "mostRecent", "by": "updated"}]}""", null, people);
        (await _bench.EntitiesAsync(outcome)).ShouldBe("1,2 | 3 | 4 | 5 | 6");
        (await _bench.Bench.RowsAsync(outcome.Outputs["entities"], "name", "email", "size", "sources", "confidence", "state", "_source", "_row")).Order().ShouldContain("Ada Lovelase|ADA@x.org |2|[people]|1.0|auto|people@1|1");
        var line = outcome.Ledger.ShouldHaveSingleItem();
        (line.In, line.Out, line.Merged, line.Balances).ShouldBe((6, 5, 1, true));
        line.Reasons.ShouldHaveSingleItem().ShouldBe(new("merged", "sameEntity", 1));
        (await _bench.Bench.RowsAsync(outcome.Outputs["members"], "row", "source", "score", "linked_by")).Order().Take(3).ShouldBe(["1|people|1.0|key", "2|people|1.0|key", "3|people|1.0|∅"]);
        (await _bench.Bench.RowsAsync(outcome.Outputs["provenance"], "column", "value", "_row", "strategy", "runner_up")).Order().ShouldBe(
        [
            "born|1815-12-10|2|mostRecent by updated|∅", "city|London|2|mostRecent by updated|∅", "email|ADA@x.org |2|mostRecent by updated|ada@x.org",
            "name|Ada Lovelase|2|mostRecent by updated|Ada Lovelace", "updated|3|2|mostRecent by updated|1",
        ]);
    }

    [Fact]
    public async Task What_keys_link_is_one_entity_through_any_number_of_rows()
    {
        var rows = await _bench.Bench.InputAsync("SELECT * FROM (VALUES ('a', 1), ('b', 1), ('b', 2), ('c', 2), ('d', 3), (NULL, NULL), (NULL, NULL)) t(x, y)");
        (await _bench.EntitiesAsync(await _bench.CompletedAsync("""{"keys": [{"columns": ["x"]}, {"columns": ["y"]}]}""", null, rows))).ShouldBe("1,2,3,4 | 5 | 6 | 7");
        (await _bench.EntitiesAsync(await _bench.CompletedAsync("""{"keys": [{"columns": ["x", "y"]}]}""", null, rows))).ShouldBe("1 | 2 | 3 | 4 | 5 | 6 | 7");
    }

    [Theory]
    [InlineData("rowid")]
    [InlineData("RowID")]
    [InlineData("file_row_number")]
    [InlineData("filename")]
    [InlineData("file_index")]
    public async Task A_column_that_is_named_like_the_engines_row_number_is_one_like_any_other(string name)
    {
        var rows = await _bench.Bench.InputAsync($"SELECT * FROM (VALUES (1, 'a', 'Ann'), (2, 'b', 'Bob'), (9, 'a', 'Ann L.')) t(\"{name}\", k, n)", "left");
        var more = await _bench.Bench.InputAsync($"SELECT * FROM (VALUES (1, 'c', 'Cid'), (2, 'd', 'Dot')) t(\"{name}\", k, n)", "right");
        var outcome = await _bench.CompletedAsync("""{"keys": [{"columns": ["k"]}], "match": {"auto": true}}""", null, rows, more);
        (await _bench.Bench.RowsAsync(outcome.Outputs["entities"], "n", "size")).Order().Select(row => row.Split('|')[1]).ShouldBe(["2", "1", "1", "1"]);
        outcome.Outputs["members"].Rows.ShouldBe(5);
        outcome.Ledger.Select(line => (line.In, line.Out, line.Merged)).ShouldBe([(3L, 2L, 1L), (2L, 2L, 0L)]);
    }

    [Fact]
    public async Task A_key_ignores_what_it_is_told_to()
    {
        var rows = await _bench.Bench.InputAsync("SELECT * FROM (VALUES ('Zoë  X'), ('zoë x '), ('Zoe-X'), ('ZOEX')) t(n)");
        (await _bench.EntitiesAsync(await _bench.CompletedAsync("""{"keys": [{"columns": ["n"]}]}""", null, rows))).ShouldBe("1,2 | 3 | 4");
        (await _bench.EntitiesAsync(await _bench.CompletedAsync("""{"keys": [{"columns": ["n"], "ignore": []}]}""", null, rows))).ShouldBe("1 | 2 | 3 | 4");
        (await _bench.EntitiesAsync(await _bench.CompletedAsync("""{"keys": [{"columns": ["n"], "ignore": ["case", "accents", "punctuation"]}]}""", null, rows))).ShouldBe("1,2,3,4");
    }

    [Fact]
    public async Task Similar_rows_are_matched_and_doubtful_pairs_wait()
    {
        var people = await _bench.Bench.InputAsync(People, "people", ("email", "personal"));
        var outcome = await _bench.CompletedAsync(
            """
            {"match": {"auto": false, "accept": 0.9, "review": 0.6,
              "compare": [{"column": "name", "by": "jaroWinkler", "weight": 10}, {"column": "born", "by": "levenshtein", "weight": 10}, {"column": "email", "by": "exact", "weight": 8}],
              "blocks": [{"column": "born", "by": "value"}]},
             "survivorship": [{"columns": ["email"], "keep": "validFirst"}, {"columns": ["city"], "keep": "longest"}]}
            """, null, people);
        // Grace has no address in one of the rows: too little for a sure match.
        (await _bench.EntitiesAsync(outcome)).ShouldBe("1,2 | 3 | 4 | 5 | 6");
        var pairs = await _bench.Bench.RowsAsync(outcome.Outputs["pairs"], "left_row", "right_row", "decision", "decided_by", "block");
        pairs.Order().ShouldBe(["1|2|match|model|born by value", "4|5|review|model|born by value"]);
        var fields = (await _bench.Bench.RowsAsync(outcome.Outputs["pairs"], "left_row", "fields")).Single(row => row.StartsWith("4|", StringComparison.Ordinal));
        fields.ShouldContain("'name': email, 'level': -1, 'similarity': NULL");
        outcome.Counts.ShouldBe(new Dictionary<string, long> { ["entities"] = 5, ["pairs"] = 2, ["review"] = 1, ["largest"] = 2, ["cut"] = 0 }, ignoreOrder: true);
        (await _bench.Bench.RowsAsync(outcome.Outputs["entities"], "name", "state")).Order().ShouldBe(
            ["Ada Lovelace|auto", "Alan Turing|auto", "Charles Babbage|auto", "Grace Hoper|review", "Grace Hopper|review"]);
        (await _bench.Bench.RowsAsync(outcome.Outputs["members"], "row", "linked_by")).Order().Take(2).ShouldBe(["1|model", "2|model"]);
        outcome.Outputs["entities"].Schema.Find("email")!.Sensitivity.ShouldBe("personal");
        outcome.Outputs["provenance"].Schema.Find("value")!.Sensitivity.ShouldBe("personal");
        _bench.Bench.Log.Lines.ShouldNotContain(text => text.Contains("ada@", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Values_with_a_meaning_are_compared_by_it()
    {
        var people = await _bench.Bench.InputAsync(
            """
            SELECT * FROM (VALUES
              ('Bob Smith', '+47 22 33 44 55', DATE '1980-03-05', '59.9100, 10.7500', 'bob@x.org', 100, 'Bygdøy allé 3, 0257 Oslo'),
              ('Smith, Robert', '22 33 44 55', DATE '1980-05-03', '59.9101, 10.7502', 'Bob+news@X.org', 101, '3 BYGDØY ALLE, Oslo'),
              ('Ann Lee', '22 99 88 77', DATE '1951-12-24', '60.3900, 5.3200', 'ann@y.org', 7, 'Bygdøy allé 30, 0257 Oslo'),
              (NULL, 'n/a', NULL, 'unknown', 'none', NULL, '1')) t(name, phone, born, place, mail, points, home)
            """, "people");
        var outcome = await _bench.CompletedAsync(
            """
            {"match": {"auto": false, "accept": 0.8, "review": 0.2,
              "compare": [{"column": "name", "by": "name", "weight": 1}, {"column": "phone", "by": "phone", "weight": 1}, {"column": "born", "by": "date", "weight": 1},
                {"column": "place", "by": "place", "weight": 1}, {"column": "mail", "by": "email", "weight": 1}, {"column": "points", "by": "number", "weight": 1}, {"column": "home", "by": "address", "weight": 1}],
              "blocks": [{"column": "mail", "by": "prefix", "length": 1}, {"column": "phone", "by": "prefix", "length": 1}, {"column": "name", "by": "tokens", "length": 3}]}}
            """, null, people);

        (await _bench.EntitiesAsync(outcome)).ShouldBe("1,2 | 3 | 4");
        var fields = (await _bench.Bench.RowsAsync(outcome.Outputs["pairs"], "fields")).ShouldHaveSingleItem();
        fields.ShouldContain("'name': phone, 'level': 3, 'similarity': 1.0");
        fields.ShouldContain("'name': born, 'level': 2, 'similarity': 0.9");
        fields.ShouldContain("'name': mail, 'level': 3, 'similarity': 1.0");
        fields.ShouldContain("'name': home, 'level': 3, 'similarity': 1.0");
    }

    [Fact]
    public async Task Rows_near_each_other_in_order_are_compared_and_columns_may_have_to_be_equal_besides()
    {
        // Their order in the file is another one.
        var rows = await _bench.Bench.InputAsync("SELECT 'name' || (i * 7) % 10 AS n, ['x', 'y'][1 + i % 2] AS c FROM range(10) t(i)", "rows");
        async Task<IReadOnlyList<string>> PairsAsync(string block)
        {
            var outcome = await _bench.CompletedAsync($$"""{"match": {"auto": false, "accept": 0.99, "review": 0.1, "compare": [{"column": "n", "by": "levenshtein", "weight": 1}], "blocks": [{{block}}] } }""", null, rows);
            var names = (await _bench.Bench.RowsAsync(rows.Dataset, "n")).Select(name => name[^1]).ToList();
            return [.. (await _bench.Bench.RowsAsync(outcome.Outputs["pairs"], "left_row", "right_row", "block")).Select(pair => pair.Split('|'))
                .Select(pair => $"{string.Concat(new[] { names[int.Parse(pair[0], null) - 1], names[int.Parse(pair[1], null) - 1] }.Order())} {pair[2]}").Order()];
        }

        (await PairsAsync("""{"column": "n", "by": "sorted", "length": 1}""")).ShouldBe([.. Enumerable.Range(0, 9).Select(i => $"{i}{i + 1} n by order")]);
        // Even numbers are with x, odd ones with y.
        (await PairsAsync("""{"column": "n", "by": "sorted", "length": 1, "also": ["c"]}""")).Count.ShouldBe(8);
        (await PairsAsync("""{"column": "n", "by": "prefix", "length": 4, "also": ["c"]}""")).Count.ShouldBe(20);
        (await PairsAsync("""{"column": "n", "by": "tokens", "length": 4, "also": ["c"]}""")).ShouldBeEmpty();
        _bench.Bench.Log.Lines.ShouldContain(line => line.Contains("n and c by prefix brings 20 pairs together", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_chain_of_small_differences_does_not_join_its_ends()
    {
        // Each name differs a little from the one before it; the first and the last have little in common.
        var rows = await _bench.Bench.InputAsync("SELECT * FROM (VALUES ('aaaaaaaaaa'), ('aaaaaaaabb'), ('aaaaaabbbb'), ('aaaabbbbbb'), ('aabbbbbbbb'), ('bbbbbbbbbb')) t(n)");
        var outcome = await _bench.CompletedAsync(
            """{"match": {"auto": false, "accept": 0.3, "review": 0.2, "compare": [{"column": "n", "by": "levenshtein", "weight": 1}], "blocks": [{"column": "n", "by": "prefix", "length": 1}]}}""", null, rows);
        (await _bench.EntitiesAsync(outcome)).ShouldBe("1,2 | 3,4 | 5 | 6");
    }

    [Fact]
    public async Task Too_large_blocks_are_cut_and_said()
    {
        var rows = await _bench.Bench.InputAsync("SELECT 'smith ' || (i // 2) AS n FROM range(40) t(i)");
        var outcome = await _bench.CompletedAsync(
            """{"match": {"auto": false, "compare": [{"column": "n", "by": "exact", "weight": 1}], "blocks": [{"column": "n", "by": "tokens", "length": 1}], "maxBlock": 10}}""", null, rows);
        outcome.Outputs["entities"].Rows.ShouldBe(20);
        outcome.Warnings.ShouldHaveSingleItem().ShouldBe("1 blocks of n by word have more than 10 rows (the largest 20, 20 in all) and were not compared by them.");
    }

    [Fact]
    public async Task Columns_are_chosen_by_the_data()
    {
        const string Query = """
            SELECT i AS id, names[1 + i % 50] || ' ' || family[1 + (i * 7) % 83] || CASE WHEN i >= 400 THEN 'e' ELSE '' END AS name, 'u' || (i % 400) || '@x.org' AS email, DATE '1950-01-01' + (CAST(i % 400 AS INTEGER) * 37) AS born, 'US' AS country
            FROM range(420) t(i), (SELECT [chr(65 + CAST(j % 26 AS INTEGER)) || md5(j::VARCHAR)[1:6] FOR j IN range(50)] AS names, [chr(75 + CAST(j % 10 AS INTEGER)) || md5('f' || j)[1:8] FOR j IN range(83)] AS family)
            """;
        var rows = await _bench.Bench.InputAsync(Query);
        var outcome = await _bench.CompletedAsync("""{"match": {"auto": true, "accept": 0.9, "review": 0.6}}""", null, rows);
        _bench.Bench.Log.Lines.Where(line => line.StartsWith("Compares", StringComparison.Ordinal)).Select(line => line.Split(' ')[1]).ShouldBe(["id", "name", "email", "born"]);
        outcome.Outputs["members"].Rows.ShouldBe(420);
        outcome.Ledger[0].Balances.ShouldBeTrue();
    }

    private const string Registered = """
        SELECT p AS person, CASE WHEN c = 1 AND p % 3 = 0 THEN left(name, 3) || substr(name, 5) ELSE name END AS name, CASE WHEN c = 1 AND p % 3 = 1 THEN NULL ELSE mail END AS mail,
          CASE WHEN c = 1 AND p % 3 = 2 THEN 'Moved ' || (p % 4) ELSE street END AS street, c AS copy
        FROM (SELECT p, first[1 + p % 17] || ' ' || last[1 + (p * 5) % 23] AS name, 'm' || md5(p::VARCHAR)[1:7] || '@x.org' AS mail, last[1 + (p * 11) % 23] || ' road ' || (p * 7) % 97 AS street
          FROM range(300) t(p), (SELECT ['anna', 'bernd', 'carla', 'dieter', 'elena', 'frank', 'greta', 'hannes', 'ines', 'jakob', 'katrin', 'lukas', 'marta', 'niklas', 'olga', 'peter', 'rosa'] AS first,
            ['abel', 'brandt', 'conrad', 'dorn', 'engel', 'fuchs', 'graf', 'hahn', 'iser', 'jung', 'keller', 'lorenz', 'maurer', 'neumann', 'ott', 'pohl', 'quast', 'ritter', 'seidel', 'thoma', 'ulrich', 'vogt', 'weber'] AS last)), range(2) u(c)
        WHERE c = 0 OR p < 100
        """;

    [Fact]
    public async Task Duplicates_are_found_with_nothing_said_and_each_pair_is_explained_exactly()
    {
        var rows = await _bench.Bench.InputAsync($"SELECT name, mail, street, 'person' || person AS _key, 'crm@1' AS _source, row_number() OVER ()::BIGINT AS _row FROM ({Registered})");
        var outcome = await _bench.CompletedAsync("""{"match": {"auto": true}}""", null, rows);
        outcome.Ledger.ShouldHaveSingleItem().Balances.ShouldBeTrue();
        var members = (await _bench.Bench.RowsAsync(outcome.Outputs["members"], "entity_id", "_key")).Select(line => line.Split('|')).GroupBy(member => member[0]).ToList();
        members.Count(entity => entity.Count() == 2 && entity.Select(member => member[1]).Distinct().Count() == 1).ShouldBeGreaterThan(95);
        members.Count(entity => entity.Select(member => member[1]).Distinct().Count() > 1).ShouldBeLessThan(3);

        var pairs = (await _bench.Bench.RowsAsync(outcome.Outputs["pairs"], "weight", "probability", "decision", "block", "fields")).Select(line => line.Split('|')).ToList();
        pairs.Count.ShouldBeGreaterThan(95);
        foreach (var pair in pairs)
        {
            var weights = Regex.Matches(pair[4], "'weight': ([-0-9.e]+)").Select(match => Number(match.Groups[1].Value)).ToList();
            weights.Count.ShouldBe(4);
            weights.Sum().ShouldBe(Number(pair[0]));
            weights.AsEnumerable().Reverse().Sum().ShouldBe(Number(pair[0]));
            Regex.Matches(pair[4], "'name': ([^,]+)").Select(match => match.Groups[1].Value.Trim('\'')).ShouldBe(["name", "mail", "street", "(prior)"]);
            Number(pair[1]).ShouldBe(1 / (1 + Math.Pow(2, -Number(pair[0]))), 1e-9);
            Number(pair[1]).ShouldBeGreaterThanOrEqualTo(pair[2] == "match" ? 0.95 : 0.6);
            pair[3].ShouldContain(" by ");
        }
        outcome.Warnings.ShouldBeEmpty();

        static double Number(string text) => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    private const string Compared = """
        "compare": [{"column": "first_name", "by": "name"}, {"column": "last_name"}, {"column": "birth_date", "by": "date"}, {"column": "street", "by": "tokens"}, {"column": "city"}, {"column": "zip", "by": "levenshtein"},
          {"column": "phone", "by": "phone"}, {"column": "email", "by": "email"}],
        "blocks": [{"column": "birth_date", "by": "value"}, {"column": "last_name", "by": "prefix", "also": ["zip"]}, {"column": "phone", "by": "value"}, {"column": "email", "by": "value"}]
        """;

    /// <summary>Generated people who live alone, the rows in one of two orders.</summary>
    private async Task<(ResolvedInput Rows, Func<string, int> PersonOf)> PeopleAsync(int records, bool turned = false)
    {
        var people = new GeneratedPeople(records, 11);
        var columns = string.Join(", ", GeneratedPeople.Columns);
        var rows = string.Join(", ", Enumerable.Range(0, records).Select(i => turned ? records - 1 - i : i).Where(i => !GeneratedPeople.LivesWithAnother(people.PersonOf(i))).Select(i => $"({string.Join(", ", people.Record(i).Select(value => value is null ? "NULL" : Sql.Literal(value)))}, 'r{i}', 'crm@1', {i + 1}::BIGINT)"));
        return (await _bench.Bench.InputAsync($"SELECT * FROM (VALUES {rows}) t({columns}, _key, _source, _row)"), key => people.PersonOf(int.Parse(key[1..], System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Comparisons_without_weights_learn_them_and_their_fields_add_up_to_the_score()
    {
        const int Records = 3_000;
        async Task<(List<List<string>> Entities, StepOutcome Outcome)> MatchAsync(bool turned, int threads)
        {
            var (rows, _) = await PeopleAsync(Records, turned);
            var outcome = await _bench.CompletedAsync($$"""{"match": { {{Compared}} } }""", new StepSetup { Inputs = [rows], Grant = new ResourceGrant(512L << 20, threads) });
            var members = (await _bench.Bench.RowsAsync(outcome.Outputs["members"], "entity_id", "_key")).Select(line => line.Split('|')).GroupBy(member => member[0], member => member[1]);
            return ([.. members.Select(entity => entity.Order(StringComparer.Ordinal).ToList())], outcome);
        }
        var (entities, outcome) = await MatchAsync(turned: false, threads: 2);
        var (_, personOf) = await PeopleAsync(Records);
        static long Pairs(long n) => n * (n - 1) / 2;
        var found = entities.Sum(entity => Pairs(entity.Count));
        var right = entities.Sum(entity => entity.GroupBy(personOf).Sum(person => Pairs(person.Count())));
        var truth = entities.SelectMany(entity => entity).GroupBy(personOf).Sum(person => Pairs(person.Count()));
        (2.0 * right / (found + truth)).ShouldBeGreaterThan(0.90);
        _bench.Bench.Log.Lines.ShouldContain(line => line.StartsWith("Compares email by Email: ", StringComparison.Ordinal) && line.EndsWith(" bits", StringComparison.Ordinal));

        await SumsAsync(outcome, ["first_name", "last_name", "birth_date", "street", "city", "zip", "phone", "email", "(prior)"]);
        (await MatchAsync(turned: true, threads: 1)).Entities.Select(entity => string.Join(',', entity)).Order().ShouldBe(entities.Select(entity => string.Join(',', entity)).Order());
    }

    [Fact]
    public async Task Fields_add_up_to_the_score_where_weights_are_given_and_where_only_some_are()
    {
        var (rows, _) = await PeopleAsync(400);
        foreach (var weight in (string[])["\"weight\": 3", "\"by\": \"jaroWinkler\""])
        {
            var outcome = await _bench.CompletedAsync(
                $$"""
                {"match": {"accept": 0.8, "review": 0.3, "compare": [{"column": "first_name", {{weight}} }, {"column": "last_name", "weight": 4}, {"column": "birth_date", "by": "date", "weight": 5}],
                  "blocks": [{"column": "last_name", "by": "prefix", "length": 2}] } }
                """, null, rows);
            await SumsAsync(outcome, ["first_name", "last_name", "birth_date"]);
        }
    }

    private async Task SumsAsync(StepOutcome outcome, string[] names)
    {
        var pairs = (await _bench.Bench.RowsAsync(outcome.Outputs["pairs"], "weight", "probability", "fields")).Select(line => line.Split('|')).ToList();
        pairs.Count.ShouldBeGreaterThan(50);
        foreach (var pair in pairs)
        {
            var weights = Regex.Matches(pair[2], "'weight': ([-0-9.e]+)").Select(match => Number(match.Groups[1].Value)).ToList();
            weights.Sum().ShouldBe(Number(pair[0]));
            weights.AsEnumerable().Reverse().Sum().ShouldBe(Number(pair[0]));
            Regex.Matches(pair[2], "'name': ([^,]+)").Select(match => match.Groups[1].Value.Trim('\'')).ShouldBe(names);
            // What is certain has odds of a million.
            Math.Clamp(Number(pair[1]), 1e-6, 1 - 1e-6).ShouldBe(Math.Clamp(1 / (1 + Math.Pow(2, -Number(pair[0]))), 1e-6, 1 - 1e-6), 1e-3);
        }

        static double Number(string text) => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task What_is_found_does_not_depend_on_the_order_of_rows_or_on_threads()
    {
        async Task<List<string>> FoundAsync(string order, int threads)
        {
            var rows = await _bench.Bench.InputAsync($"SELECT name, mail, street, 'p' || person || '-' || copy AS _key, 'crm@1' AS _source, row_number() OVER ()::BIGINT AS _row FROM ({Registered} ORDER BY {order})");
            var outcome = await _bench.CompletedAsync("""{"match": {"auto": true}}""", new StepSetup { Inputs = [rows], Grant = new ResourceGrant(512L << 20, threads) });
            var members = (await _bench.Bench.RowsAsync(outcome.Outputs["members"], "entity_id", "_key", "score")).Select(line => line.Split('|')).ToList();
            return [.. members.GroupBy(member => member[0]).Select(entity => string.Join(", ", entity.Select(member => $"{member[1]} {member[2]}").Order(StringComparer.Ordinal))).Order(StringComparer.Ordinal)];
        }
        (await FoundAsync("hash(person, copy)", 2)).ShouldBe(await FoundAsync("person, copy", 1));
    }

    [Fact]
    public async Task Two_inputs_are_linked_with_nothing_said_and_keys_count_too()
    {
        var left = await _bench.Bench.InputAsync($"SELECT name, mail, street, person AS id FROM ({Registered}) WHERE copy = 0 AND person < 200", "left");
        // In the other input one person is known under nothing but a number.
        var right = await _bench.Bench.InputAsync($"SELECT CASE WHEN person = 150 THEN 'x' ELSE name END AS name, CASE WHEN person <> 150 THEN mail END AS mail, street, person + 1000 * (person <> 150)::INTEGER AS id FROM ({Registered}) WHERE copy = 1 OR person IN (150, 250)", "right");
        var outcome = await _bench.CompletedAsync("""{"keys": [{"columns": ["id"]}], "match": {"auto": true}}""", null, left, right);
        outcome.Ledger.ShouldAllBe(line => line.Balances);
        var sizes = (await _bench.Bench.RowsAsync(outcome.Outputs["entities"], "size", "sources")).GroupBy(line => line).ToDictionary(group => group.Key, group => group.Count());
        sizes["2|[left, right]"].ShouldBeInRange(98, 101);
        sizes.Keys.ShouldAllBe(key => key.StartsWith("1|", StringComparison.Ordinal) || key == "2|[left, right]");
        _bench.Bench.Log.Lines.ShouldContain(line => line.Contains("linked one to one", StringComparison.Ordinal));
        (await _bench.Bench.RowsAsync(outcome.Outputs["members"], "linked_by")).ShouldContain("key");
    }

    [Fact]
    public async Task Rows_that_memory_does_not_suffice_for_are_matched_by_keys_and_it_is_said()
    {
        var rows = await _bench.Bench.InputAsync("SELECT greatest(i, 1) AS k, i AS a FROM range(300000) t(i)");
        var outcome = await _bench.CompletedAsync("""{"keys": [{"columns": ["k"]}], "match": {"auto": true}}""", new StepSetup { Inputs = [rows], Grant = new ResourceGrant(192L << 20, 2) });
        outcome.Outputs["entities"].Rows.ShouldBe(299_999);
        outcome.Warnings.ShouldHaveSingleItem().ShouldContain("by keys and not by similarity");
    }

    [Fact]
    public async Task Columns_that_memory_does_not_suffice_for_are_not_compared_and_it_is_said()
    {
        var rows = await _bench.Bench.InputAsync("SELECT 'n' || i // 2 AS name, md5(i::VARCHAR) AS a, repeat(md5(i::VARCHAR), 20) AS prose FROM range(2000) t(i)");
        var outcome = await _bench.CompletedAsync("""{"match": {"auto": true}}""", new StepSetup { Inputs = [rows], Grant = new ResourceGrant(24L << 20, 2) });
        outcome.Outputs["members"].Rows.ShouldBe(2000);
        outcome.Warnings[0].ShouldEndWith("were not compared: prose.");
    }

    [Fact]
    public async Task Survivors_follow_their_strategies()
    {
        var rows = await _bench.Bench.InputAsync("""
            SELECT * FROM (VALUES (1, 'x', 'a@', 5, NULL, 'x'), (1, 'y', 'a@b.c', 9, 'first', 'yy'), (1, 'y', 'd@e.f', NULL, 'second', 'z')) t(k, often, mail, seen, started, long)
            """);
        var outcome = await _bench.CompletedAsync(
            """
            {"keys": [{"columns": ["k"]}],
             "survivorship": [{"columns": ["often"], "keep": "mostFrequent"}, {"columns": ["mail"], "keep": "validFirst"}, {"columns": ["seen"], "keep": "mostRecent", "by": "seen"},
                              {"columns": ["started"], "keep": "first"}, {"columns": ["long"], "keep": "longest"}]}
            """, null, rows);
        (await _bench.Bench.RowsAsync(outcome.Outputs["entities"], "often", "mail", "seen", "started", "long")).ShouldBe(["y|a@b.c|9|first|yy"]);
        (await _bench.Bench.RowsAsync(outcome.Outputs["provenance"], "column", "_row", "runner_up")).Order().ShouldBe(["k|1|∅", "long|2|x", "mail|2|d@e.f", "often|2|x", "seen|2|5", "started|2|second"]);
    }

    [Fact]
    public async Task The_value_of_the_most_trusted_source_that_has_one_lives_on()
    {
        var shop = await _bench.Bench.InputAsync("SELECT * FROM (VALUES (1, 'shop', 'S'), (2, 'shop', 'T')) t(k, name, tier)", "shop");
        var crm = await _bench.Bench.InputAsync("SELECT * FROM (VALUES (1, 'crm', CAST(NULL AS VARCHAR)), (2, 'other', 'U')) t(k, name, tier)", "crm");
        var web = await _bench.Bench.InputAsync("SELECT * FROM (VALUES (1, 'web', 'W')) t(k, name, tier)", "web");
        var outcome = await _bench.CompletedAsync(
            """{"keys": [{"columns": ["k"]}], "survivorship": [{"columns": "*", "keep": "mostTrusted", "sources": ["crm", "web"]}]}""", null, shop, crm, web);
        (await _bench.Bench.RowsAsync(outcome.Outputs["entities"], "k", "name", "tier")).Order().ShouldBe(["1|crm|W", "2|other|U"]);
        (await _bench.Bench.RowsAsync(outcome.Outputs["provenance"], "column", "value", "strategy", "runner_up")).Order().ShouldContain("tier|W|mostTrusted|S");
    }

    [Fact]
    public async Task The_outcome_tells_of_the_largest_entity_and_of_what_was_cut()
    {
        // A chain: the ends are nothing alike, so it is cut in the middle though each link is likely enough.
        var rows = await _bench.Bench.InputAsync("SELECT * FROM (VALUES ('aaaaaaaaaa'), ('aaaaaaaaab'), ('aaaaaaaabb'), ('aaaaaaabbb'), ('zzzz'), ('ZZZZ'), ('zzzz ')) t(x)");
        var outcome = await _bench.CompletedAsync(
            """{"match": {"accept": 0.6, "review": 0.1, "compare": [{"column": "x", "by": "levenshtein", "weight": 1}], "blocks": [{"column": "x", "by": "prefix", "length": 1}]}}""", null, rows);
        (await _bench.EntitiesAsync(outcome)).ShouldBe("1,2 | 3,4 | 5,6,7");
        outcome.Counts["largest"].ShouldBe(3);
        outcome.Counts["cut"].ShouldBe(1);

        var scratch = Directory.CreateTempSubdirectory("qualiz-explain-").FullName;
        LocalDataset Local(string port) => new(outcome.Outputs[port], [.. outcome.Outputs[port].Files.Select(file => Path.Combine(_bench.Bench.StoreFolder, file.Key))]);
        var explanation = (await EntityExplainer.ExplainAsync(Local("members"), Local("pairs"), "2", new EngineOptions { MemoryBytes = EntityExplainer.MemoryBytes, Threads = 1, Scratch = scratch }, default)).ShouldNotBeNull();
        Directory.Delete(scratch, recursive: true);
        explanation.Members.Select(member => member.Row).ShouldBe([1, 2]);
        explanation.Weakest.ShouldBe(explanation.Links.ShouldHaveSingleItem());
        explanation.Weakest!.Fields.Sum(field => field.Weight).ShouldBe(explanation.Weakest.Weight);
        // The link to the third row is as good as the one that holds the two; the fourth is less like both.
        var cut = explanation.Cut.First(pair => pair.Pair.Left.Row == 2 && pair.Pair.Right.Row == 3);
        cut.Why.ShouldBe("average");
        cut.Between.ShouldBe(4);
        cut.Pair.Probability.ShouldBe(explanation.Weakest.Probability, 1e-9);
        cut.Average.ShouldBeLessThan(0.6);
        explanation.Truncated.ShouldBeFalse();
    }

    [Fact]
    public async Task Survivors_do_not_depend_on_threads_or_on_how_many_entities_are_looked_at_at_once()
    {
        // Groups of one to five rows; the smaller grant has room for about 18,000 of the rows of several at once, of some 38,000.
        var rows = await _bench.Bench.InputAsync("""
            SELECT 'k' || (hash(range) % 19000) AS k, 'v' || (hash(range, 1) % 3) AS often, CASE WHEN hash(range, 2) % 3 = 0 THEN 'no mail' ELSE 'm' || (hash(range, 3) % 4) || '@x.org' END AS mail,
              CASE WHEN hash(range, 4) % 4 > 0 THEN DATE '2026-01-01' + CAST(hash(range, 5) % 5 AS INTEGER) END AS seen, nullif(hash(range, 6) % 3, 0) AS started, repeat('x', CAST(hash(range, 7) % 4 AS INTEGER)) AS long,
              CAST(hash(range, 8) % 100 AS DOUBLE) AS level, [hash(range, 9) % 2] AS list
            FROM range(40000)
            """);
        async Task<string> Of(ResourceGrant grant)
        {
            var outcome = await _bench.CompletedAsync(
                """
                {"keys": [{"columns": ["k"]}],
                 "survivorship": [{"columns": ["often", "list"], "keep": "mostFrequent"}, {"columns": ["mail"], "keep": "validFirst"}, {"columns": ["k", "seen"], "keep": "mostRecent", "by": "seen"},
                                  {"columns": ["level"], "keep": "mostRecent", "by": "level"}, {"columns": ["started"], "keep": "first"}, {"columns": ["long"], "keep": "longest"}]}
                """, new StepSetup { Inputs = [rows], Grant = grant });
            var entities = await _bench.Bench.RowsAsync(outcome.Outputs["entities"], "entity_id", "_row", "size", "k", "often", "mail", "seen", "started", "long", "level", "list");
            var provenance = await _bench.Bench.RowsAsync(outcome.Outputs["provenance"], "entity_id", "column", "value", "_row", "runner_up");
            var members = await _bench.Bench.RowsAsync(outcome.Outputs["members"], "entity_id", "_row", "linked_by");
            // An entity's id is another each time; its first row is not.
            var rowOf = entities.ToDictionary(line => line.Split('|')[0], line => line.Split('|')[1]);
            return string.Join('\n', entities.Select(line => $"entity {line}").Concat(provenance.Select(line => $"value {line}")).Concat(members.Select(line => $"member {line}"))
                .Select(line => line.Split(' ', 2) is var parts ? $"{parts[0]} {rowOf[parts[1].Split('|')[0]]} {parts[1].Split('|', 2)[1]}" : "").Order(StringComparer.Ordinal));
        }
        var much = await Of(new ResourceGrant(1L << 30, 2));
        much.Length.ShouldBeGreaterThan(1_000_000);
        (await Of(new ResourceGrant(144L << 20, 1)) == much).ShouldBeTrue();
    }

    [Fact]
    public async Task The_entitys_own_columns_make_way_for_the_datas()
    {
        var rows = await _bench.Bench.InputAsync("SELECT 'TX' AS state, 4 AS size, 'e' AS entity_id");
        var outcome = await _bench.CompletedAsync("""{"keys": [{"columns": ["entity_id"]}]}""", null, rows);
        outcome.Outputs["entities"].Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ShouldBe(
            ["entity_entity_id", "entity_size", "sources", "confidence", "entity_state", "state", "size", "entity_id", "created_run", "changed_run"]);
        (await _bench.Bench.RowsAsync(outcome.Outputs["entities"], "state", "entity_state", "size", "entity_size")).ShouldBe(["TX|auto|4|1"]);
    }

    [Fact]
    public async Task An_entity_set_keeps_its_ids_and_tells_what_changed()
    {
        const string Config = """{"entities": "customers", "keys": [{"columns": ["k"]}]}""";
        async Task<(StepOutcome Outcome, Dictionary<string, string> Ids, IReadOnlyList<string> Changes)> RunAsync(StepOutcome? last, string values)
        {
            var rows = await _bench.Bench.InputAsync($"SELECT n, k, 'crm@1' AS _source, row_number() OVER ()::BIGINT AS _row, 'key' || n AS _key FROM (VALUES {values}) t(n, k)");
            var outcome = await _bench.CompletedAsync(Config, last?.State, rows);
            var ids = (await _bench.Bench.RowsAsync(outcome.Outputs["members"], "_key", "entity_id")).Select(line => line.Split('|')).ToDictionary(line => line[0], line => line[1]);
            return (outcome, ids, [.. (await _bench.Bench.RowsAsync(outcome.Outputs["changes"])).Order()]);
        }

        var (first, ids1, changes1) = await RunAsync(null, "('a', 1), ('b', 1), ('c', 2)");
        ids1["keya"].ShouldBe(ids1["keyb"]);
        Guid.Parse(ids1["keya"]).Version.ShouldBe(7);
        changes1.Select(line => line.Split('|')[0]).ShouldBe(["created", "created"]);

        // The same rows in another order: nothing has changed.
        var (second, ids2, changes2) = await RunAsync(first, "('c', 2), ('b', 1), ('a', 1)");
        ids2.ShouldBe(ids1, ignoreOrder: true);
        changes2.ShouldBeEmpty();
        (await _bench.Bench.RowsAsync(second.Outputs["entities"], "created_run", "changed_run")).Distinct().Count().ShouldBe(1);

        // c joins a and b; d is new and grows nothing.
        var (third, ids3, changes3) = await RunAsync(second, "('a', 1), ('b', 1), ('c', 1), ('d', 4)");
        var older = new[] { ids1["keya"], ids1["keyc"] }.Order(StringComparer.Ordinal).First();
        var younger = new[] { ids1["keya"], ids1["keyc"] }.Order(StringComparer.Ordinal).Last();
        ids3["keya"].ShouldBe(older);
        ids3["keyc"].ShouldBe(older);
        changes3.ShouldBe(new[] { $"created|∅|{ids3["keyd"]}|new rows", $"merged|{younger}|{older}|match" }.Order());

        // They part again: one part keeps the id; d is gone, but comes back as itself.
        var (fourth, ids4, changes4) = await RunAsync(third, "('a', 1), ('b', 1), ('c', 2)");
        new[] { ids4["keya"], ids4["keyc"] }.ShouldContain(older);
        ids4["keya"].ShouldNotBe(ids4["keyc"]);
        changes4.Select(line => line.Split('|')[0]).ShouldBe(["retired", "split"]);
        var (_, ids5, changes5) = await RunAsync(fourth, "('a', 1), ('c', 2), ('d', 4)");
        ids5["keyd"].ShouldBe(ids3["keyd"]);
        changes5.ShouldContain($"shrank|{ids4["keya"]}|{ids4["keya"]}|rows gone");
    }

    [Fact]
    public async Task Rows_that_an_incremental_source_does_not_send_again_are_not_gone()
    {
        StepOutcome? last = null;
        async Task<IEnumerable<string>> ChangesAsync(bool partial, string crm, string shop)
        {
            Task<ResolvedInput> InputAsync(string source, string values) => _bench.Bench.InputAsync(
                $"SELECT k, '{source}@' || uuid() AS _source, row_number() OVER ()::BIGINT AS _row, 'key' || n AS _key FROM (VALUES {values}) t(n, k)", source);
            var input = await InputAsync("crm", crm);
            last = await _bench.CompletedAsync(
                """{"entities": "customers", "keys": [{"columns": ["k"]}]}""", last?.State,
                input with { Dataset = input.Dataset with { Partial = partial } }, await InputAsync("shop.csv", shop));
            return (await _bench.Bench.RowsAsync(last.Outputs["changes"])).Select(line => line.Split('|')[0]).Order();
        }

        (await ChangesAsync(false, "('a', 1), ('b', 1), ('c', 2)", "('x', 9), ('y', 8)")).ShouldBe(["created", "created", "created", "created"]);
        // y was in a file that came whole.
        (await ChangesAsync(true, "('a', 1)", "('x', 9)")).ShouldBe(["retired"]);
        (await ChangesAsync(true, "('b', 1), ('d', 3)", "('x', 9)")).ShouldBe(["created"]);
        // All of it was read again: b and c are really gone.
        (await ChangesAsync(false, "('a', 1), ('d', 3)", "('x', 9)")).ShouldBe(["retired", "shrank"]);
    }

    [Fact]
    public async Task New_rows_are_matched_with_those_of_earlier_runs()
    {
        StepOutcome? last = null;
        async Task RunAsync(bool partial, string values)
        {
            var input = await _bench.Bench.InputAsync($"SELECT name, mail, 'crm@' || uuid() AS _source, n::BIGINT AS _row, 'key' || n AS _key FROM (VALUES {values}) t(n, name, mail)", "crm");
            last = await _bench.CompletedAsync(
                """{"entities": "customers", "keys": [{"columns": ["mail"]}], "survivorship": [{"columns": ["name"], "keep": "longest"}]}""", last?.State,
                input with { Dataset = input.Dataset with { Partial = partial } });
            last.Ledger.ShouldHaveSingleItem().Balances.ShouldBeTrue();
        }

        await RunAsync(false, "(1, 'Ada Lovelace', 'ada@x.org'), (2, 'Alan', 'alan@x.org')");
        var ids = (await _bench.Bench.RowsAsync(last!.Outputs["members"], "row", "entity_id")).Order().ToList();
        await RunAsync(true, "(3, 'A. L.', 'ada@x.org'), (4, 'Grace', 'grace@x.org')");
        // The entity that has grown comes out whole, the one that nothing happened to does not.
        (await _bench.Bench.RowsAsync(last!.Outputs["entities"], "name", "size")).Order().ShouldBe(["Ada Lovelace|2", "Grace|1"]);
        (await _bench.Bench.RowsAsync(last.Outputs["members"], "row", "entity_id")).Order().First().ShouldBe($"3|{ids[0].Split('|')[1]}");
        (await _bench.Bench.RowsAsync(last.Outputs["changes"])).Select(line => line.Split('|')[0]).Order().ShouldBe(["created", "grew"]);
        (await _bench.Bench.RowsAsync(last.Outputs["provenance"], "column", "_row")).ShouldContain("name|1");
        // A row that comes again takes the place of what it was.
        await RunAsync(true, "(1, 'Ada', 'countess@x.org')");
        (await _bench.Bench.RowsAsync(last!.Outputs["entities"], "name", "size")).Order().ShouldBe(["A. L.|1", "Ada|1"]);
        // Nothing new: nothing comes out, and nothing is forgotten.
        await RunAsync(true, "(4, 'Grace Hopper', 'grace@x.org')");
        (await _bench.Bench.RowsAsync(last!.Outputs["entities"], "name", "size")).ShouldBe(["Grace Hopper|1"]);
        await RunAsync(true, "(5, 'Alan Turing', 'alan@x.org')");
        (await _bench.Bench.RowsAsync(last!.Outputs["entities"], "name", "size")).ShouldBe(["Alan Turing|2"]);
    }

    [Fact]
    public async Task Ten_batches_end_as_one_and_unchanged_entities_keep_their_ids()
    {
        const int Records = 1_500;
        const string Config = """{"entities": "people", "match": {"auto": true}}""";
        var people = new GeneratedPeople(Records);
        Task<ResolvedInput> InputAsync(int from, int to) => _bench.Bench.InputAsync(
            $"SELECT {string.Join(", ", GeneratedPeople.Columns)}, 'crm@1' AS _source, n::BIGINT AS _row, 'key' || n AS _key FROM (VALUES {string.Join(", ", Enumerable.Range(from, to - from).Select(record => $"({record}, {string.Join(", ", people.Record(record).Select(value => value is null ? "CAST(NULL AS VARCHAR)" : Engine.Sessions.Sql.Literal(value)))})"))}) t(n, {string.Join(", ", GeneratedPeople.Columns)})", "crm");
        async Task<Dictionary<string, string>> EntitiesAsync(StepOutcome outcome) =>
            (await _bench.Bench.RowsAsync(outcome.State!.Value.Deserialize<EntitySetState>(EntitySetState.Options)!.Ids, "key", "entity_id")).Select(line => line.Split('|')).ToDictionary(line => line[0], line => line[1]);
        static Dictionary<string, string> Groups(Dictionary<string, string> entities) =>
            entities.GroupBy(member => member.Value, member => member.Key).ToDictionary(group => string.Join(' ', group.Order(StringComparer.Ordinal)), group => group.Key);

        StepOutcome? last = null;
        Dictionary<string, string> before = [];
        for (var batch = 0; batch < 10; batch++)
        {
            var input = await InputAsync(batch * Records / 10, (batch + 1) * Records / 10);
            last = await _bench.CompletedAsync(Config, last?.State, input with { Dataset = input.Dataset with { Partial = batch > 0 } });
            var now = Groups(await EntitiesAsync(last));
            foreach (var (members, id) in before)
                now.GetValueOrDefault(members, id).ShouldBe(id);
            before = now;
        }
        var once = Groups(await EntitiesAsync(await _bench.CompletedAsync(Config, null, await InputAsync(0, Records))));
        before.Keys.ShouldBe(once.Keys, ignoreOrder: true);
        before.Count.ShouldBeInRange(Records / 3, Records - 200);
    }

    [Fact]
    public async Task An_entity_of_which_a_member_is_elsewhere_does_not_fall_apart()
    {
        const string Config = """{"entities": "customers", "keys": [{"columns": ["mail"]}, {"columns": ["tax"]}]}""";
        StepOutcome? last = null;
        // b is what ties a and c together; x and y are another entity, tied by their mail.
        async Task<(string Entities, string Changes)> RunAsync(bool partial, params string[] rows)
        {
            var input = await _bench.Bench.InputAsync(
                $"SELECT mail, tax, 'crm@' || uuid() AS _source, n::BIGINT AS _row, 'key' || n AS _key FROM (VALUES {string.Join(", ", rows)}) t(n, mail, tax)");
            last = await _bench.CompletedAsync(Config, last?.State, input with { Dataset = input.Dataset with { Partial = partial } });
            var changes = await _bench.Bench.RowsAsync(last.Outputs["changes"]);
            return (await _bench.EntitiesAsync(last), string.Join(" ", changes.Select(line => line.Split('|')[0]).Order()));
        }
        const string A = "(1, 'm', 't1')", B = "(2, 'm', 't2')", C = "(3, 'n', 't2')", X = "(4, 'x', 't8')", Y = "(5, 'x', 't9')";

        (await RunAsync(false, A, B, C, X, Y)).ShouldBe(("1,2,3 | 4,5", "created created"));
        var before = await IdsAsync();
        (await RunAsync(true, A, C)).ShouldBe(("1,3", ""));
        (await IdsAsync())[1].ShouldBe(before[1]);
        (await IdsAsync())[3].ShouldBe(before[1]);
        // All of that entity is here, so it is known that nothing ties them any more.
        (await RunAsync(true, X, "(5, 'y', 't9')")).ShouldBe(("4 | 5", "split"));
        (await RunAsync(false, A, C, X)).ShouldBe(("1 | 3 | 4", "retired shrank split"));

        async Task<Dictionary<int, string>> IdsAsync() => (await _bench.Bench.RowsAsync(last!.Outputs["members"], "row", "entity_id")).Select(line => line.Split('|'))
            .ToDictionary(line => int.Parse(line[0], System.Globalization.CultureInfo.InvariantCulture), line => line[1]);
    }

    [Fact]
    public async Task A_run_about_an_earlier_day_gives_ids_that_stay_and_takes_nobody_for_gone()
    {
        const string Config = """{"entities": "customers", "keys": [{"columns": ["k"]}]}""";
        StepOutcome? last = null;
        async Task<(Dictionary<string, string> Ids, string Changes)> RunAsync(DateTimeOffset end, string source, string values)
        {
            var input = await _bench.Bench.InputAsync($"SELECT k, '{source}@1' AS _source, row_number() OVER ()::BIGINT AS _row, 'key' || k AS _key FROM (VALUES {values}) t(k)");
            last = await _bench.CompletedAsync(Config, new StepSetup { Inputs = [input], State = last?.State, Interval = new LogicalInterval(DateOnly.FromDateTime(end.UtcDateTime), end.AddDays(-1), end) });
            last.StateGrows.ShouldBeTrue();
            var ids = (await _bench.Bench.RowsAsync(last.Outputs["entities"], "k", "entity_id")).ToDictionary(line => line.Split('|')[0], line => line.Split('|')[1]);
            return (ids, string.Join(" ", (await _bench.Bench.RowsAsync(last.Outputs["changes"])).Select(line => line.Split('|')[0]).Order()));
        }
        var today = DateTimeOffset.UtcNow.AddHours(-1);

        var first = await RunAsync(today, "day2.csv", "('a'), ('b')");
        var earlier = await RunAsync(today.AddDays(-1), "day1.csv", "('a'), ('c')");
        // Its file is another one, so its rows are new; those of today are not gone for that.
        earlier.Changes.ShouldBe("created created");
        (await RunAsync(today.AddDays(-1), "day1.csv", "('a'), ('c')")).Ids.ShouldBe(earlier.Ids);
        var later = await RunAsync(today.AddMinutes(30), "day2.csv", "('a')");
        later.Ids["a"].ShouldBe(first.Ids["a"]);
        later.Changes.ShouldBe("retired retired retired");
    }

    [Fact]
    public async Task A_lost_entity_set_fails_instead_of_giving_new_ids()
    {
        var rows = await _bench.Bench.InputAsync("SELECT 1 AS k");
        const string Config = """{"entities": "customers", "keys": [{"columns": ["k"]}]}""";
        var first = await _bench.CompletedAsync(Config, null, rows);
        var key = first.State!.Value.GetProperty("ids").GetProperty("files")[0].GetProperty("key").GetString()!;
        File.Delete(Path.Combine(_bench.Bench.StoreFolder, key));
        (await _bench.RunAsync(Config, first.State, rows)).ShouldBeOfType<StepResult.Failed>().Error.Code.ShouldBe("entitySetLost");
        // Another set begins anew.
        (await _bench.RunAsync(Config.Replace("customers", "others", StringComparison.Ordinal), first.State, rows)).ShouldBeOfType<StepResult.Completed>();
    }

    [Theory]
    [InlineData("""{"keys": [{"columns": ["k", "nmae"]}]}""", "columnUnknown", "keys[0].columns[1]", "did you mean \"name\"?")]
    [InlineData("""{"match": {"compare": [{"column": "nmae"}]}}""", "columnUnknown", "match.compare[0].column", "did you mean \"name\"?")]
    [InlineData("""{"match": {"blocks": [{"column": "name", "also": ["nmae"]}]}}""", "columnUnknown", "match.blocks[0].also[0]", "did you mean \"name\"?")]
    [InlineData("""{"match": {"blocks": [{"column": "tags"}]}}""", "columnType", "match.blocks[0].column", "cannot be compared")]
    [InlineData("""{"keys": [{"columns": ["k"]}], "survivorship": [{"columns": ["x"], "keep": "first"}]}""", "columnUnknown", "survivorship[0].columns[0]", "there are")]
    [InlineData("""{"keys": [{"columns": ["k"]}], "survivorship": [{"columns": "*", "keep": "mostRecent", "by": "at"}]}""", "columnUnknown", "survivorship[0].by", "there are")]
    public async Task A_mistake_is_named_with_its_place(string config, string code, string path, string message)
    {
        var rows = await _bench.Bench.InputAsync("SELECT 1 AS k, 'secret' AS name, ['a'] AS tags");
        var failed = (await _bench.RunAsync(config, null, rows)).ShouldBeOfType<StepResult.Failed>();
        (failed.Error.Code, failed.Error.Path).ShouldBe((code, path));
        failed.Error.Message.ShouldContain(message);
        failed.Error.Message.ShouldNotContain("secret");
    }

    [Fact]
    public async Task No_rows_are_no_entities()
    {
        var none = await _bench.Bench.InputAsync("SELECT 1 AS k, 'x' AS n WHERE false");
        var outcome = await _bench.CompletedAsync("""{"entities": "x", "keys": [{"columns": ["k"]}], "match": {"auto": true}}""", null, none);
        outcome.Outputs.Values.ShouldAllBe(port => port.Rows == 0);
        outcome.Ledger.ShouldHaveSingleItem().Balances.ShouldBeTrue();
    }

    [Fact]
    public async Task Strange_names_do_no_harm()
    {
        var rows = await _bench.Bench.InputAsync("SELECT 1 AS \"a\"\"b'; drop\", 'x' AS \"r\", 'y' AS \"cluster\", 'z' AS \"v\", 2 AS \"label\", 3 AS \"__q_k\", 4 AS \"node\", 5 AS \"t\" FROM range(2)");
        var outcome = await _bench.CompletedAsync("""{"keys": [{"columns": ["a\"b'; drop"]}], "match": {"auto": false, "compare": [{"column": "r"}, {"column": "node"}], "blocks": [{"column": "v"}]}}""", null, rows);
        outcome.Outputs["entities"].Rows.ShouldBe(1);
    }

    [Fact]
    public async Task The_files_hold_what_the_schemas_say()
    {
        var people = await _bench.Bench.InputAsync(People, "people");
        var outcome = await _bench.CompletedAsync("""{"entities": "people", "keys": [{"columns": ["email"]}], "match": {"auto": true, "review": 0.1}}""", null, people);
        foreach (var (port, dataset) in outcome.Outputs)
            Written(dataset).ShouldBe(dataset.Schema.Columns.Select(column => $"{column.Name} {column.Type}"), port);
    }

    private List<string> Written(DatasetRef dataset)
    {
        using var session = _bench.Bench.Open();
        var path = Path.Combine(_bench.Bench.StoreFolder, dataset.Files[0].Key);
        File.Copy(path, Path.Combine(_bench.Bench.Folder, "copy.parquet"), overwrite: true);
        return [.. Engine.Datasets.DatasetFiles.Describe(session, $"SELECT * FROM {Engine.Sessions.Scan.Parquet(Path.Combine(_bench.Bench.Folder, "copy.parquet"))}").Columns.Select(column => $"{column.Name} {column.Type}")];
    }
}
