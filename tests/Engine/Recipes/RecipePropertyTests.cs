using CsCheck;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests.Recipes;

/// <summary>What holds for any rows and any recipe.</summary>
public sealed class RecipePropertyTests
{
    private static readonly Gen<string?> Cell = Gen.Frequency(
        (1, Gen.Const((string?)null)),
        (2, Any<string?>("", " ", "N/A", "-", "x", " x ", "X", "1", "1.5", "1,5", "-7", "2020-02-29", "30.02.2020", "yes", "no", "a'b", "a\"b", "ß", "İ", "\u00a0", "\\", "🦆", "nan")),
        (1, Gen.String[0, 6].Select(text => (string?)text.Replace("\0", "", StringComparison.Ordinal))));

    private static readonly Gen<string> Otherwise = Any<string>("keep", "null", "reject");

    private static readonly Gen<string> Rule = Gen.OneOf(
        Gen.Const("""{"rule":"trim","columns":"*","inner":true}"""),
        Gen.Const("""{"rule":"nulls","columns":"*","values":["N/A","-"]}"""),
        Gen.Const("""{"rule":"case","columns":["b"],"to":"upper"}"""),
        Gen.Const("""{"rule":"replace","columns":["b"],"map":{"x":"y"}}"""),
        Gen.Const("""{"rule":"regex","columns":["b"],"pattern":"[^a-z]","replacement":"_"}"""),
        Gen.Const("""{"rule":"fill","columns":["b"],"value":"filled"}"""),
        Gen.Const("""{"rule":"fill","columns":["b"],"above":true}"""),
        Gen.Const("""{"rule":"unescape","columns":"*"}"""),
        Gen.Const("""{"rule":"filter","where":"b IS NULL OR b <> 'x'"}"""),
        Gen.Const("""{"rule":"derive","column":"d","expression":"length(b)"}"""),
        Gen.Const("""{"rule":"majority","column":"b","by":["a"],"rows":2,"share":"60%"}"""),
        Gen.Const("""{"rule":"majority","column":"a","by":["c","e"],"rows":2,"share":"1%","fill":true}"""),
        Gen.Const("""{"rule":"swap","columns":["a","b"],"when":"a < b"}"""),
        Gen.Const("""{"rule":"shift","columns":["a","b"],"to":"right","when":"length(a) = 1"}"""),
        Gen.Const("""{"rule":"shift","columns":["a","b"],"join":",","when":"a <> b"}"""),
        Gen.Const("""{"rule":"unicode","columns":"*","form":"nfkc"}"""),
        Gen.Const("""{"rule":"accents","columns":["b"]}"""),
        Gen.Const("""{"rule":"remove","columns":["b"],"kinds":["digits","control"]}"""),
        Gen.Const("""{"rule":"pad","columns":["b"],"length":3}"""),
        Gen.Const("""{"rule":"truncate","columns":["b"],"length":2}"""),
        Gen.Const("""{"rule":"split","column":"b","separator":".","into":["b1","b2"],"keep":true}"""),
        Gen.Const("""{"rule":"merge","columns":["a","b"],"into":"ab","keep":true}"""),
        Gen.Const("""{"rule":"explode","column":"b","separator":"x"}"""),
        Gen.Const("""{"rule":"explode","column":"a","separator":"."}"""),
        Gen.Const("""{"rule":"rename","columns":{"a":"b","b":"a"}}"""),
        Otherwise.Select(otherwise => $$"""{"rule":"country","columns":["b"],"else":"{{otherwise}}"}"""),
        Otherwise.Select(otherwise => $$"""{"rule":"email","columns":["b"],"else":"{{otherwise}}"}"""),
        Otherwise.Select(otherwise => $$"""{"rule":"number","columns":["c"],"type":"decimal(10,2)","else":"{{otherwise}}"}"""),
        Otherwise.Select(otherwise => $$"""{"rule":"date","columns":["e"],"formats":["yyyy-MM-dd","dd.MM.yyyy"],"else":"{{otherwise}}"}"""));

    private static readonly Gen<string> Check = Any<string>(
        """{"check":"notNull","columns":["a"]}""",
        """{"check":"notNull","columns":["b"],"else":"keep"}""",
        """{"check":"pattern","columns":["b"],"pattern":"[a-zA-Z_]*","else":"null"}""",
        """{"check":"length","columns":["b"],"max":2,"else":"default","default":"long"}""",
        """{"check":"allowed","columns":["a"],"values":["x","N/A",""],"ignoreCase":true}""",
        """{"check":"row","where":"length(a) < 3","else":"keep"}""",
        """{"check":"row","where":"a <> b"}""",
        """{"check":"unique","columns":["a"]}""",
        """{"check":"unique","columns":["a","b"],"orderBy":[{"column":"b","direction":"desc"}]}""");

    private static readonly Gen<(string?[][] Rows, string Rules, string Checks)> Case = Gen.Select(
        Cell.Array[4].Array[0, 30],
        Rule.Array[0, 6].Select(rules => $"[{string.Join(",", OneOfEachConversion(rules))}]"),
        Check.Array[0, 4].Select(checks => $"[{string.Join(",", checks)}]"));

    [Fact]
    public async Task The_ledger_balances_and_every_row_is_in_one_place()
    {
        using var bench = new RecipeBench();
        await Case.SampleAsync(
            async sample =>
            {
                var output = await bench.RunAsync(Query(sample.Rows), sample.Rules, sample.Checks);
                var line = output.Result.Inputs[0];
                line.In.ShouldBe(sample.Rows.Length);
                (line.In + line.Added).ShouldBe(line.Out + line.Rejected + line.Filtered);
                output.Rows.Count.ShouldBe((int)line.Out);
                output.Rejected.Count.ShouldBe((int)line.Rejected);
                line.Filters.Values.Sum().ShouldBe(line.Filtered);
                output.Rejected.ShouldAllBe(row => row.Reasons.GetArrayLength() > 0);
                // Each reason in the rows is counted, and nothing else is.
                output.Rejected.SelectMany(row => row.Reasons.EnumerateArray()).Count().ShouldBe((int)line.Rejections.Values.Sum());
                output.Rejected.ShouldAllBe(row => row.Ingested.GetProperty("a").ValueKind != System.Text.Json.JsonValueKind.Undefined
                    && row.Ingested.GetProperty("a").GetString() == sample.Rows[row.Row - 1][0]);
            },
            iter: 50, threads: 1);
    }

    [Fact]
    public async Task What_rules_before_an_explode_reject_or_filter_is_counted_once()
    {
        using var bench = new RecipeBench();
        var first = Any<string>(
            """{"rule":"number","columns":["c"],"type":"decimal(10,2)","else":"reject"}""", """{"rule":"date","columns":["e"],"formats":["yyyy-MM-dd"],"else":"reject"}""",
            """{"rule":"email","columns":["b"],"else":"reject"}""", """{"rule":"filter","where":"c IS NULL OR length(c) < 3"}""");
        var cell = Gen.Frequency((3, Cell), (2, Any<string?>("x.x", "1.x.y", "..", "axbxc")));
        await Gen.Select(cell.Array[4].Array[1, 20], first.Array[1, 3].Select(rules => rules.Distinct().Order(StringComparer.Ordinal).ToArray()), Check.Array[0, 2]).SampleAsync(
            async sample =>
            {
                var checks = $"[{string.Join(",", sample.Item3)}]";
                // The filter reads c as text.
                var before = sample.Item2.OrderBy(rule => !rule.Contains("filter", StringComparison.Ordinal)).ToArray();
                var alone = await bench.RunAsync(Query(sample.Item1), $"[{string.Join(",", before)}]");
                var exploded = await bench.RunAsync(
                    Query(sample.Item1), $$"""[{{string.Join(",", before)}},{"rule":"explode","column":"b","separator":"x"},{"rule":"explode","column":"a","separator":"."}]""", checks);
                var line = exploded.Result.Inputs[0];
                (line.In + line.Added).ShouldBe(line.Out + line.Rejected + line.Filtered);
                line.Filtered.ShouldBe(alone.Result.Inputs[0].Filtered);
                foreach (var rejected in alone.Rejected)
                {
                    var same = exploded.Rejected.Where(row => row.Row == rejected.Row).ShouldHaveSingleItem();
                    same.Rejected.GetProperty("a").GetString().ShouldBe(rejected.Rejected.GetProperty("a").GetString());
                    same.Rejected.GetProperty("b").GetString().ShouldBe(rejected.Rejected.GetProperty("b").GetString());
                }
            },
            iter: 40, threads: 1);
    }

    [Fact]
    public async Task The_result_depends_neither_on_threads_nor_on_the_order_of_rows()
    {
        using var one = new RecipeBench(threads: 1);
        using var many = new RecipeBench(threads: 4);
        await Case.SampleAsync(
            async sample =>
            {
                var numbered = string.Join(", ", sample.Rows.Select((row, i) => $"({string.Join(", ", row.Select(Sql.Literal))}, 's@1', {i + 1}, 'k{i}')"));
                var query = sample.Rows.Length == 0
                    ? "SELECT NULL::VARCHAR AS a, NULL::VARCHAR AS b, NULL::VARCHAR AS c, NULL::VARCHAR AS e, 's@1' AS _source, 1::BIGINT AS _row, 'k' AS _key WHERE false"
                    : $"SELECT a::VARCHAR AS a, b::VARCHAR AS b, c::VARCHAR AS c, e::VARCHAR AS e, _source, _row::BIGINT AS _row, _key FROM (VALUES {numbered}) t(a, b, c, e, _source, _row, _key)";
                var forward = await one.RunAsync(query, sample.Rules, sample.Checks);
                var backward = await many.RunAsync($"SELECT * FROM ({query}) ORDER BY _row DESC", sample.Rules, sample.Checks);
                backward.Rows.Order(StringComparer.Ordinal).ShouldBe(forward.Rows.Order(StringComparer.Ordinal));
                backward.Rejected.Select(row => $"{row.Row} {row.Reasons}").Order(StringComparer.Ordinal).ShouldBe(forward.Rejected.Select(row => $"{row.Row} {row.Reasons}").Order(StringComparer.Ordinal));
            },
            iter: 25, threads: 1);
    }

    [Theory]
    [InlineData("""{"rule":"trim","columns":"*","inner":true}""")]
    [InlineData("""{"rule":"nulls","columns":"*","values":["N/A","-"]}""")]
    [InlineData("""{"rule":"case","columns":["b"],"to":"lower"}""")]
    [InlineData("""{"rule":"replace","columns":["b"],"map":{"x":"y"}}""")]
    [InlineData("""{"rule":"number","columns":["c"],"type":"decimal(10,2)","decimal":",","else":"null"}""")]
    [InlineData("""{"rule":"date","columns":["e"],"formats":["dd.MM.yyyy","yyyy-MM-dd"],"else":"null"}""")]
    [InlineData("""{"rule":"date","columns":["e"],"formats":["dd.MM.yyyy","yyyy-MM-dd"],"else":"keep"}""")]
    [InlineData("""{"rule":"boolean","columns":["b"],"else":"null"}""")]
    [InlineData("""{"rule":"fill","columns":["b"],"value":"filled"}""")]
    [InlineData("""{"rule":"fill","columns":["a","b"],"above":true}""")]
    [InlineData("""{"rule":"unicode","columns":["b"],"form":"nfkc"}""")]
    [InlineData("""{"rule":"accents","columns":["b"]}""")]
    [InlineData("""{"rule":"remove","columns":["b"],"kinds":["punctuation","spaces"]}""")]
    [InlineData("""{"rule":"pad","columns":["b"],"length":4,"with":"*","side":"right"}""")]
    [InlineData("""{"rule":"truncate","columns":["b"],"length":1}""")]
    [InlineData("""{"rule":"country","columns":["b"],"else":"keep"}""")]
    [InlineData("""{"rule":"majority","column":"b","by":["a"],"rows":2,"share":"1%","fill":true}""")]
    [InlineData("""{"rule":"swap","columns":["a","b"],"when":"a < b"}""")]
    [InlineData("""{"rule":"shift","columns":["a","b","c"],"to":"right","when":"a <> '1'"}""")]
    public async Task A_rule_done_twice_is_done_once(string rule)
    {
        using var bench = new RecipeBench();
        await Cell.Array[4].Array[1, 20].SampleAsync(
            async rows =>
            {
                var once = await bench.RunAsync(Query(rows), $"[{rule}]");
                var twice = await bench.RunAsync(Query(rows), $"[{rule},{rule}]");
                twice.Rows.ShouldBe(once.Rows);
                twice.Result.Changed["rules[1]"].ShouldBe(0);
            },
            iter: 8, threads: 1);
    }

    [Fact]
    public async Task Any_name_may_be_a_columns_name()
    {
        using var bench = new RecipeBench();
        var names = new[] { "'\"; drop table --", "ünïcode ☃ 列", "select", "__q_0", "__Q_reasons", "rowid", "c0", new string('x', 300), "a\"b", "{}", "%s", "s0" };
        var query = $"SELECT {string.Join(", ", names.Select((name, i) => $"' {i} ' AS {Sql.Identifier(name)}"))}, NULL::VARCHAR AS empty";
        var rules = $"[{{\"rule\":\"trim\",\"columns\":\"*\"}},{{\"rule\":\"number\",\"columns\":{System.Text.Json.JsonSerializer.Serialize(names)},\"type\":\"int64\"}}]";
        var output = await bench.RunAsync(query, rules);
        output.Rows.ShouldBe([string.Join("|", Enumerable.Range(0, names.Length)) + "|∅"]);
        var rejected = await bench.RunAsync(query, rules, """[{"check":"notNull","columns":["empty"]},{"check":"unique","columns":["'\"; drop table --"]}]""");
        rejected.Rejected.Single().Ingested.GetProperty("a\"b").GetString().ShouldBe(" 8 ");
    }

    private static string Query(string?[][] rows) => rows.Length == 0
        ? "SELECT NULL::VARCHAR AS a, NULL::VARCHAR AS b, NULL::VARCHAR AS c, NULL::VARCHAR AS e WHERE false"
        : $"SELECT a::VARCHAR AS a, b::VARCHAR AS b, c::VARCHAR AS c, e::VARCHAR AS e FROM (VALUES {string.Join(", ", rows.Select(row => $"({string.Join(", ", row.Select(Sql.Literal))})"))}) t(a, b, c, e)";

    // A column converted twice to different types is a mistake of the recipe, not of the engine.
    private static IEnumerable<string> OneOfEachConversion(string[] rules) =>
        rules.GroupBy(rule => rule.Contains("\"number\"", StringComparison.Ordinal) ? "number" : rule.Contains("\"date\"", StringComparison.Ordinal) ? "date" : rule, StringComparer.Ordinal)
            .Select(group => group.First());

    private static Gen<T> Any<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
