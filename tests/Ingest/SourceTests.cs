using System.Collections.Concurrent;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Configuration;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest.Sources;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.Platform.Storage;

namespace Qualiz.Ingest.Tests;

public sealed class SourceTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task Files_are_united_by_the_names_of_their_columns()
    {
        _run.Write("a.csv", "id,name\n1,Ann\n");
        _run.Write("b.csv", "Name,ID,city\nBen,x2,Oslo\n");
        _run.Write("c.jsonl", "{\"id\": 3, \"tags\": [\"x\"]}\n");
        var result = await _run.RunAsync();
        result.Rows("id", "name", "city", "tags", "_row").ShouldBe([["1", "Ann", null, null, "1"], ["x2", "Ben", "Oslo", null, "1"], ["3", null, null, "[x]", "1"]]);
        result.TypeOf("id").ShouldBe("text");
        result.Outcome.Ledger.Select(line => (line.Input, line.In)).ShouldBe([("a.csv", 1L), ("b.csv", 1L), ("c.jsonl", 1L)]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task Very_many_files_become_few()
    {
        for (var i = 0; i < 130; i++)
            _run.Write($"f{i:000}.csv", $"id,v\n{i},x\nbad\n");
        var result = await _run.RunAsync();
        result.Out.Files.Count.ShouldBe(3);
        result.Outcome.RowsOut.ShouldBe(130);
        result.Outcome.RowsRejected.ShouldBe(130);
        result.Rows("_source").Distinct().Count().ShouldBe(130);
        result.ShouldBalance();
    }

    [Fact]
    public async Task Only_new_files_are_read_the_second_time()
    {
        var config = new IngestConfig { From = new IngestSource { Folder = _run.Sources, OnlyNew = true } };
        _run.Write("a.csv", "id,v\n1,x\n");
        var first = await _run.RunAsync(config);
        (first.Outcome.RowsOut, first.Outcome.Outputs["out"].Partial).ShouldBe((1, false));
        _run.Write("b.csv", "id,v\n2,x\n");
        var second = await _run.RunAsync(config);
        second.Rows("id").ShouldBe([["2"]]);
        (second.Outcome.Outputs["out"].Partial, second.Outcome.StateGrows).ShouldBe((true, true));
        // The same name and size with other content is a new file.
        _run.Write("b.csv", "id,v\n3,x\n");
        (await _run.RunAsync(config)).Rows("id").ShouldBe([["3"]]);
        var nothing = await _run.RunAsync(config);
        nothing.Outcome.RowsOut.ShouldBe(0);
        nothing.TypeOf("id").ShouldBe("int64");
        (await _run.FailAsync(config with { OnEmpty = OnEmpty.Fail })).Code.ShouldBe("empty");
        (await _run.TryAsync(config with { OnEmpty = OnEmpty.Skip })).ShouldBe(new StepResult.Skipped("no new file was found"));
    }

    [Fact]
    public async Task An_empty_file_is_called_that()
    {
        var config = new IngestConfig { From = new IngestSource { Folder = _run.Sources, OnlyNew = true }, OnEmpty = OnEmpty.Fail };
        (await _run.FailAsync(config)).Message.ShouldBe("No file was found.");
        _run.Write("a.csv", "");
        (await _run.FailAsync(config)).ShouldSatisfyAllConditions(error => error.Code.ShouldBe("empty"), error => error.Message.ShouldBe("a.csv is empty."));
        (await _run.TryAsync(config with { OnEmpty = OnEmpty.Skip })).ShouldBe(new StepResult.Skipped("a.csv is empty"));
        _run.Write("b.csv.gz", Zip("\n"));
        (await _run.FailAsync(config)).Message.ShouldBe("2 files were found, all of them empty.");
        await _run.RunAsync(config with { OnEmpty = OnEmpty.Continue });
        (await _run.FailAsync(config)).Message.ShouldBe("No new file was found.");
        _run.Write("c.csv", "");
        (await _run.FailAsync(config)).Message.ShouldBe("c.csv is empty.");
    }

    [Fact]
    public async Task A_file_that_grows_before_its_turn_is_known_as_it_was_read()
    {
        var config = new IngestConfig { From = new IngestSource { Folder = _run.Sources, OnlyNew = true } };
        _run.Write("a.csv", "id,v\n1,x\n");
        var path = _run.Write("b.csv", "id,v\n2,y\n");
        _run.Progress = _ =>
        {
            _run.Progress = null;
            File.AppendAllText(path, "3,z\n");
        };
        (await _run.RunAsync(config)).Rows("id").ShouldBe([["1"], ["2"], ["3"]]);
        (await _run.RunAsync(config)).Outcome.RowsOut.ShouldBe(0);
    }

    [Theory]
    [InlineData("a.csv", true, "survey")]
    [InlineData("a.csv", false, "survey")]
    [InlineData("a.csv", true, "convert")]
    [InlineData("a.csv.gz", true, "survey")]
    public async Task A_file_that_grows_while_it_is_read_is_not_whole_yet(string name, bool onlyNew, string phase)
    {
        var config = new IngestConfig { From = new IngestSource { Folder = _run.Sources, OnlyNew = onlyNew } };
        var part = name.EndsWith(".gz", StringComparison.Ordinal) ? Zip("id,v\n1,x\n") : "id,v\n1,x\n"u8.ToArray();
        var rest = name.EndsWith(".gz", StringComparison.Ordinal) ? Zip("2,y\n") : "2,y\n"u8.ToArray();
        var path = _run.Write(name, part);
        _run.Progress = progress =>
        {
            if (progress.Phase != phase)
                return;
            _run.Progress = null;
            File.AppendAllBytes(path, rest);
        };
        (await _run.FailAsync(config)).ShouldSatisfyAllConditions(error => error.Code.ShouldBe("sourceChanged", error.Message), error => error.Transient.ShouldBeTrue());
        var again = await _run.RunAsync(config);
        again.Rows("id").ShouldBe([["1"], ["2"]]);
        again.ShouldBalance();
    }

    [Theory]
    [InlineData("*", "a.csv,ab.csv")]
    [InlineData("**", "a.csv,ab.csv,sub/b.csv")]
    [InlineData("**/*.csv", "a.csv,ab.csv,sub/b.csv")]
    [InlineData("?.csv", "a.csv")]
    [InlineData(".*.csv", ".a.csv")]
    [InlineData("sub/.*", "sub/.a.csv.qualiz")]
    [InlineData(".git/*", ".git/c.csv")]
    [InlineData(".a.csv", ".a.csv")]
    public async Task Files_that_are_hidden_or_half_written_are_read_only_by_name(string pattern, string expected)
    {
        foreach (var name in (string[])["a.csv", "ab.csv", ".a.csv", ".part-0199b6f27e517c3d9a305e1f4d8a2b11.csv", "sub/b.csv", "sub/.a.csv.qualiz", "sub/.part-0199b6f27e517c3d9a305e1f4d8a2b11", ".git/c.csv"])
            _run.Write(name, "id,v\n1,x\n");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources, Files = pattern } });
        result.Outcome.Ledger.Select(line => line.Input).ShouldBe(expected.Split(','), ignoreOrder: true);
    }

    [Fact]
    public async Task Changed_columns_are_taken_left_out_or_refused()
    {
        var config = new IngestConfig { From = new IngestSource { Folder = _run.Sources } };
        _run.Write("a.csv", "id,v\n1,5\n");
        await _run.RunAsync(config);
        var before = _run.State;
        _run.Write("a.csv", "id,v,w\n1,x,new\n2,7,new\n");

        (await _run.FailAsync(config with { OnSchemaChange = OnSchemaChange.Fail })).Code.ShouldBe("schemaChanged");
        var ignored = await _run.RunAsync(config with { OnSchemaChange = OnSchemaChange.Ignore });
        ignored.Rows().ShouldBe([["2", "7"]]);
        ignored.Outcome.RowsRejected.ShouldBe(1);
        ignored.ShouldBalance();
        _run.State = before;
        var added = await _run.RunAsync(config);
        added.Rows("id", "v", "w").ShouldBe([["1", "x", "new"], ["2", "7", "new"]]);
        added.Outcome.Warnings.ShouldContain(warning => warning.Contains("new: w", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("31/01/2024", "03/02/2024;2024-02-05;13.02.2024;02/13/2024;x", "2024-02-03;2024-02-05;2024-02-13", "date")]
    [InlineData("01/31/2024", "03/02/2024;2024/02/05; 2-13-2024;13/02/2024", "2024-03-02;2024-02-05;2024-02-13", "date")]
    [InlineData("2024-01-31", "2024-02-01;31/01/2024", "2024-02-01", "date")]
    [InlineData("01/02/2024", "31/01/2024;x", "31/01/2024;x", "text")]
    [InlineData("", "5;x", "5;x", "text")]
    [InlineData("", "5;6", "5;6", "int64")]
    [InlineData("12.50", "7;x", "7.00", "decimal(18,2)")]
    public async Task Where_changes_are_ignored_a_value_written_as_before_is_none(string first, string second, string kept, string type)
    {
        var config = new IngestConfig { From = new IngestSource { Folder = _run.Sources }, OnSchemaChange = OnSchemaChange.Ignore };
        _run.Write("a.csv", $"n,v\n0,{first}\n");
        await _run.RunAsync(config);
        for (var day = 0; day < 2; day++)
        {
            _run.Write("a.csv", "n,v\n" + string.Concat(second.Split(';').Select(value => $"0,{value}\n")));
            var result = await _run.RunAsync(config);
            result.TypeOf("v").ShouldBe(type);
            result.Rows("v").Select(row => row[0]).ShouldBe(kept.Split(';'));
            result.Outcome.RowsRejected.ShouldBe(second.Split(';').Length - kept.Split(';').Length);
            result.ShouldBalance();
        }
    }

    [Fact]
    public async Task A_first_record_longer_than_the_look_at_the_beginning_is_no_empty_file()
    {
        _run.Write("a.csv", $"1,\"{new string('x', 900_000)}\"\n2,b\n");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Header = HeaderMode.Absent } });
        result.Rows("column1", "_row").ShouldBe([["1", "1"], ["2", "2"]]);
        result.ShouldBalance();
        _run.Write("a.csv", new string('x', 33 << 20));
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Type = FileFormat.Csv } })).Message.ShouldContain("longer than 32 MB");
    }

    [Fact]
    public async Task A_first_record_with_line_ends_in_a_long_text_is_one_record()
    {
        var note = string.Concat(Enumerable.Repeat("a line, \"\"and\"\" one more\n", 20_000));
        _run.Write("a.csv", $"1,\"{note}\"\n2,b\n");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Format = new IngestFormat { Header = HeaderMode.Absent } });
        result.Rows("column1", "_row").ShouldBe([["1", "1"], ["2", "2"]]);
        result.Value("column2").ShouldBe(note.Replace("\"\"", "\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"abc", 1)]
    [InlineData("\"abc\n", 1)]
    [InlineData("\"a\"b,c\n\"d\"e,f\n", 2)]
    public async Task A_file_of_nothing_but_broken_lines_is_not_empty(string text, int lines)
    {
        _run.Write("a.csv", text);
        var result = await _run.RunAsync();
        result.Outcome.RowsRejected.ShouldBe(lines);
        result.Rejected("reasons")[0][0]!.ShouldContain("Line 1 of a.csv");
        result.ShouldBalance();
    }

    [Theory]
    [InlineData("DOUBLE", "1.5", "int64")]
    [InlineData("DOUBLE", "1.234", "decimal(18,2)")]
    [InlineData("DECIMAL(18,4)", "1.2345", "decimal(18,2)")]
    [InlineData("BIGINT", "9007199254740993", "double")]
    [InlineData("TIMESTAMP", "2026-01-01 12:00:00", "date")]
    [InlineData("BIGINT", "1", "date")]
    [InlineData("DATE", "2026-01-01", "int64")]
    [InlineData("DOUBLE", "nan", "decimal(18,2)")]
    [InlineData("VARCHAR", "1.5", "int64")]
    [InlineData("VARCHAR", "2026-02-30", "date")]
    public async Task A_declared_type_does_not_round_what_a_parquet_file_holds(string type, string value, string declared)
    {
        var path = Path.Combine(_run.Sources, "a.parquet");
        using (var session = _run.Open(path))
            await session.ExecuteAsync($"COPY (SELECT CAST('{value}' AS {type}) AS v) TO '{path}' (FORMAT parquet)", default);
        var error = await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Types = new Dictionary<string, string> { ["v"] = declared } });
        (error.Code, error.Path).ShouldBe(("typeMismatch", "types.v"), error.Message);
        error.Message.ShouldEndWith($"1 of its values are no {declared}.");
    }

    [Theory]
    [InlineData("DOUBLE", "15", "int64", "15")]
    [InlineData("VARCHAR", " 007 ", "int64", "7")]
    [InlineData("VARCHAR", "yes", "bool", "true")]
    [InlineData("TIMESTAMP", "2026-01-01 00:00:00", "date", "2026-01-01")]
    [InlineData("BIGINT", "7", "text", "7")]
    public async Task A_declared_type_that_holds_what_a_parquet_file_has_is_taken(string type, string value, string declared, string expected)
    {
        var path = Path.Combine(_run.Sources, "a.parquet");
        using (var session = _run.Open(path))
            await session.ExecuteAsync($"COPY (SELECT CAST('{value}' AS {type}) AS v UNION ALL SELECT NULL) TO '{path}' (FORMAT parquet)", default);
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Types = new Dictionary<string, string> { ["v"] = declared } });
        result.Rows("v").ShouldBe([[expected], [null]], ignoreOrder: true);
        result.TypeOf("v").ShouldBe(declared);
    }

    [Theory]
    [InlineData("""[{"id": 1.5}, {"id": 2}]""", "ID", "id", "int64")]
    [InlineData("""[{"Id": "x"}, {"Id": "2"}]""", "id", "Id", "int64")]
    [InlineData("[1.5, 2]", "value", "value", "int64")]
    [InlineData("""[{"id": 1.234}, {"id": 2}]""", "ID", "id", "decimal(18,2)")]
    public async Task A_declared_type_holds_for_a_member_whatever_its_case(string json, string name, string column, string type)
    {
        _run.Write("a.json", json);
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Types = new Dictionary<string, string> { [name] = type } });
        result.TypeOf(column).ShouldBe(type);
        result.Rows(column, "_row").ShouldBe([[type == "int64" ? "2" : "2.00", "2"]]);
        result.Rejected("_row").ShouldBe([["1"]]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task Columns_of_a_parquet_file_that_are_called_like_ours_get_another_name()
    {
        var path = Path.Combine(_run.Sources, "a.parquet");
        using (var session = _run.Open(path))
            await session.ExecuteAsync($"COPY (SELECT 1 AS id, 'x' AS _source, 70 AS _row, 'k' AS _KEY, 71 AS file_row_number, 1.5 AS _row_) TO '{path}' (FORMAT parquet)", default);
        var config = new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Types = new Dictionary<string, string> { ["_source_"] = "text", ["_row_"] = "double" } };
        var result = await _run.RunAsync(config);
        result.Rows("id", "_source_", "_row_", "_KEY_", "file_row_number_", "_row__2", "_row").ShouldBe([["1", "x", "70.0", "k", "71", "1.5", "1"]]);
        result.Outcome.Warnings.ShouldContain("a.parquet: Column 2 (\"_source\") is called \"_source_\": its name is taken.");
        result.ShouldBalance();
        File.Delete(path);
        _run.Write("a.csv", "id,file_row_number\n1,71\n");
        (await _run.RunAsync()).Rows("id", "file_row_number_", "_row").ShouldBe([["1", "71", "1"]]);
    }

    [Fact]
    public async Task A_file_that_is_no_text_is_refused_and_not_read_as_a_table_of_one_strange_column()
    {
        _run.Write("a.dbf", [3, 110, 3, 8, 1, 0, 0, 0, .. new byte[24], .. "STATE"u8, .. new byte[27], 13, .. "Ohio"u8, 26]);
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources } })).ShouldSatisfyAllConditions(error => error.Code.ShouldBe("fileUnreadable"), error => error.Message.ShouldStartWith("a.dbf is no text"));
        _run.Write("a.dbf", "id,v\n1,a\0b\n");
        (await _run.RunAsync()).Outcome.RowsOut.ShouldBe(1);
    }

    [Fact]
    public async Task Two_signs_make_no_number()
    {
        _run.Write("a.csv", "i,d\n+5,+1e3\n+-5,1\n5,+-1\n+,2\n");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Types = new Dictionary<string, string> { ["i"] = "int64", ["d"] = "double" } });
        result.Rows("i", "d").ShouldBe([["5", "1000.0"]]);
        result.Outcome.RowsRejected.ShouldBe(3);
        result.ShouldBalance();
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../..")]
    [InlineData("/etc")]
    [InlineData("sub/../../..")]
    public async Task A_folder_outside_the_roots_is_refused(string folder)
    {
        _run.Write("sub/a.csv", "id\n1\n");
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = Path.IsPathRooted(folder) ? folder : Path.Combine(_run.Sources, folder) } })).Code.ShouldBe("accessRefused");
    }

    [Fact]
    public async Task A_link_out_of_the_roots_is_refused()
    {
        File.CreateSymbolicLink(Path.Combine(_run.Sources, "a.csv"), "/etc/passwd");
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources } })).Code.ShouldBe("accessRefused");
        File.Delete(Path.Combine(_run.Sources, "a.csv"));
        Directory.CreateSymbolicLink(Path.Combine(_run.Sources, "etc"), "/etc");
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = Path.Combine(_run.Sources, "etc"), Files = "passwd" } })).Code.ShouldBe("accessRefused");
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources, Files = "../x.csv" } })).Code.ShouldBe("accessRefused");
    }

    [Fact]
    public async Task A_link_within_the_roots_is_followed()
    {
        _run.Write("real/a.csv", "id,v\n1,x\n");
        File.CreateSymbolicLink(Path.Combine(_run.Sources, "link.csv"), Path.Combine(_run.Sources, "real", "a.csv"));
        (await _run.RunAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources, Files = "*.csv" } })).Rows("id").ShouldBe([["1"]]);
    }

    [Fact]
    public async Task A_folder_connection_gives_the_files_of_its_pattern()
    {
        _run.Add(new Connection("landing", "folder", new Dictionary<string, string> { ["root"] = _run.Sources }));
        _run.Write("shop/2026-11-21/NO/a.csv", "id,v\n1,x\n");
        _run.Write("shop/2026-11-21/SE/a.csv", "id,v\n2,x\n");
        _run.Write("shop/2026-11-21/NO/readme.txt", "hello");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Connection = "landing", Files = "shop/2026-11-21/NO/*.csv" } });
        result.Rows("id").ShouldBe([["1"]]);
        result.Value("_source")!.ShouldStartWith("landing/shop/2026-11-21/NO/a.csv@");
        var both = await _run.RunAsync(new IngestConfig { From = new IngestSource { Connection = "landing", Files = "shop/**/*.csv" } });
        both.Rows("id").ShouldBe([["1"], ["2"]]);
    }

    [Fact]
    public async Task An_unknown_connection_or_one_of_another_kind_is_said_so()
    {
        _run.Add(new Connection("dwh", "postgres", new Dictionary<string, string>()));
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Connection = "nosuch", Files = "*" } })).Code.ShouldBe("connectionInvalid");
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Connection = "dwh", Files = "*" } })).Code.ShouldBe("connectionInvalid");
    }

    [Fact]
    public async Task A_bucket_on_a_private_address_is_refused()
    {
        _run.Add(new Connection("bucket", "s3", new Dictionary<string, string> { ["bucket"] = "b", ["endpoint"] = "http://127.0.0.1:9", ["accessKey"] = "k", ["secretKey"] = "s" }));
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Connection = "bucket", Files = "*" } })).ShouldSatisfyAllConditions(
            error => error.Code.ShouldBe("addressRefused"), error => error.Transient.ShouldBeFalse(), error => error.Message.ShouldContain("Outbound:Allow"));
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_or_says_nothing_is_worth_another_try()
    {
        using var mute = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        mute.Start();
        _run.Settings["Outbound:Allow:0"] = "127.0.0.1";
        foreach (var (port, time) in ((int, string)[])[(9, "00:01:00"), (((System.Net.IPEndPoint)mute.LocalEndpoint).Port, "00:00:01")])
        {
            _run.Settings["Ingest:S3:Timeout"] = time;
            _run.Add(new Connection("bucket", "s3", new Dictionary<string, string> { ["bucket"] = "b", ["endpoint"] = $"http://127.0.0.1:{port}", ["accessKey"] = "k", ["secretKey"] = "s" }));
            var error = await _run.FailAsync(new IngestConfig { From = new IngestSource { Connection = "bucket", Files = "*" } });
            error.ShouldSatisfyAllConditions(error => error.Code.ShouldBe("sourceUnavailable", error.Message), error => error.Transient.ShouldBeTrue(), error => error.Path.ShouldBe("from.connection"));
        }
    }

    [Fact]
    public async Task An_upload_is_read_by_its_id()
    {
        var id = Guid.CreateVersion7();
        Directory.CreateDirectory(Path.Combine(_run.Store, "demo", "uploads", $"{id:D}"));
        File.WriteAllText(Path.Combine(_run.Store, "demo", "uploads", $"{id:D}", "my file.csv"), "id,v\n1,x\n");
        var result = await _run.RunAsync(new IngestConfig { From = new IngestSource { Upload = $"{id:D}" } });
        result.Rows("id").ShouldBe([["1"]]);
        result.Outcome.Ledger.Single().Input.ShouldBe("my file.csv");
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Upload = $"{Guid.CreateVersion7():D}" } })).Code.ShouldBe("uploadUnknown");
    }

    [Fact]
    public async Task Another_upload_has_columns_of_its_own()
    {
        (await IngestAsync("id,name\n01,Ann\n")).Out.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ShouldBe(["id", "name"]);
        var other = await IngestAsync("sku,id\nx,1\n");
        other.Out.Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}").ShouldBe(["sku text", "id int64"]);
        other.Outcome.Warnings.ShouldBeEmpty();

        Task<Ingested> IngestAsync(string text)
        {
            var id = Guid.CreateVersion7();
            Directory.CreateDirectory(Path.Combine(_run.Store, "demo", "uploads", $"{id:D}"));
            File.WriteAllText(Path.Combine(_run.Store, "demo", "uploads", $"{id:D}", "a.csv"), text);
            return _run.RunAsync(new IngestConfig { From = new IngestSource { Upload = $"{id:D}" }, OnSchemaChange = OnSchemaChange.Fail });
        }
    }

    [Fact]
    public async Task The_store_gives_only_this_projects_files()
    {
        Directory.CreateDirectory(Path.Combine(_run.Store, "demo", "imports"));
        Directory.CreateDirectory(Path.Combine(_run.Store, "other"));
        File.WriteAllText(Path.Combine(_run.Store, "demo", "imports", "a.csv"), "id,v\n1,x\n");
        File.WriteAllText(Path.Combine(_run.Store, "other", "b.csv"), "id,v\n2,x\n");
        (await _run.RunAsync(new IngestConfig { From = new IngestSource { Store = "imports/" } })).Rows("id").ShouldBe([["1"]]);
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Store = "../other/" } })).Code.ShouldBe("accessRefused");
    }

    [Fact]
    public async Task A_folder_object_of_a_bucket_is_no_file_and_a_key_that_cannot_be_read_is_named()
    {
        var found = await FindAsync("demo/in/", "demo/in/sub/", "demo/in/a.csv");
        found.Select(file => file.Id).ShouldBe(["store:in/a.csv"]);
        (await Should.ThrowAsync<IngestException>(() => FindAsync("demo/in/a//b.csv"))).ShouldSatisfyAllConditions(
            error => error.Code.ShouldBe("fileName"), error => error.Message.ShouldContain("a//b.csv"));

        async Task<IReadOnlyList<FoundFile>> FindAsync(params string[] keys)
        {
            var configuration = new ConfigurationBuilder().Build();
            return await new SourceLocator(configuration, new OutboundGuard(configuration)).FindAsync(
                new IngestSource { Store = "in/", Files = "**" }, new SourceAccess("demo", new Bucket(keys), null!, _run.Sources), default);
        }
    }

    [Fact]
    public async Task Files_that_were_read_do_not_count_towards_how_many_a_pattern_may_find()
    {
        var keys = Enumerable.Range(0, 100_002).Select(i => $"demo/in/{i:000000}.csv").ToArray();
        var configuration = new ConfigurationBuilder().Build();
        Task<IReadOnlyList<FoundFile>> FindAsync(IEnumerable<string> read) => new SourceLocator(configuration, new OutboundGuard(configuration)).FindAsync(
            new IngestSource { Store = "in/", Files = "**" }, new SourceAccess("demo", new Bucket(keys, "v1"), null!, _run.Sources), default,
            seen: new SeenBefore(read.Select(key => new SeenFile($"store:{key["demo/".Length..]}", 0, "") { Version = "v1" })));
        (await FindAsync(keys.Skip(2))).Select(file => file.Name).ShouldBe(["000000.csv", "000001.csv"]);
        (await Should.ThrowAsync<IngestException>(() => FindAsync([]))).Code.ShouldBe("tooManyFiles");
    }

    [Fact]
    public async Task Json_keeps_nested_values_and_exact_numbers()
    {
        _run.Write("a.json", """
            [{"id": 9223372036854775807, "price": 0.10, "who": {"name": "Zoë", "tags": ["a", "b"]}, "mixed": 1, "ok": true},
             {"id": -1, "price": 12, "who": {"name": null, "age": 5}, "mixed": "x", "ok": null, "at": "2024-02-29T10:00:00Z"}]
            """);
        var result = await _run.RunAsync();
        result.TypeOf("id").ShouldBe("int64");
        result.TypeOf("price").ShouldBe("decimal(18,2)");
        result.TypeOf("who").ShouldBe("struct(name text, tags list(text), age int64)");
        result.TypeOf("mixed").ShouldBe("text");
        result.TypeOf("ok").ShouldBe("bool");
        result.TypeOf("at").ShouldBe("timestamptz");
        result.Rows("id", "price", "mixed", "_row").ShouldBe([["9223372036854775807", "0.10", "1", "1"], ["-1", "12.00", "x", "2"]]);
        result.ShouldBalance();
    }

    [Theory]
    [InlineData(1, 500)]
    [InlineData(500, 1)]
    public async Task A_record_may_have_many_members(int records, int members)
    {
        _run.Write("a.jsonl", string.Join('\n', Enumerable.Range(0, records).Select(record =>
            $"{{{string.Join(", ", Enumerable.Range(0, members).Select(member => $"\"m{(record * members) + member}\": {member}"))}}}")));
        var result = await _run.RunAsync();
        result.Rows("m0")[0].ShouldBe(["0"]);
        result.Rows("m499")[^1].ShouldBe([$"{members - 1}"]);
        result.Outcome.Outputs["out"].Schema.Columns.Count(column => !column.Hidden).ShouldBe(500);
        result.ShouldBalance();
    }

    [Fact]
    public async Task Names_that_are_values_make_no_columns_without_end()
    {
        _run.Write("a.jsonl", string.Join('\n', Enumerable.Range(0, 10_001).Select(record => $"{{\"id-{record}\": 1}}")));
        var error = await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources } });
        error.Code.ShouldBe("tooManyColumns");
        error.Message.ShouldContain("a.jsonl");
    }

    [Fact]
    public async Task A_broken_json_line_costs_itself()
    {
        _run.Write("a.jsonl", "{\"id\": 1}\n{\"id\": \n\n[1,2]\n{\"id\": 4, \"id\": 5}\n{\"id\": \"\\ud800\"}\n{\"id\": 6}\n" + new string('[', 100) + new string(']', 100) + "\n");
        var result = await _run.RunAsync();
        result.Rows("id", "_row").ShouldBe([["1", "1"], [null, "3"], ["6", "6"]]);
        result.Outcome.RowsRejected.ShouldBe(4);
        result.ShouldBalance();
    }

    [Theory]
    [InlineData("[{\"a\": 1}, {\"a\": 2}")]
    [InlineData("[{\"a\": 1} {\"a\": 2}]")]
    [InlineData("[1] 2")]
    [InlineData("[1, }")]
    public async Task Json_that_cannot_be_cut_fails(string text)
    {
        _run.Write("a.json", text);
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources } })).Code.ShouldBe("fileUnreadable");
    }

    [Theory]
    [InlineData("[]", 0, 0)]
    [InlineData("{}", 1, 0)]
    [InlineData("{\"a\": 1, \"a\": 2}", 0, 1)]
    [InlineData("[{}, {\"a\": {}}]", 2, 0)]
    public async Task Json_without_columns_is_accounted(string text, int rows, int rejected)
    {
        _run.Write("a.json", text);
        var result = await _run.RunAsync();
        result.Outcome.RowsOut.ShouldBe(rows);
        result.Outcome.RowsRejected.ShouldBe(rejected);
        result.ShouldBalance();
    }

    [Fact]
    public async Task One_json_object_is_one_row()
    {
        _run.Write("a.json", "{\n \"a\": 1,\n \"b\": {\"c\": [1.5]}\n}\n");
        var result = await _run.RunAsync();
        result.TypeOf("b").ShouldBe("struct(c list(double))");
        result.Rows("a").ShouldBe([["1"]]);
    }

    [Fact]
    public async Task Parquet_passes_through()
    {
        var path = Path.Combine(_run.Sources, "a.parquet");
        using (var session = _run.Open(path))
        {
            session.Execute($"""
                COPY (SELECT i::INTEGER AS i, i::DECIMAL(38,10) AS d, 'a' || i AS t, DATE '1899-12-31' AS day, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS at,
                  TIMESTAMP_NS '2024-01-01 00:00:00.123456' AS ns, [1, 2] AS list, struct_pack(x := 1::SMALLINT, y := 'z') AS s, 'b'::ENUM('a', 'b') AS e, i::UBIGINT AS u
                  FROM range(3) t(i)) TO {Sql.Literal(path)} (FORMAT parquet)
                """);
        }
        var result = await _run.RunAsync();
        result.Out.Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}").ShouldBe(
        [
            "i int64", "d decimal(38,10)", "t text", "day date", "at timestamptz", "ns timestamp", "list list(int64)", "s struct(x int64, y text)", "e text", "u decimal(20,0)",
        ]);
        result.Rows("i", "t", "day", "_row").ShouldBe([["0", "a0", "1899-12-31", "1"], ["1", "a1", "1899-12-31", "2"], ["2", "a2", "1899-12-31", "3"]]);
        result.ShouldBalance();
    }

    [Fact]
    public async Task A_parquet_column_without_a_type_of_ours_is_refused()
    {
        var path = Path.Combine(_run.Sources, "a.parquet");
        using (var session = _run.Open(path))
            session.Execute($"COPY (SELECT 'x'::BLOB AS b) TO {Sql.Literal(path)} (FORMAT parquet)");
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Folder = _run.Sources } })).Code.ShouldBe("typeUnsupported");
    }

    [Fact]
    public async Task Json_and_lines_may_be_packed()
    {
        _run.Write("a.jsonl.gz", Zip("{\"a\": 1}\n{\"a\": 2}\n"));
        (await _run.RunAsync()).Rows("a").ShouldBe([["1"], ["2"]]);
    }

    [Fact]
    public async Task Empty_files_are_said_so_and_no_error()
    {
        _run.Write("a.csv", "");
        _run.Write("b.csv", "id,v\n");
        var result = await _run.RunAsync();
        result.Outcome.RowsOut.ShouldBe(0);
        result.Out.Schema.Find("id").ShouldNotBeNull();
        result.Outcome.Warnings.ShouldContain("a.csv is empty.");
    }

    [Fact]
    public async Task A_cancelled_step_leaves_nothing_readable()
    {
        _run.Write("a.csv", "id,v\n" + string.Concat(Enumerable.Range(0, 1_000_000).Select(i => $"{i},some text to write\n")));
        using var cancel = new CancellationTokenSource();
        _run.Outputs = outputs => new CancelledWhileWritten(outputs, cancel);
        await Should.ThrowAsync<OperationCanceledException>(() => _run.RunAsync(ct: cancel.Token));
        (await _run.ListStoreAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_small_grant_is_enough_for_a_larger_file()
    {
        var text = new StringBuilder("id,name,note\n");
        for (var i = 0; i < 1_500_000; i++)
            text.Append(i).Append(",name ").Append(i * 7919L % 1_000_003).Append(",a note that is long enough to make the file large\n");
        _run.Write("a.csv", text.ToString());
        _run.Memory = 200L << 20;
        (await _run.RunAsync()).Outcome.RowsOut.ShouldBe(1_500_000);
    }

    [Fact]
    public async Task A_declared_type_of_parquet_text_is_checked_value_by_value()
    {
        const int rows = 20_000;
        var path = Path.Combine(_run.Sources, "a.parquet");
        void Write(string last)
        {
            File.Delete(path);
            using var session = _run.Open(path);
            session.Execute($"COPY (SELECT CASE WHEN i = {rows - 1} THEN {last} WHEN i > 0 THEN repeat(' ', 1000) || i END AS v FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 3000)");
        }
        var config = new IngestConfig { From = new IngestSource { Folder = _run.Sources }, Types = new Dictionary<string, string> { ["v"] = "int64" } };
        _run.Memory = 40L << 20;
        Write("'7'");
        var result = await _run.RunAsync(config);
        (result.Outcome.RowsOut, result.TypeOf("v"), result.Rows("v").Count(row => row[0] is null)).ShouldBe((rows, "int64", 1));
        Write("'7 or 8'");
        (await _run.FailAsync(config)).ShouldSatisfyAllConditions(error => error.Code.ShouldBe("typeMismatch"), error => error.Message.ShouldContain("1 of its values are no int64"));
    }

    /// <summary>Lists whatever keys others have put there.</summary>
    private sealed class Bucket(string[] keys, string? version = null) : IObjectStore
    {
        public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
        {
            await Task.Yield();
            foreach (var key in keys)
                yield return new StoredObject(key, 0, DateTimeOffset.UnixEpoch, version);
        }

        public Task<string> GetLocalPathAsync(string key, string scratch, CancellationToken ct)
        {
            StoreKey.Check(key);
            return Task.FromResult(Path.Combine(scratch, Path.GetFileName(key)));
        }

        public Task<Stream> OpenReadAsync(string key, CancellationToken ct) => throw new NotSupportedException();

        public Task<int> ReadAsync(string key, long from, Memory<byte> into, CancellationToken ct) => throw new NotSupportedException();

        public Task<StoredObject> PutFileAsync(string key, string path, CancellationToken ct) => throw new NotSupportedException();

        public Task<StoredObject> PutAsync(string key, Stream content, CancellationToken ct) => throw new NotSupportedException();

        public string GetStagingPath(string key, string scratch) => throw new NotSupportedException();

        public Task<bool> ExistsAsync(string key, CancellationToken ct) => throw new NotSupportedException();

        public Task DeleteAsync(string key, CancellationToken ct) => throw new NotSupportedException();

        public Task RemoveUnfinishedAsync(string prefix, DateTimeOffset before, CancellationToken ct) => throw new NotSupportedException();
    }

    private static byte[] Zip(string text)
    {
        var target = new MemoryStream();
        using (var zip = new GZipStream(target, CompressionLevel.Fastest))
            zip.Write(Encoding.UTF8.GetBytes(text));
        return target.ToArray();
    }

    /// <summary>Cancels as soon as a file is begun; however fast the machine, none is kept before that.</summary>
    private sealed class CancelledWhileWritten(IStepOutputs outputs, CancellationTokenSource cancel) : IStepOutputs
    {
        private readonly ConcurrentBag<Task> _begun = [];

        public string CreateFile(string port, string extension = ".parquet")
        {
            var path = outputs.CreateFile(port, extension);
            _begun.Add(Task.Run(async () =>
            {
                while (!File.Exists(path) && !cancel.IsCancellationRequested)
                    await Task.Delay(1);
                await cancel.CancelAsync();
            }));
            return path;
        }

        public async Task<DataFile> CommitAsync(string path, long rows, CancellationToken ct)
        {
            await Task.WhenAny(_begun);
            return await outputs.CommitAsync(path, rows, ct);
        }
    }
}
