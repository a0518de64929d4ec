using System.IO.Compression;
using System.Text;
using Qualiz.Engine.Sessions;
using Qualiz.Ingest.Sources;
using Qualiz.Platform.Storage;

namespace Qualiz.Ingest.Tests;

public sealed class HeadTests : IDisposable
{
    private readonly IngestRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task The_head_of_a_source_shows_its_columns()
    {
        _run.Write("a.csv", "id,at,note\n1,2024-01-31,x\n");
        var head = (await _run.HeadAsync())!;
        head.Schema.Columns.Select(column => $"{column.Name} {column.Type}").ShouldBe(["id int64", "at date", "note text", "_source text", "_row int64", "_key text"]);
        head.Provisional.ShouldBeFalse();
    }

    [Theory]
    [InlineData("utf-8", false)]
    [InlineData("utf-8", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-16BE", true)]
    public async Task A_large_file_is_cut_at_a_line(string encoding, bool zip)
    {
        var text = "id,name,note\n" + string.Concat(Enumerable.Range(0, 60_000).Select(i => $"{i},Zoë {i},some words to fill the line\n"));
        var bytes = Encoding.GetEncoding(encoding) is var e ? [.. e.GetPreamble(), .. e.GetBytes(text)] : Array.Empty<byte>();
        _run.Write(zip ? "a.csv.gz" : "a.csv", zip ? Zip(bytes) : bytes);
        var head = (await _run.HeadAsync())!;
        head.Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}").ShouldBe(["id int64", "name text", "note text"]);
        head.Provisional.ShouldBeTrue();
        head.Warnings.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_large_array_is_cut_between_its_elements()
    {
        _run.Write("a.json", "[" + string.Join(",", Enumerable.Range(0, 60_000).Select(i => $"{{\"id\": {i}, \"who\": {{\"name\": \"Zoë\"}}}}")) + "]");
        (await _run.HeadAsync())!.Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}").ShouldBe(["id int64", "who struct(name text)"]);
    }

    [Fact]
    public async Task Nothing_to_look_at_is_no_error()
    {
        (await _run.HeadAsync()).ShouldBeNull();
        _run.Write("a.csv", "");
        (await _run.HeadAsync()).ShouldBeNull();
        await Should.ThrowAsync<IngestException>(() => _run.HeadAsync(new IngestConfig { From = new IngestSource { Folder = "/etc" } }));
    }

    [Theory]
    [InlineData("a.csv", "id int64, name text, note text")]
    [InlineData("a.csv.gz", "id int64, name text, note text")]
    [InlineData("a.parquet", "id int64, at timestamp, note text")]
    public async Task Of_a_large_object_elsewhere_no_more_is_fetched_than_shows_its_columns(string name, string columns)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_run.Store, "demo", "in")).FullName, name);
        var random = new Random(5);
        var text = Encoding.UTF8.GetBytes("id,name,note\n" + string.Concat(Enumerable.Range(0, 400_000).Select(i => $"{i},Zoë {i},{random.NextInt64():x}\n")));
        if (name.EndsWith(".parquet", StringComparison.Ordinal))
        {
            using var session = _run.Open(path);
            session.Execute($"COPY (SELECT i AS id, TIMESTAMP_NS '2024-01-01 00:00:00' AS at, md5(i::VARCHAR) AS note FROM range(600000) t(i)) TO {Sql.Literal(path)} (FORMAT parquet)");
        }
        else
        {
            await File.WriteAllBytesAsync(path, name.EndsWith(".gz", StringComparison.Ordinal) ? Zip(text) : text);
        }
        new FileInfo(path).Length.ShouldBeGreaterThan(4 << 20);
        RemoteStore? remote = null;
        var head = (await _run.HeadAsync(
            new IngestConfig { From = new IngestSource { Store = "in/" }, Types = new Dictionary<string, string> { ["id"] = "int64" } }, store => remote = new RemoteStore(store)))!;
        string.Join(", ", head.Schema.Columns.Where(column => !column.Hidden).Select(column => $"{column.Name} {column.Type}")).ShouldBe(columns);
        head.Provisional.ShouldBeTrue();
        head.Warnings.ShouldBeEmpty();
        remote!.Fetched.ShouldBeLessThan(name.EndsWith(".parquet", StringComparison.Ordinal) ? 100_000 : 2_200_000);
    }

    [Fact]
    public async Task A_type_declared_for_a_parquet_column_elsewhere_is_held_against_its_values_by_the_run()
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_run.Store, "demo", "in")).FullName, "a.parquet");
        using (var session = _run.Open(path))
            session.Execute($"COPY (SELECT i::VARCHAR AS id, md5(i::VARCHAR) AS note FROM range(200000) t(i)) TO {Sql.Literal(path)} (FORMAT parquet)");
        var config = new IngestConfig { From = new IngestSource { Store = "in/" }, Types = new Dictionary<string, string> { ["note"] = "date" } };
        (await _run.HeadAsync(config, store => new RemoteStore(store)))!.Schema.Columns[1].Type.ShouldBe("date");
        (await _run.FailAsync(config)).Code.ShouldBe("typeMismatch");
    }

    [Fact]
    public async Task A_large_workbook_elsewhere_is_left_to_the_run()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_run.Store, "demo", "in")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(folder, "a.xlsx"), [.. "PK\u0003\u0004"u8, .. new byte[33 << 20]]);
        RemoteStore? remote = null;
        var config = new IngestConfig { From = new IngestSource { Store = "in/" } };
        (await Should.ThrowAsync<IngestException>(() => _run.HeadAsync(config, store => remote = new RemoteStore(store)))).Message.ShouldBe("a.xlsx is a workbook of more than 32 MB, which only a run reads.");
        remote!.Fetched.ShouldBeLessThan(100);
    }

    /// <summary>A store elsewhere: what is read of it comes over a line, and is counted.</summary>
    private sealed class RemoteStore(IObjectStore store) : IObjectStore
    {
        public long Fetched { get; private set; }

        public async Task<int> ReadAsync(string key, long from, Memory<byte> into, CancellationToken ct)
        {
            var read = await store.ReadAsync(key, from, into, ct);
            Fetched += read;
            return read;
        }

        public async Task<string> GetLocalPathAsync(string key, string scratch, CancellationToken ct)
        {
            var path = await store.GetLocalPathAsync(key, scratch, ct);
            Fetched += new FileInfo(path).Length;
            return path;
        }

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken ct) => store.ListAsync(prefix, ct);

        public Task<Stream> OpenReadAsync(string key, CancellationToken ct) => throw new NotSupportedException();

        public Task<StoredObject> PutFileAsync(string key, string path, CancellationToken ct) => throw new NotSupportedException();

        public Task<StoredObject> PutAsync(string key, Stream content, CancellationToken ct) => throw new NotSupportedException();

        public string GetStagingPath(string key, string scratch) => throw new NotSupportedException();

        public Task<bool> ExistsAsync(string key, CancellationToken ct) => throw new NotSupportedException();

        public Task DeleteAsync(string key, CancellationToken ct) => throw new NotSupportedException();

        public Task RemoveUnfinishedAsync(string prefix, DateTimeOffset before, CancellationToken ct) => throw new NotSupportedException();
    }

    private static byte[] Zip(byte[] bytes)
    {
        var target = new MemoryStream();
        using (var zip = new GZipStream(target, CompressionLevel.Fastest))
            zip.Write(bytes);
        return target.ToArray();
    }
}
