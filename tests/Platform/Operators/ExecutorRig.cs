using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Operators.Execution;
using Qualiz.Platform.Operators.Workers;

namespace Qualiz.Platform.Tests.Operators;

/// <summary>The executor with real engine workers and a real store, without a bus.</summary>
internal sealed class ExecutorRig : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _shutdown = new();

    public ExecutorRig(Dictionary<string, string?>? settings = null)
    {
        Folder = Directory.CreateTempSubdirectory("qualiz-rig-").FullName;
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Test" });
        builder.Configuration.AddInMemoryCollection(Settings(Folder));
        if (settings is not null)
            builder.Configuration.AddInMemoryCollection(settings);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IRunsLine>(Line);
        builder.Services.AddSingleton<IConnectionExchange>(Exchange);
        builder.AddProbes();
        _app = builder.Build();
    }

    public FakeLine Line { get; } = new();
    public FakeExchange Exchange { get; } = new();
    public string Folder { get; }
    public string Store => Path.Combine(Folder, "store");
    public EngineWorkerPool Pool => _app.Services.GetRequiredService<EngineWorkerPool>();
    public ResourceBudget Budget => _app.Services.GetRequiredService<ResourceBudget>();
    public ActiveClaims Active => _app.Services.GetRequiredService<ActiveClaims>();

    public static Dictionary<string, string?> Settings(string folder) => new()
    {
        ["Store:Root"] = Path.Combine(folder, "store"),
        ["Engine:Scratch"] = Path.Combine(folder, "scratch"),
        ["Engine:Workers"] = "2",
        ["Engine:MemoryBytes"] = "1000000000",
        ["Engine:WorkerCommand:0"] = "dotnet",
        ["Engine:WorkerCommand:1"] = typeof(ExecutorRig).Assembly.Location,
        ["ConnectionStrings:Qualiz"] = "Host=secret",
        ["Logging:LogLevel:Default"] = "None",
    };

    public static ExecuteStep Command(string kind, object config, TimeSpan? timeout = null, IReadOnlyList<StepInput>? inputs = null) => new()
    {
        RunId = Guid.CreateVersion7(),
        ProjectId = Guid.CreateVersion7(),
        Project = "demo",
        Pipeline = "p",
        PipelineId = Guid.CreateVersion7(),
        PipelineVersion = 1,
        StepId = "clean",
        Operator = kind,
        Major = 1,
        Attempt = 1,
        Dispatch = 1,
        Config = JsonSerializer.SerializeToElement(config),
        Inputs = inputs ?? [],
        Interval = new LogicalInterval(new DateOnly(2026, 11, 22), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch),
        Timeout = timeout,
    };

    public Task ExecuteAsync(ExecuteStep command, bool redelivered = false) => _app.Services.GetRequiredService<StepExecutor>().ExecuteAsync(
        _app.Services.GetRequiredService<OperatorCatalog>().Find(command.Operator, command.Major)!,
        new Delivery(command, Guid.CreateVersion7(), redelivered, DateTimeOffset.UtcNow),
        _shutdown.Token);

    /// <summary>Runs a step to its end; what was reported.</summary>
    public async Task<object> ResultAsync(ExecuteStep command)
    {
        await ExecuteAsync(command);
        return Line.Reports.Last();
    }

    public Task<object> ResultAsync(string kind, object config, TimeSpan? timeout = null) => ResultAsync(Command(kind, config, timeout));

    public void ShutDown() => _shutdown.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
