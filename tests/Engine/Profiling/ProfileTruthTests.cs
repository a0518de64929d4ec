using System.Globalization;
using System.Text.Json;
using CsCheck;
using Qualiz.Engine.Profiling;

namespace Qualiz.Engine.Tests.Profiling;

/// <summary>Profiles of data whose profile is known.</summary>
public sealed class ProfileTruthTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Numbers_have_their_exact_moments_and_quantiles()
    {
        var column = await ColumnAsync("SELECT range + 1 AS c FROM range(1000)");

        (column.Distinct, column.DistinctEstimated, column.DistributionEstimated, column.Unique).ShouldBe((1000, false, false, true));
        column.Mean.ShouldBe(500.5);
        column.StandardDeviation!.Value.ShouldBe(Math.Sqrt(1000.0 * 1001 / 12), 1e-9);
        column.Quantiles.ShouldBe([new(0.01, "10"), new(0.05, "50"), new(0.25, "250"), new(0.5, "500"), new(0.75, "750"), new(0.95, "950"), new(0.99, "990")]);
        column.Histogram.Count.ShouldBe(20);
        column.Histogram.Sum(bin => bin.Rows).ShouldBe(1000);
        (column.Histogram[0].From, column.Histogram[^1].To, column.Outliers).ShouldBe(("1", "1000", null));
    }

    [Fact]
    public async Task Sums_that_cancel_are_exact()
    {
        var column = await ColumnAsync("SELECT * FROM (VALUES (1e308), (1::DOUBLE), (-1e308), (2.5)) t(c)");

        column.Mean.ShouldBe(3.5 / 4);
    }

    [Fact]
    public async Task The_spread_of_large_numbers_that_differ_little_is_exact()
    {
        var column = await ColumnAsync("SELECT 1e15 + range AS c FROM range(3)");

        (column.Mean, column.StandardDeviation).ShouldBe((1e15 + 1, 1));
    }

    [Fact]
    public async Task What_is_no_number_is_counted_apart()
    {
        var column = await ColumnAsync("SELECT * FROM (VALUES ('NaN'::DOUBLE), ('Infinity'), ('-Infinity'), (3.0), (-0.0), (0.0), (NULL)) t(c)");

        (column.NonFinite, column.Mean, column.Nulls, column.Distinct).ShouldBe((3, 1, 1, 5));
        (column.Min, column.Max).ShouldBe(("-inf", "nan"));
        column.Histogram.Sum(bin => bin.Rows).ShouldBe(3);
    }

    [Fact]
    public async Task Very_many_values_are_estimated_and_said_to_be()
    {
        var profile = await _folder.ProfileAsync(
            "SELECT (range * 7919) % 200000 AS few, sqrt(range) AS root, 'user' || (range * 31) % 200000 || '@example.org' AS text, range AS id, "
            + "TIMESTAMP '2026-01-01' + to_seconds(range) AS moment, CASE WHEN range % 100 = 0 THEN 'often' ELSE 'rare ' || range END AS mixed FROM range(400000)");

        var few = profile.Columns[0];
        (few.DistinctEstimated, few.Unique).ShouldBe((true, false));
        few.Distinct.ShouldBeInRange(195_000, 205_000);
        few.Mean.ShouldBe(99_999.5);
        var root = profile.Columns[1];
        double.Parse(root.Quantiles[3].Value, CultureInfo.InvariantCulture).ShouldBe(Math.Sqrt(200_000), 0.5);
        profile.Columns[2].Distinct.ShouldBeInRange(195_000, 205_000);
        (profile.Columns[2].MinLength, profile.Columns[2].MaxLength).ShouldBe((17, 22));
        profile.Columns[2].Patterns[0].ShouldBe(new ValueCount("a999999@a.a", 200_000));
        var id = profile.Columns[3];
        (id.Unique, id.Distinct, id.DistinctEstimated, id.Min, id.Max).ShouldBe((true, 400_000, false, "0", "399999"));
        DateTime.Parse(profile.Columns[4].Quantiles[3].Value, CultureInfo.InvariantCulture).ShouldBe(new DateTime(2026, 1, 1).AddSeconds(200_000), TimeSpan.FromSeconds(200));
        profile.Columns[5].Top.ShouldBe([new ValueCount("often", 4000)]);
        profile.Keys.ShouldBe([["id"]]);
    }

    [Theory]
    [InlineData("range", true)]
    [InlineData("range + CASE WHEN range >= 200000 THEN -1 ELSE 0 END", false)]
    [InlineData("range % 300000", false)]
    [InlineData("399999 - range", true)]
    [InlineData("CASE WHEN range % 100 > 0 THEN range END", true)]
    public async Task Whole_numbers_are_unique_or_not_whatever_their_order(string expression, bool unique)
    {
        var column = await ColumnAsync($"SELECT CAST({expression} AS BIGINT) AS c FROM range(400000)");

        column.Unique.ShouldBe(unique);
    }

    [Fact]
    public async Task A_value_that_is_there_twice_among_very_many_is_found()
    {
        var profile = await _folder.ProfileAsync("SELECT CASE WHEN range = 399999 THEN 7 ELSE range END AS c FROM range(400000)");

        (profile.Columns[0].Unique, profile.Keys.Count).ShouldBe((false, 0));
    }

    [Fact]
    public async Task Two_columns_that_tell_rows_apart_together_are_a_key()
    {
        var profile = await _folder.ProfileAsync("SELECT range % 100 AS day, range // 100 AS person, range % 7 AS other FROM range(5000)");

        profile.Keys.ShouldBe([["day", "person"]]);
    }

    [Fact]
    public async Task Columns_that_are_empty_together_are_found()
    {
        var profile = await _folder.ProfileAsync(
            "SELECT CASE WHEN range % 5 > 0 THEN 1::BIGINT END AS a, CASE WHEN range % 5 > 0 THEN 'x' END AS b, CASE WHEN range % 7 > 0 THEN 1::BIGINT END AS c, CASE WHEN range % 5 = 0 THEN 1::BIGINT END AS d FROM range(3500)");

        profile.MissingTogether.Select(pair => (string.Join(' ', pair.Columns), pair.Rows, Math.Round(pair.Correlation, 6)))
            .ShouldBe([("a b", 700, 1), ("a d", 0, -1), ("b d", 0, -1)], ignoreOrder: true);
    }

    [Fact]
    public async Task Numbers_far_from_the_rest_are_outliers_and_those_of_a_skewed_column_are_not()
    {
        var profile = await _folder.ProfileAsync("SELECT CASE WHEN range < 2 THEN 100000 + range ELSE range % 100 - 50 END AS c, CAST(exp((range % 100) / 10.0) AS DOUBLE) AS skewed FROM range(10000)");

        var outliers = profile.Columns[0].Outliers.ShouldNotBeNull();
        (outliers.From, outliers.To, outliers.Rows).ShouldBe(("-50", "49", 2));
        outliers.Examples.ShouldBe(["100001", "100000"]);
        profile.Columns[1].Outliers.ShouldBeNull();
    }

    [Theory]
    [InlineData("SELECT 1::BIGINT AS i, 'a' AS t, 1.5 AS d, true AS b, DATE '2026-01-01' AS day, TIME '12:00:00' AS clock, [1::BIGINT] AS l WHERE false", 0)]
    [InlineData("SELECT 1::BIGINT AS i, 'a' AS t, 1.5 AS d, true AS b, DATE '2026-01-01' AS day, TIME '12:00:00' AS clock, [1::BIGINT] AS l", 1)]
    [InlineData("SELECT NULL::BIGINT AS i, NULL::VARCHAR AS t, NULL::DECIMAL(38,3) AS d, NULL::BOOLEAN AS b, NULL::DATE AS day, NULL::TIME AS clock, NULL::BIGINT[] AS l FROM range(3)", 0)]
    public async Task Nothing_one_row_and_only_empty_cells_have_a_profile(string query, long values)
    {
        var profile = await _folder.ProfileAsync(query);

        profile.Columns.Count.ShouldBe(7);
        profile.Columns.ShouldAllBe(column => column.Distinct == values && column.Top.Count == values);
        profile.Keys.ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_hundred_columns_have_a_profile()
    {
        var profile = await _folder.ProfileAsync($"SELECT {string.Join(", ", Enumerable.Range(0, 200).Select(i => $"range % {i + 1} AS c{i}"))} FROM range(6000)");

        profile.Columns.Select(column => column.Distinct).ShouldBe(Enumerable.Range(1, 200).Select(i => (long)i));
    }

    [Theory]
    [InlineData("DECIMAL(4,2)", "-99.99", "99.99")]
    [InlineData("DECIMAL(9,3)", "-999999.999", "999999.999")]
    [InlineData("DECIMAL(18,0)", "-999999999999999999", "999999999999999999")]
    [InlineData("DECIMAL(38,2)", "-999999999999999999999999999999999999.99", "999999999999999999999999999999999999.99")]
    [InlineData("BIGINT", "-9223372036854775808", "9223372036854775807")]
    [InlineData("DATE", "-infinity", "infinity")]
    [InlineData("TIMESTAMP", "-infinity", "infinity")]
    [InlineData("TIMESTAMP", "1970-01-01T00:00:00", "2300-01-01T00:00:00.000001")]
    [InlineData("TIME", "00:00:00", "23:59:59.999999")]
    public async Task The_ends_of_a_type_are_shown_as_they_are(string type, string min, string max)
    {
        var column = await ColumnAsync($"SELECT * FROM (VALUES ('{max}'::{type}), ('{min}'::{type}), ('{max}'::{type}), (NULL)) t(c)");

        (column.Min, column.Max, column.Distinct, column.Nulls).ShouldBe((min, max, 2, 1));
        column.Top.ShouldBe([new ValueCount(max, 2), new ValueCount(min, 1)]);
    }

    [Fact]
    public async Task A_long_text_is_cut_where_it_is_shown_and_whole_where_it_is_compared()
    {
        var column = await ColumnAsync("SELECT repeat('å', 3000) || range % 2 AS c FROM range(10)");

        (column.Distinct, column.MinLength, column.MaxLength, column.MeanLength).ShouldBe((2, 3001, 3001, 3001));
        column.Min.ShouldBe(new string('å', 80));
        column.Top.Select(value => value.Rows).ShouldBe([5, 5]);
    }

    [Fact]
    public async Task Texts_with_too_many_bytes_to_be_counted_are_estimated()
    {
        var column = await ColumnAsync("SELECT repeat(chr(CAST(97 + range % 20 AS INTEGER)), 300000) || range % 40 AS c FROM range(80)");

        column.DistinctEstimated.ShouldBeTrue();
        column.Distinct.ShouldBeInRange(39, 41);
        column.MaxLength.ShouldBe(300_002);
    }

    [Fact]
    public async Task Neither_the_order_of_the_rows_nor_the_number_of_threads_changes_anything()
    {
        await Gen.Int[0, 1_000_000].SampleAsync(async seed =>
        {
            var rows = $"SELECT hash(range + {seed}) % 90000 / 8 AS a, 'v' || CAST(hash(range * 3 + {seed}) % 500000 AS VARCHAR) AS b, "
                + $"CASE WHEN hash(range + {seed}) % 10 > 2 THEN hash(range) % 1000 END::BIGINT AS c, "
                + $"CASE WHEN hash(range + {seed}) % 10 > 3 THEN DATE '1970-01-01' + CAST(hash(range + 5) % 100000 AS INTEGER) END AS d, "
                + $"CASE WHEN range % 50 = 0 THEN 'frequent' ELSE hash(range)::VARCHAR END AS e, range // 3 AS f FROM range(150000)";
            var one = await _folder.ProfileAsync(rows, threads: 1);
            var other = await _folder.ProfileAsync($"SELECT * FROM ({rows}) ORDER BY hash(b, a, f)", threads: 3);

            JsonSerializer.Serialize(other).ShouldBe(JsonSerializer.Serialize(one));
        }, iter: 3, threads: 1);
    }

    private async Task<ColumnProfile> ColumnAsync(string query) => (await _folder.ProfileAsync(query)).Columns.ShouldHaveSingleItem();
}
