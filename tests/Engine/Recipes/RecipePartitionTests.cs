using CsCheck;

namespace Qualiz.Engine.Tests.Recipes;

/// <summary>Recipes over enough rows for several vectors and row groups.</summary>
public sealed class RecipePartitionTests
{
    private static readonly Gen<string> Whole = Any(
        """{"check":"unique","columns":["a"],"orderBy":[{"column":"n","direction":"desc"}],"mostly":"60%","below":"warn"}""", """{"check":"pattern","columns":["b"],"pattern":"[a-m]*","mostly":"60%","when":"n % 2 = 0","below":"warn"}""",
        """{"check":"aggregate","function":"entropy","column":"a","max":2,"else":"warn"}""", """{"check":"ordered","column":"n","else":"warn"}""", """{"check":"sameRows","as":"dataset:other","columns":["a"],"min":"50%","else":"warn"}""",
        """{"check":"aggregate","function":"quantile","quantile":0.9,"column":"n","max":4000,"else":"warn"}""", """{"check":"length","columns":["a"],"max":4,"else":"reject"}""");

    [Fact]
    public async Task The_result_depends_neither_on_threads_nor_on_how_the_rows_are_parted()
    {
        using var one = new RecipeBench(threads: 1);
        using var many = new RecipeBench(threads: 4);
        await Gen.Select(Whole.Array[1, 3], Gen.Int[1, 1000], Gen.Int[2, 5]).SampleAsync(
            async sample =>
            {
                var (checks, seed, parts) = sample;
                var query =
                    $"SELECT CASE WHEN hash(i + {seed}) % 9 = 0 THEN NULL ELSE 'v' || (hash(i * {seed}) % 3000) END AS a, chr(97 + CAST(hash(i + 7 * {seed}) % 26 AS INTEGER)) || ' ' AS b, i + CAST(hash(i) % 3 AS BIGINT) AS n, "
                    + "'s@1' AS _source, i + 1 AS _row, 'k' || i AS _key FROM range(7000) t(i)";
                const string rules = """[{"rule":"trim","columns":"*"},{"rule":"majority","column":"b","by":["a"],"rows":2,"share":"51%"},{"rule":"mask","columns":["b"],"by":"redact","with":"z"},{"rule":"filter","where":"n % 11 <> 3"},{"rule":"fill","columns":["a"],"above":true},{"rule":"derive","column":"n","expression":"n + 1"}]""";
                foreach (var bench in (RecipeBench[])[one, many])
                    bench.References["dataset:other"] = (await bench.InputAsync("SELECT 'v' || (i % 3000) AS a FROM range(6000) t(i)", "other")).Dataset;
                var recipe = RecipeBench.Read(rules, $"[{string.Join(",", checks)}]");
                one.ChangesPerRule = many.ChangesPerRule = 5;
                var whole = await one.RunAsync(recipe, await one.InputAsync(query));
                var parted = await many.RunAsync(recipe, await many.InputAsync(query, parts: parts));
                parted.Rows.Order(StringComparer.Ordinal).ShouldBe(whole.Rows.Order(StringComparer.Ordinal));
                parted.Rejected.Select(row => $"{row.Row} {row.Rejected} {row.Reasons}").ShouldBe(whole.Rejected.Select(row => $"{row.Row} {row.Rejected} {row.Reasons}"));
                parted.Result.Warnings.ShouldBe(whole.Result.Warnings);
                parted.Result.Changed.ShouldBe(whole.Result.Changed, ignoreOrder: true);
                parted.Changes.ShouldBe(whole.Changes);
            },
            iter: 8, threads: 1);
    }

    private static Gen<string> Any(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
