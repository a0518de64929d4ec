namespace Qualiz.Ingest.Tests;

/// <summary>Every type with its extremes, through the whole step.</summary>
public sealed class TypeTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    public static TheoryData<string, string[], string, string[]> Inferred => new()
    {
        { "small and large whole numbers", ["0", "-999999999999999", "999999999999999"], "int64", ["0", "-999999999999999", "999999999999999"] },
        { "leading zeros", ["007", "12"], "text", ["007", "12"] },
        { "long ids", ["1234567890123456", "1"], "text", ["1234567890123456", "1"] },
        { "a plus sign", ["+1", "2"], "text", ["+1", "2"] },
        { "blanks", [" 1", "2"], "text", [" 1", "2"] },
        { "money", ["12.50", "7", "-0.05", "0.1"], "decimal(18,2)", ["12.50", "7.00", "-0.05", "0.10"] },
        { "wide decimals", ["1234567890123456789.0123456789", "0.5"], "decimal(38,10)", ["1234567890123456789.0123456789", "0.5000000000"] },
        { "too wide decimals", ["12345678901234567890123456789.0123456789"], "text", ["12345678901234567890123456789.0123456789"] },
        { "a currency sign", ["$12.50", "7.00"], "text", ["$12.50", "7.00"] },
        { "thousands", ["1,234.50"], "text", ["1,234.50"] },
        { "exponents", ["1.5e-7", "2E10", "3"], "double", ["1.5e-07", "20000000000.0", "3.0"] },
        { "infinity", ["Infinity", "1.5"], "text", ["Infinity", "1.5"] },
        { "bools", ["true", "FALSE", "True"], "bool", ["true", "false", "true"] },
        { "zero and one", ["0", "1"], "int64", ["0", "1"] },
        { "yes and no", ["yes", "no"], "text", ["yes", "no"] },
        { "norway", ["NO", "SE"], "text", ["NO", "SE"] },
        { "old and late dates", ["0001-01-01", "1899-12-31", "9999-12-31", "2024-02-29"], "date", ["0001-01-01", "1899-12-31", "9999-12-31", "2024-02-29"] },
        { "no dates", ["2023-02-29", "2024-01-01"], "text", ["2023-02-29", "2024-01-01"] },
        { "year first with slashes", ["2024/01/31"], "date", ["2024-01-31"] },
        { "day first", ["31/01/2024", "1/2/2024"], "date", ["2024-01-31", "2024-02-01"] },
        { "month first", ["01-31-2024", "02-01-2024"], "date", ["2024-01-31", "2024-02-01"] },
        { "day first with dots", ["31.12.1899", "01.02.2024"], "date", ["1899-12-31", "2024-02-01"] },
        { "day or month first", ["01/02/2024", "03/04/2024"], "text", ["01/02/2024", "03/04/2024"] },
        { "day and month first", ["31/01/2024", "01/31/2024"], "text", ["31/01/2024", "01/31/2024"] },
        { "times", ["00:00:00", "23:59:59.999999"], "time", ["00:00:00", "23:59:59.999999"] },
        { "times without seconds", ["00:00", "23:59"], "time", ["00:00:00", "23:59:00"] },
        { "the end of the day", ["24:00:00"], "text", ["24:00:00"] },
        { "timestamps", ["1899-12-31 23:59:59", "2024-02-29T00:00:00.123456"], "timestamp", ["1899-12-31 23:59:59", "2024-02-29 00:00:00.123456"] },
        { "timestamps without seconds", ["2024-02-29 10:30"], "timestamp", ["2024-02-29 10:30:00"] },
        { "leap seconds", ["2016-12-31 23:59:60"], "text", ["2016-12-31 23:59:60"] },
        { "nanoseconds", ["2024-02-29 00:00:00.1234567"], "text", ["2024-02-29 00:00:00.1234567"] },
        { "instants", ["2024-02-29T00:00:00Z", "2024-02-29 02:00:00+02:00", "2024-02-29T02:00:00.5+02"], "timestamptz", ["2024-02-29 00:00:00+00", "2024-02-29 00:00:00+00", "2024-02-29 00:00:00.5+00"] },
        { "instants with short offsets", ["2024-02-29T02:00:00+0200", "2024-02-29T02:00Z"], "timestamptz", ["2024-02-29 00:00:00+00", "2024-02-29 02:00:00+00"] },
        { "instants and timestamps", ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00"], "text", ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00"] },
        { "mixed", ["1", "x", "2024-01-01"], "text", ["1", "x", "2024-01-01"] },
        { "emoji", ["🐤", "👩‍👩‍👧"], "text", ["🐤", "👩‍👩‍👧"] },
    };

    [Theory]
    [MemberData(nameof(Inferred))]
    public async Task A_type_is_found_out_and_nothing_is_lost(string what, string[] values, string type, string[] expected)
    {
        _run.Write("a.csv", "n;v\n" + string.Concat(values.Select(value => $"x;{value}\n")));
        var result = await _run.RunAsync();
        result.TypeOf("v").ShouldBe(type, what);
        result.Rows("v").Select(row => row[0]).ShouldBe(expected, what);
    }

    public static TheoryData<string, string[], string[], string[]> Declared => new()
    {
        { "int64", ["9223372036854775807", "-9223372036854775808", "007", "+5", " 12 "], ["9223372036854775807", "-9223372036854775808", "7", "5", "12"], ["9223372036854775808", "1.0", "1e3", "x"] },
        { "decimal(38,10)", ["9999999999999999999999999999.9999999999", "-0.0000000001", "1.50000000000"], ["9999999999999999999999999999.9999999999", "-0.0000000001", "1.5000000000"], ["10000000000000000000000000000", "0.00000000001", "1,5"] },
        { "double", ["1.5e-7", "12", "0.1"], ["1.5e-07", "12.0", "0.1"], ["nan", "1e999", "x"] },
        { "bool", ["yes", "N", "1", "false"], ["true", "false", "true", "false"], ["2", "ja"] },
        { "date", ["1899-12-31", "2024/02/29"], ["1899-12-31", "2024-02-29"], ["2023-02-29", "31.12.2024", "2024-1-1"] },
        { "time", ["10:30", "23:59:59.5"], ["10:30:00", "23:59:59.5"], ["24:00", "10:30:60"] },
        { "timestamp", ["1899-12-31", "2024-02-29T10:30", "2024-02-29 10:30:05.000001"], ["1899-12-31 00:00:00", "2024-02-29 10:30:00", "2024-02-29 10:30:05.000001"], ["2016-12-31T23:59:60", "2024-02-29T10:30:00Z"] },
        { "timestamptz", ["2024-02-29T10:30:00+0200", "2024-02-29T10:30Z", "2024-02-29 10:30:00"], ["2024-02-29 08:30:00+00", "2024-02-29 10:30:00+00", "2024-02-29 10:30:00+00"], ["2016-12-31T23:59:60Z", "2024-02-29"] },
        { "json", ["{\"a\":[1,2]}", "[]", "1"], ["{\"a\":[1,2]}", "[]", "1"], ["{", "{]"] },
        { "list(int64)", ["[1,2]", "[]"], ["[1, 2]", "[]"], ["{}", "x"] },
        { "struct(a int64, b list(decimal(10,2)))", ["{\"a\":1,\"b\":[1.5,null]}", "{\"b\":[]}"], ["{'a': 1, 'b': [1.50, NULL]}", "{'a': NULL, 'b': []}"], ["{\"a\":1.5}", "{\"c\":1}", "{\"b\":[1.234]}", "[]"] },
        { "text", ["007", " x "], ["007", " x "], [] },
    };

    [Theory]
    [MemberData(nameof(Declared))]
    public async Task A_declared_type_takes_what_it_holds_and_rejects_the_rest(string type, string[] good, string[] expected, string[] bad)
    {
        _run.Write("a.csv", "n;v\n" + string.Concat(good.Concat(bad).Select(value => $"x;\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"\n")));
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Types = new Dictionary<string, string> { ["v"] = type } });
        result.TypeOf("v").ShouldBe(type);
        result.Rows("v").Select(row => row[0]).ShouldBe(expected);
        result.Outcome.RowsRejected.ShouldBe(bad.Length);
        result.ShouldBalance();
    }

    [Fact]
    public async Task A_column_that_changes_late_is_text_all_along()
    {
        _run.Write("a.csv", "v,w\n" + string.Concat(Enumerable.Range(0, 300_000).Select(i => $"{i},x\n")) + "n/a,x\n");
        var result = await _run.RunAsync();
        result.TypeOf("v").ShouldBe("text");
        result.Rows("v")[^1].ShouldBe(["n/a"]);
    }

    [Fact]
    public async Task Dates_that_can_be_read_in_two_ways_are_warned_of()
    {
        _run.Write("a.csv", "n,v\nx,01/02/2024\n");
        (await _run.RunAsync()).Outcome.Warnings.ShouldContain(warning => warning.Contains("\"v\" stays text", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_unknown_column_in_the_configuration_is_named()
    {
        _run.Write("a.csv", "id,name\n1,x\n");
        var from = new IngestSource { Folder = _run.Sources };
        (await _run.FailAsync(new IngestConfig { From = from, Sensitivity = new Dictionary<string, string> { ["emial"] = "personal" } })).Path.ShouldBe("sensitivity.emial");
        (await _run.FailAsync(new IngestConfig { From = from, Key = ["nr"] })).Code.ShouldBe("columnUnknown");
    }

    [Fact]
    public async Task Sensitivity_goes_with_the_columns_and_with_the_rejected_rows()
    {
        _run.Write("a.csv", "id,email\n1,a@example.org\n2\n");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Sensitivity = new Dictionary<string, string> { ["email"] = "personal" } });
        result.Out.Schema.Find("email")!.Sensitivity.ShouldBe("personal");
        result.Outcome.Outputs["rejected"].Schema.Find("ingested")!.Sensitivity.ShouldBe("personal");
    }
}
