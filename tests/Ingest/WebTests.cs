using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Qualiz.Ingest.Tests;

public sealed class WebTests : IAsyncLifetime
{
    private readonly IngestRun _run = new();
    private WebApplication _server = null!;

    private string Address => _server.Urls.First();

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        _server = builder.Build();
        _server.MapGet("/prices.csv", () => Results.Text("id,price\n1,1.50\n2,x,y\n", "text/csv"));
        _server.MapGet("/export", () => Results.Text("[{\"id\": 1}]", "application/json"));
        _server.MapGet("/moved", () => Results.Redirect("/prices.csv"));
        _server.MapGet("/round", () => Results.Redirect("/round"));
        _server.MapGet("/inside", () => Results.Redirect("http://10.1.2.3/secret.csv"));
        _server.MapGet("/metadata", () => Results.Redirect("http://169.254.169.254/latest/meta-data/"));
        _server.MapGet("/file", () => Results.Redirect("file:///etc/passwd"));
        _server.MapGet("/gone", () => Results.StatusCode(410));
        _server.MapGet("/busy", () => Results.StatusCode(503));
        _server.MapGet("/slow", async context =>
        {
            await context.Response.WriteAsync("id\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(TimeSpan.FromMinutes(5), context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        _server.MapGet("/mute", async context => await Task.Delay(TimeSpan.FromMinutes(5), context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default));
        _server.MapGet("/locked.csv", context =>
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"prices\"";
            return Task.CompletedTask;
        });
        _server.MapGet("/signed", () => Results.Redirect(Address.Replace("http://", "http://user:password@", StringComparison.Ordinal) + "/secret"));
        _server.MapGet("/bomb.csv", async context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await using var zip = new System.IO.Compression.GZipStream(context.Response.Body, System.IO.Compression.CompressionLevel.Fastest);
            for (var i = 0; i < 64; i++)
                await zip.WriteAsync(new byte[1 << 20]);
        });
        _server.MapGet("/secret", (HttpRequest request) => Results.Text($"headers\n{request.Headers.Cookie}{request.Headers.Authorization}x\n"));
        await _server.StartAsync();
        _run.Settings["Outbound:Allow:0"] = "127.0.0.1";
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _run.Dispose();
    }

    [Theory]
    [InlineData("/prices.csv", "prices.csv")]
    [InlineData("/moved", "moved.csv")]
    [InlineData("/prices.csv?token=secret#part", "prices.csv")]
    public async Task A_file_on_the_web_is_read(string path, string name)
    {
        var result = await _run.RunAsync(Config(path));
        result.ShouldBalance();
        result.Rows("id", "price").ShouldBe([["1", "1.50"]]);
        result.Outcome.Ledger[0].Input.ShouldContain(name[..3]);
        result.Value("_source")!.ShouldNotContain("secret");
        result.Outcome.RowsRejected.ShouldBe(1);
    }

    [Fact]
    public async Task The_content_type_tells_the_format_of_a_name_without_ending()
    {
        (await _run.RunAsync(Config("/export"))).Rows("id").ShouldBe([["1"]]);
        (await _run.HeadAsync(Config("/export")))!.Schema.Find("id")!.Type.ShouldBe("int64");
    }

    [Theory]
    [InlineData("/inside", "addressRefused")]
    [InlineData("/metadata", "addressRefused")]
    [InlineData("/file", "configInvalid")]
    [InlineData("/round", "sourceUnavailable")]
    [InlineData("/gone", "sourceUnavailable")]
    [InlineData("/nothing", "sourceUnavailable")]
    [InlineData("/locked.csv", "sourceUnavailable")]
    [InlineData("/signed", "configInvalid")]
    public async Task What_leads_astray_is_refused(string path, string code)
    {
        var error = await _run.FailAsync(Config(path));
        error.Code.ShouldBe(code, error.Message);
        error.Transient.ShouldBeFalse();
        error.Path.ShouldBe("from.url");
        error.Message.ShouldNotContain("password@");
    }

    [Fact]
    public async Task A_busy_server_is_worth_another_try() => (await _run.FailAsync(Config("/busy"))).Transient.ShouldBeTrue();

    [Fact]
    public async Task Loopback_is_refused_unless_allowed()
    {
        _run.Settings.Clear();
        (await _run.FailAsync(Config("/prices.csv"))).ShouldSatisfyAllConditions(error => error.Code.ShouldBe("addressRefused"), error => error.Message.ShouldContain("Outbound:Allow"));
        foreach (var address in (string[])["http://localhost:1/a.csv", "http://[::1]:1/a.csv", "http://0x7f000001:1/a.csv", "http://2130706433:1/a.csv"])
            (await _run.FailAsync(new IngestConfig { From = new IngestSource { Url = address } })).Code.ShouldBe("addressRefused", address);
    }

    [Theory]
    [InlineData("ftp://example.org/a.csv")]
    [InlineData("https://user:password@example.org/a.csv")]
    [InlineData("/etc/passwd")]
    public async Task An_address_of_another_kind_is_refused(string url) => (await _run.FailAsync(new IngestConfig { From = new IngestSource { Url = url } })).Code.ShouldBe("configInvalid");

    [Fact]
    public async Task Size_and_time_have_limits()
    {
        _run.Settings["Ingest:Web:MaxBytes"] = $"{4 << 20}";
        (await _run.FailAsync(Config("/bomb.csv"))).Code.ShouldBe("fileTooLarge");
        _run.Settings["Ingest:Web:Timeout"] = "00:00:01";
        foreach (var path in (string[])["/slow", "/mute"])
            (await _run.FailAsync(Config(path))).ShouldSatisfyAllConditions(error => error.Code.ShouldBe("sourceUnavailable"), error => error.Transient.ShouldBeTrue());
    }

    [Fact]
    public async Task Nothing_of_ours_goes_along() => (await _run.RunAsync(Config("/secret"))).Rows("headers").ShouldBe([["x"]]);

    [Fact]
    public async Task A_server_that_is_not_there_is_worth_another_try()
    {
        var error = await _run.FailAsync(new IngestConfig { From = new IngestSource { Url = "http://127.0.0.1:9/a.csv" } });
        error.ShouldSatisfyAllConditions(error => error.Code.ShouldBe("sourceUnavailable"), error => error.Transient.ShouldBeTrue());
    }

    private IngestConfig Config(string path) => new() { From = new IngestSource { Url = Address + path } };
}
