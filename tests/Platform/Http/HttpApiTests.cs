using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Qualiz.Platform.Http;

namespace Qualiz.Platform.Tests.Http;

public sealed class HttpApiTests : IAsyncLifetime, IDisposable
{
    private WebApplication _app = null!;
    private readonly HttpClient _client = new();

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddHttpApi().AddHttpApi();
        _app = builder.Build();
        var api = _app.MapApi();
        _app.MapApi();
        api.MapGet("/numbers", (PageRequest page) =>
        {
            var from = page.TryGetAfter<int>(out var after) ? after + 1 : 1;
            var found = Enumerable.Range(from, Math.Max(0, 6 - from)).Take(page.Limit + 1).ToList();
            return TypedResults.Ok(Page.Of(found, page, number => number));
        });
        api.MapPut("/thing/{version}", (string version, HttpRequest request) =>
        {
            request.CheckIfMatch(version == "none" ? null : version);
            return TypedResults.NoContent();
        });
        api.MapPost("/things", (Thing thing) => thing.Name == "boom" ? throw new InvalidOperationException("secret detail") : TypedResults.Ok(thing));
        await _app.StartAsync();
        _client.BaseAddress = new Uri(_app.Urls.First());
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Pages_follow_each_other_to_the_end()
    {
        var seen = new List<int>();
        string? cursor = null;
        do
        {
            var page = await _client.GetFromJsonAsync<Page<int>>($"/api/v1/numbers?limit=2&cursor={cursor}");
            seen.AddRange(page!.Items);
            cursor = page.Next;
        }
        while (cursor is not null);
        seen.ShouldBe([1, 2, 3, 4, 5]);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=x")]
    [InlineData("cursor=zzz!")]
    [InlineData("cursor=bnVsbA")]
    public async Task A_wrong_page_request_is_a_problem(string query)
    {
        var problem = await Problem(await _client.GetAsync($"/api/v1/numbers?{query}"), HttpStatusCode.BadRequest);
        problem.GetProperty("type").GetString().ShouldBe("https://qualiz.dev/problems/badRequest");
        problem.GetProperty("errors").GetArrayLength().ShouldBe(1);
    }

    [Theory]
    [InlineData("7", "\"7\"", 204)]
    [InlineData("7", "*", 204)]
    [InlineData("7", "\"6\"", 412)]
    [InlineData("7", null, 428)]
    [InlineData("none", null, 204)]
    [InlineData("none", "\"1\"", 412)]
    public async Task A_change_names_the_version_it_was_made_on(string current, string? ifMatch, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/v1/thing/{current}");
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        ((int)(await _client.SendAsync(request)).StatusCode).ShouldBe(status);
    }

    [Theory]
    [InlineData("{\"name\": \"x\", \"color\": 1}", "\"color\" is not known here.")]
    [InlineData("{\"name\": 3}", "The value does not fit.")]
    [InlineData("{", null)]
    [InlineData("{}", null)]
    public async Task A_body_that_does_not_fit_is_a_problem(string body, string? detail)
    {
        var problem = await Problem(await _client.PostAsync("/api/v1/things", new StringContent(body, Encoding.UTF8, "application/json")), HttpStatusCode.BadRequest);
        if (detail is not null)
        {
            problem.GetProperty("detail").GetString().ShouldBe(detail);
        }
    }

    [Fact]
    public async Task What_breaks_inside_stays_inside()
    {
        var problem = await Problem(await _client.PostAsJsonAsync("/api/v1/things", new Thing("boom")), HttpStatusCode.InternalServerError);
        problem.GetRawText().ShouldNotContain("secret detail");
        problem.GetProperty("traceId").GetString().ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task An_address_that_is_not_there_is_a_problem_too() =>
        (await Problem(await _client.GetAsync("/api/v1/nothing"), HttpStatusCode.NotFound)).GetProperty("type").GetString().ShouldBe("https://qualiz.dev/problems/notFound");

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-origin", 200)]
    [InlineData("Origin", "http://evil.example", 403)]
    [InlineData("Origin", "null", 403)]
    public async Task Changes_from_another_site_are_refused(string header, string value, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/things") { Content = JsonContent.Create(new Thing("x")) };
        request.Headers.Add(header, value);
        ((int)(await _client.SendAsync(request)).StatusCode).ShouldBe(status);
    }

    [Fact]
    public async Task The_api_describes_itself()
    {
        var document = await _client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        document.GetProperty("paths").EnumerateObject().Select(path => path.Name).ShouldContain("/api/v1/things");
        document.GetProperty("paths").GetProperty("/api/v1/numbers").GetProperty("get").GetProperty("parameters").EnumerateArray()
            .Select(parameter => parameter.GetProperty("name").GetString()).ShouldBe(["limit", "cursor"]);
    }

    private static async Task<JsonElement> Problem(HttpResponseMessage response, HttpStatusCode status)
    {
        response.StatusCode.ShouldBe(status, await response.Content.ReadAsStringAsync());
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    internal sealed record Thing(string Name);
}
