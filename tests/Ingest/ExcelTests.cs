using System.IO.Compression;
using Qualiz.Ingest.Excel;
using Qualiz.Ingest.Sources;
using Qualiz.Platform.Operators;

namespace Qualiz.Ingest.Tests;

public sealed class ExcelTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task Cells_are_what_excel_says_they_are()
    {
        _run.Write("a.xlsx", Xlsx.Write(new Xlsx.Sheet("Data",
        [
            ["id", "price", "text", "zip", "day", "moment", "time", "ok", "mixed", "measure", "empty"],
            [1.0, 12.5, "Zoë \"x\",\ny", "00501", new DateTime(2024, 2, 29), new DateTime(2024, 2, 29, 10, 30, 5), new TimeOnly(23, 59, 59), true, 1.0, 1.5e-7, null],
            [-999999999999999.0, 0.05, " ", "123", new DateTime(1900, 3, 1), new DateTime(9999, 12, 31, 12, 0, 0), new TimeOnly(6, 0), false, "x", 1e300, null],
        ])));
        var result = await _run.RunAsync();
        result.ShouldBalance();
        result.Out.Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}").ShouldBe(
            ["id int64", "price decimal(18,2)", "text text", "zip text", "day date", "moment timestamp", "time time", "ok bool", "mixed text", "measure double", "empty text"]);
        result.Rows().ShouldBe(
        [
            ["1", "12.50", "Zoë \"x\",\ny", "00501", "2024-02-29", "2024-02-29 10:30:05", "23:59:59", "true", "1", "1.5e-07", null],
            ["-999999999999999", "0.05", " ", "123", "1900-03-01", "9999-12-31 12:00:00", "06:00:00", "false", "x", "1e+300", null],
        ]);
        result.Rows("_row").ShouldBe([["1"], ["2"]]);
    }

    [Fact]
    public async Task The_table_is_found_on_its_sheet()
    {
        _run.Write("a.xlsx", Xlsx.Write(
            new Xlsx.Sheet("Cover", []),
            new Xlsx.Sheet("Sales",
            [
                ["Report of 2024"],
                [],
                [null, "id", "name", "amount"],
                [null, 1.0, "Ann", 5.0],
                [],
                [null, 2.0, "Ben", 7.0],
                [null, 2.0, "Ben", 7.0],
            ]),
            new Xlsx.Sheet("Other", [["x"], ["y"]])));
        var result = await _run.RunAsync();
        result.Rows("id", "name", "amount", "_row").ShouldBe([["1", "Ann", "5", "2"], ["2", "Ben", "7", "3"], ["2", "Ben", "7", "4"]]);
        result.Rows("_key").Distinct().Count().ShouldBe(3);
        result.Outcome.RowsRejected.ShouldBe(1);
        result.Outcome.Warnings.ShouldContain(warning => warning.Contains("There are also Other", StringComparison.Ordinal));
        result.ShouldBalance();
        _run.State = null;
        (await _run.RunAsync(Sheet("other"))).Rows("x").ShouldBe([["y"]]);
        (await _run.FailAsync(Sheet("none"))).ShouldSatisfyAllConditions(error => error.Code.ShouldBe("sheetUnknown"), error => error.Message.ShouldContain("Sales"));
    }

    [Fact]
    public async Task Names_under_merged_titles_take_their_title_along()
    {
        _run.Write("a.xlsx", Xlsx.Write(new Xlsx.Sheet("Data",
        [
            ["id", "Address", null, null, "Note"],
            [null, "street", "zip", "city", null],
            [1.0, "Main St", "00501", "Holtsville", "x"],
        ], "B1:D1")));
        (await _run.RunAsync()).Out.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ShouldBe(["id", "Address street", "Address zip", "Address city", "Note"]);
    }

    [Fact]
    public async Task A_value_that_does_not_fit_its_declared_type_costs_its_row()
    {
        _run.Write("a.xlsx", Xlsx.Write(new Xlsx.Sheet("Data", [["id", "day"], ["1", "2024-02-29"], ["x", "2024-02-29"], [3.0, new DateTime(2024, 1, 31)], [4.0, "31.1.2024"]])));
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Types = new Dictionary<string, string> { ["id"] = "int64", ["day"] = "date" } });
        result.Rows("id", "day").ShouldBe([["1", "2024-02-29"], ["3", "2024-01-31"]]);
        result.Rejected("reasons").Select(row => row[0]!).ShouldContain(reason => reason.Contains("Line 3 of a.xlsx", StringComparison.Ordinal));
        result.ShouldBalance();
    }

    [Fact]
    public async Task What_a_formula_came_to_that_has_no_value_is_kept_as_excel_shows_it()
    {
        _run.Write("a.xlsx", Xlsx.Write(new Xlsx.Sheet("s",
        [
            ["id", "amount", "day"],
            [1, 5.5, new Xlsx.Error("#N/A")],
            [2, new Xlsx.Error("#DIV/0!"), new DateTime(2024, 1, 31)],
            [3, new Xlsx.Error("#REF!"), null],
        ])));
        var result = await _run.RunAsync();
        result.Rows("id", "amount", "day", "_row").ShouldBe([["1", "5.5", "#N/A", "1"], ["2", "#DIV/0!", "2024-01-31", "2"], ["3", "#REF!", null, "3"]]);
        result.Outcome.Warnings.ShouldBe(["a.xlsx: 3 cells are errors of formulas and are kept as text (#N/A in C2, #DIV/0! in B3, #REF! in B4). The rule nulls makes them empty, a type under types rejects their rows."]);
        result.ShouldBalance();
        _run.State = null;
        var declared = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Types = new Dictionary<string, string> { ["amount"] = "decimal(18,2)" } });
        declared.Rows("id", "amount").ShouldBe([["1", "5.50"]]);
        declared.Rejected("reasons").Select(row => row[0]!).ShouldAllBe(reason => reason.Contains("the value is no decimal(18,2)", StringComparison.Ordinal));
        declared.ShouldBalance();
    }

    [Theory]
    [InlineData(4096)]
    // So small that it lies among the small files of its container; and so large that the table of its sectors has a table.
    [InlineData(0)]
    [InlineData(9 << 20)]
    public async Task Errors_in_an_old_workbook_are_kept_as_well(int bytes)
    {
        _run.Write("a.xls", Xls.Write(
        [
            new Xls.Sheet("Chart", [new Xls.Error(0x24)]) { Type = 2 },
            new Xls.Sheet("Data",
                ["id", "amount", "day", "ok"],
                [1.0, 5.5, new Xls.Error(0x2a), true],
                [2.0, new Xls.Error(0x07), "Monday", new Xls.Error(0x0f)],
                [3.0, new Xls.Error(0x17, Formula: false), null, false],
                [4.0, 7.0, null, null, new Xls.Error(0x1d)]),
            new Xls.Sheet("Other", [new Xls.Error(0x24)]),
        ], pad: bytes));
        var result = await _run.RunAsync();
        result.Rows("id", "amount", "day", "ok", "column5", "_row").ShouldBe(
            [["1", "5.5", "#N/A", "true", null, "1"], ["2", "#DIV/0!", "Monday", "#VALUE!", null, "2"], ["3", "#REF!", null, "false", null, "3"], ["4", "7", null, null, "#NAME?", "4"]]);
        result.Outcome.Warnings.ShouldContain(warning => warning.Contains("5 cells are errors of formulas and are kept as text (#N/A in C2, #DIV/0! in B3, #VALUE! in D3, ...)", StringComparison.Ordinal));
        result.ShouldBalance();
        _run.State = null;
        (await _run.RunAsync(Sheet("other") with { Format = new IngestFormat { Sheet = "other", Header = HeaderMode.Absent } })).Rows("column1").ShouldBe([["#NUM!"]]);
    }

    [Fact]
    public void An_old_workbook_whose_errors_cannot_be_seen_is_refused()
    {
        var path = _run.Write("a.xls", Xls.Write([new Xls.Sheet("Data", ["id"], [new Xls.Error(0x2a)])], encrypted: true));
        Should.Throw<IngestException>(() => OldExcelErrors.In(new SourceFile("a", "a.xls", path, 1, ""), 0).ToList()).Message.ShouldContain("a.xls is encrypted");
    }

    [Fact]
    public async Task A_damaged_old_workbook_is_refused_wherever_the_damage_is()
    {
        var good = Xls.Write([new Xls.Sheet("Data", ["id", "v"], [1.0, new Xls.Error(0x2a)])], pad: 0);
        var outcomes = new List<string>();
        for (var at = 0; at < good.Length; at += 41)
        {
            byte[] bad = [.. good];
            bad[at] ^= 0xff;
            _run.Write("a.xls", bad);
            _run.State = null;
            outcomes.Add(await _run.TryAsync() is StepResult.Failed { Error: var error } ? error.Code : "read");
        }
        outcomes.Distinct().Order().ShouldBe(["fileUnreadable", "read"]);
    }

    [Fact]
    public async Task Errors_beside_and_below_the_table_and_in_its_names_are_not_lost()
    {
        _run.Write("a.xlsx", Xlsx.Write(new Xlsx.Sheet("s",
        [
            ["id", new Xlsx.Error("#NAME?"), "v"],
            [1, 2, "x"],
            [2, 3, "y", new Xlsx.Error("#N/A")],
            [new Xlsx.Error("#REF!")],
        ])));
        var result = await _run.RunAsync();
        result.Rows("id", "#NAME?", "v", "column4").ShouldBe([["1", "2", "x", null], ["2", "3", "y", "#N/A"], ["#REF!", null, null, null]]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task Damaged_and_foreign_files_are_named()
    {
        var good = Xlsx.Write(new Xlsx.Sheet("Data", [["id"], [1.0]]));
        await RefusedAsync("a.xlsx", good[..(good.Length / 2)], "ZIP archive");
        await RefusedAsync("b.xlsx", Zip(("xl/workbook.xml", "<workbook"u8.ToArray())), "Excel");
        await RefusedAsync("c.zip", Zip(("a.csv", "id\n1\n"u8.ToArray())), "ZIP archive");
        await RefusedAsync("d.ods", Zip(("mimetype", "application/vnd.oasis.opendocument.spreadsheet"u8.ToArray())), "OpenDocument");
        await RefusedAsync("e.csv", "%PDF-1.7 ..."u8.ToArray(), "PDF");
        await RefusedAsync("f.xls", [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, .. new byte[600]], "Excel");
    }

    [Fact]
    public async Task A_workbook_that_unpacks_without_end_is_refused()
    {
        var bomb = Zip(("xl/workbook.xml", "<workbook/>"u8.ToArray()), ("xl/worksheets/sheet1.xml", new byte[300 << 20]));
        _run.Write("a.xlsx", bomb);
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources } })).Code.ShouldBe("fileExpands");
    }

    private async Task RefusedAsync(string name, byte[] bytes, string message)
    {
        var path = _run.Write(name, bytes);
        var error = await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources } });
        error.Code.ShouldBe("fileUnreadable");
        error.Message.ShouldContain(message);
        error.Message.ShouldContain(name);
        File.Delete(path);
    }

    private IngestConfig Sheet(string name) => new() { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Sheet = name } };

    private static byte[] Zip(params (string Name, byte[] Content)[] entries)
    {
        var target = new MemoryStream();
        using (var zip = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var stream = zip.CreateEntry(name, CompressionLevel.Fastest).Open();
                stream.Write(content);
            }
        }
        return target.ToArray();
    }
}
