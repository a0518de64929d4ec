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
        _server.MapGet("/v1/who.csv", (HttpRequest request) => Results.Text($"authorization,key,query\n{request.Headers.Authorization},{request.Headers["X-Api-Key"]},{request.Query["day"]}\n", "text/csv"));
        _server.MapGet("/v1/{where}/moved.csv", (string where, HttpRequest request) => Results.Redirect($"http://{where}:{request.Host.Port}/v1/who.csv"));
        _server.MapGet("/v1/here.csv", () => Results.Redirect("/v1/who.csv"));
        _server.MapGet("/v1/{where}/locked.csv", (string where, HttpRequest request) => Results.Redirect($"http://{where}:{request.Host.Port}/locked.csv"));
        _server.MapGet("/v1/locked.csv", () => Results.Redirect("/locked.csv"));
        _server.MapGet("/v1/forbidden.csv", () => Results.StatusCode(403));
        _server.MapGet("/v1/inside.csv", () => Results.Redirect("http://10.1.2.3/secret.csv"));
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

    [Theory]
    [InlineData("basic", "user=ann", "Basic YW5uOnMzY3JldC13b3Jk", null)]
    [InlineData("bearer", null, "Bearer s3cret-word", null)]
    [InlineData("header", "header=X-Api-Key", null, "s3cret-word")]
    public async Task A_connection_signs_what_goes_to_its_own_host(string auth, string? more, string? authorization, string? key)
    {
        Connect(auth, more);
        foreach (var path in (string[])["who.csv", "/who.csv", Address + "/v1/who.csv", "here.csv", "127.0.0.1/moved.csv"])
            (await _run.RunAsync(Below(path))).Rows("authorization", "key").ShouldBe([[authorization, key]], path);
        (await _run.RunAsync(Below("who.csv?day=2026-11-23"))).Rows("query").ShouldBe([["2026-11-23"]]);
        (await _run.RunAsync(Below("who.csv?day=2026-11-23"))).Value("_source")!.ShouldStartWith("prices/who.csv@");
    }

    [Theory]
    [InlineData("basic", "user=ann")]
    [InlineData("bearer", null)]
    [InlineData("header", "header=X-Api-Key")]
    public async Task The_secret_does_not_follow_to_another_host(string auth, string? more)
    {
        Connect(auth, more);
        // Another name is another host, even if it is this machine.
        _run.Settings["Outbound:Allow:1"] = "localhost";
        (await _run.RunAsync(Below("localhost/moved.csv"))).Rows("authorization", "key").ShouldBe([[null, null]]);
        var error = await _run.FailAsync(Below("localhost/locked.csv"));
        error.ShouldSatisfyAllConditions(error => error.Code.ShouldBe("sourceUnavailable"), error => error.Transient.ShouldBeFalse(), error => error.Message.ShouldContain("leads on to localhost"));
    }

    [Theory]
    [InlineData("locked.csv", "connectionInvalid", "from.connection", "refuses the credentials of \"prices\"")]
    [InlineData("forbidden.csv", "accessRefused", "from.url", "does not let \"prices\" read")]
    [InlineData("inside.csv", "addressRefused", "from.url", "Outbound:Allow")]
    [InlineData("../secret", "configInvalid", "from.url", "does not lie below")]
    [InlineData("..\\secret", "configInvalid", "from.url", "does not lie below")]
    [InlineData("http://localhost/v1/who.csv", "configInvalid", "from.url", "does not lie below")]
    [InlineData("http://127.0.0.1:1/v1/who.csv", "configInvalid", "from.url", "does not lie below")]
    public async Task What_a_connection_does_not_reach_is_said_once_and_for_all(string path, string code, string at, string message)
    {
        Connect("bearer");
        var error = await _run.FailAsync(Below(path));
        (error.Code, error.Path, error.Transient).ShouldBe((code, at, false), error.Message);
        error.Message.ShouldContain(message);
        error.Message.ShouldNotContain("s3cret");
        _run.Log.ShouldNotContain("s3cret");
    }

    [Fact]
    public async Task The_guard_stands_before_the_connection_s_own_host_too()
    {
        Connect("bearer");
        _run.Settings.Clear();
        (await _run.FailAsync(Below("who.csv"))).Code.ShouldBe("addressRefused");
    }

    [Fact]
    public async Task The_secret_is_in_nothing_that_a_step_gives_out()
    {
        Connect("basic", "user=ann");
        var outcome = (await _run.RunAsync(Below("localhost/moved.csv".Replace("localhost", "127.0.0.1", StringComparison.Ordinal)) with { Types = new Dictionary<string, string> { ["query"] = "text" } })).Outcome;
        // What the server itself writes into its file is data; this one does not.
        var given = System.Text.Json.JsonSerializer.Serialize(outcome) + _run.Log;
        given.ShouldNotContain("s3cret");
        given.ShouldNotContain("YW5uOnMzY3JldC13b3Jk");
    }

    [Theory]
    [InlineData("secret=s3cret\nX-Evil: 1", "line end")]
    [InlineData("secret=", "its secret is missing")]
    [InlineData("auth=digest", "basic, bearer or header")]
    [InlineData("url=ftp://example.org/", "no http or https address")]
    [InlineData("url=http://ann:s3cret@example.org/", "holds a user or a password")]
    [InlineData("url=http://example.org/?key=s3cret", "ends before ?")]
    [InlineData("auth=header", "the header's name is needed")]
    [InlineData("auth=header;header=Host", "carries no key")]
    [InlineData("auth=basic", "a user is needed")]
    public async Task Settings_that_cannot_be_used_are_named(string change, string message)
    {
        Connect("bearer", change);
        var error = await _run.FailAsync(Below("who.csv"));
        (error.Code, error.Path).ShouldBe(("connectionInvalid", "from.connection"));
        error.Message.ShouldContain(message);
        error.Message.ShouldNotContain("s3cret");
    }

    [Fact]
    public async Task Files_are_no_way_to_read_from_a_web_server_and_url_none_from_a_folder()
    {
        Connect("bearer");
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Connection = "prices", Files = "*.csv" } })).Message.ShouldContain("url");
        _run.Add(new Qualiz.Platform.Operators.Connection("landing", "folder", new Dictionary<string, string> { ["root"] = _run.Sources }));
        (await _run.FailAsync(new IngestConfig { From = new IngestSource { Connection = "landing", Url = "a.csv" } })).Message.ShouldContain("type folder");
    }

    /// <param name="settings">What differs: NAME=VALUE;NAME=VALUE.</param>
    private void Connect(string auth, string? settings = null)
    {
        var all = new Dictionary<string, string> { ["url"] = Address + "/v1", ["auth"] = auth, ["secret"] = "s3cret-word" };
        foreach (var setting in settings?.Split(';') ?? [])
            all[setting[..setting.IndexOf('=', StringComparison.Ordinal)]] = setting[(setting.IndexOf('=', StringComparison.Ordinal) + 1)..];
        _run.Add(new Qualiz.Platform.Operators.Connection("prices", "http", all));
    }

    private static IngestConfig Below(string path) => new() { From = new IngestSource { Connection = "prices", Url = path } };

    private IngestConfig Config(string path) => new() { From = new IngestSource { Url = Address + path } };
}
