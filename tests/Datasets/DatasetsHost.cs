using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Storage;
using Qualiz.TestKit;

namespace Qualiz.Datasets.Tests;

/// <summary>The service as it runs, with Pipelines and Runs played by the test.</summary>
public sealed class DatasetsHost : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-test-datasets-").FullName;
    private TestHost _host = null!;

    public HttpClient Client => _host.Client;
    public string Database => _host.Surroundings.Database;
    public IServiceProvider Services => _host.Services;
    public string StoreRoot => Path.Combine(_folder, "store");
    internal FakeSurroundings Fakes => Services.GetRequiredService<FakeSurroundings>();
    internal IObjectStore Store => Services.GetRequiredService<IObjectStore>();
    internal IMessageSender Sender => Services.GetRequiredService<IMessageSender>();
    internal IRequests Requests => Services.GetRequiredService<IRequests>();

    public async Task InitializeAsync() => _host = await TestHost.StartAsync(
        builder =>
        {
            builder.AddDatasets();
            builder.Services.AddSingleton<FakeSurroundings>();
            builder.AddRequestConsumer<FakePipelines>(Queues.PipelineRequests);
            builder.AddRequestConsumer<FakeRuns>(Queues.RunClaims);
            builder.AddRequestConsumer<FakeReviews>(Queues.RunReviews);
            builder.AddBusConsumer<EventWitness>("test.witness");
        },
        app => app.MapDatasets(),
        settings: new Dictionary<string, string?> { ["Store:Root"] = StoreRoot });

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A project that exists, and that no other test uses.</summary>
    internal string NewProject()
    {
        var slug = $"p{Guid.NewGuid():N}"[..12];
        Fakes.Projects[slug] = Guid.NewGuid();
        return slug;
    }

    internal static string Url(string project, string rest) => $"/api/v1/projects/{project}/{rest}";

    internal async Task<JsonElement> GetAsync(string project, string rest)
    {
        using var response = await Client.GetAsync(new Uri(Url(project, rest), UriKind.Relative));
        var body = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.ShouldBeTrue($"{rest}: {(int)response.StatusCode} {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    internal async Task<(int Status, JsonElement Problem)> RefusalAsync(string project, string rest)
    {
        using var response = await Client.GetAsync(new Uri(Url(project, rest), UriKind.Relative));
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    /// <summary>Writes the rows of a query to the store, as an operator would.</summary>
    internal async Task<DataFile> WriteFileAsync(string key, string query, RowOrigin? origin = null)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;
        var path = Path.Combine(scratch, "out.parquet");
        using (var session = EngineSession.Open(new EngineOptions { MemoryBytes = 256 << 20, Threads = 1, Scratch = scratch }))
        {
            session.Execute($"COPY ({query}) TO {Sql.Literal(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048)");
            var rows = session.Scalar<long>($"SELECT count(*) FROM read_parquet({Sql.Literal(path)})");
            var bytes = await File.ReadAllBytesAsync(path);
            await Store.PutFileAsync(key, path, default);
            return new DataFile { Key = key, Rows = rows, Bytes = bytes.Length, Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)), Origin = origin };
        }
    }

    internal static DatasetRef Content(IReadOnlyList<DataFile> files, params DatasetColumn[] columns) => new()
    {
        Files = files,
        Schema = new DatasetSchema { Columns = columns },
        Rows = files.Sum(file => file.Rows),
        Bytes = files.Sum(file => file.Bytes),
    };

    internal static DatasetColumn Column(string name, string type, string? sensitivity = null, bool hidden = false) =>
        new() { Name = name, Type = type, Sensitivity = sensitivity, Hidden = hidden };

    /// <summary>Content of which only the description matters.</summary>
    internal static DatasetRef Nominal(long rows = 1) => new()
    {
        Files = [new DataFile { Key = "p/r/s/1/out-0001.parquet", Rows = rows, Bytes = 10, Sha256 = new string('0', 64) }],
        Schema = new DatasetSchema { Columns = [Column("id", "int64")] },
        Rows = rows,
        Bytes = 10,
    };

    internal RunCompleted Completed(string project, Guid run, params PublishedOutput[] outputs) => new()
    {
        Id = Guid.NewGuid(),
        OccurredAt = DateTimeOffset.UtcNow,
        ProjectId = Fakes.Projects[project],
        Actor = "test",
        RunId = run,
        Sequence = 9,
        Project = project,
        Pipeline = "customers",
        PipelineId = Guid.NewGuid(),
        PipelineVersion = 1,
        Published = outputs,
    };

    /// <summary>Publishes and waits until the dataset has that many versions.</summary>
    internal async Task<Guid> PublishAsync(string project, string dataset, DatasetRef content, int expected = 1)
    {
        var run = Guid.NewGuid();
        await Sender.PublishAsync(Completed(project, run, new PublishedOutput(dataset, "step", content, 0.5)), default);
        await UntilVersionAsync(project, dataset, expected);
        return run;
    }

    internal Task UntilVersionAsync(string project, string dataset, int expected) => TestHost.UntilAsync(async () =>
    {
        using var response = await Client.GetAsync(new Uri(Url(project, $"datasets/{dataset}"), UriKind.Relative));
        if (!response.IsSuccessStatusCode)
            return $"dataset {dataset}";
        var latest = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("latest").GetProperty("version").GetInt32();
        return latest == expected ? null : string.Create(CultureInfo.InvariantCulture, $"version {expected} of {dataset}; the latest is {latest}");
    });
}

internal sealed class FakeSurroundings
{
    public ConcurrentDictionary<string, Guid> Projects { get; } = new();
    public ConcurrentDictionary<string, string> TimeZones { get; } = new();
    public ConcurrentDictionary<(string Project, Guid Run, string Step, string Port), StepOutputFound> Outputs { get; } = new();

    /// <summary>The columns that a step read.</summary>
    public ConcurrentDictionary<(Guid Run, string Step), StepInputsFound> Inputs { get; } = new();
    public ConcurrentQueue<IEvent> Events { get; } = new();

    /// <summary>What a run wrote, all of it.</summary>
    public ConcurrentDictionary<Guid, RunOutputsFound> Runs { get; } = new();

    /// <summary>The runs whose outputs were asked for.</summary>
    public ConcurrentQueue<Guid> Asked { get; } = new();

    /// <summary>What Runs says to the collector of old data.</summary>
    public Func<ReviewRuns, RunsReviewed> Review { get; set; } = asked => new RunsReviewed { Runs = [.. asked.RunIds.Select(id => new ReviewedRun { RunId = id, Known = false })] };
    public ConcurrentDictionary<string, bool> DeletedProjects { get; } = new();
}

internal sealed class FakePipelines(FakeSurroundings fakes) : IConsumer<GetProject>, IConsumer<ListProjects>
{
    public Task Consume(ConsumeContext<ListProjects> context) => context.RespondAsync(new ProjectsListed
    {
        Projects = [.. fakes.Projects.OrderBy(project => project.Key, StringComparer.Ordinal).Select(project => new ListedProject(project.Value, project.Key, fakes.DeletedProjects.ContainsKey(project.Key), []))],
        More = false,
    });

    public Task Consume(ConsumeContext<GetProject> context) => fakes.Projects.TryGetValue(context.Message.Project, out var id)
        ? context.RespondAsync(new ProjectFound { ProjectId = id, Project = context.Message.Project, TimeZone = fakes.TimeZones.GetValueOrDefault(context.Message.Project) })
        : context.RespondAsync(new ProjectUnknown { Message = $"There is no project \"{context.Message.Project}\"." });
}

internal sealed class FakeReviews(FakeSurroundings fakes) : IConsumer<ReviewRuns>
{
    public Task Consume(ConsumeContext<ReviewRuns> context) => context.RespondAsync(fakes.Review(context.Message));
}

internal sealed class FakeRuns(FakeSurroundings fakes) : IConsumer<GetStepOutput>, IConsumer<GetStepInputs>, IConsumer<GetRunOutputs>
{
    public async Task Consume(ConsumeContext<GetRunOutputs> context)
    {
        if (fakes.Runs.TryGetValue(context.Message.RunId, out var run))
            await context.RespondAsync(run);
        else
            await context.RespondAsync(new RunUnknown { Message = "There is no such run." });
        fakes.Asked.Enqueue(context.Message.RunId);
    }

    public Task Consume(ConsumeContext<GetStepInputs> context) => fakes.Inputs.TryGetValue((context.Message.RunId, context.Message.StepId), out var found)
        ? context.RespondAsync(found)
        : context.RespondAsync(new StepInputsUnknown { Message = $"There is no run {context.Message.RunId}." });

    public Task Consume(ConsumeContext<GetStepOutput> context)
    {
        var ask = context.Message;
        return fakes.Outputs.TryGetValue((ask.Project, ask.RunId, ask.StepId, ask.Port), out var found)
            ? context.RespondAsync(found)
            : context.RespondAsync(new StepOutputUnknown { Message = $"Step \"{ask.StepId}\" has no output \"{ask.Port}\"." });
    }
}

internal sealed class EventWitness(FakeSurroundings fakes)
    : IConsumer<DatasetPublished>, IConsumer<RowsUnmasked>, IConsumer<RowsQuarantined>, IConsumer<QuarantineChanged>, IConsumer<DatasetVersionsRemoved>, IConsumer<DatasetVersionPinned>, IConsumer<DataCollected>, IConsumer<DatasetFindings>
{
    public Task Consume(ConsumeContext<DatasetPublished> context) => Note(context.Message);

    public Task Consume(ConsumeContext<RowsUnmasked> context) => Note(context.Message);

    public Task Consume(ConsumeContext<RowsQuarantined> context) => Note(context.Message);

    public Task Consume(ConsumeContext<QuarantineChanged> context) => Note(context.Message);

    public Task Consume(ConsumeContext<DatasetVersionsRemoved> context) => Note(context.Message);

    public Task Consume(ConsumeContext<DatasetVersionPinned> context) => Note(context.Message);

    public Task Consume(ConsumeContext<DataCollected> context) => Note(context.Message);

    public Task Consume(ConsumeContext<DatasetFindings> context) => Note(context.Message);

    private Task Note(IEvent happened)
    {
        fakes.Events.Enqueue(happened);
        return Task.CompletedTask;
    }
}
