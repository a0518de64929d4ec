using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Qualiz.Platform.Operators;

namespace Qualiz.Ingest.Tests;

/// <summary><c>onlyNew</c> from a bucket: what is fetched, and what is only listed.</summary>
public sealed class BucketTests : IAsyncLifetime
{
    private static readonly IngestConfig Config = new() { From = new IngestSource { Connection = "bucket", Files = "in/*.csv", OnlyNew = true } };

    private readonly IngestRun _run = new();
    private readonly ConcurrentDictionary<string, Stored> _objects = new();
    private readonly ConcurrentQueue<string> _fetched = new();
    private WebApplication _server = null!;

    /// <summary>As a bucket has it. Not every one lists an ETag, and not every ETag tells one content from another.</summary>
    private sealed record Stored(string Text, string? ETag, string Time);

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        _server = builder.Build();
        _server.MapGet("/b/", () => Results.Text(
            $"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>in/</Prefix><KeyCount>{_objects.Count}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"
                + string.Concat(_objects.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one =>
                    $"<Contents><Key>in/{one.Key}</Key><LastModified>{one.Value.Time}</LastModified>{(one.Value.ETag is { } tag ? $"<ETag>{tag.Replace("\"", "&quot;", StringComparison.Ordinal)}</ETag>" : "")}<Size>{one.Value.Text.Length}</Size></Contents>"))
                + "</ListBucketResult>",
            "application/xml"));
        _server.MapGet("/b/in/{name}", (string name) =>
        {
            _fetched.Enqueue(name);
            return Results.Text(_objects[name].Text);
        });
        await _server.StartAsync();
        _run.Settings["Outbound:Allow:0"] = "127.0.0.1";
        _run.Add(new Connection("bucket", "s3", new Dictionary<string, string> { ["bucket"] = "b", ["endpoint"] = _server.Urls.First(), ["accessKey"] = "k", ["secretKey"] = "s" }));
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _run.Dispose();
    }

    [Theory]
    [InlineData("\"{0}\"")]
    // Of an upload in parts: the hash of the parts' hashes, which no one can compute who does not know their sizes.
    [InlineData("\"{0}-17\"")]
    public async Task What_is_listed_as_it_was_is_not_fetched_again(string tag)
    {
        string Tag(string of) => tag.Replace("{0}", of, StringComparison.Ordinal);
        _objects["a.csv"] = new("id,v\n1,x\n", Tag("a1"), "2026-01-01T00:00:00.000Z");
        _objects["b.csv"] = new("id,v\n2,x\n", Tag("b1"), "2026-01-01T00:00:00.000Z");
        (await ReadAsync()).ShouldBe(("1 2", "a.csv b.csv", 2, 0));
        (await ReadAsync()).ShouldBe(("", "", 0, 2));

        _objects["b.csv"] = new("id,v\n3,x\n", Tag("b2"), "2026-01-02T00:00:00.000Z");
        _objects["c.csv"] = new("id,v\n4,x\n", Tag("c1"), "2026-01-02T00:00:00.000Z");
        (await ReadAsync()).ShouldBe(("3 4", "b.csv c.csv", 2, 1));

        // Put again as it was, perhaps in other parts: it is fetched, known by its content, and left where it is from then on.
        _objects["a.csv"] = _objects["a.csv"] with { ETag = Tag("a2"), Time = "2026-01-03T00:00:00.000Z" };
        (await ReadAsync()).ShouldBe(("", "a.csv", 0, 3));
        (await ReadAsync()).ShouldBe(("", "", 0, 3));
        (await _run.TryAsync(Config with { OnEmpty = OnEmpty.Skip })).ShouldBe(new StepResult.Skipped("no new file was found"));
        _objects.Clear();
        (await _run.TryAsync(Config with { OnEmpty = OnEmpty.Skip })).ShouldBe(new StepResult.Skipped("no file was found"));
    }

    [Theory]
    [InlineData(null)]
    // Weak: it may stay although bytes have changed.
    [InlineData("W/\"a1\"")]
    public async Task Without_an_etag_to_rely_on_everything_is_fetched_and_known_by_its_content(string? tag)
    {
        _objects["a.csv"] = new("id,v\n1,x\n", tag, "2026-01-01T00:00:00.000Z");
        (await ReadAsync()).ShouldBe(("1", "a.csv", 1, 0));
        (await ReadAsync()).ShouldBe(("", "a.csv", 0, 1));
        // Within the same second, of the same size.
        _objects["a.csv"] = _objects["a.csv"] with { Text = "id,v\n2,x\n" };
        (await ReadAsync()).ShouldBe(("2", "a.csv", 1, 0));
    }

    [Fact]
    public async Task An_etag_that_is_the_same_for_everything_is_not_relied_on_alone()
    {
        // Some gateways to file systems give this one to files that were not put through them.
        const string constant = "\"00000000000000000000000000000000-1\"";
        _objects["a.csv"] = new("id,v\n1,x\n", constant, "2026-01-01T00:00:00.000Z");
        (await ReadAsync()).ShouldBe(("1", "a.csv", 1, 0));
        _objects["a.csv"] = new("id,v\n2,x\n", constant, "2026-01-01T00:00:01.000Z");
        (await ReadAsync()).ShouldBe(("2", "a.csv", 1, 0));
        _objects["a.csv"] = new("id,v\n22,x\n", constant, "2026-01-01T00:00:01.000Z");
        (await ReadAsync()).ShouldBe(("22", "a.csv", 1, 0));
    }

    [Fact]
    public async Task A_state_from_before_versions_were_kept_holds()
    {
        _objects["a.csv"] = new("id,v\n1,x\n", "\"a1\"", "2026-01-01T00:00:00.000Z");
        (await ReadAsync()).ShouldBe(("1", "a.csv", 1, 0));
        var state = JsonNode.Parse(_run.State!.Value.GetRawText())!;
        state["files"]![0]!.AsObject().Remove("version").ShouldBeTrue();
        _run.State = JsonSerializer.Deserialize<JsonElement>(state.ToJsonString());
        (await ReadAsync()).ShouldBe(("", "a.csv", 0, 1));
        (await ReadAsync()).ShouldBe(("", "", 0, 1));
    }

    /// <returns>The ids read, the files fetched, and the step's counts of files read and seen before.</returns>
    private async Task<(string Ids, string Fetched, long Files, long SeenBefore)> ReadAsync()
    {
        _fetched.Clear();
        var result = await _run.RunAsync(Config);
        return (string.Join(' ', result.Rows("id").Select(row => row[0]).Order()), string.Join(' ', _fetched.Order()),
            result.Outcome.Counts["files"], result.Outcome.Counts.GetValueOrDefault("filesSeenBefore"));
    }
}
