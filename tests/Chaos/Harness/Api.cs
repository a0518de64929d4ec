using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>A client that does not give up: it asks the next replica, again and again, as long as the services are down.</summary>
internal sealed class Api(Instance instance) : IDisposable
{
    public const string Project = "chaos";
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(10) };
    private int _turn;

    public Task<JsonElement> GetAsync(string service, string path) => SendAsync(service, HttpMethod.Get, path);

    /// <summary>One question, and whatever comes back.</summary>
    public async Task<(HttpStatusCode Status, string Body)> TryGetAsync(string service, string path)
    {
        using var response = await _client.GetAsync(new Uri(instance.Of(service)[0].Address, path));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public Task<JsonElement> PutAsync(string service, string path, object body) => SendAsync(service, HttpMethod.Put, path, () => JsonContent.Create(body));

    public async Task CreateProjectAsync()
    {
        await SendAsync("Pipelines", HttpMethod.Post, "/api/v1/projects", () => JsonContent.Create(new { slug = Project }));
        var target = new Npgsql.NpgsqlConnectionStringBuilder(instance.Target);
        await PutAsync("Pipelines", $"/api/v1/projects/{Project}/connections/landing", new { type = "folder", settings = new { root = instance.Landing } });
        await PutAsync("Pipelines", $"/api/v1/projects/{Project}/connections/dwh", new
        {
            type = "postgres",
            settings = new { host = target.Host, port = target.Port, database = target.Database, user = target.Username, sslMode = "disable" },
        });
    }

    public Task SaveAsync(string pipeline, string yaml) => SendAsync(
        "Pipelines", HttpMethod.Put, $"/api/v1/projects/{Project}/pipelines/{pipeline}", () => new StringContent(yaml, Encoding.UTF8, "application/yaml"));

    /// <summary>The same key every time it asks: however often it must, one run starts.</summary>
    public async Task<Guid> StartRunAsync(string pipeline, string key, object? @params = null)
    {
        var run = await SendAsync(
            "Runs", HttpMethod.Post, $"/api/v1/projects/{Project}/runs", () => JsonContent.Create(new { pipeline, @params }), ("Idempotency-Key", key));
        return run.GetProperty("id").GetGuid();
    }

    public Task<JsonElement> PostAsync(string service, string path, object body, string key) => SendAsync(service, HttpMethod.Post, path, () => JsonContent.Create(body), ("Idempotency-Key", key));

    /// <summary>Returns when the run goes on.</summary>
    public async Task RetryAsync(Guid run)
    {
        await SendAsync("Runs", HttpMethod.Post, $"/api/v1/projects/{Project}/runs/{run}/retry");
        await TestHost.UntilAsync(async () => await StateAsync(run) is var state && state != "failed" ? null : "a retried run that goes on");
    }

    public Task<JsonElement> RunAsync(Guid run) => GetAsync("Runs", $"/api/v1/projects/{Project}/runs/{run}");

    public async Task<string> StateAsync(Guid run) => (await RunAsync(run)).GetProperty("run").GetProperty("state").GetString()!;

    public static JsonElement Step(JsonElement run, string step) => run.GetProperty("steps").EnumerateArray().Single(view => view.GetProperty("id").GetString() == step);

    /// <summary>Waits for the run's end; fails when it is another one than <paramref name="state"/>.</summary>
    public async Task<JsonElement> UntilEndAsync(Guid run, TimeSpan patience, string state = "completed")
    {
        var until = DateTime.UtcNow + patience;
        while (true)
        {
            var view = await RunAsync(run);
            var now = view.GetProperty("run").GetProperty("state").GetString();
            if (now == state)
                return view;
            if (now is "completed" or "failed" or "cancelled" || DateTime.UtcNow > until)
                throw new InvalidOperationException($"Run {run} should be {state}; it is {now}:\n{view}");
            await Task.Delay(100);
        }
    }

    private async Task<JsonElement> SendAsync(string service, HttpMethod method, string path, Func<HttpContent>? content = null, (string Name, string Value)? header = null)
    {
        var until = DateTime.UtcNow + TimeSpan.FromMinutes(3);
        while (true)
        {
            string problem;
            try
            {
                var replicas = instance.Of(service);
                var replica = replicas[(int)((uint)Interlocked.Increment(ref _turn) % replicas.Count)];
                using var request = new HttpRequestMessage(method, new Uri(replica.Address, path)) { Content = content?.Invoke() };
                if (header is { } set)
                    request.Headers.Add(set.Name, set.Value);
                using var response = await _client.SendAsync(request);
                var text = await response.Content.ReadAsStringAsync();
                if (response.IsSuccessStatusCode)
                    return text.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(text);
                problem = $"{(int)response.StatusCode} {text}";
                if (response.StatusCode < HttpStatusCode.InternalServerError)
                    throw new InvalidOperationException($"{method} {path}: {problem}");
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
            {
                problem = exception.Message;
            }
            if (DateTime.UtcNow > until)
                throw new TimeoutException($"{method} {path} at {service}: {problem}\n{instance.Tails()}");
            await Task.Delay(200);
        }
    }

    public void Dispose() => _client.Dispose();
}
