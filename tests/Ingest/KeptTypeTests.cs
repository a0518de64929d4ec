using Qualiz.Engine.Sessions;

namespace Qualiz.Ingest.Tests;

/// <summary>A column's type over several runs: what one day's values look like does not narrow it, what does not fit widens it.</summary>
public sealed class KeptTypeTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    /// <summary>Days of values with the type after each, and the last day's values.</summary>
    public static TheoryData<string, string[][], string[], string?[]> Days => new()
    {
        { "postal codes", [["01234"], ["94103", "10001"], ["00501"]], ["text", "text", "text"], ["00501"] },
        { "whole amounts", [["12.50"], ["7"]], ["decimal(18,2)", "decimal(18,2)"], ["7.00"] },
        { "fewer places", [["12.50"], ["1.5"]], ["decimal(18,2)", "decimal(18,2)"], ["1.50"] },
        { "more places", [["12.50"], ["0.125"], ["3"]], ["decimal(18,2)", "decimal(38,3)", "decimal(38,3)"], ["3.000"] },
        { "more digits", [["12.50"], ["12345678901234567.5"]], ["decimal(18,2)", "decimal(38,2)"], ["12345678901234567.50"] },
        { "whole numbers that break", [["5"], ["0.5"], ["6"]], ["int64", "decimal(18,1)", "decimal(18,1)"], ["6.0"] },
        { "exponents", [["1.5e-7"], ["3", "0.5"]], ["double", "double"], ["3.0", "0.5"] },
        { "exponents later", [["5"], ["1e3"], ["7"]], ["int64", "double", "double"], ["7.0"] },
        { "too exact for a double", [["1e3"], ["12345678901234567.5"]], ["double", "text"], ["12345678901234567.5"] },
        { "more than 38 digits", [["0.1234567890123456789"], ["1234567890123456789012345"]], ["decimal(38,19)", "text"], ["1234567890123456789012345"] },
        { "dates that end", [["2024-01-31"], ["soon"], ["2024-02-01"]], ["date", "text", "text"], ["2024-02-01"] },
        { "dates and moments", [["2024-01-31"], ["2024-01-31 10:00:00"], ["2024-02-01"]], ["date", "timestamp", "timestamp"], ["2024-02-01 00:00:00"] },
        { "slashes", [["2024-01-31"], ["2024/02/01"]], ["date", "date"], ["2024-02-01"] },
        { "days first", [["31/01/2024"], ["01/02/2024"], [""], ["03/02/2024"]], ["date", "date", "date", "date"], ["2024-02-03"] },
        { "days first, not always", [["31/01/2024"], ["2024-02-01"], ["03/02/2024"]], ["date", "date", "date"], ["2024-02-03"] },
        { "months first, other sign", [["01/31/2024"], ["02-03-2024"]], ["date", "date"], ["2024-02-03"] },
        { "never told", [["01/02/2024"], ["31/01/2024"]], ["text", "text"], ["31/01/2024"] },
        { "yes and no", [["true"], ["1"]], ["bool", "text"], ["1"] },
        { "zones", [["2024-02-29T00:00:00Z"], ["2024-02-29T00:00:00"]], ["timestamptz", "text"], ["2024-02-29T00:00:00"] },
        { "nothing at first", [[""], ["5"], [""], ["0.5"]], ["text", "int64", "int64", "decimal(18,1)"], ["0.5"] },
        { "nothing for long", [[""], [""], ["2024-01-31"]], ["text", "text", "date"], ["2024-01-31"] },
        { "nothing later", [["5"], [""]], ["int64", "int64"], [null] },
    };

    [Theory]
    [MemberData(nameof(Days))]
    public async Task A_type_is_kept_where_it_fits_and_widened_where_it_does_not(string what, string[][] days, string[] types, string?[] last)
    {
        Ingested result = null!;
        foreach (var (day, values) in days.Index())
        {
            _run.Write("a.csv", "n;v\n" + string.Concat(values.Select(value => $"x;{value}\n")));
            result = await _run.RunAsync();
            result.TypeOf("v").ShouldBe(types[day], $"{what}, day {day + 1}");
            result.Outcome.Warnings.Any(warning => warning.Contains("changed: v", StringComparison.Ordinal)).ShouldBe(
                day > 0 && types[day] != types[day - 1] && days.Take(day).Any(earlier => earlier.Any(value => value.Length > 0)), $"{what}, day {day + 1}");
            result.Outcome.Warnings.ShouldNotContain(warning => warning.Contains("stays text", StringComparison.Ordinal) && types[day] != "text");
        }
        result.Rows("v").Select(row => row[0]).ShouldBe(last, what);
        result.ShouldBalance();
    }

    public static TheoryData<string, string[], string[], string> JsonDays => new()
    {
        { "fewer members", ["{\"a\": 1.5, \"t\": [\"x\"]}", "{\"a\": 2, \"t\": []}", "{}"], ["struct(a double, t list(text))", "struct(a double, t list(text))", "struct(a double, t list(text))"], "{'a': NULL, 't': NULL}" },
        { "more members", ["{\"a\": \"x\"}", "{\"b\": true}", "{\"a\": \"y\"}"], ["struct(a text)", "struct(a text, b bool)", "struct(a text, b bool)"], "{'a': y, 'b': NULL}" },
        { "wider members", ["[{\"a\": 1}]", "[{\"a\": 1.5}, {\"a\": 2, \"b\": 3}]"], ["list(struct(a int64))", "list(struct(a double, b int64))"], "[{'a': 1.5, 'b': NULL}, {'a': 2.0, 'b': 3}]" },
        { "members of another kind", ["{\"a\": \"x\"}", "{\"a\": 1}"], ["struct(a text)", "struct(a text)"], "{'a': 1}" },
        { "texts that are numbers, as they are spelt", ["{\"a\": \"x\"}", "{\"a\": 1.50}", "{\"a\": 12345678901234567890.5}"], ["struct(a text)", "struct(a text)", "struct(a text)"], "{'a': 12345678901234567890.5}" },
        { "numbers, then texts", ["{\"a\": 1}", "{\"a\": \"x\"}", "{\"a\": 2.0}"], ["struct(a int64)", "struct(a text)", "struct(a text)"], "{'a': 2.0}" },
        { "objects within, then texts", ["{\"a\": {\"b\": 1}}", "{\"a\": \"x\"}", "{\"a\": {\"b\": 1}}"], ["struct(a struct(b int64))", "struct(a text)", "struct(a text)"], "{'a': '{\"b\": 1}'}" },
        { "far within", ["{\"a\": [{\"b\": \"x\"}]}", "{\"a\": [{\"b\": true}, {\"b\": null}]}"], ["struct(a list(struct(b text)))", "struct(a list(struct(b text)))"], "{'a': [{'b': true}, {'b': NULL}]}" },
        { "several kinds in one day", ["{\"a\": \"x\"}", "{\"a\": 1}\n{\"v\": {\"a\": [2]}}"], ["struct(a text)", "struct(a text)"], "{'a': 1}" },
        { "elements of another kind", ["[1]", "[\"x\"]", "[2]"], ["list(int64)", "list(text)", "list(text)"], "[2]" },
        { "a list, then a struct", ["[1]", "{\"a\": 1}", "[2]"], ["list(int64)", "json", "json"], "[2]" },
        { "mixed lists", ["[1, \"x\"]", "[1]"], ["json", "json"], "[1]" },
        { "empty lists", ["[1]", "[]"], ["list(int64)", "list(int64)"], "[]" },
        { "texts, then objects", ["\"x\"", "{\"a\": \"y\"}", "\"z\""], ["text", "text", "text"], "z" },
        { "objects, then texts", ["{\"a\": 1}", "\"x\"", "{\"a\":2}"], ["struct(a int64)", "text", "text"], "{\"a\":2}" },
        { "long numbers", ["0.5", "9223372036854775807", "0.25"], ["decimal(18,1)", "decimal(38,1)", "decimal(38,2)"], "0.25" },
        { "truths", ["true", "1"], ["bool", "text"], "1" },
        { "texts that mix with objects", ["\"x\"", "{\"a\": 1}\n{\"v\": \"y\"}"], ["text", "text"], "{\"a\": 1}" },
    };

    [Theory]
    [MemberData(nameof(JsonDays))]
    public async Task What_is_nested_keeps_its_members(string what, string[] days, string[] types, string last)
    {
        Ingested result = null!;
        foreach (var (day, value) in days.Index())
        {
            _run.Write("a.jsonl", value.Contains('\n', StringComparison.Ordinal) ? $"{{\"v\": {value.Replace("\n", "}\n", StringComparison.Ordinal)}\n" : $"{{\"v\": {value}}}\n");
            result = await _run.RunAsync();
            result.TypeOf("v").ShouldBe(types[day], $"{what}, day {day + 1}");
        }
        result.Value("v").ShouldBe(last, what);
        result.ShouldBalance();
    }

    [Fact]
    public async Task Values_that_fit_are_no_change_of_the_schema()
    {
        var config = new IngestConfig { From = new IngestSource { Folder = _run.Sources }, OnSchemaChange = OnSchemaChange.Fail };
        _run.Write("a.csv", "zip,amount\n01234,1.50\n");
        await _run.RunAsync(config);
        _run.Write("a.csv", "zip,amount\n94103,2\n");
        (await _run.RunAsync(config)).Rows("zip", "amount").ShouldBe([["94103", "2.00"]]);
        _run.Write("a.csv", "zip,amount\n94103,two\n");
        (await _run.FailAsync(config)).ShouldSatisfyAllConditions(error => error.Code.ShouldBe("schemaChanged"), error => error.Message.ShouldContain("amount (decimal(18,2) to text)"));
    }

    [Fact]
    public async Task Files_of_several_formats_keep_a_type_together()
    {
        Excel(1.5, "x");
        (await _run.RunAsync()).TypeOf("v").ShouldBe("decimal(18,1)");
        Excel(2, "x");
        _run.Write("b.csv", "v,d\n7,y\n");
        _run.Write("c.jsonl", "{\"v\": 3.5, \"d\": \"z\"}\n");
        using (var session = _run.Open(Path.Combine(_run.Sources, "d.parquet")))
            session.Execute($"COPY (SELECT 1.5::DECIMAL(4,1) AS v, {{'a': 1}} AS d) TO {Sql.Literal(Path.Combine(_run.Sources, "d.parquet"))} (FORMAT parquet)");
        var result = await _run.RunAsync();
        result.TypeOf("v").ShouldBe("decimal(18,1)");
        result.Rows("v", "d").ShouldBe([["2.0", "x"], ["7.0", "y"], ["3.5", "z"], ["1.5", "{\"a\":1}"]]);
        result.ShouldBalance();

        void Excel(double number, string text) => _run.Write("a.xlsx", Xlsx.Write(new Xlsx.Sheet("Data", [["v", "d"], [number, text]])));
    }
}
