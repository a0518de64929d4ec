using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Qualiz.Cli;

namespace Qualiz.Integration.Tests;

/// <summary>A web server that wants a token, from the command line that sets the connection to the run that reads from it.</summary>
public sealed class WebSourceTests(InProcessHost host) : IClassFixture<InProcessHost>
{
    private const string Secret = "tok3n-that-nobody-sees";

    [Fact]
    public async Task The_secret_of_a_connection_reaches_its_server_and_stands_nowhere_else()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        await using var server = builder.Build();
        var asked = 0;
        server.MapGet("/v1/prices.csv", (HttpRequest request) => request.Headers.Authorization == $"Bearer {Secret}" ? Results.Text("id,price\n1,2.50\n2,x,y\n", "text/csv") : Results.Unauthorized());
        server.MapGet("/v1/closed.csv", () =>
        {
            Interlocked.Increment(ref asked);
            return Results.Unauthorized();
        });
        await server.StartAsync();
        var project = $"w{Guid.NewGuid():N}"[..16];
        await host.Api.PostAsync("projects", new { slug = project });
        Environment.SetEnvironmentVariable("QUALIZ_TEST_TOKEN", Secret);
        (await CommandLine.RunAsync(
            ["connections", "set", "prices", "--type", "http", "--set", $"url={server.Urls.First()}/v1", "--set", "auth=bearer", "--secret-env", "QUALIZ_TEST_TOKEN", "--project", project, "--url", host.Address.ToString()])).ShouldBe(ExitCode.Done);

        await host.Api.SavePipelineAsync(project, "prices", Pipeline("prices", "prices.csv"));
        var (run, details) = await host.Api.CompleteAsync(project, "prices");
        var ledger = details.Step("in").List("ledger").Single();
        (ledger.Long("in"), ledger.Long("out"), ledger.Long("rejected")).ShouldBe((2, 1, 1));

        // Refused credentials are no matter of trying again.
        await host.Api.SavePipelineAsync(project, "closed", Pipeline("closed", "closed.csv"));
        var closed = await host.Api.StartAsync(project, "closed");
        (await host.Api.FollowAsync(project, closed))[^1].Type.ShouldBe("RunFailed");
        var error = (await host.Api.GetAsync($"projects/{project}/runs/{closed}")).Step("in").GetProperty("error");
        (error.Text("code"), asked).ShouldBe(("connectionInvalid", 1));
        error.Text("message")!.ShouldContain("refuses the credentials of \"prices\"");

        var texts = new List<string> { await host.Api.TextAsync($"projects/{project}/connections"), await host.Api.TextAsync($"projects/{project}/connections/prices") };
        foreach (var one in (Guid[])[run, closed])
        {
            texts.Add(await host.Api.TextAsync($"projects/{project}/runs/{one}"));
            texts.Add(await host.Api.TextAsync($"projects/{project}/runs/{one}/steps/in/log"));
            texts.AddRange((await host.Api.FollowAsync(project, one)).Select(seen => seen.Body.GetRawText()));
        }
        var rows = await host.DatabaseAsync();
        rows.ShouldContain(row => row.Contains("prices", StringComparison.Ordinal));
        texts.AddRange(rows);
        var hexadecimal = Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Secret));
        texts.ShouldAllBe(text => !text.Contains(Secret, StringComparison.Ordinal) && !text.Contains(hexadecimal, StringComparison.Ordinal));
    }

    private static string Pipeline(string name, string file) => $$"""
        qualiz: 1
        pipeline: {{name}}
        retry: {times: 3, wait: 1s, on: transient}
        steps:
          in:
            uses: ingest
            with: {from: {connection: prices, url: "{{file}}"} }
        """;
}
