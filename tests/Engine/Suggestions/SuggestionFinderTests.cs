using System.Text.Json;
using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Suggestions;
using Qualiz.Engine.Tests.Recipes;

namespace Qualiz.Engine.Tests.Suggestions;

public sealed class SuggestionFinderTests : IDisposable
{
    // Towns by post code, one row in forty wrong; sizes with a unit in several spellings; states misspelt; words for no value.
    private const string Dirty = """
        SELECT 'id-' || lpad(i::VARCHAR, 5, '0') AS id, 'Z' || lpad((i % 60)::VARCHAR, 3, '0') AS zip,
            CASE WHEN hash(i) % 40 = 7 THEN ['Alta', 'Bodø', 'Hamar', 'Skien', 'Tromsø'][1 + i % 5] ELSE ['Oslo', 'Bergen', 'Trondheim', 'Stavanger', 'Drammen', 'Kristiansand'][1 + i % 60 % 6] END AS town,
            CASE WHEN i % 50 = 3 THEN 'n/a' ELSE (i % 17 + 0.5)::VARCHAR END AS weight,
            CASE WHEN i % 3 = 0 THEN (i % 9 + 1) || ' oz' WHEN i % 3 = 1 THEN (i % 9 + 1) || ' ounces' ELSE (i % 9 + 1)::VARCHAR END AS size,
            CASE WHEN i % 60 = 9 THEN substr(state, 1, 3) || 'x' || substr(state, 4) ELSE state END AS state,
            CASE WHEN i % 30 = 2 THEN ' ' || state ELSE state END AS spaced, 'user' || i || CASE WHEN i % 100 = 5 THEN '' ELSE '@example.org' END AS email,
            CASE WHEN i % 400 = 1 THEN 900000 + i ELSE 100 + i % 83 END AS amount, 'free text ' || md5(i::VARCHAR) AS note
        FROM (SELECT range AS i, ['California', 'Minnesota', 'Pennsylvania', 'Washington'][1 + CAST(hash(range) % 4 AS BIGINT)] AS state FROM range(2400))
        """;

    private readonly RecipeBench _bench = new();
    private readonly ScratchFolder _scratch = new();

    public void Dispose()
    {
        _bench.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public async Task What_is_wrong_is_said_as_rules_and_checks_of_a_recipe_that_runs()
    {
        var found = await FindAsync(Dirty);

        found.Looked.ShouldBe(2400);
        var rules = found.Items.Where(item => item.Rule is not null).ToDictionary(item => $"{item.Kind} {string.Join('+', item.Columns)}");
        rules.Keys.ShouldBe(["dependency zip+town", "missing weight", "normalise size", "spelling state", "space spaced"], ignoreOrder: true);
        (rules["dependency zip+town"].Affected, rules["missing weight"].Affected, rules["normalise size"].Affected, rules["spelling state"].Affected, rules["space spaced"].Affected).ShouldBe((found.Items[0].Affected, 48, 1600, 40, 80));
        found.Items[0].Affected.ShouldBeInRange(40, 80);
        // No list of the cells, but what is true of rows to come, too.
        found.Items[0].Rule!.Value.GetRawText().ShouldStartWith("""{"rule":"majority","column":"town","by":["zip"],""");
        rules.Values.ShouldAllBe(rule => rule.Confidence > 0.9 && rule.Confidence < 1 && rule.Samples.Count > 0 && rule.Support > 2000);
        rules["missing weight"].Samples[0].ShouldSatisfyAllConditions(sample => sample.Before.ShouldBe("n/a"), sample => sample.After.ShouldBeNull(), sample => sample.Rows.ShouldBe(48));

        var checks = found.Items.Where(item => item.Check is not null).ToDictionary(item => $"{item.Kind} {item.Columns[0]}");
        checks.Keys.ShouldContain("unique id");
        checks.Keys.ShouldContain("notNull amount");
        checks["form id"].Check!.Value.GetProperty("pattern").GetString().ShouldBe("[a-z]{2}\\-[0-9]{5}");
        checks["form email"].ShouldSatisfyAllConditions(check => check.Affected.ShouldBe(24), check => check.Samples[0].Before.ShouldBe("user1005"), check => check.Confidence.ShouldBeLessThan(0.9));
        checks["range amount"].ShouldSatisfyAllConditions(check => check.Affected.ShouldBe(6), check => check.Check!.Value.GetProperty("max").GetRawText().ShouldBe("182"));
        checks["allowed state"].Check!.Value.GetProperty("values").GetRawText().ShouldBe("""["California","Minnesota","Pennsylvania","Washington"]""");

        // All of it runs, and does what it says.
        var output = await _bench.RunAsync(
            new Recipe(
                [.. found.Items.Where(item => item.Rule is not null).Select(item => item.Rule!.Value.Deserialize<Rule>(ConfigJson.Options)!)],
                [.. found.Items.Where(item => item.Check is not null).Select(item => item.Check!.Value.Deserialize<Check>(ConfigJson.Options)!)]),
            await _bench.InputAsync(Dirty));
        output.Rejected.ShouldBeEmpty();
        var wrong = _bench.Session.Scalar<long>($"""
            SELECT count(*) FROM read_parquet('{output.Path}')
            WHERE town <> ['Oslo', 'Bergen', 'Trondheim', 'Stavanger', 'Drammen', 'Kristiansand'][1 + CAST(zip[2:] AS INTEGER) % 6] OR weight = 'n/a' OR size LIKE '% %' OR state NOT IN ('California', 'Minnesota', 'Pennsylvania', 'Washington') OR spaced LIKE ' %'
            """);
        wrong.ShouldBe(0);
    }

    [Fact]
    public async Task Nothing_is_to_be_repaired_in_what_is_right()
    {
        var found = await FindAsync("""
            SELECT i AS id, ['Oslo', 'Bergen', 'Trondheim'][1 + i % 3] AS town, 'Z' || i % 3 AS zip, i % 97 AS amount, 'Person no ' || i AS name, DATE '2026-01-01' + (i % 300)::INTEGER AS day FROM (SELECT range AS i FROM range(1000))
            """);

        found.Items.ShouldAllBe(item => item.Rule == null && item.Affected == 0);
        found.Items.Select(item => $"{item.Kind} {item.Columns[0]}").ShouldContain("allowed zip");
    }

    [Fact]
    public async Task The_order_of_the_rows_does_not_matter()
    {
        var found = JsonSerializer.Serialize(await FindAsync(Dirty));

        JsonSerializer.Serialize(await FindAsync($"SELECT * FROM ({Dirty}) ORDER BY hash(id)")).ShouldBe(found);
    }

    [Fact]
    public async Task Whatever_stands_in_names_and_values_the_rules_can_be_read()
    {
        const string Rows = """
            SELECT 'k''"' || i % 20 AS "a ""key"", it's", CASE WHEN hash(i) % 25 = 3 THEN 'other' ELSE 'v"; DROP TABLE x --''' || i % 20 % 7 END AS "b''; --", CASE WHEN i % 30 = 1 THEN '${params.x}' ELSE '${params.xy}' END AS c,
                CASE WHEN i % 50 = 9 THEN repeat('long ', 300) || 'x' ELSE repeat('long ', 300) || 'y' END AS d
            FROM (SELECT range AS i FROM range(2000))
            """;
        var found = await FindAsync(Rows);

        var rules = found.Items.Where(item => item.Rule is not null).ToList();
        rules.ShouldContain(item => item.Kind == "dependency" && item.Affected > 50);
        JsonSerializer.Serialize(rules.Select(item => item.Rule)).ShouldNotContain("${");
        var output = await _bench.RunAsync(new Recipe([.. rules.Select(item => item.Rule!.Value.Deserialize<Rule>(ConfigJson.Options)!)], []), await _bench.InputAsync(Rows));
        output.Rows.ShouldAllBe(row => !row.Contains("|other|", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("strftime(DATE '2020-01-01' + (i % 900)::INTEGER, '%d.%m.%Y')", "[\"dd.MM.yyyy\"]")]
    [InlineData("CASE WHEN i % 4 = 0 THEN strftime(DATE '2020-01-01' + (i % 900)::INTEGER, '%Y-%m-%d') ELSE strftime(DATE '2020-01-01' + (i % 900)::INTEGER, '%m/%d/%Y') END", "[\"MM/dd/yyyy\",\"yyyy-MM-dd\"]")]
    [InlineData("strftime(DATE '2020-01-01' + (i % 12)::INTEGER, '%d/%m/%Y')", null)]
    public async Task Dates_are_read_where_there_is_one_way_to_read_them(string date, string? formats)
    {
        var found = await FindAsync($"SELECT i AS id, {date} AS day FROM (SELECT range AS i FROM range(2000))");

        found.Items.SingleOrDefault(item => item.Kind == "dates")?.Rule!.Value.GetProperty("formats").GetRawText().ShouldBe(formats);
        found.Items.Any(item => item.Kind == "dates").ShouldBe(formats is not null);
    }

    [Fact]
    public async Task Values_in_other_columns_than_they_belong_are_put_there_by_one_rule_that_is_done_once()
    {
        // Every 40th row has town and state swapped; every 50th lacks the street, and all behind it stand one column too far to the left.
        const string People = """
            SELECT 'Name ' || chr(97 + CAST(hash(i) % 26 AS INTEGER)) AS name, (1 + hash(i) % 900) || ' Main Street' AS street, lpad(CAST(hash(i + 1) % 100000 AS VARCHAR), 5, '0') AS zip,
                ['Dallas', 'New York', 'Los Angeles', 'Chicago'][1 + CAST(hash(i + 2) % 4 AS BIGINT)] AS city, ['TX', 'NY', 'CA', 'IL'][1 + CAST(hash(i + 2) % 4 AS BIGINT)] AS state, '555-' || (1000 + hash(i + 3) % 9000) AS phone, i
            FROM (SELECT range AS i FROM range(2000))
            """;
        const string Misplaced = $"""
            SELECT name, CASE WHEN lost THEN zip ELSE street END AS street, CASE WHEN lost THEN city ELSE zip END AS zip, CASE WHEN lost OR swapped THEN state ELSE city END AS city,
                CASE WHEN lost THEN phone WHEN swapped THEN city ELSE state END AS state, CASE WHEN lost THEN NULL ELSE phone END AS phone
            FROM (SELECT *, i % 50 = 7 AS lost, i % 40 = 3 AS swapped FROM ({People}))
            """;
        var found = await FindAsync(Misplaced);

        found.Items.Where(item => item.Rule is not null).Select(item => $"{item.Kind} {string.Join('+', item.Columns)} {item.Affected}").ShouldBe(["shift street+zip+city+state+phone 40", "swap city+state 50"]);
        found.Items[0].Samples[0].ShouldSatisfyAllConditions(sample => sample.Before!.ShouldEndWith(" | "), sample => sample.After!.ShouldStartWith(" | "));
        found.Items[1].Samples[0].ShouldSatisfyAllConditions(sample => sample.Before!.ShouldMatch("^[A-Z]{2} \\| [A-Z]"), sample => sample.After!.ShouldMatch("\\| [A-Z]{2}$"));
        found.Items.Take(2).ShouldAllBe(item => item.Confidence > 0.9);

        Rule[] rules = [.. found.Items.Where(item => item.Rule is not null).Select(item => item.Rule!.Value.Deserialize<Rule>(ConfigJson.Options)!)];
        var input = await _bench.InputAsync(Misplaced);
        var output = await _bench.RunAsync(new Recipe(rules, []), input);
        output.Rows.ShouldBe((await _bench.RunAsync(new Recipe([], []), await _bench.InputAsync($"SELECT name, CASE WHEN i % 50 = 7 THEN NULL ELSE street END AS street, zip, city, state, phone FROM ({People})"))).Rows);
        output.Result.Changed["rules[1]"].ShouldBe(100);
        (await _bench.RunAsync(new Recipe([.. rules, .. rules], []), input)).Result.Changed.Where(change => change.Key is "rules[2]" or "rules[3]").ShouldAllBe(change => change.Value == 0);
    }

    [Theory]
    // All have the prefix of a country; the same in the form of most; with the country beside; the numbers with a prefix say it; only the plan says it.
    [InlineData("CASE i % 2 WHEN 0 THEN '+47 22' || n ELSE '+47-22-' || n END", "{'rule':'phone','columns':['phone'],'form':'e164','else':'keep'}", 0.9)]
    [InlineData("CASE i % 4 WHEN 0 THEN '+4722' || n ELSE '+47 22 ' || n[:2] || ' ' || n[3:4] || ' ' || n[5:] END", "{'rule':'phone','columns':['phone'],'form':'international','else':'keep'}", 0.9)]
    [InlineData("CASE i % 2 WHEN 0 THEN '22' || n ELSE '22-' || n END, CASE WHEN i % 3 = 0 THEN 'Norway' ELSE 'NO' END AS country", "{'rule':'phone','columns':['phone'],'form':'e164','else':'keep','countryFrom':'country'}", 0.9)]
    [InlineData("CASE i % 3 WHEN 0 THEN '+1 212 736 ' || n[:4] WHEN 1 THEN '(212) 736-' || n[:4] ELSE '212-736-' || n[:4] END", "{'rule':'phone','columns':['phone'],'form':'national','else':'keep','country':'US'}", 0.9)]
    [InlineData("CASE i % 2 WHEN 0 THEN '(212) 736-' || n[:4] ELSE '212.736.' || n[:4] END", "{'rule':'phone','columns':['phone'],'form':'national','else':'keep','country':'US'}", 0.75)]
    [InlineData("'(212) 736-' || n[:4]", null, 0)]
    [InlineData("'212.736.' || n[:4]", null, 0)]
    public async Task Telephone_numbers_in_several_forms_are_brought_into_one(string phone, string? rule, double least)
    {
        var query = $"SELECT i AS id, {(phone.Contains("AS country", StringComparison.Ordinal) ? phone.Replace(", CASE WHEN", " AS phone, CASE WHEN", StringComparison.Ordinal) : $"{phone} AS phone")} FROM (SELECT range AS i, lpad(CAST(hash(range) % 1000000 AS VARCHAR), 6, '7') AS n FROM range(1000))";
        var found = (await FindAsync(query)).Items.Where(item => item.Rule is not null && item.Columns[0] == "phone").ToList();

        found.Select(item => item.Rule!.Value.GetRawText().Replace('"', '\'')).ShouldBe(rule is null ? [] : [rule]);
        if (rule is null)
            return;
        found[0].Confidence.ShouldBeInRange(least, least + 0.1);
        // It does what it says, and all numbers of one subscriber are one text afterwards.
        var output = await _bench.RunAsync(new Recipe([found[0].Rule!.Value.Deserialize<Rule>(ConfigJson.Options)!], []), await _bench.InputAsync(query));
        output.Result.Changed["phone"].ShouldBe(found[0].Affected);
        output.Rejected.ShouldBeEmpty();
    }

    [Fact]
    public async Task Countries_as_codes_and_names_are_brought_into_the_form_of_most()
    {
        var found = await FindAsync("SELECT i AS id, CASE WHEN i % 10 = 0 THEN ['Norway', 'Sweden', 'germany'][1 + i % 3] ELSE ['NO', 'SE', 'DE', 'FR', 'GB'][1 + i % 5] END AS country FROM (SELECT range AS i FROM range(1000))");

        found.Items.Single(item => item.Kind == "codes").ShouldSatisfyAllConditions(
            item => item.Rule!.Value.GetRawText().ShouldBe("""{"rule":"country","columns":["country"],"to":"alpha2","else":"keep"}"""), item => item.Affected.ShouldBe(100), item => item.Confidence.ShouldBe(0.8));
    }

    [Fact]
    public async Task An_empty_dataset_has_none() => (await FindAsync("SELECT 'x' AS a FROM range(0)")).Items.ShouldBeEmpty();

    private async Task<SuggestionList> FindAsync(string query)
    {
        var input = await _bench.InputAsync(query);
        return await SuggestionFinder.FindAsync(
            input.Dataset, unmask: false, new EngineOptions { MemoryBytes = SuggestionFinder.MemoryBytes, Threads = 2, Scratch = _scratch.Path }, CancellationToken.None);
    }
}
