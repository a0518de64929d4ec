using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Qualiz.Contracts;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Pipelines.Operators;
using Qualiz.Platform.Messaging;
using Qualiz.TestKit;

namespace Qualiz.Pipelines.Tests;

/// <summary>The Pipelines module on a real database, with a stand-in for Runs that answers about fences and listens to events.</summary>
public sealed class PipelinesHost : IAsyncLifetime
{
    public const string ServiceKey = "a key for the tests alone";

    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    private int _projects;

    internal TestHost Host { get; private set; } = null!;
    public HttpClient Client => Host.Client;
    internal FakeRuns Runs => Host.Services.GetRequiredService<FakeRuns>();

    public async Task InitializeAsync()
    {
        Host = await TestHost.StartAsync(
            builder =>
            {
                builder.AddPipelines();
                builder.Services.AddSingleton<FakeRuns>();
                builder.AddRequestConsumer<FakeRunsConsumer>(Queues.RunClaims);
                builder.AddBusConsumer<EventListener>("tests.events");
            },
            app => app.MapPipelines(),
            settings: new Dictionary<string, string?>
            {
                ["Secrets:Key"] = Convert.ToBase64String(new byte[32]),
                ["Services:Key"] = ServiceKey,
                ["Outbound:Allow"] = "127.0.0.1",
                ["Folders:Roots"] = Path.GetTempPath(),
            });
        var registry = Host.Services.GetRequiredService<OperatorRegistry>();
        foreach (var manifest in (OperatorManifest[])[Source(), Target()])
        {
            await registry.SeenAsync(new OperatorAnnounced { Manifest = manifest, Instance = "test", At = DateTimeOffset.UtcNow }, CancellationToken.None);
        }
    }

    public async Task DisposeAsync() => await Host.DisposeAsync();

    /// <summary>A new project; its slug.</summary>
    public async Task<string> ProjectAsync()
    {
        var slug = $"p{Interlocked.Increment(ref _projects)}";
        var response = await Client.PostAsJsonAsync("/api/v1/projects", new { slug });
        response.EnsureSuccessStatusCode();
        return slug;
    }

    public async Task<HttpResponseMessage> PutAsync(string address, string text, string? ifMatch = null, string type = "application/yaml")
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, address) { Content = new StringContent(text, Encoding.UTF8, type) };
        if (ifMatch is not null)
        {
            request.Headers.IfMatch.Add(EntityTagHeaderValue.Parse(ifMatch));
        }

        return await Client.SendAsync(request);
    }

    public Task<HttpResponseMessage> PutConnectionAsync(string project, string name, object body, string? ifMatch = null) =>
        PutAsync($"/api/v1/projects/{project}/connections/{name}", JsonSerializer.Serialize(body), ifMatch, "application/json");

    public static async Task<JsonElement> ReadAsync(HttpResponseMessage response, int status)
    {
        var text = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    internal static OperatorManifest Source(string version = "1.0") => new()
    {
        Kind = "source",
        Version = version,
        Title = "Source",
        Description = "Gives rows.",
        Icon = "table",
        MaxInputs = 0,
        Outputs = [new OperatorPort("out", "Rows"), new OperatorPort("rejected", "Rejected rows")],
        ConfigSchema = ConfigSchema.For<SourceConfig>(),
    };

    internal static OperatorManifest Target() => new()
    {
        Kind = "target",
        Version = "1.0",
        Title = "Target",
        Description = "Takes rows.",
        Icon = "table",
        MinInputs = 1,
        Outputs = [],
        ConfigSchema = ConfigSchema.For<TargetConfig>(),
    };

    public sealed record SourceConfig
    {
        [Field(Title = "Rows", Minimum = 1)]
        public long Rows { get; init; } = 10;

        public string? Day { get; init; }
    }

    public sealed record TargetConfig
    {
        [Field(Title = "Connection", Format = FieldFormat.Connection)]
        public string? Connection { get; init; }
    }
}

internal sealed class FakeRuns
{
    public Dictionary<long, FenceAnswer> Fences { get; } = [];
    public List<object> Events { get; } = [];

    public async Task<T> EventAsync<T>(Func<T, bool> wanted) where T : class
    {
        T? found = null;
        await TestHost.UntilAsync(() =>
        {
            lock (Events)
            {
                found = Events.OfType<T>().FirstOrDefault(wanted);
                return found is null ? $"a {typeof(T).Name} among {Events.Count} events" : null;
            }
        });
        return found!;
    }
}

internal sealed class FakeRunsConsumer(FakeRuns runs) : IConsumer<CheckFence>
{
    public Task Consume(ConsumeContext<CheckFence> context) =>
        context.RespondAsync(runs.Fences.GetValueOrDefault(context.Message.Fence) ?? new FenceAnswer(false, null, null));
}

internal sealed class EventListener(FakeRuns runs)
    : IConsumer<PipelinePublished>, IConsumer<ConnectionUsed>, IConsumer<ProjectCreated>, IConsumer<ProjectEdited>, IConsumer<ProjectArchived>, IConsumer<ProjectRestored>, IConsumer<ProjectDeleted>, IConsumer<PipelineArchived>, IConsumer<PipelineRestored>, IConsumer<PipelineDeleted>, IConsumer<ConnectionSaved>, IConsumer<ConnectionDeleted>
{
    public Task Consume(ConsumeContext<PipelinePublished> context) => Note(context.Message);

    public Task Consume(ConsumeContext<ConnectionUsed> context) => Note(context.Message);

    public Task Consume(ConsumeContext<ProjectCreated> context) => Note(context.Message);

    public Task Consume(ConsumeContext<ProjectEdited> context) => Note(context.Message);

    public Task Consume(ConsumeContext<ProjectArchived> context) => Note(context.Message);

    public Task Consume(ConsumeContext<ProjectRestored> context) => Note(context.Message);

    public Task Consume(ConsumeContext<ProjectDeleted> context) => Note(context.Message);

    public Task Consume(ConsumeContext<PipelineArchived> context) => Note(context.Message);

    public Task Consume(ConsumeContext<PipelineRestored> context) => Note(context.Message);

    public Task Consume(ConsumeContext<PipelineDeleted> context) => Note(context.Message);

    public Task Consume(ConsumeContext<ConnectionSaved> context) => Note(context.Message);

    public Task Consume(ConsumeContext<ConnectionDeleted> context) => Note(context.Message);

    private Task Note(object message)
    {
        lock (runs.Events)
        {
            runs.Events.Add(message);
        }

        return Task.CompletedTask;
    }
}
