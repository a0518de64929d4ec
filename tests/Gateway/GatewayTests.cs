using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Qualiz.Gateway.Tests;

public sealed class GatewayTests : IAsyncLifetime
{
    private readonly List<WebApplication> _hosts = [];
    private readonly HttpClient _client = new();

    public async Task InitializeAsync()
    {
        var settings = new Dictionary<string, string?> { ["Urls"] = "http://127.0.0.1:0" };
        foreach (var service in new[] { "pipelines", "runs", "datasets", "notify" })
        {
            settings[$"ReverseProxy:Clusters:{service}:Destinations:1:Address"] = await StartServiceAsync(service);
        }
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.AddGateway();
        var gateway = builder.Build();
        gateway.MapGateway();
        await gateway.StartAsync();
        _hosts.Add(gateway);
        _client.BaseAddress = new Uri(gateway.Urls.Single());
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        foreach (var host in Enumerable.Reverse(_hosts))
        {
            await host.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("/api/v1/projects", "pipelines")]
    [InlineData("/api/v1/projects/demo", "pipelines")]
    [InlineData("/api/v1/projects/demo/pipelines/customers", "pipelines")]
    [InlineData("/api/v1/projects/demo/connections", "pipelines")]
    [InlineData("/api/v1/operators", "pipelines")]
    [InlineData("/api/v1/projects/demo/runs", "runs")]
    [InlineData("/api/v1/projects/demo/runs/1/events", "runs")]
    [InlineData("/api/v1/projects/demo/runs/1/steps/clean/log", "runs")]
    [InlineData("/api/v1/projects/demo/runs/1/steps/clean/outputs/out/rows", "datasets")]
    [InlineData("/api/v1/projects/demo/runs/1/steps/clean/rejected", "datasets")]
    [InlineData("/api/v1/projects/demo/runs/1/steps/clean/rejected/download", "datasets")]
    [InlineData("/api/v1/projects/demo/datasets", "datasets")]
    [InlineData("/api/v1/projects/demo/datasets/customers/versions/latest/rows", "datasets")]
    [InlineData("/api/v1/projects/demo/uploads", "datasets")]
    [InlineData("/api/v1/projects/demo/runs/1/quarantine", "datasets")]
    public async Task Each_address_leads_to_its_service(string path, string service) =>
        (await _client.GetStringAsync(path)).ShouldStartWith($"{service} ");

    /// <summary>Within the default instance all addresses are one service's, so that only this test finds one that leads nowhere from here.</summary>
    [Fact]
    public async Task Every_address_of_the_api_leads_to_the_service_that_has_it()
    {
        var paths = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "openapi.json")))!["paths"]!.AsObject();
        var astray = new List<string>();
        foreach (var (path, operations) in paths)
        {
            var tag = operations!.AsObject().Select(operation => operation.Value!["tags"]![0]!.GetValue<string>()).First();
            var services = tag switch
            {
                "Projects" or "Operators" or "Connections" or "Pipelines" => ["pipelines"],
                "Datasets" or "Uploads" or "Quarantine" or "Retention" => ["datasets"],
                "Notifications" => ["notify"],
                // What a run's steps wrote is served by Datasets.
                "Runs" => (string[])["runs", "datasets"],
                _ => [],
            };
            var service = (await _client.GetStringAsync(path.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal))).Split(' ')[0];
            if (!services.Contains(service))
            {
                astray.Add($"{path} ({tag}) leads to {service}");
            }
        }
        astray.ShouldBeEmpty();
        paths.Count.ShouldBeGreaterThan(50);
    }

    [Theory]
    [InlineData("/internal/connections/exchange")]
    [InlineData("/internal")]
    [InlineData("/api/v1/../../internal/connections/exchange")]
    [InlineData("/api/v1/%2e%2e/%2e%2e/internal/connections/exchange")]
    [InlineData("/metrics/../internal")]
    public async Task What_is_internal_cannot_be_reached(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_client.BaseAddress!, path));

        using var response = await _client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_a_caller_says_of_itself_goes_no_further()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/projects");
        request.Headers.Add("X-Qualiz-Actor", "administrator");
        request.Headers.Add("x-qualiz-roles", "owner");
        request.Headers.Add("X-Request", "kept");

        using var response = await _client.SendAsync(request);

        var seen = await response.Content.ReadAsStringAsync();
        seen.ShouldContain("X-Request", Case.Insensitive);
        seen.ShouldNotContain("x-qualiz", Case.Insensitive);
    }

    [Fact]
    public async Task An_event_arrives_while_its_stream_goes_on()
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var response = await _client.GetAsync(new Uri("/api/v1/projects/demo/runs/stream", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, bound.Token);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(bound.Token));

        // The service ends the stream only when the reader has gone.
        (await reader.ReadLineAsync(bound.Token)).ShouldBe("data: first");
    }

    [Fact]
    public async Task It_is_ready_when_every_service_has_somebody_to_answer() =>
        (await _client.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.OK);

    private async Task<string> StartServiceAsync(string name)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var service = builder.Build();
        service.MapGet("/api/v1/projects/demo/runs/stream", async (HttpContext context) =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: first\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            var gone = new TaskCompletionSource();
            await using var registration = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
        });
        service.MapFallback((HttpContext context) => $"{name} {context.Request.Path} {string.Join(' ', context.Request.Headers.Keys)}");
        await service.StartAsync();
        _hosts.Add(service);
        return service.Urls.Single();
    }
}
