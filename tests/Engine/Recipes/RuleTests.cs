using Qualiz.Engine.Kernels.Text;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Tests.Recipes;

public sealed class RuleTests : IDisposable
{
    private readonly RecipeBench _bench = new();

    public void Dispose() => _bench.Dispose();

    private static string Values(params string?[] values) =>
        $"SELECT v FROM (VALUES {string.Join(", ", values.Select((value, i) => $"({i}, CAST({Sql.Literal(value)} AS VARCHAR))"))}) t(i, v) ORDER BY i";

    [Fact]
    public async Task Trim_takes_every_white_space_from_both_ends()
    {
        var output = await _bench.RunAsync(Values(" a  b\u00a0", "\t\u3000\ufeff", "a", null), """[{"rule":"trim","columns":"*"}]""");
        output.Rows.ShouldBe(["a  b", "", "a", "∅"]);
        output.Result.Changed["trim"].ShouldBe(2);
        output.Result.Changed["rules[0]"].ShouldBe(2);
    }

    [Fact]
    public async Task What_is_off_is_not_done_and_the_others_keep_their_places()
    {
        var output = await _bench.RunAsync(
            Values(" a ", "b"),
            """[{"rule":"trim","columns":"*","off":true},{"rule":"case","columns":["v"],"to":"upper"},{"rule":"derive","column":"gone","expression":"no such column","off":true},{"rule":"mask","columns":["v"],"by":"token","key":"missing","off":true}]""",
            """[{"check":"pattern","columns":["v"],"pattern":"[A-Z]","else":"reject"},{"check":"reference","columns":["v"],"in":"dataset:missing.v","off":true},{"check":"rowCount","min":100,"off":true}]""");

        output.Rows.ShouldBe(["B"]);
        output.Result.Changed.ShouldBe(new Dictionary<string, long> { ["case"] = 1, ["rules[1]"] = 1 }, ignoreOrder: true);
        output.ReasonsOf(1).ShouldHaveSingleItem();
        RecipeBench.Read("""[{"rule":"mask","columns":["v"],"by":"token","key":"missing","off":true}]""", """[{"check":"reference","columns":["v"],"in":"dataset:missing.v","off":true}]""")
            .ShouldSatisfyAllConditions(recipe => recipe.Keys.ShouldBeEmpty(), recipe => recipe.References.ShouldBeEmpty());
    }

    [Fact]
    public async Task Majority_is_that_of_the_rows_that_have_a_voice_and_keeps_their_order_and_the_log()
    {
        var output = await _bench.RunAsync(
            "SELECT * FROM (VALUES ('1', 'a'), ('1', 'b'), ('1', 'a'), ('1', 'b'), ('1', 'b'), ('2', 'c'), ('2', ' '), ('2', 'c')) t(k, v)",
            """[{"rule":"derive","column":"n","expression":"v || k"},{"rule":"filter","where":"v <> 'b' OR k <> '1' OR n = 'b1' AND k < '0'"},{"rule":"majority","column":"v","by":["k"],"rows":2,"fill":true}]""");
        output.Rows.ShouldBe(["1|a|a1", "1|a|a1", "2|c|c2", "2|c| 2", "2|c|c2"]);
        output.Changes.Select(change => (change.Row, change.Rule, change.Column, change.Old, change.New)).ShouldBe([(7, "rules[2]", "v", "\" \"", "\"c\"")]);
        var typed = await _bench.RunAsync("SELECT * FROM (VALUES (1, 10.5), (1, 10.5), (1, 99), (NULL, 7), (NULL, 7), (NULL, 8)) t(k, v)", """[{"rule":"majority","column":"v","by":["k"],"rows":2,"share":"60%"}]""");
        typed.Rows.ShouldBe(["1|10.5", "1|10.5", "1|10.5", "∅|7.0", "∅|7.0", "∅|8.0"]);
    }

    [Fact]
    public async Task Majorities_one_after_another_see_what_those_before_have_done()
    {
        // Twenty columns, each said by the one before; in the first rows all but the first are wrong.
        const int Columns = 20;
        var names = Enumerable.Range(0, Columns).Select(i => $"c{i}").ToList();
        var query = $"SELECT {string.Join(", ", names.Select((name, i) => i == 0 ? "'v' || i % 7 AS c0" : $"CASE WHEN i < 5 THEN 'wrong' || i ELSE 'v' || i % 7 END AS {name}"))} FROM range(700) t(i)";
        var rules = $"[{string.Join(",", names.Skip(1).Select((name, i) => $$"""{"rule":"majority","column":"{{name}}","by":["{{names[i]}}"]}"""))}]";
        var output = await _bench.RunAsync(query, rules);
        output.Rows.Select((row, i) => row == string.Join('|', Enumerable.Repeat($"v{i % 7}", Columns))).ShouldAllBe(right => right);
        output.Result.Changed["majority"].ShouldBe(5 * (Columns - 1));
    }

    [Fact]
    public async Task Trim_inner_makes_runs_one_space()
    {
        var output = await _bench.RunAsync(Values(" a \u00a0\t b\nc "), """[{"rule":"trim","columns":["v"],"inner":true}]""");
        output.Rows.ShouldBe(["a b c"]);
    }

    [Fact]
    public async Task Nulls_empties_sentinels_in_any_case()
    {
        var output = await _bench.RunAsync(Values("n/a", "-", "", "x", null), """[{"rule":"nulls","columns":"*","values":["N/A","-"]}]""");
        output.Rows.ShouldBe(["∅", "∅", "∅", "x", "∅"]);
        output.Result.Changed["nulls"].ShouldBe(3);
        output = await _bench.RunAsync(Values("n/a", "N/A", ""), """[{"rule":"nulls","columns":"*","values":["N/A"],"ignoreCase":false,"empty":false}]""");
        output.Rows.ShouldBe(["n/a", "∅", ""]);
    }

    [Theory]
    [InlineData("upper", "ÉVA O'BRIEN-SMITH")]
    [InlineData("lower", "éva o'brien-smith")]
    [InlineData("title", "Éva O'brien-Smith")]
    public async Task Case_changes_letters(string to, string expected)
    {
        var output = await _bench.RunAsync(Values("éva O'BRIEN-smith"), $$"""[{"rule":"case","columns":["v"],"to":"{{to}}"}]""");
        output.Rows.ShouldBe([expected]);
    }

    [Fact]
    public async Task Replace_maps_whole_values_or_parts()
    {
        var output = await _bench.RunAsync(Values("UK", "uk", "UKR"), """[{"rule":"replace","columns":["v"],"map":{"UK":"GB"}}]""");
        output.Rows.ShouldBe(["GB", "uk", "UKR"]);
        output = await _bench.RunAsync(Values("UK", "uk", "UKR"), """[{"rule":"replace","columns":["v"],"map":{"UK":"GB"},"ignoreCase":true}]""");
        output.Rows.ShouldBe(["GB", "GB", "UKR"]);
        output = await _bench.RunAsync(Values("Main Str. 1", "x.y"), """[{"rule":"replace","columns":["v"],"map":{"Str.":"Street",".":"\\1"},"match":"part"}]""");
        output.Rows.ShouldBe(["Main Street 1", @"x\1y"]);
        output = await _bench.RunAsync(Values("Main STR. 1", "strx"), """[{"rule":"replace","columns":["v"],"map":{"Str.":"\\0 Street"},"match":"part","ignoreCase":true}]""");
        output.Rows.ShouldBe([@"Main \0 Street 1", "strx"]);
    }

    [Fact]
    public async Task Regex_replaces_every_match()
    {
        var output = await _bench.RunAsync(Values("a1b22"), """[{"rule":"regex","columns":["v"],"pattern":"([0-9]+)","replacement":"<\\1>"}]""");
        output.Rows.ShouldBe(["a<1>b<22>"]);
    }

    [Fact]
    public async Task Number_reads_a_locale_and_rounds_nothing_away()
    {
        var output = await _bench.RunAsync(
            Values("1.234,56 EUR", "-7", "+0,5", " 12 ", "1.23,4", "1,2345", "1,230", "abc", "", null, "12345678901234567,89", ",", "1e3"),
            """[{"rule":"number","columns":["v"],"decimal":",","thousands":".","remove":["EUR"],"type":"decimal(18,2)","else":"null"}]""");
        output.Rows.ShouldBe(["1234.56", "-7.00", "0.50", "12.00", "∅", "∅", "1.23", "∅", "∅", "∅", "∅", "∅", "∅"]);
        output.Column("v").Type.ShouldBe("decimal(18,2)");
        output.Result.Tolerated.ShouldHaveSingleItem().Rows.ShouldBe(6);
    }

    [Fact]
    public async Task Only_cells_of_rows_that_stay_count_as_kept_emptied_or_given_the_default()
    {
        var output = await _bench.RunAsync(
            "SELECT * FROM (VALUES ('x', 'stays'), ('y', 'stays'), ('1', 'stays'), ('z', 'test'), ('z', NULL)) t(v, kind)",
            """[{"rule":"number","columns":["v"],"type":"int64","else":"null"},{"rule":"filter","where":"kind <> 'test' OR kind IS NULL"}]""",
            """[{"check":"email","columns":["kind"],"else":"keep"},{"check":"notNull","columns":["kind"],"else":"reject"}]""");
        output.Result.Tolerated.Select(failure => (failure.Label, failure.Rows)).ShouldBe([("number(v)", 2L), ("email(kind)", 3L)]);
        output.Result.Warnings.ShouldBe(["3 rows fail email(kind) and were kept."]);
        output.Rows.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Rejected_rows_that_are_not_written_as_they_were_counted_fail_the_recipe()
    {
        // An identity of one row that reads as the end of a line and the beginning of another.
        var key = """replace('k|1|1|1' || chr(10) || '0|"s@1"|2|k', '|', chr(31))""";
        var thrown = await Should.ThrowAsync<EngineException>(() => _bench.RunAsync(
            $"SELECT CAST(NULL AS VARCHAR) AS v, 's@1' AS _source, 1::BIGINT AS _row, {key} AS _key", "[]", """[{"check":"notNull","columns":["v"],"else":"reject"}]"""));
        (thrown.Code, thrown.Message).ShouldBe(("engineFailed", "0 clean and 1 rejected rows were counted, but 0 and 2 were written."));
    }

    [Fact]
    public async Task Number_reads_int64_and_double()
    {
        var output = await _bench.RunAsync(Values("9223372036854775807", "9223372036854775808", "1.0", "1.5"), """[{"rule":"number","columns":["v"],"type":"int64","else":"null"}]""");
        output.Rows.ShouldBe(["9223372036854775807", "∅", "1", "∅"]);
        output = await _bench.RunAsync(Values("1.5e3", "0.1", "nan"), """[{"rule":"number","columns":["v"],"type":"double","else":"null"}]""");
        output.Rows.ShouldBe(["1500.0", "0.1", "∅"]);
    }

    [Fact]
    public async Task Number_with_a_space_takes_the_no_break_ones()
    {
        var output = await _bench.RunAsync(Values("1 234", "1\u00a0234\u202f567"), """[{"rule":"number","columns":["v"],"type":"int64","thousands":" "}]""");
        output.Rows.ShouldBe(["1234", "1234567"]);
    }

    [Fact]
    public async Task Date_tries_the_formats_in_order()
    {
        var output = await _bench.RunAsync(
            Values("2020-02-29", "29.02.2020", "30.02.2020", "01.02.20", "", null, "2020-02-29x"),
            """[{"rule":"date","columns":["v"],"formats":["yyyy-MM-dd","dd.MM.yyyy"],"else":"null"}]""");
        output.Rows.ShouldBe(["2020-02-29", "2020-02-29", "∅", "∅", "∅", "∅", "∅"]);
        output.Column("v").Type.ShouldBe("date");
    }

    [Fact]
    public async Task Date_reads_timestamps_and_zones()
    {
        var output = await _bench.RunAsync(Values("01.02.2020 13:45:06"), """[{"rule":"date","columns":["v"],"formats":["dd.MM.yyyy HH:mm:ss"],"to":"timestamp"}]""");
        output.Rows.ShouldBe(["2020-02-01 13:45:06"]);
        output = await _bench.RunAsync(Values("2020-02-01T13:45:06+02:00"), """[{"rule":"date","columns":["v"],"formats":["yyyy-MM-ddTHH:mm:sszzz"],"to":"timestamptz"}]""");
        output.Rows.ShouldBe(["2020-02-01 11:45:06+00"]);
        output = await _bench.RunAsync(Values("2020-02-01T00:30:00+02:00", "1969-12-31T23:30:00-01:00"), """[{"rule":"date","columns":["v"],"formats":["yyyy-MM-ddTHH:mm:sszzz"]}]""");
        output.Rows.ShouldBe(["2020-02-01", "1969-12-31"]);
        output = await _bench.RunAsync(Values("3 Mar 99"), """[{"rule":"date","columns":["v"],"formats":["d MMM yy"]}]""");
        output.Rows.ShouldBe(["1999-03-03"]);
    }

    [Fact]
    public async Task Boolean_reads_words()
    {
        var output = await _bench.RunAsync(Values("Yes", " n ", "1", "maybe", ""), """[{"rule":"boolean","columns":["v"],"else":"null"}]""");
        output.Rows.ShouldBe(["true", "false", "true", "∅", "∅"]);
        output = await _bench.RunAsync(Values("Ja", "nein"), """[{"rule":"boolean","columns":["v"],"true":["ja"],"false":["nein"]}]""");
        output.Rows.ShouldBe(["true", "false"]);
    }

    [Fact]
    public async Task Fill_takes_a_value_or_another_column()
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES (NULL, 'x'), ('a', 'y')) t(v, w)", """[{"rule":"fill","columns":["v"],"from":"w"}]""");
        output.Rows.ShouldBe(["x|x", "a|y"]);
        output = await _bench.RunAsync("SELECT * FROM (VALUES (NULL, 1.5), ('a', NULL)) t(v, w)", """[{"rule":"fill","columns":["w"],"value":2.5}]""");
        output.Rows.ShouldBe(["∅|1.5", "a|2.5"]);
        output.Result.Changed["fill"].ShouldBe(1);
    }

    [Fact]
    public async Task Filter_takes_rows_out_and_accounts_for_them()
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES ('a', 'test'), ('b', 'live'), ('c', NULL)) t(v, status)", """[{"rule":"filter","where":"coalesce(status, '') <> 'test'"}]""");
        output.Rows.ShouldBe(["b|live", "c|∅"]);
        output.Result.Filtered.ShouldBe(1);
        output.Result.Inputs[0].Filters["filter(coalesce(status, '') <> 'test')"].ShouldBe(1);
    }

    [Fact]
    public async Task Derive_makes_a_column()
    {
        var output = await _bench.RunAsync("SELECT * FROM (VALUES ('a', 'b'), ('c', NULL)) t(first, last)", """[{"rule":"derive","column":"name","expression":"upper(first) || ' ' || last"}]""");
        output.Rows.ShouldBe(["a|b|A b", "c|∅|∅"]);
        output.Column("name").Type.ShouldBe("text");
    }

    [Fact]
    public async Task Derive_that_cannot_be_computed_rejects_only_that_row()
    {
        var output = await _bench.RunAsync(Values("12", "secret"), """[{"rule":"derive","column":"n","expression":"CAST(v AS INTEGER) + 1"}]""");
        output.Rows.ShouldBe(["12|13"]);
        output.ReasonsOf(2).ShouldBe(["derive(n)"]);
        output.Column("n").Type.ShouldBe("int64");
    }

    [Theory]
    [InlineData("keep", "1|x", "text", 0, 0)]
    [InlineData("null", "1.0000|∅", "decimal(18,4)", 0, 0)]
    [InlineData("default", "1.0000|7.0000", "decimal(18,4)", 0, 0)]
    [InlineData("reject", "1.0000", "decimal(18,4)", 1, 0)]
    [InlineData("fail", "1.0000", "decimal(18,4)", 1, 1)]
    public async Task Else_says_what_becomes_of_a_value_that_cannot_be_read(string otherwise, string rows, string type, int rejected, int fatal)
    {
        var byDefault = otherwise == "default" ? ""","default":7""" : "";
        var output = await _bench.RunAsync(Values("1", "x"), $$"""[{"rule":"number","columns":["v"],"else":"{{otherwise}}"{{byDefault}}}]""");
        string.Join("|", output.Rows.Select(row => otherwise == "keep" && row == "1.0000" ? "1" : row)).ShouldBe(rows);
        output.Column("v").Type.ShouldBe(type);
        output.Rejected.Count.ShouldBe(rejected);
        output.Result.Fatal.Count.ShouldBe(fatal);
    }

    [Fact]
    public async Task A_rule_sees_what_the_rule_before_it_made()
    {
        var output = await _bench.RunAsync(Values(" N/A ", " 01.02.2020 "),
            """[{"rule":"trim","columns":"*"},{"rule":"nulls","columns":"*","values":["N/A"]},{"rule":"date","columns":["v"],"formats":["dd.MM.yyyy"]},{"rule":"derive","column":"y","expression":"year(v)"}]""");
        output.Rows.ShouldBe(["∅|∅", "2020-02-01|2020"]);
    }

    [Fact]
    public async Task A_converted_column_may_be_converted_again()
    {
        var output = await _bench.RunAsync(Values("12.50"), """[{"rule":"number","columns":["v"],"type":"decimal(18,4)"},{"rule":"number","columns":["v"],"type":"decimal(10,2)"},{"rule":"number","columns":["v"],"type":"int64"}]""");
        output.Rows.ShouldBeEmpty();
        output.ReasonsOf(1).ShouldBe(["number(v)"]);
        output.Rejected[0].Rejected.GetProperty("v").GetString().ShouldBe("12.50");
    }

    [Theory]
    [InlineData("dd.MM.yyyy HH:mm:ss", "1.2.2020 03:04:05", "2020-02-01 03:04:05")]
    [InlineData("yyyy-MM-dd'T'HH:mm", "2020-02-01T03:04", "2020-02-01 03:04:00")]
    [InlineData("d MMM yy, hh:mm tt", "3 sep 69, 12:30 am", "1969-09-03 00:30:00")]
    [InlineData("MMMM d, yyyy", "February 29, 2020", "2020-02-29 00:00:00")]
    [InlineData("100% yyyy", "100% 1999", "1999-01-01 00:00:00")]
    [InlineData("yyyy-MM-dd HH:mm:ss.ffffffzzz", "2020-01-01 01:00:00.5+0200", "2019-12-31 23:00:00.5")]
    [InlineData("yyyy-MM-dd", "2019-02-29", null)]
    [InlineData("yyyy-MM-dd", "2020-02-291", null)]
    public void Dates_are_written_as_people_write_them(string format, string text, string? expected)
    {
        DateFormat.TryRead(format, out var read).ShouldBeTrue();
        var parsed = read.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out var local, out var offset);
        (parsed ? DateTime.UnixEpoch.AddTicks(local * 10).AddMinutes(-offset).ToString("yyyy-MM-dd HH:mm:ss.FFFFFF", System.Globalization.CultureInfo.InvariantCulture) : null).ShouldBe(expected);
    }

    [Theory]
    [InlineData("yyy")]
    [InlineData("")]
    [InlineData("'open")]
    public void A_format_of_unknown_letters_is_none(string format) => DateFormat.TryRead(format, out _).ShouldBeFalse();
}
