using System.Text.Json;
using CsCheck;
using Qualiz.Engine.Recipes;

namespace Qualiz.Engine.Tests.Recipes;

/// <summary>
/// Whatever somebody writes into a recipe: it is refused with its place, or it runs and does only what recipes do. What is tried is made of pieces of SQL, of regular
/// expressions, of formats, and of anything else.
/// </summary>
public sealed class RecipeFuzzTests
{
    private const string Rows = "SELECT * FROM (VALUES ('a', '1', 1, DATE '2020-01-01'), (NULL, 'x''y', -5, NULL), ('\u00e4;\"', ' 2.5 ', 9007199254740993, DATE '1900-12-31')) t(a, \"b b\", n, d)";

    private static readonly Gen<string> Anything = Gen.String[0, 12].Select(text => text.ReplaceLineEndings("\n"));

    private static readonly Gen<string> Word = Gen.OneOf(
        Any(
            "a", "\"b b\"", "n", "d", "nothing", "_row", "__q_0", "s0", "1", "0", "-1", "1e400", "9223372036854775808", "'x'", "''", "'", "\"", "''''", "\\", "--", "/*", "*/", ";", ",", "(", ")", "[", "]", "{", "}", ":", "::", "$1", "?", "@",
            "+", "-", "*", "/", "%", "||", "=", "<>", "<", ">", "~", "!", ".", "->", "AND", "OR", "NOT", "IS NULL", "IN", "BETWEEN", "LIKE", "CASE WHEN", "THEN", "ELSE", "END", "CAST(", "AS INTEGER)", "TRY_CAST(", "COLLATE", "INTERVAL 1 DAY",
            "SELECT", "FROM", "WHERE", "UNION ALL", "EXISTS(SELECT 1)", "(SELECT 1)", "DROP TABLE x", "ATTACH 'x'", "COPY x TO 'y'", "INSTALL httpfs", "PRAGMA x", "SET threads = 9",
            "length(", "upper(", "regexp_replace(", "strptime(", "list_value(", "read_text(", "read_csv('/etc/passwd')", "getenv('HOME')", "random()", "now()", "current_setting('threads')", "count(*)", "row_number() OVER ()", "unnest([1])", "qz_mask(1, a)",
            "repeat(", "range(", "sleep_ms(1)", "\u0000", "\n", "\t", " ", "\u00a0", "\ud83e\udd86", "NULL", "true", "false", "lambda x:", "x -> x", "struct_pack(", "main.upper(", "system.main.upper("),
        Anything);

    private static readonly Gen<string> Expression = Gen.OneOf(
        Word.Array[1, 8].Select(words => string.Join(' ', words)),
        Word.Array[1, 4].Select(words => string.Concat(words)),
        Gen.Select(Word, Word).Select((left, right) => $"length(a) > 0 AND {left} = {right}"));

    private static readonly Gen<string> Text = Gen.OneOf(Word, Word.Array[1, 4].Select(words => string.Concat(words)), Any("yyyy", "dd.MM", "'", "[a-z", "(?=x)", "(a+)+$", "\\1", "\\9", "(((", "x{1000}", "x{99999}", "*", "decimal(99,1)", "struct(a int64", "list(", "de-DE", "xx-YY"));

    /// <summary>Templates in which each § becomes a text and each # an expression.</summary>
    private static readonly Gen<string> Rule = Fill(
        """{"rule":"filter","where":"#"}""", """{"rule":"derive","column":"§","expression":"#"}""", """{"rule":"derive","column":"z","expression":"#","type":"§","else":"null"}""",
        """{"rule":"derive","column":"n","expression":"#","else":"default","default":"§"}""", """{"rule":"nulls","columns":["a"],"values":["§","§"]}""", """{"rule":"replace","columns":["a"],"map":{"§":"§"}}""",
        """{"rule":"replace","columns":["a"],"map":{"§":"§"},"match":"part","ignoreCase":true}""", """{"rule":"regex","columns":["a"],"pattern":"§","replacement":"§"}""", """{"rule":"number","columns":["b b"],"decimal":"§","thousands":"§","remove":["§"],"else":"null"}""",
        """{"rule":"number","columns":["a"],"type":"§","locale":"§"}""", """{"rule":"date","columns":["a"],"formats":["§","§"],"else":"keep"}""", """{"rule":"date","columns":["a"],"formats":["yyyy-MM-dd"],"locale":"§","else":"null"}""",
        """{"rule":"boolean","columns":["a"],"true":["§"],"false":["§"],"else":"null"}""", """{"rule":"fill","columns":["a"],"value":"§"}""", """{"rule":"fill","columns":["n"],"value":"§"}""", """{"rule":"fill","columns":["a"],"from":"§"}""",
        """{"rule":"pad","columns":["a"],"length":5,"with":"§"}""", """{"rule":"phone","columns":["a"],"country":"§","else":"null"}""", """{"rule":"cast","columns":["n"],"type":"§","else":"null"}""", """{"rule":"split","column":"a","separator":"§","into":["§","§"]}""",
        """{"rule":"merge","columns":["a","n"],"into":"§","separator":"§"}""", """{"rule":"explode","column":"a","separator":"§"}""", """{"rule":"unpivot","columns":["a","§"],"name":"§","value":"§"}""", """{"rule":"unescape","columns":["§"],"from":"url"}""", """{"rule":"rename","columns":{"a":"§"}}""", """{"rule":"rename","columns":{"§":"z"}}""", """{"rule":"drop","columns":["§"]}""",
        """{"rule":"select","columns":["a","§"]}""", """{"rule":"majority","column":"b b","by":["§"]}""", """{"rule":"majority","column":"§","by":["a","n"],"fill":true}""", """{"rule":"swap","columns":["a","b b"],"when":"#"}""", """{"rule":"shift","columns":["b b","a"],"when":"#","join":"§"}""", """{"rule":"shift","columns":["a","§"],"to":"right","when":"#"}""", """{"rule":"mask","columns":["a"],"with":"§"}""", """{"rule":"mask","columns":["a"],"text":"§"}""", """{"rule":"mask","columns":["a"],"by":"token","key":"masking","domain":"§"}""", """{"rule":"mask","columns":["a"],"by":"hash","key":"§"}""");

    private static readonly Gen<string> Check = Fill(
        """{"check":"row","where":"#","name":"§"}""", """{"check":"row","where":"n > 0","when":"#","mostly":"50%"}""", """{"check":"notNull","columns":["a"],"when":"#","else":"keep"}""", """{"check":"notNull","columns":["a"],"else":"default","default":"§"}""",
        """{"check":"pattern","columns":["a"],"pattern":"§","mostly":"10%","below":"warn"}""", """{"check":"allowed","columns":["a"],"values":["§","§"],"ignoreCase":true,"else":"null"}""", """{"check":"allowed","columns":["n"],"values":["§"]}""",
        """{"check":"range","columns":["n"],"min":"§"}""", """{"check":"range","columns":["d"],"max":"§","else":"default","default":"§"}""", """{"check":"unique","columns":["a"],"when":"#"}""", """{"check":"unique","columns":["§"],"orderBy":[{"column":"§"}]}""",
        """{"check":"reference","columns":["a"],"in":"§"}""", """{"check":"rowCount","min":1,"when":"#","else":"warn"}""", """{"check":"rowCount","as":"§"}""", """{"check":"aggregate","function":"sum","column":"n","min":1,"when":"#"}""",
        """{"check":"aggregate","function":"distinct","column":"§","max":5}""", """{"check":"aggregate","function":"mean","column":"n","as":"§"}""", """{"check":"schema","columns":[{"name":"§","type":"§"}]}""", """{"check":"ordered","column":"§"}""",
        """{"check":"sameRows","as":"dataset:countries","columns":["§"]}""", """{"check":"freshness","column":"d","within":"1d","when":"#"}""", """{"check":"country","columns":["a"],"else":"default","default":"§"}""");

    [Fact]
    public async Task What_is_written_into_a_recipe_is_refused_with_its_place_or_runs()
    {
        using var bench = new RecipeBench();
        bench.References["dataset:countries"] = (await bench.InputAsync("SELECT 'NO' AS a", "countries")).Dataset;
        var input = await bench.InputAsync(Rows);
        var (refused, ran) = (0, 0);
        // The same ones each time, beside those that were found to go wrong once.
        var samples = Enumerable.Range(0, 300).Select(i => Gen.Select(Rule.Array[0, 2], Check.Array[0, 2]).Generate(new PCG(1, (ulong)i), null, out _))
            .Append((["""{"rule":"pad","columns":["a"],"length":5,"with":""}"""], [])).Append((["""{"rule":"mask","columns":["a"],"with":""}"""], []))
            .Append(([], ["""{"check":"notNull","columns":["a"],"when":"length(a) > 0 AND false = ''''","else":"keep"}"""]));
        foreach (var sample in samples)
        {
            Recipe recipe;
            try
            {
                recipe = RecipeBench.Read($"[{string.Join(",", sample.Item1)}]", $"[{string.Join(",", sample.Item2)}]");
            }
            catch (JsonException)
            {
                continue;
            }
            RecipeOutput output;
            try
            {
                output = await bench.RunAsync(recipe, input);
            }
            catch (RecipeException exception)
            {
                exception.Path.ShouldMatch(@"^(rules|checks)\[\d\]");
                exception.Message.Length.ShouldBeLessThan(1000);
                refused++;
                continue;
            }
            ran++;
            var line = output.Result.Inputs[0];
            line.In.ShouldBe(3);
            (line.In + line.Added).ShouldBe(line.Out + line.Rejected + line.Filtered);
            output.Rows.Count.ShouldBe((int)line.Out);
            // Nothing is left behind, and no setting is another.
            bench.Session.Scalar<long>("SELECT count(*) FROM duckdb_tables()").ShouldBe(0);
            bench.Session.Scalar<long>("SELECT CAST(current_setting('threads') AS BIGINT)").ShouldBe(2);
        }
        refused.ShouldBeGreaterThan(50);
        ran.ShouldBeGreaterThan(20);
    }

    private static Gen<string> Fill(params string[] templates) => Gen.Select(Any(templates), Text.Array[4], Expression).Select((template, texts, expression) =>
    {
        var filled = template.Replace("#", Escape(expression), StringComparison.Ordinal);
        foreach (var text in texts)
        {
            var at = filled.IndexOf('§', StringComparison.Ordinal);
            if (at < 0)
                break;
            filled = $"{filled[..at]}{Escape(text).Replace("§", "", StringComparison.Ordinal)}{filled[(at + 1)..]}";
        }
        return filled;
    });

    private static Gen<string> Any(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static string Escape(string text) => JsonSerializer.Serialize(text)[1..^1];
}
