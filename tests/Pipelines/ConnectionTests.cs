using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Operators;

namespace Qualiz.Pipelines.Tests;

public sealed class ConnectionTests(PipelinesHost host) : IClassFixture<PipelinesHost>
{
    private static readonly object Settings = new { host = "db.example.org", database = "sales", user = "qualiz", password = "s3cret-word" };

    [Fact]
    public async Task A_secret_goes_in_and_never_comes_out()
    {
        var project = await host.ProjectAsync();
        var response = await host.PutConnectionAsync(project, "dwh", new { type = "postgres", settings = Settings });
        var saved = await PipelinesHost.ReadAsync(response, 201);
        saved.GetProperty("secrets").GetRawText().ShouldBe("""["password"]""");
        var texts = new[]
        {
            saved.GetRawText(),
            await host.Client.GetStringAsync($"/api/v1/projects/{project}/connections/dwh"),
            await host.Client.GetStringAsync($"/api/v1/projects/{project}/connections"),
        };
        texts.ShouldAllBe(text => !text.Contains("s3cret-word", StringComparison.Ordinal));

        await using var database = NpgsqlDataSource.Create(host.Host.Surroundings.Database);
        await using var connection = await database.OpenConnectionAsync();
        var rows = await connection.QueryAsync<string>("select row_to_json(c)::text from pipelines.connection c");
        rows.ShouldAllBe(row => !row.Contains("s3cret-word", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_secret_stays_when_left_out_and_goes_when_the_address_changes()
    {
        var project = await host.ProjectAsync();
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "dwh", new { type = "postgres", settings = Settings }), 201);
        var kept = await PipelinesHost.ReadAsync(
            await host.PutConnectionAsync(project, "dwh", new { type = "postgres", settings = new { host = "db.example.org", database = "other", user = "qualiz" } }, "\"1\""), 200);
        kept.GetProperty("secrets").GetArrayLength().ShouldBe(1);
        var moved = await PipelinesHost.ReadAsync(
            await host.PutConnectionAsync(project, "dwh", new { type = "postgres", settings = new { host = "evil.example.org", database = "other", user = "qualiz" } }, "\"2\""), 200);
        moved.GetProperty("secrets").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Wrong_settings_are_named()
    {
        var project = await host.ProjectAsync();
        var problem = await PipelinesHost.ReadAsync(
            await host.PutConnectionAsync(project, "dwh", new { type = "postgres", settings = new { hots = "x", database = "d", user = "u", port = 99999 } }), 422);
        problem.GetProperty("errors").EnumerateArray().Select(error => $"{error.GetProperty("path")}: {error.GetProperty("message")}").ShouldBe([
            "settings.hots: \"hots\" is not known here; did you mean \"host\"?",
            "settings.port: should be at most 65535, is 99999",
        ]);
        (await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "dwh", new { type = "postgre", settings = Settings }), 422))
            .GetProperty("detail").GetString()!.ShouldContain("did you mean \"postgres\"?");
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "Bad", new { type = "postgres", settings = Settings }), 422);
    }

    [Fact]
    public async Task A_change_names_the_version_it_was_made_on_and_a_deleted_one_is_gone()
    {
        var project = await host.ProjectAsync();
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "dwh", new { type = "postgres", settings = Settings }), 201);
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "dwh", new { type = "postgres", settings = Settings }), 428);
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "dwh", new { type = "postgres", settings = Settings }, "\"9\""), 412);
        ((int)(await host.Client.DeleteAsync($"/api/v1/projects/{project}/connections/dwh")).StatusCode).ShouldBe(204);
        await PipelinesHost.ReadAsync(await host.Client.GetAsync($"/api/v1/projects/{project}/connections/dwh"), 404);
    }

    [Fact]
    public async Task A_connection_is_tried()
    {
        var project = await host.ProjectAsync();
        var real = new NpgsqlConnectionStringBuilder(host.Host.Surroundings.Database);
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "here",
            new { type = "postgres", settings = new { host = "127.0.0.1", port = real.Port, database = real.Database, user = real.Username, password = real.Password, sslMode = "disable" } }), 201);
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "closed",
            new { type = "postgres", settings = new { host = "127.0.0.1", port = 1, database = "x", user = "x", sslMode = "disable" } }), 201);
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "metadata",
            new { type = "postgres", settings = new { host = "169.254.169.254", database = "x", user = "x" } }), 201);
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "etc", new { type = "folder", settings = new { root = "/etc" } }), 201);

        (await TestAsync(project, "here")).Works.ShouldBeTrue((await TestAsync(project, "here")).Message);
        (await TestAsync(project, "closed")).Message.ShouldStartWith("The server cannot be reached");
        (await TestAsync(project, "metadata")).Message.ShouldContain("private or local network");
        (await TestAsync(project, "etc")).Works.ShouldBeFalse();

        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "masking", new { type = "key", settings = new { key = "too short" } }), 422);
        var key = await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "masking", new { type = "key", settings = new { key = "0123456789-0123456789-0123456789" } }), 201);
        key.GetRawText().ShouldNotContain("0123456789");
        (await TestAsync(project, "masking")).Works.ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"url": "https://api.example.org/v1/?key=1", "auth": "bearer"}""", "settings.url", "ends before ?")]
    [InlineData("""{"url": "https://ann:word@api.example.org/", "auth": "bearer"}""", "settings.url", "holds a user")]
    [InlineData("""{"url": "https://api.example.org/", "auth": "basic", "secret": "s3cret-word"}""", "settings.user", "a user is needed")]
    [InlineData("""{"url": "https://api.example.org/", "auth": "header", "header": "Host", "secret": "s3cret-word"}""", "settings.header", "carries no key")]
    [InlineData("""{"url": "https://api.example.org/", "auth": "barer"}""", "settings.auth", "bearer")]
    public async Task What_settings_of_a_web_server_must_fulfil_together_is_named(string settings, string path, string message)
    {
        var project = await host.ProjectAsync();
        var problem = await PipelinesHost.ReadAsync(
            await host.PutConnectionAsync(project, "prices", new { type = "http", settings = JsonDocument.Parse(settings).RootElement }), 422);
        var error = problem.GetProperty("errors").EnumerateArray().Single();
        error.GetProperty("path").GetString().ShouldBe(path);
        error.GetProperty("message").GetString()!.ShouldContain(message);
        problem.GetRawText().ShouldNotContain("s3cret-word");
    }

    [Fact]
    public async Task A_web_server_is_tried_with_the_secret_which_a_new_address_forgets()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var server = builder.Build();
        server.MapGet("/v1/", (HttpRequest request) => request.Headers.Authorization == "Bearer s3cret-word" ? Results.NotFound() : Results.Unauthorized());
        server.MapGet("/v2/", () => Results.Redirect("http://10.1.2.3/"));
        await server.StartAsync();
        var address = server.Urls.First();
        var project = await host.ProjectAsync();
        var saved = await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "prices", new { type = "http", settings = new { url = $"{address}/v1", auth = "bearer", secret = "s3cret-word" } }), 201);
        saved.GetProperty("secrets").GetRawText().ShouldBe("""["secret"]""");
        saved.GetRawText().ShouldNotContain("s3cret-word");
        (await TestAsync(project, "prices")).Works.ShouldBeTrue((await TestAsync(project, "prices")).Message);

        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "prices", new { type = "http", settings = new { url = $"{address}/v1", auth = "bearer", secret = "wrong" } }, "\"1\""), 200);
        (await TestAsync(project, "prices")).ShouldBe((false, "127.0.0.1 refuses the credentials of \"prices\" (401)."));

        var moved = await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "prices", new { type = "http", settings = new { url = $"{address}/v2", auth = "bearer" } }, "\"2\""), 200);
        moved.GetProperty("secrets").GetArrayLength().ShouldBe(0);
        (await TestAsync(project, "prices")).Message.ShouldContain("its secret is missing");

        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "inside", new { type = "http", settings = new { url = "http://169.254.169.254/", auth = "bearer", secret = "s3cret-word" } }), 201);
        (await TestAsync(project, "inside")).Message.ShouldContain("private or local network");
    }

    [Fact]
    public async Task An_execution_is_given_the_secret_under_its_fence_and_it_is_on_record()
    {
        var (project, request) = await RunningStepAsync(fence: 501);
        var opened = await host.Host.Services.GetRequiredService<IConnectionExchange>().ExchangeAsync(request, CancellationToken.None);
        opened.Settings["password"].ShouldBe("s3cret-word");
        opened.Type.ShouldBe("postgres");
        var used = await host.Runs.EventAsync<ConnectionUsed>(message => message.Fence == 501);
        (used.Connection, used.StepId, used.SourceRunId).ShouldBe(("dwh", "b", request.RunId));
        used.Sequence.ShouldBe(4);
        project.ShouldNotBeNull();
    }

    [Fact]
    public async Task An_old_fence_another_step_another_project_or_another_connection_get_nothing()
    {
        var (_, request) = await RunningStepAsync(fence: 601);
        var other = await host.ProjectAsync();
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(other, "dwh", new { type = "postgres", settings = Settings }), 201);
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(request.Project, "unused", new { type = "postgres", settings = Settings }), 201);
        var exchange = host.Host.Services.GetRequiredService<IConnectionExchange>();
        foreach (var (wrong, message) in new (ConnectionRequest, string)[]
        {
            (request with { Fence = 600 }, "no longer holds its step"),
            (request with { StepId = "a" }, "does not use the connection"),
            (request with { Project = other }, "another project"),
            (request with { Connection = "unused" }, "does not use the connection"),
        })
        {
            (await Should.ThrowAsync<ConnectionException>(() => exchange.ExchangeAsync(wrong, CancellationToken.None))).Message.ShouldContain(message);
        }
    }

    [Fact]
    public async Task A_message_about_a_run_is_given_what_the_version_names_for_it_and_nothing_else()
    {
        var (project, step) = await RunningStepAsync(fence: 701);
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "chat", new { type = "slack", settings = new { url = "https://hooks.slack.com/services/T/B/secret" } }), 201);
        var saved = await PipelinesHost.ReadAsync(await host.PutAsync($"/api/v1/projects/{project}/pipelines/told", """
            qualiz: 1
            pipeline: told
            notify: [{when: failed, to: ["slack:chat"]}]
            steps:
              a: {uses: source}
              b: {uses: target, inputs: [a], with: {connection: dwh}}
            """), 201);
        var run = Guid.CreateVersion7();
        var request = new ConnectionRequest { Project = project, Connection = "chat", RunId = run, StepId = "", Fence = 0, VersionId = saved.GetProperty("versionId").GetGuid() };
        var exchange = host.Host.Services.GetRequiredService<IConnectionExchange>();
        (await exchange.ExchangeAsync(request, CancellationToken.None)).Settings["url"].ShouldEndWith("/secret");
        var used = await host.Runs.EventAsync<ConnectionUsed>(message => message.SourceRunId == run);
        (used.Connection, used.StepId, used.Fence).ShouldBe(("chat", "", 0));

        var other = await host.ProjectAsync();
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(other, "chat", new { type = "slack", settings = new { url = "https://hooks.slack.com/services/T/B/other" } }), 201);
        foreach (var (wrong, message) in new (ConnectionRequest, string)[]
        {
            // A step's connection is no message's, and a message's is no step's, whatever version is named beside it.
            (request with { Connection = "dwh" }, "does not name the connection \"dwh\" under notify"),
            (step with { Connection = "chat", VersionId = request.VersionId }, "does not use the connection"),
            (step with { Fence = 700, VersionId = request.VersionId }, "no longer holds its step"),
            (request with { Project = other }, "another project"),
            (request with { VersionId = Guid.CreateVersion7() }, "another project"),
            (request with { VersionId = null }, "no longer holds its step"),
        })
        {
            (await Should.ThrowAsync<ConnectionException>(() => exchange.ExchangeAsync(wrong, CancellationToken.None))).Message.ShouldContain(message);
        }
    }

    [Theory]
    [InlineData(PipelinesHost.ServiceKey, 200)]
    [InlineData("a key for the tests alonf", 401)]
    [InlineData(null, 401)]
    public async Task Over_http_only_services_with_the_key_are_answered(string? key, int status)
    {
        var (_, request) = await RunningStepAsync(fence: status + (key?.Length ?? 0));
        using var message = new HttpRequestMessage(HttpMethod.Post, ConnectionRequest.Path) { Content = JsonContent.Create(request) };
        if (key is not null)
        {
            message.Headers.Add(Platform.Http.ServiceKey.Header, key);
        }

        var answer = await PipelinesHost.ReadAsync(await host.Client.SendAsync(message), status);
        if (status == 200)
        {
            answer.Deserialize<Connection>(JsonSerializerOptions.Web)!.Settings["password"].ShouldBe("s3cret-word");
        }
    }

    /// <summary>A saved pipeline whose step b uses the connection dwh, and a fence that holds it.</summary>
    private async Task<(string Project, ConnectionRequest Request)> RunningStepAsync(long fence)
    {
        var project = await host.ProjectAsync();
        await PipelinesHost.ReadAsync(await host.PutConnectionAsync(project, "dwh", new { type = "postgres", settings = Settings }), 201);
        var saved = await PipelinesHost.ReadAsync(await host.PutAsync($"/api/v1/projects/{project}/pipelines/p", """
            qualiz: 1
            pipeline: p
            steps:
              a: {uses: source}
              b: {uses: target, inputs: [a], with: {connection: dwh}}
            """), 201);
        var id = (await PipelinesHost.ReadAsync(await host.Client.GetAsync($"/api/v1/projects/{project}"), 200)).GetProperty("id").GetGuid();
        host.Runs.Fences[fence] = new FenceAnswer(true, saved.GetProperty("versionId").GetGuid(), id);
        return (project, new ConnectionRequest { Project = project, Connection = "dwh", RunId = Guid.CreateVersion7(), StepId = "b", Fence = fence });
    }

    private async Task<(bool Works, string Message)> TestAsync(string project, string name)
    {
        var answer = await PipelinesHost.ReadAsync(await host.Client.PostAsync($"/api/v1/projects/{project}/connections/{name}/test", null), 200);
        return (answer.GetProperty("works").GetBoolean(), answer.GetProperty("message").GetString()!);
    }
}
