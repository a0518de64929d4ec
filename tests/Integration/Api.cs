using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Qualiz.TestKit;

namespace Qualiz.Integration.Tests;

/// <summary>What a program outside sees: HTTP and nothing else.</summary>
public sealed class Api(HttpClient client)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public async Task<JsonElement> GetAsync(string path) => await ReadAsync(await client.GetAsync(Address(path)));

    public async Task<JsonElement> PostAsync(string path, object body, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Address(path)) { Content = JsonContent.Create(body) };
        if (idempotencyKey is not null)
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        return await ReadAsync(await client.SendAsync(request));
    }

    public async Task<int> StatusOfPostAsync(string path, object body) => (int)(await client.PostAsJsonAsync(Address(path), body)).StatusCode;

    public async Task<JsonElement> PutAsync(string path, object body) => await ReadAsync(await client.PutAsJsonAsync(Address(path), body));

    public async Task DeleteAsync(string path) => (await client.DeleteAsync(Address(path))).EnsureSuccessStatusCode().Dispose();

    public async Task<int> StatusAsync(string path) => (int)(await client.GetAsync(Address(path))).StatusCode;

    public Task<string> TextAsync(string path) => client.GetStringAsync(Address(path));

    public async Task<Guid> UploadAsync(string project, string name, string content) =>
        (await ReadAsync(await client.PostAsync(Address($"projects/{project}/uploads?name={name}"), new ByteArrayContent(Encoding.UTF8.GetBytes(content))))).GetProperty("id").GetGuid();

    public async Task SavePipelineAsync(string project, string name, string yaml) =>
        await ReadAsync(await client.PutAsync(Address($"projects/{project}/pipelines/{name}"), new StringContent(yaml, Encoding.UTF8, "application/yaml")));

    public async Task<int> TrySavePipelineAsync(string project, string name, string yaml) =>
        (int)(await client.PutAsync(Address($"projects/{project}/pipelines/{name}"), new StringContent(yaml, Encoding.UTF8, "application/yaml"))).StatusCode;

    public async Task<int> SaveAgainAsync(string project, string name, string yaml, int version)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, Address($"projects/{project}/pipelines/{name}")) { Content = new StringContent(yaml, Encoding.UTF8, "application/yaml") };
        request.Headers.Add("If-Match", $"\"{version}\"");
        return (int)(await client.SendAsync(request)).StatusCode;
    }

    /// <summary>Changes an item of the quarantine as it is now.</summary>
    public async Task ChangeItemAsync(string project, string item, string verb, object body)
    {
        var path = $"projects/{project}/quarantine/{item}";
        using var request = new HttpRequestMessage(HttpMethod.Post, Address($"{path}/{verb}")) { Content = JsonContent.Create(body) };
        request.Headers.Add("If-Match", $"\"{(await GetAsync(path)).Text("revision")}\"");
        using var response = await client.SendAsync(request);
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
    }

    /// <summary>Waits until the account of a run's rejected rows reads so.</summary>
    public Task UntilAccountAsync(string project, Guid run, string expected) => TestHost.UntilAsync(async () =>
    {
        if (await StatusAsync($"projects/{project}/runs/{run}/quarantine") != 200)
            return "the run in the quarantine";
        var sentence = (await GetAsync($"projects/{project}/runs/{run}/quarantine")).Text("sentence");
        return sentence == expected ? null : $"\"{expected}\"; it is \"{sentence}\"";
    });

    public async Task<JsonElement> ValidateAsync(string project, string yaml) =>
        await ReadAsync(await client.PostAsync(Address($"projects/{project}/pipelines/validate"), new StringContent(yaml, Encoding.UTF8, "application/yaml")));

    public async Task<Guid> StartAsync(string project, string pipeline, object? parameters = null, string? idempotencyKey = null) =>
        (await PostAsync($"projects/{project}/runs", new { pipeline, @params = parameters }, idempotencyKey)).GetProperty("id").GetGuid();

    /// <summary>Follows the run to its end; all its events after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<RunEvent>> FollowAsync(string project, Guid run, long after = 0)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var request = new HttpRequestMessage(HttpMethod.Get, Address($"projects/{project}/runs/{run}/events"));
        if (after > 0)
            request.Headers.Add("Last-Event-ID", after.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var events = new List<RunEvent>();
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            response.EnsureSuccessStatusCode();
            await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(patience.Token)).EnumerateAsync(patience.Token))
            {
                if (item.EventType != "keepAlive")
                    events.Add(new RunEvent(item.EventType, JsonDocument.Parse(item.Data).RootElement));
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Run {run} has not ended; it said {string.Join(", ", events)}. {await GetAsync($"projects/{project}/runs/{run}")}");
        }
        return events;
    }

    /// <summary>Starts the pipeline and waits for its end, which must be a good one.</summary>
    public async Task<(Guid Run, JsonElement Details)> CompleteAsync(string project, string pipeline, object? parameters = null)
    {
        var run = await StartAsync(project, pipeline, parameters);
        var events = await FollowAsync(project, run);
        events[^1].Type.ShouldBe("RunCompleted", events[^1].Body.GetRawText());
        return (run, await GetAsync($"projects/{project}/runs/{run}"));
    }

    private static Uri Address(string path) => new($"/api/v1/{path}", UriKind.Relative);

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var body = await response.Content.ReadAsStringAsync();
            response.IsSuccessStatusCode.ShouldBeTrue($"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri}: {(int)response.StatusCode} {body}");
            return body.Length == 0 ? default : JsonDocument.Parse(body).RootElement;
        }
    }
}

public sealed record RunEvent(string Type, JsonElement Body)
{
    public override string ToString() => $"{Type} {Body.Text("stepId")}".TrimEnd();
}

internal static class Json
{
    public static string? Text(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : null;

    public static IEnumerable<JsonElement> List(this JsonElement element, string name) => element.GetProperty(name).EnumerateArray();

    public static JsonElement Step(this JsonElement run, string id) => run.List("steps").Single(step => step.Text("id") == id);

    public static long Long(this JsonElement element, string name) => element.GetProperty(name).GetInt64();
}
