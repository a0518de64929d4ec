using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using System.Threading.Channels;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Messaging;
using Qualiz.TestKit;

namespace Qualiz.Runs.Tests;

/// <summary>
/// Runs on a real database and bus. The test plays the two neighbours: Pipelines (it answers which plan a name means) and
/// the worker (it receives <see cref="ExecuteStep"/> and claims, completes, fails, or dies, as the test says).
/// </summary>
internal sealed class RunsFixture : IAsyncDisposable
{
    public const string Project = "demo";

    private readonly Neighbours _neighbours;

    private RunsFixture(TestHost host, Neighbours neighbours)
    {
        Host = host;
        _neighbours = neighbours;
    }

    public TestHost Host { get; private set; }
    public HttpClient Http => Host.Client;
    public IRequests Requests => Host.Services.GetRequiredService<IRequests>();
    public IMessageSender Sender => Host.Services.GetRequiredService<IMessageSender>();
    public ConcurrentQueue<StopStep> Stops => _neighbours.Stops;
    public ConcurrentQueue<IEvent> Events => _neighbours.Events;

    public static async Task<RunsFixture> StartAsync(TestBus bus = TestBus.InProcess, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var neighbours = new Neighbours();
        return new RunsFixture(await StartHostAsync(await TestSurroundings.CreateAsync(bus), neighbours, settings), neighbours);
    }

    /// <summary>Stops the host and starts another one on the same database and broker.</summary>
    public async Task RestartAsync(IReadOnlyDictionary<string, string?>? settings = null)
    {
        var surroundings = Host.Surroundings;
        await Host.DisposeAsync();
        Host = await StartHostAsync(surroundings, _neighbours, settings);
    }

    private static Task<TestHost> StartHostAsync(TestSurroundings surroundings, Neighbours neighbours, IReadOnlyDictionary<string, string?>? settings) =>
        TestHost.StartAsync(
            surroundings,
            builder =>
            {
                builder.AddRuns();
                builder.Services.AddSingleton(neighbours);
                builder.AddRequestConsumer<FakePipelines>(Queues.PipelineRequests);
                builder.AddBusConsumer<WorkerInbox>(Queues.Operator("test", 1));
                builder.AddBroadcastConsumer<Listener>();
            },
            app => app.MapRuns(),
            new Dictionary<string, string?>(settings ?? new Dictionary<string, string?>()) { ["Store:Root"] = neighbours.Store });

    public string? TimeZone { set => _neighbours.TimeZone = value; }

    public void Publish(PipelinePlan plan) => _neighbours.Publish(plan);

    public static PipelinePlan Plan(string name, params PlanStep[] steps) =>
        new() { Pipeline = name, Params = [], Limits = new PlanLimits(null, WhenBusy.Queue, null), Steps = steps };

    public static PlanStep Step(string id, string[]? inputs = null, RetryPolicy? retry = null, object? config = null, string? publish = null, string[]? needs = null, string? when = null) => new()
    {
        Id = id,
        Operator = "test",
        Major = 1,
        Config = JsonSerializer.SerializeToElement(config ?? new { }),
        Inputs = [.. (inputs ?? []).Select(input => new PlanInput(input, input, null, null))],
        Needs = needs ?? [],
        When = when,
        Retry = retry ?? RetryPolicy.None,
        Publish = publish,
    };

    public static PlanStep ForEach(PlanStep step, object items, int parallel = 1, OnItemError onError = OnItemError.Fail, string @as = "item") =>
        step with { ForEach = new PlanForEach(JsonSerializer.SerializeToElement(items), @as, parallel, onError) };

    public async Task<Guid> StartRunAsync(string pipeline, object? @params = null, string? key = null)
    {
        using var response = await PostStartAsync(pipeline, @params, key);
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    public async Task<HttpResponseMessage> PostStartAsync(string pipeline, object? @params = null, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/projects/{Project}/runs") { Content = JsonContent.Create(new { pipeline, @params }) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await Http.SendAsync(request);
    }

    public Task<HttpResponseMessage> PostAsync(Guid run, string verb, object? body = null) =>
        Http.PostAsync($"/api/v1/projects/{Project}/runs/{run}/{verb}", body is null ? null : JsonContent.Create(body));

    /// <summary>The elements of a step, at most the first 500.</summary>
    public async Task<JsonElement[]> ItemsAsync(Guid run, string step, string query = "") =>
        [.. (await Http.GetFromJsonAsync<JsonElement>($"/api/v1/projects/{Project}/runs/{run}/steps/{step}/items?limit=500{query}")).GetProperty("items").EnumerateArray()];

    public async Task<JsonElement> GetAsync(Guid run) => await Http.GetFromJsonAsync<JsonElement>($"/api/v1/projects/{Project}/runs/{run}");

    public async Task<string> StateAsync(Guid run) => (await GetAsync(run)).GetProperty("run").GetProperty("state").GetString()!;

    public async Task<JsonElement> StepAsync(Guid run, string step) =>
        (await GetAsync(run)).GetProperty("steps").EnumerateArray().Single(view => view.GetProperty("id").GetString() == step);

    public Task UntilAsync(Guid run, string state) => TestHost.UntilAsync(async () =>
        await StateAsync(run) is var now && now == state ? null : $"run in state {state} (it is {now})");

    public Task UntilStepAsync(Guid run, string step, string state) => TestHost.UntilAsync(async () =>
        (await StepAsync(run, step)).GetProperty("state").GetString() is var now && now == state ? null : $"step {step} in state {state} (it is {now})");

    /// <summary>The next command that reached the worker.</summary>
    public async Task<(ExecuteStep Command, Guid Id)> ReceiveAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            return await _neighbours.Commands.Reader.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException("No step was dispatched.");
        }
    }

    /// <summary>Nothing waits for the worker, and nothing comes in the time that it would have taken.</summary>
    public bool TryReceive(out ExecuteStep? command)
    {
        var any = _neighbours.Commands.Reader.TryRead(out var received);
        command = received.Command;
        return any;
    }

    /// <summary>The next command, if there is one.</summary>
    public (ExecuteStep Command, Guid Id)? TryTake() => _neighbours.Commands.Reader.TryRead(out var received) ? received : null;

    public async Task<StepClaimed?> ClaimAsync((ExecuteStep Command, Guid Id) received, bool redelivered = false, Guid? claimId = null, bool keepsState = false)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var answer = await Requests.AskAsync<StepClaimed, ClaimRefused>(
            Queues.RunClaims,
            new ClaimStep
            {
                RunId = received.Command.RunId,
                StepId = received.Command.StepId,
                Dispatch = received.Command.Dispatch,
                Worker = "test@here",
                CommandId = received.Id,
                Redelivered = redelivered,
                ClaimId = claimId ?? Guid.NewGuid(),
                KeepsState = keepsState,
            },
            patience.Token);
        return answer.First;
    }

    public Task CompleteAsync(ExecuteStep command, long fence, StepOutcome? outcome = null) => Sender.SendAsync(
        Queues.RunSaga,
        new CompleteStep { RunId = command.RunId, StepId = command.StepId, Fence = fence, Outcome = outcome ?? Outcome() },
        CancellationToken.None);

    public Task FailAsync(ExecuteStep command, long fence, string code = "boom", bool transient = false, string? path = null, StepOutcome? outcome = null) => Sender.SendAsync(
        Queues.RunSaga,
        new FailStep
        {
            RunId = command.RunId,
            StepId = command.StepId,
            Fence = fence,
            Error = new StepError { Code = code, Message = "It went boom.", Path = path, Transient = transient },
            Outcome = outcome,
        },
        CancellationToken.None);

    /// <summary>Receives, claims and completes the next step.</summary>
    public async Task<ExecuteStep> WorkAsync(StepOutcome? outcome = null, bool keepsState = false)
    {
        var received = await ReceiveAsync();
        var claim = await ClaimAsync(received, keepsState: keepsState);
        claim.ShouldNotBeNull();
        await CompleteAsync(received.Command, claim.Fence, outcome);
        return received.Command;
    }

    public Task LoseAsync(ExecuteStep command, long fence) => Sender.SendAsync(
        Queues.RunSaga, new LoseStep { RunId = command.RunId, StepId = command.StepId, Fence = fence }, CancellationToken.None);

    /// <summary>Puts a log where a step's execution would have put it.</summary>
    public async Task<string> WriteLogAsync(ExecuteStep command, long fence, string text)
    {
        var key = $"{Project}/{command.RunId}/{command.StepId}/{fence}/log.ndjson";
        var path = Path.Combine(_neighbours.Store, key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, text);
        return key;
    }

    public static StepOutcome Outcome(long rows = 3, JsonElement? state = null) => new()
    {
        Outputs = new Dictionary<string, DatasetRef>
        {
            ["out"] = new()
            {
                Files = [new DataFile { Key = "demo/x/out-0001.parquet", Rows = rows, Bytes = 10, Sha256 = new string('0', 64) }],
                Schema = new DatasetSchema { Columns = [new DatasetColumn { Name = "a", Type = "text" }] },
                Rows = rows,
                Bytes = 10,
            },
        },
        Ledger = [new StepLedger { Input = "x", In = rows, Out = rows }],
        State = state,
    };

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        Directory.Delete(_neighbours.Store, recursive: true);
    }

    internal sealed class Neighbours
    {
        private readonly ConcurrentDictionary<string, (Guid VersionId, int Number, PipelinePlan Plan)> _latest = new();
        private readonly ConcurrentDictionary<Guid, PipelinePlan> _plans = new();
        private readonly ConcurrentDictionary<(string, int), (Guid VersionId, int Number, PipelinePlan Plan)> _numbered = new();
        private readonly ConcurrentDictionary<string, Guid> _pipelines = new();

        public Channel<(ExecuteStep Command, Guid Id)> Commands { get; } = Channel.CreateUnbounded<(ExecuteStep, Guid)>();
        public ConcurrentQueue<StopStep> Stops { get; } = new();
        public ConcurrentQueue<IEvent> Events { get; } = new();
        public Guid ProjectId { get; } = Guid.NewGuid();
        public string? TimeZone { get; set; }
        public string Store { get; } = Directory.CreateTempSubdirectory("qualiz-runs-").FullName;

        public void Publish(PipelinePlan plan)
        {
            var version = Guid.NewGuid();
            _plans[version] = plan;
            var saved = _latest.AddOrUpdate(plan.Pipeline, (version, 1, plan), (_, last) => (version, last.Number + 1, plan));
            _numbered[(plan.Pipeline, saved.Number)] = saved;
        }

        private (Guid VersionId, int Number, PipelinePlan Plan)? Find(ResolvePipeline asked) =>
            (asked.Version is { } number ? _numbered.TryGetValue((asked.Pipeline, number), out var found) : _latest.TryGetValue(asked.Pipeline, out found)) ? found : null;

        public object Resolve(ResolvePipeline asked) => Find(asked) is { } latest
            ? new PipelineResolved
            {
                ProjectId = ProjectId,
                PipelineId = _pipelines.GetOrAdd(asked.Pipeline, _ => Guid.NewGuid()),
                VersionId = latest.VersionId,
                Version = latest.Number,
                TimeZone = TimeZone,
            }
            : new PipelineUnknown { Message = $"There is no pipeline \"{asked.Pipeline}\"." };

        public object Find(Guid versionId) =>
            _plans.TryGetValue(versionId, out var plan) ? new PipelinePlanFound { Plan = plan } : new PipelineUnknown { Message = "No such version." };
    }

    internal sealed class FakePipelines(Neighbours neighbours) : IConsumer<ResolvePipeline>, IConsumer<GetPipelinePlan>, IConsumer<GetProject>
    {
        public Task Consume(ConsumeContext<GetProject> context) => context.Message.Project == Project
            ? context.RespondAsync(new ProjectFound { ProjectId = neighbours.ProjectId, Project = Project })
            : context.RespondAsync(new ProjectUnknown { Message = $"There is no project \"{context.Message.Project}\"." });

        public Task Consume(ConsumeContext<ResolvePipeline> context) => context.RespondAsync(neighbours.Resolve(context.Message));

        public Task Consume(ConsumeContext<GetPipelinePlan> context) => context.RespondAsync(neighbours.Find(context.Message.VersionId));
    }

    internal sealed class WorkerInbox(Neighbours neighbours) : IConsumer<ExecuteStep>
    {
        public Task Consume(ConsumeContext<ExecuteStep> context) =>
            neighbours.Commands.Writer.WriteAsync((context.Message, context.MessageId!.Value)).AsTask();
    }

    internal sealed class Listener(Neighbours neighbours) : IConsumer<StopStep>, IConsumer<IEvent>
    {
        public Task Consume(ConsumeContext<StopStep> context)
        {
            neighbours.Stops.Enqueue(context.Message);
            return Task.CompletedTask;
        }

        public Task Consume(ConsumeContext<IEvent> context)
        {
            neighbours.Events.Enqueue(context.Message);
            return Task.CompletedTask;
        }
    }
}
