using System.Text.Json;

namespace Qualiz.Engine.Tests.Recipes;

public sealed class CheckTests : IDisposable
{
    private readonly RecipeBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_row_shows_all_its_reasons_and_both_its_values()
    {
        var output = await _bench.RunAsync(
            "SELECT * FROM (VALUES (' 1 ', '31.02.2020', NULL, 200), ('2', '01.02.2020', 'a@b.c', 20)) t(id, born, email, age)",
            """[{"rule":"trim","columns":"*"},{"rule":"date","columns":["born"],"formats":["dd.MM.yyyy"]}]""",
            """[{"check":"notNull","columns":["email"]},{"check":"range","columns":["age"],"min":0,"max":150}]""");
        output.Rows.ShouldBe(["2|2020-02-01|a@b.c|20"]);
        output.ReasonsOf(1).ShouldBe(["date(born)", "notNull(email)", "range(age)"]);
        var row = output.Rejected.Single();
        row.Source.ShouldBe("in@1");
        row.Row.ShouldBe(1);
        row.Key.Length.ShouldBe(16);
        row.Ingested.GetRawText().ShouldBe("""{"id":" 1 ","born":"31.02.2020","email":null,"age":200}""");
        row.Rejected.GetRawText().ShouldBe("""{"id":"1","born":"31.02.2020","email":null,"age":200}""");
        var reason = row.Reasons[0];
        reason.GetProperty("value").GetString().ShouldBe("31.02.2020");
        reason.GetProperty("path").GetString().ShouldBe("rules[1]");
        reason.GetProperty("message").GetString().ShouldBe("not a date as dd.MM.yyyy");
        row.Reasons[1].GetProperty("value").ValueKind.ShouldBe(JsonValueKind.Null);
        output.Result.Inputs[0].Rejections.ShouldBe(new Dictionary<string, long> { ["date(born)"] = 1, ["notNull(email)"] = 1, ["range(age)"] = 1 }, ignoreOrder: true);
    }

    [Theory]
    [InlineData("keep", "∅,a")]
    [InlineData("default", "x,a")]
    [InlineData("reject", "a")]
    [InlineData("fail", "a")]
    public async Task Not_null(string otherwise, string rows)
    {
        var byDefault = otherwise == "default" ? ""","default":"x" """ : "";
        var output = await _bench.RunAsync("SELECT * FROM (VALUES (CAST(NULL AS VARCHAR)), ('a')) t(v)", "[]", $$"""[{"check":"notNull","columns":["v"],"else":"{{otherwise}}"{{byDefault}}}]""");
        string.Join(",", output.Rows).ShouldBe(rows);
        output.Column("v").Nullable.ShouldBe(otherwise == "keep");
        output.Result.Fatal.Count.ShouldBe(otherwise == "fail" ? 1 : 0);
        output.Result.Warnings.Count.ShouldBe(otherwise == "keep" ? 1 : 0);
    }

    [Theory]
    [InlineData("keep", "1,5,∅")]
    [InlineData("null", "∅,5,∅")]
    [InlineData("default", "4,5,∅")]
    [InlineData("reject", "5,∅")]
    [InlineData("fail", "5,∅")]
    public async Task Range(string otherwise, string rows)
    {
        var byDefault = otherwise == "default" ? ""","default":4""" : "";
        var output = await _bench.RunAsync("SELECT * FROM (VALUES (1), (5), (NULL)) t(v)", "[]", $$"""[{"check":"range","columns":["v"],"min":1.5,"else":"{{otherwise}}"{{byDefault}}}]""");
        string.Join(",", output.Rows).ShouldBe(rows);
    }

    [Fact]
    public async Task Range_works_on_dates_decimals_and_doubles()
    {
        var output = await _bench.RunAsync(
            "SELECT * FROM (VALUES (DATE '2020-01-01', 1.25::DECIMAL(5,2), 1::DOUBLE), (DATE '1899-12-31', 9.99::DECIMAL(5,2), 'nan'::DOUBLE)) t(d, n, x)", "[]",
            """[{"check":"range","columns":["d"],"min":"1900-01-01"},{"check":"range","columns":["n"],"max":9.985},{"check":"range","columns":["x"],"min":-1e300}]""");
        output.Rows.Count.ShouldBe(1);
        output.ReasonsOf(2).ShouldBe(["range(d)", "range(n)", "range(x)"]);
    }

    [Theory]
    [InlineData("keep", "a1,bad,∅")]
    [InlineData("null", "a1,∅,∅")]
    [InlineData("default", "a1,z9,∅")]
    [InlineData("reject", "a1,∅")]
    [InlineData("fail", "a1,∅")]
    public async Task Pattern(string otherwise, string rows)
    {
        var byDefault = otherwise == "default" ? ""","default":"z9" """ : "";
        var output = await _bench.RunAsync("SELECT * FROM (VALUES ('a1'), ('bad'), (NULL)) t(v)", "[]", $$"""[{"check":"pattern","columns":["v"],"pattern":"[a-z][0-9]","else":"{{otherwise}}"{{byDefault}}}]""");
        string.Join(",", output.Rows).ShouldBe(rows);
    }

    [Theory]
    [InlineData("keep", "a|1,b|1,a|2,∅|1,∅|2")]
    [InlineData("reject", "b|1,a|2,∅|1,∅|2")]
    [InlineData("fail", "b|1,a|2,∅|1,∅|2")]
    public async Task Unique_keeps_the_first_by_the_stated_order(string otherwise, string rows)
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES ('a', 1), ('b', 1), ('a', 2), (NULL, 1), (NULL, 2)) t(k, n)", "[]",
            $$"""[{"check":"unique","columns":["k"],"orderBy":[{"column":"n","direction":"desc"}],"else":"{{otherwise}}"}]""");
        string.Join(",", output.Rows).ShouldBe(rows);
        if (otherwise == "keep")
            return;
        output.ReasonsOf(1).ShouldBe(["unique(k)"]);
        output.Rejected[0].Ingested.GetRawText().ShouldBe("""{"k":"a","n":1}""");
    }

    [Fact]
    public async Task A_row_that_is_rejected_anyway_is_never_the_first()
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES ('a', NULL), ('a', 1), ('a', 2)) t(k, n)", """[{"rule":"case","columns":["k"],"to":"upper"}]""",
            """[{"check":"unique","columns":["k"]},{"check":"notNull","columns":["n"]}]""");
        output.Rows.ShouldBe(["A|1"]);
        output.ReasonsOf(1).ShouldBe(["notNull(n)", "unique(k)"]);
        output.ReasonsOf(3).ShouldBe(["unique(k)"]);
        output.Rejected.Single(row => row.Row == 3).Ingested.GetProperty("k").GetString().ShouldBe("a");
        output.Rejected.Single(row => row.Row == 3).Rejected.GetProperty("k").GetString().ShouldBe("A");
    }

    [Fact]
    public async Task Unique_over_several_columns()
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES ('a', 1), ('a', 2), ('a', 1)) t(k, n)", "[]", """[{"check":"unique","columns":["k","n"]}]""");
        output.Rows.ShouldBe(["a|1", "a|2"]);
        output.ReasonsOf(3).ShouldBe(["unique(k, n)"]);
    }

    [Theory]
    [InlineData("""{"check":"rowCount","min":3}""", 1, 0)]
    [InlineData("""{"check":"rowCount","min":3,"else":"warn"}""", 0, 1)]
    [InlineData("""{"check":"rowCount","min":2,"max":2}""", 0, 0)]
    [InlineData("""{"check":"rowCount","max":1}""", 1, 0)]
    public async Task Row_count_warns_or_fails_and_never_rejects(string check, int fatal, int warnings)
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES (1), (2)) t(v)", "[]", $"[{check}]");
        output.Rows.Count.ShouldBe(2);
        output.Result.Fatal.Count.ShouldBe(fatal);
        output.Result.Warnings.Count.ShouldBe(warnings);
    }

    [Fact]
    public async Task Filtered_rows_go_through_no_check_and_rejected_rows_are_not_filtered()
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES ('x', 'test'), ('y', 'test'), ('3', 'live')) t(n, status)",
            """[{"rule":"filter","where":"n <> 'x'"},{"rule":"number","columns":["n"]},{"rule":"filter","where":"status <> 'test'"}]""",
            """[{"check":"notNull","columns":["n"]}]""");
        output.Rows.ShouldBe(["3.0000|live"]);
        output.Result.Filtered.ShouldBe(1);
        output.ReasonsOf(2).ShouldBe(["number(n)", "notNull(n)"]);
    }

    [Fact]
    public async Task Several_inputs_are_stacked_by_column_name()
    {
        var crm = await _bench.InputAsync("SELECT * FROM (VALUES ('1', 'a'), (NULL, 'b')) t(id, name)", "crm");
        var shop = await _bench.InputAsync("SELECT * FROM (VALUES (DATE '2020-01-01', '3')) t(day, id)", "shop");
        var output = await _bench.RunAsync(RecipeBench.Read("[]", """[{"check":"notNull","columns":["id"]}]"""), crm, shop);
        output.Rows.ShouldBe(["1|a|∅", "3|∅|2020-01-01"]);
        output.Result.Inputs.Select(input => $"{input.Name} {input.In} {input.Out} {input.Rejected}").ShouldBe(["crm 2 1 1", "shop 1 1 0"]);
        output.Rejected[0].Source.ShouldBe("crm@1");
    }
}
