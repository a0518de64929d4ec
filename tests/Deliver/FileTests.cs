using System.Collections.Concurrent;
using System.IO.Compression;
using Qualiz.Engine.Sessions;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;

namespace Qualiz.Deliver.Tests;

public sealed class FileTests : IDisposable
{
    private const string Query = "SELECT * FROM (VALUES (1, 'a;b', 1.50::DECIMAL(18,2)), (9007199254740993, NULL, NULL)) t(id, name, amount)";
    private readonly OperatorBench _bench = new();
    private readonly string _out;

    public FileTests() => _out = Directory.CreateDirectory(Path.Combine(_bench.Folder, "out")).FullName;

    public void Dispose() => _bench.Dispose();

    private async Task<StepResult> RunAsync(string config, string query = Query, long fence = 1, Guid? run = null) =>
        await PostgresBench.Operator(("Folders:Roots:0", _out)).ExecuteAsync(
            OperatorBench.Config<DeliverConfig>(config), _bench.Step(fence, run, await _bench.InputAsync(query)), default);

    [Theory]
    [InlineData("a/b.csv", "id,name,amount\n1,a;b,1.50\n9007199254740993,,\n")]
    [InlineData("b.tsv", "id\tname\tamount\n1\ta;b\t1.50\n9007199254740993\t\t\n")]
    [InlineData("c.jsonl", "{\"id\":1,\"name\":\"a;b\",\"amount\":\"1.50\"}\n{\"id\":\"9007199254740993\",\"name\":null,\"amount\":null}\n")]
    [InlineData("d.csv.gz", "id,name,amount\n1,a;b,1.50\n9007199254740993,,\n")]
    public async Task Rows_are_written_as_the_name_says(string name, string content)
    {
        var outcome = (await RunAsync($$"""{"to":{"file":"{{name}}"} }""")).ShouldBeOfType<StepResult.Completed>().Outcome;
        outcome.Ledger[0].Out.ShouldBe(2);
        Stream file = File.OpenRead(Path.Combine(_out, name));
        if (name.EndsWith(".gz", StringComparison.Ordinal))
            file = new GZipStream(file, CompressionMode.Decompress);
        using var reader = new StreamReader(file);
        (await reader.ReadToEndAsync()).ShouldBe(content);
        Directory.EnumerateFiles(_out, ".part-*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("x.jsonl")]
    [InlineData("x.json")]
    public async Task Json_values_are_delivered_as_they_came(string name)
    {
        const string query = """
            SELECT * FROM (VALUES
              (1, '{"a": 1.0, "b":[1e3,-0.0, 12345678901234567890123.4567890],"c":"\u00e6 \n"}'::JSON, {'d': 1234567890123456789012345678.0123456789::DECIMAL(38,10), 'j': '1.50'::JSON, 'æ"': [NULL, 9007199254740993]}, 'tab	and
            break'),
              (2, NULL, NULL, NULL), (3, E'{\n\t"a" : 1.10\r\n}'::JSON, {'d': NULL, 'j': NULL, 'æ"': []}, '#')) t(id, doc, of, note)
            """;
        await RunAsync($$"""{"to":{"file":"{{name}}"} }""", query);
        string[] lines =
        [
            """{"id":1,"doc":{"a": 1.0, "b":[1e3,-0.0, 12345678901234567890123.4567890],"c":"\u00e6 \n"},"of":{"d":1234567890123456789012345678.0123456789,"j":1.50,"æ\"":[null,9007199254740993]},"note":"tab\tand\nbreak"}""",
            """{"id":2,"doc":null,"of":null,"note":null}""",
            """{"id":3,"doc":{  "a" : 1.10  },"of":{"d":null,"j":null,"æ\"":[]},"note":"#"}""",
        ];
        (await File.ReadAllTextAsync(Path.Combine(_out, name))).ShouldBe(name == "x.json" ? $"[\n\t{string.Join(",\n\t", lines)}\n]\n" : string.Join("", lines.Select(line => $"{line}\n")));
        await RunAsync($$"""{"to":{"file":"{{name}}"} }""", "SELECT '1'::JSON AS doc WHERE false", fence: 2);
        using var session = _bench.Open();
        session.Scalar<long>($"SELECT count(*) FROM read_json('{Path.Combine(_out, name)}', columns = {{doc: 'JSON'}})").ShouldBe(0);
    }

    [Fact]
    public async Task Columns_called_like_the_engines_own_are_columns_as_others()
    {
        await RunAsync("""{"to":{"file":"x.csv"}}""", "SELECT 10 AS file_row_number, 'r' AS rowid, 'f' AS filename, 7 AS file_index");
        (await File.ReadAllTextAsync(Path.Combine(_out, "x.csv"))).ShouldBe("file_row_number,rowid,filename,file_index\n10,r,f,7\n");
    }

    [Fact]
    public async Task Formats_may_be_stated()
    {
        await RunAsync("""{"to":{"file":"x.txt"},"format":{"type":"csv","delimiter":";","header":false}}""");
        (await File.ReadAllTextAsync(Path.Combine(_out, "x.txt"))).ShouldBe("1;\"a;b\";1.50\n9007199254740993;;\n");
        await RunAsync("""{"to":{"file":"x.json"}}""");
        (await File.ReadAllTextAsync(Path.Combine(_out, "x.json"))).Replace("\n", "", StringComparison.Ordinal).Replace("\t", "", StringComparison.Ordinal)
            .ShouldBe("[{\"id\":1,\"name\":\"a;b\",\"amount\":\"1.50\"},{\"id\":\"9007199254740993\",\"name\":null,\"amount\":null}]");
        (await RunAsync("""{"to":{"file":"x.parquet"}}""")).ShouldBeOfType<StepResult.Completed>();
        using var session = _bench.Open();
        session.Scalar<string>($"SELECT typeof(amount) FROM {Scan.Parquet(Path.Combine(_out, "x.parquet"))} LIMIT 1").ShouldBe("DECIMAL(18,2)");
        (await RunAsync("""{"to":{"file":"x.bin"}}""")).ShouldBeOfType<StepResult.Failed>().Error.Code.ShouldBe("formatUnknown");
    }

    [Fact]
    public async Task The_same_delivery_again_changes_nothing_and_an_older_one_is_refused()
    {
        const string config = """{"to":{"file":"once.csv"}}""";
        var run = Guid.CreateVersion7();
        await RunAsync(config, "SELECT 1 AS v", 5, run);
        var path = Path.Combine(_out, "once.csv");
        var written = File.GetLastWriteTimeUtc(path);
        (await RunAsync(config, "SELECT 1 AS v", 6, run)).ShouldBeOfType<StepResult.Completed>();
        File.GetLastWriteTimeUtc(path).ShouldBe(written);
        // However often it is executed: its fence grows with that, its age does not.
        (await RunAsync(config, "SELECT 2 AS v", 12, Guid.CreateVersion7(DateTimeOffset.UtcNow.AddMinutes(-1)))).ShouldBeOfType<StepResult.Failed>().Error.Code.ShouldBe("superseded");
        (await RunAsync(config, "SELECT 3 AS v", 7)).ShouldBeOfType<StepResult.Completed>();
        (await File.ReadAllTextAsync(path)).ShouldBe("v\n3\n");
        // Somebody took the file away: the same delivery puts it back.
        var last = Guid.CreateVersion7();
        await RunAsync(config, "SELECT 4 AS v", 8, last);
        File.Delete(path);
        await RunAsync(config, "SELECT 4 AS v", 9, last);
        (await File.ReadAllTextAsync(path)).ShouldBe("v\n4\n");
    }

    [Fact]
    public async Task Executions_at_once_leave_one_whole_file()
    {
        var run = Guid.CreateVersion7();
        var results = await Task.WhenAll(Enumerable.Range(1, 4).Select(fence => Task.Run(() => RunAsync("""{"to":{"file":"busy.csv"}}""", "SELECT i AS v FROM range(20000) t(i)", fence, run))));
        results.ShouldAllBe(result => result is StepResult.Completed);
        (await File.ReadAllLinesAsync(Path.Combine(_out, "busy.csv"))).Length.ShouldBe(20001);
    }

    [Fact]
    public async Task What_a_killed_execution_left_goes_with_the_next_one()
    {
        string[] Left() => [.. Directory.EnumerateFiles(Path.Combine(_out, "in"), ".part-*").Select(path => Path.GetFileName(path)!)];
        Directory.CreateDirectory(Path.Combine(_out, "in"));
        // Of another file, maybe at work.
        var other = Path.Combine(_out, "in", ".part-0199b6f27e517c3d9a305e1f4d8a2b11.csv");
        await File.WriteAllTextAsync(other, "v");
        var seen = new ConcurrentBag<string>();
        using (var watcher = new FileSystemWatcher(Path.Combine(_out, "in"), ".part-*"))
        {
            watcher.Created += (_, change) => seen.Add(change.Name!);
            watcher.EnableRaisingEvents = true;
            await RunAsync("""{"to":{"file":"in/x.csv"}}""");
            SpinWait.SpinUntil(() => !seen.IsEmpty, TimeSpan.FromSeconds(10)).ShouldBeTrue("no staging file was seen");
        }
        // As a kill would have left it.
        var mine = Path.Combine(_out, "in", seen.Single());
        await File.WriteAllTextAsync(mine, "v");
        await RunAsync("""{"to":{"file":"in/y.csv"}}""");
        Left().ShouldBe([Path.GetFileName(other), Path.GetFileName(mine)], ignoreOrder: true);
        await RunAsync("""{"to":{"file":"in/x.csv"}}""");
        Left().ShouldBe([Path.GetFileName(other)]);
        (await File.ReadAllLinesAsync(Path.Combine(_out, "in", "x.csv"))).Length.ShouldBe(3);
    }

    [Theory]
    [InlineData("../x.csv", "folderRefused")]
    [InlineData("/etc/x.csv", "folderRefused")]
    [InlineData("a/../../x.csv", "folderRefused")]
    [InlineData("link/x.csv", "fileName")]
    public async Task Files_stay_in_their_folders(string name, string code)
    {
        Directory.CreateSymbolicLink(Path.Combine(_out, "link"), _bench.Folder);
        (await RunAsync($$"""{"to":{"file":"{{name}}"} }""")).ShouldBeOfType<StepResult.Failed>().Error.Code.ShouldBe(code);
        Directory.EnumerateFiles(_bench.Folder, "x.csv").ShouldBeEmpty();
    }

    [Fact]
    public async Task The_object_store_takes_exports_of_the_project()
    {
        var run = Guid.CreateVersion7();
        (await RunAsync("""{"to":{"store":"daily/x.csv"}}""", "SELECT 1 AS v", 1, run)).ShouldBeOfType<StepResult.Completed>();
        await using var content = await _bench.Store.OpenReadAsync("exports/demo/daily/x.csv", default);
        (await new StreamReader(content).ReadToEndAsync()).ShouldBe("v\n1\n");
        (await RunAsync("""{"to":{"store":"../other/x.csv"}}""")).ShouldBeOfType<StepResult.Failed>().Error.Code.ShouldBe("fileName");
    }

    [Theory]
    [InlineData("""{"to":{}}""")]
    [InlineData("""{"to":{"file":"x.csv","store":"y.csv"}}""")]
    [InlineData("""{"to":{"connection":"dwh"}}""")]
    [InlineData("""{"to":{"file":"x.csv"},"mode":"upsert","key":["v"]}""")]
    [InlineData("""{"to":{"connection":"dwh","table":"t"},"mode":"upsert"}""")]
    [InlineData("""{"to":{"connection":"dwh","table":"t"},"key":["v"]}""")]
    [InlineData("""{"to":{"connection":"dwh","table":"t"},"lockTimeout":"0s"}""")]
    public void Configurations_that_make_no_sense_are_refused(string config)
    {
        var bound = OperatorBench.Config<DeliverConfig>(config);
        bound.Validate(new System.ComponentModel.DataAnnotations.ValidationContext(bound)).ShouldNotBeEmpty();
    }
}
