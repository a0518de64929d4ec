using System.IO.Compression;
using System.Text;

namespace Qualiz.Ingest.Tests;

public sealed class CsvTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task Rows_come_with_types_and_identity()
    {
        _run.Write("a.csv", "id,name,amount\n1,Ann,12.50\n2,Ben,7\n");
        var result = await _run.RunAsync();
        result.Rows("id", "name", "amount", "_row").ShouldBe([["1", "Ann", "12.50", "1"], ["2", "Ben", "7.00", "2"]]);
        result.TypeOf("id").ShouldBe("int64");
        result.TypeOf("amount").ShouldBe("decimal(18,2)");
        result.Value("_source")!.ShouldEndWith("@" + Hash("id,name,amount\n1,Ann,12.50\n2,Ben,7\n"));
        result.Value("_key")!.Length.ShouldBe(16);
        result.ShouldBalance();
    }

    [Fact]
    public async Task A_bad_line_is_rejected_with_its_number_its_reason_and_its_text()
    {
        _run.Write("a.csv", "id,name\n1,Ann\n2,Ben,extra\n3\n4,Dan\n");
        var result = await _run.RunAsync();
        result.Rows("id", "_row").ShouldBe([["1", "1"], ["4", "4"]]);
        var rejected = result.Rejected("_row", "ingested", "reasons");
        rejected.Select(row => row[0]).ShouldBe(["2", "3"]);
        rejected[0][1].ShouldBe("{\"raw\":\"2,Ben,extra\"}");
        rejected[0][2]!.ShouldContain("\"line\":3");
        rejected[0][2]!.ShouldContain("the line has 3 fields instead of 2");
        result.Outcome.Ledger.Single().Reasons.ShouldBe([new("rejected", "fieldCount", 2)]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task A_stray_quote_costs_its_own_line_only()
    {
        _run.Write("a.csv", "id,name\n1,\"Ann\n2,Ben\n3,\"C\"x\n4,\"D\"\"an\"\n5,E\"v\"e\n6,\"F\nay\"\n");
        var result = await _run.RunAsync();
        result.Rows("id", "name", "_row").ShouldBe([["2", "Ben", "2"], ["4", "D\"an", "4"], ["5", "E\"v\"e", "5"], ["6", "F\nay", "6"]]);
        result.Rejected("_row").ShouldBe([["1"], ["3"]]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task A_quote_that_is_never_closed_costs_its_own_line_only()
    {
        _run.Write("a.csv", "id,name\n1,Ann\n2,\"Ben\n3,Cara\n");
        var result = await _run.RunAsync();
        result.Rows("id").ShouldBe([["1"], ["3"]]);
        result.Rejected("_row").ShouldBe([["2"]]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task A_declared_type_rejects_what_it_does_not_hold()
    {
        _run.Write("a.csv", "id,amount\n1,1.239\n2,abc\n3, 1.20 \n007,\n8,1e3\n");
        var result = await _run.RunAsync(new IngestConfig
        {
            From = new IngestSource { Folder = _run.Sources },
            Types = new Dictionary<string, string> { ["amount"] = "decimal(18,2)", ["id"] = "int64" },
        });
        result.Rows("id", "amount", "_row").ShouldBe([["3", "1.20", "3"], ["7", null, "4"]]);
        var rejected = result.Rejected("_row", "ingested", "reasons");
        rejected.Select(row => row[0]).ShouldBe(["1", "2", "5"]);
        rejected[1][1].ShouldBe("{\"id\":\"2\",\"amount\":\"abc\"}");
        rejected[1][2]!.ShouldContain("\"column\":\"amount\",\"value\":\"abc\"");
        result.ShouldBalance();
    }

    [Fact]
    public async Task An_empty_text_and_no_text_are_kept_apart()
    {
        _run.Write("a.csv", "id,name\n1,\"\"\n2,\n3,x\n");
        (await _run.RunAsync()).Rows("name").ShouldBe([[""], [null], ["x"]]);
    }

    [Fact]
    public async Task A_quoted_empty_field_is_null_where_the_column_is_no_text()
    {
        _run.Write("a.csv", "id,amount,when\n\"1\",\"2.50\",\"2026-01-02\"\n\"2\",\"\",\"\"\n");
        var result = await _run.RunAsync();
        result.TypeOf("amount").ShouldBe("decimal(18,2)");
        result.TypeOf("when").ShouldBe("date");
        result.Rows("id", "amount", "when").ShouldBe([["1", "2.50", "2026-01-02"], ["2", null, null]]);
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\r")]
    [InlineData("\n")]
    public async Task Any_line_end_is_one(string end)
    {
        _run.Write("a.csv", string.Join(end, "id,name", "1,Ann", "2,\"B\"\"n\"", ""));
        var result = await _run.RunAsync();
        result.Rows("id", "name").ShouldBe([["1", "Ann"], ["2", "B\"n"]]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task Mixed_line_ends_and_no_last_one_are_fine()
    {
        _run.Write("a.csv", "id,name\r\n1,Ann\n2,Ben\r3,Cara");
        (await _run.RunAsync()).Rows("id", "name").ShouldBe([["1", "Ann"], ["2", "Ben"], ["3", "Cara"]]);
    }

    [Fact]
    public async Task Blank_lines_are_no_records()
    {
        _run.Write("a.csv", "\nid,name\n\n1,Ann\n\n\n2,Ben\n\n");
        var result = await _run.RunAsync();
        result.Rows("id", "_row").ShouldBe([["1", "1"], ["2", "2"]]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task In_one_column_a_blank_line_is_a_null()
    {
        _run.Write("a.csv", "v\nx\n\n\\N\ny\n");
        var result = await _run.RunAsync();
        result.Rows("v").ShouldBe([["x"], [null], ["\\N"], ["y"]]);
        result.ShouldBalance();
    }

    [Theory]
    [InlineData("utf-8", true)]
    [InlineData("utf-16", true)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-32", true)]
    [InlineData("iso-8859-1", false)]
    public async Task Encodings_are_found_out(string name, bool mark)
    {
        var encoding = Encoding.GetEncoding(name);
        var text = "id,name\n1,Zoë Müller\n2,plain text of some length\n";
        _run.Write("a.csv", [.. mark ? encoding.GetPreamble() : [], .. encoding.GetBytes(text)]);
        (await _run.RunAsync()).Rows("id", "name").ShouldBe([["1", "Zoë Müller"], ["2", "plain text of some length"]]);
    }

    [Fact]
    public async Task A_one_byte_encoding_that_shows_late_is_found_out()
    {
        var text = new StringBuilder("id,name\n");
        for (var i = 0; i < 40_000; i++)
            text.Append(i).Append(",plain name\n");
        text.Append("x,Zoë\n");
        _run.Write("a.csv", Encoding.Latin1.GetBytes(text.ToString()));
        var result = await _run.RunAsync();
        result.Rows("name")[^1].ShouldBe(["Zoë"]);
        result.Outcome.Warnings.ShouldContain(warning => warning.Contains("windows-1252", StringComparison.Ordinal));
        result.ShouldBalance();
    }

    [Fact]
    public async Task A_few_broken_bytes_among_utf8_reject_their_lines()
    {
        _run.Write("a.csv", [.. "id,name\n1,Zoë\n2,Müller\n3,"u8, 0xff, 0xfe, .. "\n4,Ann\n"u8]);
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Encoding = TextEncoding.Utf8 } });
        result.Rows("id").ShouldBe([["1"], ["2"], ["4"]]);
        result.Rejected("ingested").ShouldBe([["{\"raw\":\"3,\\\\xff\\\\xfe\"}"]]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task Gzip_is_unpacked()
    {
        _run.Write("a.csv.gz", Zip(Encoding.UTF8.GetBytes("id,name\n1,Ann\n")));
        (await _run.RunAsync()).Rows("id", "name").ShouldBe([["1", "Ann"]]);
    }

    [Fact]
    public async Task A_gzip_bomb_is_refused()
    {
        _run.Write("a.csv.gz", Zip(new byte[200 << 20]));
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources } })).Code.ShouldBe("fileExpands");
    }

    [Fact]
    public async Task A_damaged_gzip_is_said_so()
    {
        var zipped = Zip(Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, 10_000))));
        zipped[zipped.Length / 2] ^= 0xff;
        _run.Write("a.csv.gz", zipped);
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources } })).Code.ShouldBe("fileUnreadable");
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(1, 8)]
    [InlineData(1, 1)]
    public async Task A_gzip_that_was_cut_off_is_said_so(double share, int missing)
    {
        var zipped = Zip(Encoding.UTF8.GetBytes("id,v\n" + string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{i},{i * 7919L % 100_003}\n"))));
        _run.Write("a.csv.gz", zipped[..((int)(zipped.Length * share) - missing)]);
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources } })).Code.ShouldBe("fileUnreadable");
    }

    [Fact]
    public async Task A_gzip_of_several_parts_is_read_to_its_end()
    {
        _run.Write("a.csv.gz", [.. Zip("id,v\n1,x\n"u8.ToArray()), .. Zip("2,y\n"u8.ToArray())]);
        (await _run.RunAsync()).Rows("id", "v").ShouldBe([["1", "x"], ["2", "y"]]);
    }

    [Theory]
    [InlineData(";")]
    [InlineData("\t")]
    [InlineData("|")]
    public async Task The_delimiter_is_found_out(string delimiter)
    {
        _run.Write("a.txt", $"id{delimiter}name{delimiter}note\n1{delimiter}Ann{delimiter}a,b\n2{delimiter}Ben{delimiter}c\n");
        (await _run.RunAsync()).Rows("id", "name", "note").ShouldBe([["1", "Ann", "a,b"], ["2", "Ben", "c"]]);
    }

    [Fact]
    public async Task A_decimal_comma_is_read_exactly()
    {
        _run.Write("a.csv", "id;amount\n1;12,50\n2;-0,05\n");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Decimal = "," } });
        result.TypeOf("amount").ShouldBe("decimal(18,2)");
        result.Rows("amount").ShouldBe([["12.50"], ["-0.05"]]);
    }

    [Fact]
    public async Task Nul_bytes_emoji_and_quoted_line_ends_are_kept()
    {
        _run.Write("a.csv", "id,v\n1,a\0b\n2,🐤\n3,\"x\r\ny\"\"z\"\n4,\"\0\"\n");
        var result = await _run.RunAsync();
        result.Rows("v").ShouldBe([["a\0b"], ["🐤"], ["x\r\ny\"z"], ["\0"]]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task Backslash_escapes_are_found_out()
    {
        _run.Write("a.csv", "id,v\n1,\"a \\\"quoted\\\" word\"\n2,\"b \\\"c\\\", d\"\n3,\"e \\\\ f\"\n");
        (await _run.RunAsync()).Rows("v").ShouldBe([["a \"quoted\" word"], ["b \"c\", d"], ["e \\ f"]]);
    }

    [Fact]
    public async Task A_file_without_header_gets_names()
    {
        _run.Write("a.csv", "1,Ann,2026-01-01\n2,Ben,2026-01-02\n");
        var result = await _run.RunAsync();
        result.Rows("column1", "column2", "column3", "_row").ShouldBe([["1", "Ann", "2026-01-01", "1"], ["2", "Ben", "2026-01-02", "2"]]);
    }

    [Fact]
    public async Task Names_that_clash_are_told_apart()
    {
        _run.Write("a.csv", "id,Name,name,,_row\n1,a,b,c,d\n");
        var result = await _run.RunAsync();
        result.Rows("id", "Name", "name_2", "column4", "_row_", "_row").ShouldBe([["1", "a", "b", "c", "d", "1"]]);
    }

    [Fact]
    public async Task Lines_above_the_header_are_rejected_and_counted()
    {
        _run.Write("a.csv", "Report of sales\n\nid,name,amount\n1,Ann,2\n2,Ben,3\n");
        var result = await _run.RunAsync();
        result.Rows("id", "_row").ShouldBe([["1", "2"], ["2", "3"]]);
        result.Rejected("_row", "ingested").ShouldBe([["1", "{\"raw\":\"Report of sales\"}"]]);
        result.ShouldBalance();
    }

    [Theory]
    [InlineData("\"Export\" from CRM\nid,name\n1,Ann\n2,Bob\n", "id,name", 2, 1)]
    [InlineData("\"Export\" of \"all\"\n\nid,name\n1,Ann\n2,Bob\n", "id,name", 2, 1)]
    [InlineData("\"id\"x,name\nfoo,Ann\nbar,Bob\n", "idx,name", 2, 0)]
    [InlineData("\"id\"x,name\n1,Ann\n2,Bob\n", "idx,name", 2, 0)]
    public async Task A_wrong_quote_at_the_top_costs_no_row_beside_its_own(string text, string names, int rows, int rejected)
    {
        _run.Write("a.csv", text);
        var result = await _run.RunAsync();
        result.Out.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name.Replace("\"", "", StringComparison.Ordinal)).ShouldBe(names.Split(','));
        result.Outcome.RowsOut.ShouldBe(rows);
        result.Outcome.RowsRejected.ShouldBe(rejected);
        result.ShouldBalance();
    }

    [Fact]
    public async Task Null_words_are_null_when_said()
    {
        _run.Write("a.csv", "id,n\n1,NULL\n2,5\n3,\"NULL\"\n");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Nulls = ["NULL"] } });
        result.Rows("n").ShouldBe([[null], ["5"], ["NULL"]]);
    }

    [Fact]
    public async Task Very_many_rejected_rows_are_all_accounted()
    {
        var text = new StringBuilder("id,name\n");
        for (var i = 1; i <= 9000; i++)
            text.Append(i % 3 == 0 ? $"{i}\n" : $"{i},n{i}\n");
        _run.Write("a.csv", text.ToString());
        var result = await _run.RunAsync();
        result.Outcome.RowsRejected.ShouldBe(3000);
        result.Rows("id", "_row").ShouldAllBe(row => row[0] == row[1]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task The_key_is_that_of_the_declared_columns()
    {
        _run.Write("a.csv", "id,name\n1,Ann\n1,Ben\n2,Ann\n");
        var keys = (await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Key = ["id"] })).Rows("_key");
        keys[0][0].ShouldBe(keys[1][0]);
        keys[2][0].ShouldNotBe(keys[0][0]);
    }

    [Fact]
    public async Task A_large_file_is_surveyed_in_parts_that_fit_together()
    {
        // Quoted line ends everywhere, so that parts begin inside of fields.
        var text = new StringBuilder("id,note,v\n");
        for (var i = 1; i <= 200_000; i++)
            text.Append(i).Append(",\"first line\nsecond, \"\"line\"\"\n,,\n\",").Append(i % 7 == 0 ? "" : i.ToString(System.Globalization.CultureInfo.InvariantCulture)).Append(i % 50_000 == 0 ? ",extra\n" : "\n");
        _run.Write("a.csv", text.ToString());
        var result = await _run.RunAsync();
        result.Outcome.RowsRejected.ShouldBe(4);
        result.Rows("note").Select(row => row[0]).Distinct().ShouldBe(["first line\nsecond, \"line\"\n,,\n"]);
        result.Rows("id", "_row").Count(row => row[0] != row[1]).ShouldBe(0);
        result.ShouldBalance();
    }

    [Theory]
    [InlineData(", ")]
    [InlineData("||")]
    [InlineData("~|~")]
    [InlineData("ab")]
    public async Task A_delimiter_may_have_several_characters(string delimiter)
    {
        var one = delimiter[..1];
        _run.Write("a.csv", "id#name#note\n1#Ben1x#\"y#\"\"#\"\n2#\"Cara\"x#\n3#1#1#z\n4#\"1\"1\n5#\"D\"#1\n".Replace("1x", one + "x", StringComparison.Ordinal)
            .Replace("#1", $"#{one}", StringComparison.Ordinal).Replace("\"1\"1", $"\"{one}\"{one}", StringComparison.Ordinal).Replace("#", delimiter, StringComparison.Ordinal));
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Delimiter = delimiter }, Types = new Dictionary<string, string> { ["id"] = "int64" } });
        result.ShouldBalance();
        result.Rows("id", "name", "note").ShouldBe([["1", $"Ben{one}x", $"y{delimiter}\"{delimiter}"], ["5", "D", one]]);
        result.Outcome.Ledger.Single().Reasons.ShouldBe([new("rejected", "textAfterQuote", 2), new("rejected", "fieldCount", 1)]);
    }

    [Fact]
    public async Task Delimiters_of_several_characters_are_found_at_the_borders_of_buffers_and_parts()
    {
        var text = new StringBuilder("id<|>name<|>v\n");
        for (var i = 1; i <= 400_000; i++)
            text.Append(i).Append("<|>a<b|").Append(i % 11 == 0 ? "\"" : "").Append("<|>").Append(i % 13).Append('\n');
        _run.Write("a.csv", text.ToString());
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Delimiter = "<|>" } });
        result.Outcome.RowsRejected.ShouldBe(0);
        result.Rows("id", "_row").Count(row => row[0] != row[1]).ShouldBe(0);
        result.Rows("name").Select(row => row[0]).Distinct().Order(StringComparer.Ordinal).ShouldBe(["a<b|", "a<b|\""]);
        result.TypeOf("v").ShouldBe("int64");
    }

    [Fact]
    public async Task A_blank_behind_every_comma_belongs_to_the_delimiter()
    {
        _run.Write("a.csv", "id, name, born, note\n1, \"Ann, the first\", 2001-02-03, x\n2, \"Ben \"\"B\"\"\", 2002-03-04,\n");
        var result = await _run.RunAsync();
        result.Rows("id", "name", "born", "note").ShouldBe([["1", "Ann, the first", "2001-02-03", "x"], ["2", "Ben \"B\"", "2002-03-04", null]]);
        result.TypeOf("born").ShouldBe("date");
        result.Outcome.Warnings.ShouldContain(warning => warning.Contains("blank", StringComparison.Ordinal));
        result.ShouldBalance();
    }

    [Fact]
    public async Task A_blank_behind_some_commas_is_a_character()
    {
        _run.Write("a.csv", "id,name,note\n1, Ann, x\n2, Ben, y\n");
        (await _run.RunAsync()).Rows("id", "name", "note").ShouldBe([["1", " Ann", " x"], ["2", " Ben", " y"]]);
    }

    [Fact]
    public async Task Two_bars_are_one_delimiter_where_no_bar_stands_alone()
    {
        _run.Write("a.csv", "id||name||note\n1||Ann||\n2||Ben||y\n");
        (await _run.RunAsync()).Rows().ShouldBe([["1", "Ann", null], ["2", "Ben", "y"]]);
        _run.Write("a.csv", "id||name|note\n1||Ann|\n2||Ben|y\n");
        (await _run.RunAsync()).Rows("id", "column2", "name", "note").ShouldBe([["1", null, "Ann", null], ["2", null, "Ben", "y"]]);
    }

    [Fact]
    public async Task Apostrophes_enclose_fields_where_double_quotes_do_not()
    {
        _run.Write("a.csv", "id,name,size\n1,'Table, round','48\"\"'\n2,'Chair, low','12\"\"'\n3,Lamp,'9\"\"'\n");
        (await _run.RunAsync()).Rows("id", "name", "size").ShouldBe([["1", "Table, round", "48\"\""], ["2", "Chair, low", "12\"\""], ["3", "Lamp", "9\"\""]]);
    }

    [Fact]
    public async Task The_header_once_more_is_rejected_and_no_value()
    {
        _run.Write("a.csv", "id,name\n1,Ann\nid,\"name\"\n2,Ben\n3,name\n");
        var result = await _run.RunAsync();
        result.TypeOf("id").ShouldBe("int64");
        result.Rows("id", "name", "_row").ShouldBe([["1", "Ann", "1"], ["2", "Ben", "3"], ["3", "name", "4"]]);
        result.Outcome.Ledger.Single().Reasons.ShouldBe([new("rejected", "repeatedHeader", 1)]);
        result.Rejected("reasons")[0][0]!.ShouldContain("Line 3 of a.csv");
        result.ShouldBalance();
    }

    [Fact]
    public async Task A_row_that_only_begins_like_the_header_stays_a_row()
    {
        _run.Write("a.csv", "code,name\nx1,Ann\ncode,other\ncode,name\nother,name\ncode,\nx2,Ben\n");
        var result = await _run.RunAsync();
        result.Rows("code", "name", "_row").ShouldBe([["x1", "Ann", "1"], ["code", "other", "2"], ["other", "name", "4"], ["code", null, "5"], ["x2", "Ben", "6"]]);
        result.Outcome.Ledger.Single().Reasons.ShouldBe([new("rejected", "repeatedHeader", 1)]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task A_stray_quote_costs_one_line_however_long_the_file_goes_on_without_another()
    {
        var text = new System.Text.StringBuilder("id,name,note\n1,Ann,a\n2,\"Ben,x\n");
        var rows = 2;
        for (var line = $",Carol,{new string('c', 4000)}\n"; text.Length < Csv.CsvScanner.MaxRecordBytes + (2 << 20); rows++)
            text.Append(rows + 1).Append(line);
        _run.Write("a.csv", text.ToString());
        var result = await _run.RunAsync();
        (result.Outcome.RowsOut, result.Outcome.RowsRejected).ShouldBe((rows - 1, 1));
        result.Rejected("reasons")[0][0]!.ShouldContain("Line 3 of a.csv");
        result.Outcome.Ledger.ShouldAllBe(line => line.Balances);
    }

    [Theory]
    [InlineData("a,\"b,c\nd,e\n", '"')]
    // The record's place in the buffer ends behind a quote, and in an escape.
    [InlineData("a,\"b\n1234567890\"\"cd\n", '"')]
    [InlineData("a,\"b\n1234567890\\\\12\n", '\\')]
    public void What_never_ends_is_cut_at_its_first_line_end(string text, char escape)
    {
        for (var longest = 16; longest <= 64; longest *= 2)
        {
            using var scanner = new Csv.CsvScanner(
                new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text + string.Concat(Enumerable.Repeat("x,y\n", 100)))), new Csv.CsvDialect((byte)',', Escape: (byte)escape), bufferSize: 16, maxRecord: longest);
            scanner.Next().ShouldBeTrue();
            scanner.Fault.ShouldBe(Csv.RecordFault.UnterminatedQuote);
            System.Text.Encoding.UTF8.GetString(scanner.Raw).ShouldBe(text[..text.IndexOf('\n', StringComparison.Ordinal)]);
            scanner.Next().ShouldBeTrue();
            scanner.Line.ShouldBe(2);
        }
    }

    [Fact]
    public async Task A_header_of_two_lines_gives_names_of_both()
    {
        _run.Write("a.csv", "\n,sales,,stock\nid,2025,2026,2026\n\n1,5,6,7\n");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { HeaderRows = 2 } });
        result.Rows("id", "sales 2025", "sales 2026", "stock 2026", "_row").ShouldBe([["1", "5", "6", "7", "1"]]);
        result.ShouldBalance();
    }

    [Theory]
    [InlineData("\"id,name,\"note\",x\n1,Ann,a,b\n2,Ben,c,d\n", "\"id,name,note,x")]
    [InlineData("id,\"name\"s,note,x\n1,Ann,a,b\n2,Ben,c,d\n", "id,\"name\"s,note,x")]
    [InlineData("id,name,note,\"x\n1,Ann,a,b\n2,Ben,c,d\n", "id,name,note,\"x")]
    public async Task A_header_with_a_stray_quote_still_names_the_columns_and_no_row_does(string text, string names)
    {
        foreach (var mode in (HeaderMode[])[HeaderMode.Auto, HeaderMode.Present])
        {
            _run.State = null;
            _run.Write("a.csv", text);
            var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Header = mode } });
            result.Out.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ShouldBe(names.Split(','));
            result.Rows([.. names.Split(','), "_row"]).ShouldBe([["1", "Ann", "a", "b", "1"], ["2", "Ben", "c", "d", "2"]]);
            result.Outcome.Warnings.ShouldContain(warning => warning.Contains("quotes of the header", StringComparison.Ordinal));
            result.ShouldBalance();
        }
    }

    [Fact]
    public async Task A_name_too_many_in_the_header_that_is_empty_is_left_out()
    {
        _run.Write("a.csv", "id,,name\n1,Ann\n2,Ben\n");
        var result = await _run.RunAsync();
        result.Rows().ShouldBe([["1", "Ann"], ["2", "Ben"]]);
        result.Rows("id", "name").Count.ShouldBe(2);
        result.Outcome.Warnings.ShouldContain(warning => warning.Contains("empty ones are left out", StringComparison.Ordinal));
        result.ShouldBalance();
    }

    private static string Hash(string text) => Convert.ToHexStringLower(System.IO.Hashing.XxHash128.Hash(Encoding.UTF8.GetBytes(text)))[..16];

    private static byte[] Zip(byte[] bytes)
    {
        var target = new MemoryStream();
        using (var zip = new GZipStream(target, CompressionLevel.Fastest))
            zip.Write(bytes);
        return target.ToArray();
    }
}
