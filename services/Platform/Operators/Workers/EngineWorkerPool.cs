using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Telemetry;

namespace Qualiz.Platform.Operators.Workers;

/// <summary>
/// The engine workers of this host. A worker is used again while it is healthy, because starting one costs half a second;
/// how many work at once is the budget's matter.
/// </summary>
internal sealed class EngineWorkerPool(
    EngineOptions options, IConfiguration configuration, IHostEnvironment environment, OperatorCatalog catalog, ILogger<EngineWorkerPool> log)
    : IHostedService, IAsyncDisposable
{
    /// <summary>Idle memory above this means that something was left behind; a new worker is cheaper than the search.</summary>
    private const long HealthyIdleBytes = 400L * 1024 * 1024;
    private const int MostJobs = 500;
    private const int MostStarts = 3;

    /// <summary>Sections of the configuration that operators need; a worker gets no others.</summary>
    private static readonly string[] SharedSections = ["Store", "Folders", "Outbound", "Logging", "Engine"];

    /// <summary>What a process needs to run at all; everything else, connection strings above all, stays in the host.</summary>
    private static readonly string[] SharedEnvironment =
        ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "DOTNET_ROOT", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH"];

    private readonly ConcurrentBag<EngineWorkerProcess> _idle = [];
    private readonly ConcurrentDictionary<int, EngineWorkerProcess> _all = [];
    private readonly CancellationTokenSource _ending = new();
    private Task _warming = Task.CompletedTask;

    public IReadOnlyCollection<int> ProcessIds => [.. _all.Keys];

    public Task<StepResult> RunAsync(Job job, IWorkerClient client, CancellationToken ct) => WithWorkerAsync(worker => worker.RunAsync(job, client, ct), ct);

    public Task<OutputInferred> InferAsync(InferenceJob job, CancellationToken ct) => WithWorkerAsync(worker => worker.InferAsync(job, ct), ct);

    private async Task<T> WithWorkerAsync<T>(Func<EngineWorkerProcess, Task<T>> work, CancellationToken ct)
    {
        for (var start = 1; ; start++)
        {
            var worker = await TakeAsync(ct);
            QualizTelemetry.EngineWorkers(1);
            try
            {
                return await work(worker);
            }
            catch (WorkerLostException exception) when (!exception.Accepted && start < MostStarts)
            {
                log.LogInformation("An idle engine worker had died; the step gets another one.");
            }
            finally
            {
                QualizTelemetry.EngineWorkers(-1);
                await PutBackAsync(worker);
            }
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // The first step should not wait for a process to start.
        if (catalog.All.Any(registration => registration.Description.RunsIn == OperatorRunsIn.EngineWorker))
            _warming = WarmAsync();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _ending.CancelAsync();
        await _warming;
        foreach (var worker in _all.Values)
            worker.Kill();
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        foreach (var (id, worker) in _all)
        {
            _all.TryRemove(id, out _);
            await worker.DisposeAsync();
        }
    }

    private async Task WarmAsync()
    {
        try
        {
            _idle.Add(await StartWorkerAsync(_ending.Token));
        }
        catch (OperationCanceledException)
        {
        }
        catch (EngineUnavailableException exception)
        {
            log.LogError(exception, "No engine worker can be started; steps that need one wait.");
        }
    }

    private async Task<EngineWorkerProcess> TakeAsync(CancellationToken ct)
    {
        while (_idle.TryTake(out var worker))
        {
            if (worker.IsAlive)
                return worker;
            await RemoveAsync(worker);
        }

        return await StartWorkerAsync(ct);
    }

    private async Task PutBackAsync(EngineWorkerProcess worker)
    {
        var healthy = worker.IsAlive && worker.Jobs < MostJobs && _idle.Count < options.Workers && !_ending.IsCancellationRequested
            && MachineMemory.Anonymous(worker.Id) is < HealthyIdleBytes;
        if (healthy)
            _idle.Add(worker);
        else
            await RemoveAsync(worker);
    }

    private async Task RemoveAsync(EngineWorkerProcess worker)
    {
        _all.TryRemove(worker.Id, out _);
        await worker.DisposeAsync();
    }

    private async Task<EngineWorkerProcess> StartWorkerAsync(CancellationToken ct)
    {
        var settings = configuration.AsEnumerable()
            .Where(setting => setting.Value is not null && SharedSections.Any(section => setting.Key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase)))
            .ToDictionary(setting => setting.Key, setting => setting.Value);
        var worker = await EngineWorkerProcess.StartAsync(Command(), new Hello(environment.ApplicationName, settings), ct);
        _all[worker.Id] = worker;
        return worker;
    }

    private ProcessStartInfo Command()
    {
        var command = options.WorkerCommand is { Count: > 0 } configured ? configured : Own();
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        start.ArgumentList.Add(EngineWorker.Argument);
        start.ArgumentList.Add(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        var inherited = start.Environment.Where(variable => SharedEnvironment.Contains(variable.Key)).ToList();
        start.Environment.Clear();
        foreach (var (name, value) in inherited)
            start.Environment[name] = value;
        // Many workers on one host: none should keep memory that it no longer uses.
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_GCConserveMemory"] = "5";
        // What is compiled is compiled for good: a worker does the same again and again, and would compile it a second time in the midst of a step.
        start.Environment["DOTNET_TieredCompilation"] = "0";
        return start;
    }

    /// <summary>This very program; run by the <c>dotnet</c> command, it is that command's first argument.</summary>
    private static IReadOnlyList<string> Own()
    {
        var process = Environment.ProcessPath ?? throw new EngineUnavailableException("This process does not know its own executable.");
        return Path.GetFileNameWithoutExtension(process) == "dotnet" ? [process, Assembly.GetEntryAssembly()!.Location] : [process];
    }
}
