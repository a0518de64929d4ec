using System.IO.Compression;
using System.Text;
using Qualiz.Ingest.Sources;

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

    private static byte[] Zip(byte[] bytes)
    {
        var target = new MemoryStream();
        using (var zip = new GZipStream(target, CompressionLevel.Fastest))
            zip.Write(bytes);
        return target.ToArray();
    }
}
