using Qualiz.Engine.Recipes;

namespace Qualiz.Engine.Tests.Recipes;

/// <summary>Rules that change columns and rows, and checks beyond single cells: what the examples of docs/rules.md do not show.</summary>
public sealed class ShapeTests : IDisposable
{
    private readonly RecipeBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task An_empty_cell_passes_a_reference_even_to_a_dataset_without_rows()
    {
        _bench.References["dataset:none"] = (await _bench.InputAsync("SELECT 'x' AS code WHERE false", "none")).Dataset;
        var output = await _bench.RunAsync(
            "SELECT * FROM (VALUES (CAST(NULL AS VARCHAR)), ('a')) t(v)", "[]", """[{"check":"reference","columns":["v"],"in":"dataset:none.code"}]""");
        output.Rows.ShouldBe(["∅"]);
        output.ReasonsOf(2).ShouldBe(["reference(v)"]);
    }

    [Fact]
    public async Task A_reference_to_a_column_that_is_not_there_names_the_nearest()
    {
        _bench.References["dataset:countries"] = (await _bench.InputAsync("SELECT 'NO' AS iso2", "countries")).Dataset;
        var exception = await Should.ThrowAsync<RecipeException>(
            () => _bench.RunAsync("SELECT 'a' AS v", "[]", """[{"check":"reference","columns":["v"],"in":"dataset:countries.iso"}]"""));
        exception.Path.ShouldBe("checks[0].in");
        exception.Message.ShouldContain("iso2");
    }

    [Fact]
    public async Task Every_row_an_exploded_row_becomes_is_accounted_for()
    {
        var output = await _bench.RunAsync(
            "SELECT * FROM (VALUES (1, 'a;b;drop'), (2, 'drop'), (3, NULL), (4, ';')) t(id, tags)",
            """[{"rule":"explode","column":"tags","separator":";"},{"rule":"filter","where":"tags IS NULL OR tags <> 'drop'"}]""",
            """[{"check":"notNull","columns":["tags"]}]""");
        var line = output.Result.Inputs[0];
        (line.In, line.Added, line.Out, line.Rejected, line.Filtered).ShouldBe((4, 3, 2, 3, 2));
        output.Rows.ShouldBe(["1|a", "1|b"]);
        output.Rejected.Select(row => row.Row).ShouldBe([3, 4, 4]);
        output.Rejected.Select(row => row.Ingested.GetProperty("tags").GetString()).ShouldBe([null, ";", ";"]);
    }

    [Fact]
    public async Task A_row_that_is_rejected_or_filtered_before_is_not_exploded()
    {
        var output = await _bench.RunAsync(
            "SELECT * FROM (VALUES (1, 'x', 'a;b;c', ['p', 'q']), (2, '2', 'a;b', ['p', 'q']), (-3, '3', 'a;b;c;d', ['p'])) t(id, n, tags, list)",
            """[{"rule":"number","columns":["n"],"type":"int64","else":"reject"},{"rule":"filter","where":"id > 0"},{"rule":"explode","column":"tags","separator":";"},{"rule":"explode","column":"list"}]""",
            """[{"check":"notNull","columns":["tags"]}]""");
        var line = output.Result.Inputs[0];
        (line.In, line.Added, line.Out, line.Rejected, line.Filtered).ShouldBe((3, 3, 4, 1, 1));
        output.Rows.Order().ShouldBe(["2|2|a|p", "2|2|a|q", "2|2|b|p", "2|2|b|q"]);
        var rejected = output.Rejected.ShouldHaveSingleItem();
        // As it was when it was rejected: whole.
        rejected.Rejected.GetRawText().ShouldBe("""{"id":1,"n":"x","tags":"a;b;c","list":["p","q"]}""");
        output.ReasonsOf(1).ShouldBe(["number(n)"]);
    }

    [Fact]
    public async Task Two_columns_may_be_exploded()
    {
        var output = await _bench.RunAsync(
            "SELECT 'a,b' AS x, ['1', '2'] AS y", """[{"rule":"explode","column":"x","separator":","},{"rule":"explode","column":"y"}]""", """[{"check":"unique","columns":["x"]}]""");
        output.Result.Added.ShouldBe(3);
        output.Rows.Count.ShouldBe(2);
        output.Result.Rejected.ShouldBe(2);
    }

    [Fact]
    public async Task Every_row_that_cells_become_is_accounted_for()
    {
        var output = await _bench.RunAsync(
            "SELECT * FROM (VALUES ('x', 1, 2, NULL), ('y', NULL, NULL, NULL), ('drop', 3, 4, 5), ('z', 6, NULL, 7)) t(id, jan, feb, mar)",
            """[{"rule":"filter","where":"id <> 'drop'"},{"rule":"unpivot","columns":["jan","feb","mar"],"name":"month","value":"sold"}]""",
            """[{"check":"notNull","columns":["sold"]},{"check":"range","columns":["sold"],"max":6}]""");
        var line = output.Result.Inputs[0];
        (line.In, line.Added, line.Out, line.Rejected, line.Filtered).ShouldBe((4, 2, 3, 2, 1));
        output.Rows.Order(StringComparer.Ordinal).ShouldBe(["x|feb|2", "x|jan|1", "z|jan|6"]);
        output.Rejected.Select(row => row.Row).ShouldBe([2, 4]);
        output.Rejected[1].Ingested.GetRawText().ShouldBe("""{"id":"z","jan":6,"feb":null,"mar":7}""");
        output.Rejected[1].Rejected.GetRawText().ShouldBe("""{"id":"z","month":"mar","sold":7}""");
    }

    [Fact]
    public async Task Cells_of_several_types_become_no_column()
    {
        var exception = await Should.ThrowAsync<RecipeException>(
            () => _bench.RunAsync("SELECT 1 AS a, 'x' AS b", """[{"rule":"unpivot","columns":["a","b"],"name":"n","value":"v"}]"""));
        exception.Path.ShouldBe("rules[0].columns[1]");
        exception = await Should.ThrowAsync<RecipeException>(
            () => _bench.RunAsync("SELECT 1 AS a, 'x' AS b", """[{"rule":"unpivot","columns":["a"],"name":"n","value":"b"}]"""));
        exception.Path.ShouldBe("rules[0].value");
    }

    [Fact]
    public async Task What_is_filled_from_above_comes_from_rows_that_are_not_filtered_of_the_same_source()
    {
        var output = await _bench.RunAsync(
            """
            SELECT *, 'k' || _row AS _key FROM (VALUES ('a', 5, NULL, 'n5'), ('a', 1, 'North', 'n1'), ('a', 2, 'total', 'n2'), ('a', 3, NULL, 'n3'), ('b', 4, NULL, 'b4'), ('a', 4, 'South', NULL)) t(_source, _row, region, name)
            """,
            """[{"rule":"filter","where":"region IS NULL OR region <> 'total'"},{"rule":"fill","columns":["region"],"above":true}]""", """[{"check":"notNull","columns":["name"]}]""");
        output.Rows.Order(StringComparer.Ordinal).ShouldBe(["North|n1", "North|n3", "South|n5", "∅|b4"]);
        output.Result.Changed["rules[1]"].ShouldBe(2);
    }

    [Fact]
    public async Task A_fill_says_one_place_to_take_values_from()
    {
        var exception = await Should.ThrowAsync<RecipeException>(() => _bench.RunAsync("SELECT 'x' AS a", """[{"rule":"fill","columns":["a"],"above":true,"value":"y"}]"""));
        exception.Path.ShouldBe("rules[0].above");
    }

    [Fact]
    public async Task Columns_may_change_names_with_each_other()
    {
        var output = await _bench.RunAsync("SELECT 'x' AS a, CAST(NULL AS VARCHAR) AS b", """[{"rule":"rename","columns":{"a":"b","b":"a"}}]""", """[{"check":"notNull","columns":["a"]}]""");
        output.Rejected.Single().Ingested.GetRawText().ShouldBe("""{"a":"x","b":null}""");
        output.Rejected.Single().Rejected.GetRawText().ShouldBe("""{"b":"x","a":null}""");
    }

    [Fact]
    public async Task A_column_that_is_left_out_still_stands_in_the_row_as_ingested_and_may_come_back()
    {
        var output = await _bench.RunAsync(
            "SELECT ' x ' AS a, 'y' AS b",
            """[{"rule":"trim","columns":["a"]},{"rule":"drop","columns":["a"]},{"rule":"derive","column":"a","expression":"upper(b)"},{"rule":"select","columns":["a"]}]""",
            """[{"check":"length","columns":["a"],"min":2}]""");
        output.Rejected.Single().Ingested.GetRawText().ShouldBe("""{"a":" x ","b":"y"}""");
        output.Rejected.Single().Rejected.GetRawText().ShouldBe("""{"a":"Y"}""");
        output.ReasonsOf(1).ShouldBe(["length(a)"]);
    }

    [Theory]
    [InlineData("int64", "1.5", null)]
    [InlineData("int64", "12", "12")]
    [InlineData("int64", "99999999999999999999", null)]
    [InlineData("decimal(10,2)", "1.239", null)]
    [InlineData("decimal(10,2)", "1.2", "1.20")]
    [InlineData("double", "1e3", "1000.0")]
    [InlineData("double", "nan", null)]
    [InlineData("bool", "true", "true")]
    [InlineData("date", "2026-02-30", null)]
    public async Task A_cast_of_text_loses_no_digits(string type, string text, string? expected)
    {
        var output = await _bench.RunAsync($"SELECT '{text}' AS v", $$"""[{"rule":"cast","columns":["v"],"type":"{{type}}"}]""");
        output.Rows.ShouldBe(expected is null ? [] : [expected]);
        output.Result.Rejected.ShouldBe(expected is null ? 1 : 0);
    }

    [Theory]
    [InlineData("TIMESTAMP '2026-11-21 00:00:00'", "2026-11-21")]
    [InlineData("TIMESTAMP '2026-11-21 10:00:00'", null)]
    public async Task A_cast_of_a_moment_loses_no_time_of_day(string moment, string? expected)
    {
        var output = await _bench.RunAsync($"SELECT {moment} AS v", """[{"rule":"cast","columns":["v"],"type":"date"}]""");
        output.Rows.ShouldBe(expected is null ? [] : [expected]);
        output.Result.Rejected.ShouldBe(expected is null ? 1 : 0);
    }

    [Fact]
    public async Task Freshness_looks_at_the_newest_value_and_fails_without_any()
    {
        const string Check = """[{"check":"freshness","column":"v","within":"1d","else":"warn"}]""";
        (await _bench.RunAsync("SELECT TIMESTAMP '2020-01-01 00:00:00' AS v", "[]", Check)).Result.Warnings.ShouldBe(["The newest v is older than 1d."]);
        (await _bench.RunAsync("SELECT TIMESTAMP '2020-01-01 00:00:00' AS v WHERE false", "[]", Check)).Result.Warnings.ShouldBe(["The newest v is older than 1d."]);
        (await _bench.RunAsync("SELECT * FROM (VALUES (DATE '2020-01-01'), (DATE '9000-01-01'), (NULL)) t(v)", "[]", Check)).Result.Warnings.ShouldBeEmpty();
        (await Should.ThrowAsync<RecipeException>(() => _bench.RunAsync("SELECT 3 AS v", "[]", Check))).Path.ShouldBe("checks[0].column");
    }

    [Theory]
    [InlineData("""{"check":"aggregate","function":"mean","column":"n","max":1.5,"else":"warn"}""", "mean of n is not at most 1.5.")]
    [InlineData("""{"check":"aggregate","function":"emptyShare","column":"n","min":0.5,"max":0.75,"else":"warn"}""", "emptyShare of n is not 0.5 to 0.75.")]
    [InlineData("""{"check":"aggregate","function":"distinct","column":"n","min":2}""", null)]
    [InlineData("""{"check":"aggregate","function":"sum","column":"n","min":5,"max":5}""", null)]
    [InlineData("""{"check":"aggregate","function":"stddev","column":"n","max":0}""", "stddev of n is not at most 0.")]
    public async Task Aggregates(string check, string? message)
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES (2), (3), (NULL)) t(n)", "[]", $"[{check}]");
        (output.Result.Warnings.SingleOrDefault() ?? output.Result.Fatal.SingleOrDefault()?.Message).ShouldBe(message);
        output.Rows.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_condition_that_cannot_be_computed_fails_the_row()
    {
        var output = await _bench.RunAsync(
            "SELECT * FROM (VALUES ('1'), ('x'), (NULL)) t(v)", "[]", """[{"check":"row","where":"CAST(v AS INTEGER) > 0","name":"positive"}]""");
        output.Rows.ShouldBe(["1", "∅"]);
        output.Result.Inputs[0].Rejections.ShouldBe(new Dictionary<string, long> { ["row(positive)"] = 1 });
    }

    [Fact]
    public async Task Made_columns_have_the_strictest_tag_of_what_they_are_made_of()
    {
        var input = await _bench.InputAsync("SELECT 'a' AS x, 'b' AS y");
        var columns = input.Dataset.Schema.Columns.Select(column => column with { Sensitivity = column.Name switch { "x" => "personal", "y" => "secret", _ => null } }).ToList();
        var tagged = input with { Dataset = input.Dataset with { Dataset = input.Dataset.Dataset with { Schema = new() { Columns = columns } } } };
        var output = await _bench.RunAsync(RecipeBench.Read("""[{"rule":"merge","columns":["x","y"],"into":"xy","keep":true},{"rule":"split","column":"x","into":["x1","x2"]}]"""), tagged);
        output.Rows.ShouldBe(["a|∅|a b|b"]);
        output.Column("xy").Sensitivity.ShouldBe("secret");
        output.Column("x2").Sensitivity.ShouldBe("personal");
    }
}
