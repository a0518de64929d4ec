using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Operators.Workers;
using Qualiz.Platform.Storage;
using Qualiz.Platform.Telemetry;

namespace Qualiz.Platform.Operators.Execution;

/// <summary>
/// One <see cref="ExecuteStep"/> from arrival to reported result (architecture.md 3): grant, claim, check, work, report. When
/// it returns, the command may be acknowledged; it throws only when this process is stopping, and then the command comes back.
/// </summary>
internal sealed class StepExecutor(
    IServiceProvider services,
    IRunsLine line,
    IConnectionExchange connections,
    IObjectStore store,
    ResourceBudget budget,
    EngineWorkerPool workers,
    ScratchFolders scratchFolders,
    ActiveClaims active,
    TimeProvider time,
    ILogger<StepExecutor> log)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HostProgressEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ShutdownGrace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan HandBackGrace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LogLimit = TimeSpan.FromSeconds(30);
    private const int LogTries = 3;

    public async Task ExecuteAsync(OperatorRegistration registration, Delivery delivery, CancellationToken shutdown)
    {
        var command = delivery.Command;
        using var scope = log.BeginRunScope(command.RunId, command.StepId);
        using var activity = QualizTelemetry.Activities.StartActivity($"execute {command.Operator}");
        activity?.SetTag("qualiz.run_id", command.RunId);
        activity?.SetTag("qualiz.step_id", command.StepId);

        // What arrives at a host that is stopping goes back to the queue unclaimed.
        shutdown.ThrowIfCancellationRequested();

        // The grant first: a claim is for those who can begin at once, and another host may be free sooner.
        var inWorker = registration.Description.RunsIn == OperatorRunsIn.EngineWorker;
        using var lease = inWorker ? await budget.AcquireAsync(registration.Description, shutdown) : null;
        var asked = time.GetTimestamp();
        var claimed = await line.ClaimAsync(new ClaimStep
        {
            RunId = command.RunId,
            StepId = command.StepId,
            Dispatch = command.Dispatch,
            Worker = $"{command.Operator}@{Environment.MachineName}:{Environment.ProcessId}",
            CommandId = delivery.Id,
            Redelivered = delivery.Redelivered,
            ClaimId = Guid.NewGuid(),
            KeepsState = registration.KeepsState(command.Config),
        }, shutdown);
        if (claimed is null)
        {
            QualizTelemetry.StepEnded(command.Operator, "refused", TimeSpan.Zero);
            return;
        }

        if (delivery.SentAt is { } sent)
            QualizTelemetry.StepWaited(command.Operator, time.GetUtcNow() - sent);
        await using var claim = new StepClaim(line, command, claimed, asked, time, shutdown);
        active.Add(claim);
        try
        {
            var end = await WorkAsync(registration, command, claimed, claim, lease?.Grant ?? new ResourceGrant(0, 1));
            QualizTelemetry.StepEnded(command.Operator, end.Outcome, time.GetElapsedTime(asked));
            activity?.SetTag("qualiz.outcome", end.Outcome);
            if (claim.Reason == StopReason.Shutdown && end.Result is null)
            {
                lease?.Dispose();
                await HandBackAsync(command, claim, shutdown);
                return;
            }

            lease?.Dispose();
            if (end.Result is not null)
                await ReportAsync(end.Result, claim, shutdown);
        }
        finally
        {
            active.Remove(claim);
        }
    }

    /// <summary>
    /// Nothing died: Runs gives the step to another worker at once, and this dispatch is an old one. Only when Runs cannot be told the command goes
    /// back to the queue, where its next receiver takes the claim over.
    /// </summary>
    private async Task HandBackAsync(ExecuteStep command, StepClaim claim, CancellationToken shutdown)
    {
        using var limit = new CancellationTokenSource(HandBackGrace, time);
        try
        {
            await line.ReportAsync(new LoseStep { RunId = command.RunId, StepId = command.StepId, Fence = claim.Fence, HostRestarted = true }, limit.Token);
            log.LogInformation("This process is stopping; the step was handed back.");
        }
        catch (Exception exception)
        {
            throw new OperationCanceledException("This process is stopping; the step goes to another one.", exception, shutdown);
        }
    }

    /// <summary>The message for the saga, or null when there is nothing to tell.</summary>
    private sealed record End(string Outcome, object? Result);

    private async Task<End> WorkAsync(OperatorRegistration registration, ExecuteStep command, StepClaimed claimed, StepClaim claim, ResourceGrant grant)
    {
        var buffer = new StepLogBuffer();
        var stepLog = new StepLogger(time, line => Write(command, buffer, line));
        StepResult result;
        try
        {
            result = registration.Check(command.Config) is { } invalid
                ? new StepResult.Failed(invalid)
                : await ResolveInputsAsync(command, claim.Work) switch
                {
                    (null, { } unknown) => new StepResult.Failed(unknown),
                    var (inputs, _) => PartialLikeItsInputs(inputs!, await RunUntilInfrastructureHoldsAsync(
                        registration, command, claimed, claim, grant, inputs!, await PatchesAsync(registration, command, claim.Work), buffer, stepLog)),
                };
        }
        catch (Exception exception) when (claim.Work.IsCancellationRequested)
        {
            // Whatever the operator threw when it was stopped, the stop is the reason.
            switch (claim.Reason)
            {
                case StopReason.Timeout:
                    result = Failed("timeout", $"The step took longer than its limit of {Words(command.Timeout ?? default)}.", transient: true);
                    break;
                case StopReason.Refused:
                    // Runs ignores it when another execution holds the step; after a cancel it is what the run waits for.
                    result = Failed("cancelled", "The step was cancelled.", transient: false);
                    log.LogInformation("The step was stopped: it was cancelled or another execution took it over.");
                    break;
                case StopReason.LeaseLost:
                    // Told when it can be told: Runs may have taken this process for dead.
                    result = Failed(StepErrorCodes.Infrastructure, "The worker could not reach the run engine, and stopped.", transient: true);
                    log.LogWarning(exception, "The step was stopped: its lease could not be renewed.");
                    break;
                default:
                    return new End("stopped", null);
            }
        }
        catch (WorkerLostException exception)
        {
            log.LogError(exception, "An engine worker died in step {StepId} of run {RunId}.", command.StepId, command.RunId);
            return new End("lost", new LoseStep { RunId = command.RunId, StepId = command.StepId, Fence = claim.Fence });
        }
        catch (WorkerOverrunException exception)
        {
            result = Failed("resourcesExceeded", $"The step needed more than this host grants it ({exception.Message}).", transient: false);
        }
        catch (Exception exception)
        {
            var type = exception is OperatorCrashedException crashed ? crashed.ExceptionType : exception.GetType().Name;
            log.LogError(exception, "Operator {Operator} failed unexpectedly.", command.Operator);
            result = Failed("unexpected", $"The operator {command.Operator} stopped unexpectedly ({type}). The service's log has the details.", transient: true);
        }

        if (result is StepResult.Failed { Error: var error })
            stepLog.LogError("{Message}", error.Message);
        var logKey = await KeepLogAsync(command, claim.Fence, buffer);
        return result switch
        {
            StepResult.Completed completed => new End("completed", new CompleteStep
            {
                RunId = command.RunId,
                StepId = command.StepId,
                Fence = claim.Fence,
                Outcome = completed.Outcome with { LogKey = logKey },
            }),
            StepResult.Deferred deferred => new End("deferred", new DeferStep
            {
                RunId = command.RunId,
                StepId = command.StepId,
                Fence = claim.Fence,
                Key = deferred.Key,
                NextCheck = deferred.NextCheck,
                LogKey = logKey,
            }),
            StepResult.Skipped skipped => new End("skipped", new SkipStep
            {
                RunId = command.RunId,
                StepId = command.StepId,
                Fence = claim.Fence,
                Reason = skipped.Reason,
                LogKey = logKey,
            }),
            StepResult.Failed failed => new End("failed", new FailStep
            {
                RunId = command.RunId,
                StepId = command.StepId,
                Fence = claim.Fence,
                Error = failed.Error,
                Outcome = failed.Outcome is null && logKey is null ? null : (failed.Outcome ?? Nothing) with { LogKey = logKey },
            }),
            _ => throw new UnreachableException(),
        };
    }

    private static StepResult PartialLikeItsInputs(IReadOnlyList<ResolvedInput> inputs, StepResult result) =>
        result is StepResult.Completed { Outcome: var outcome } && inputs.Any(input => input.Dataset.Partial)
            ? new StepResult.Completed(outcome with { Outputs = outcome.Outputs.ToDictionary(output => output.Key, output => output.Value with { Partial = true }) })
            : result;

    /// <summary>
    /// A full disk or a store that is away is waited for in place, with back-off and without limit: it is nobody's mistake,
    /// so it uses up no attempt. The lease goes on being renewed, and a stop or the step's own time ends the waiting.
    /// </summary>
    private async Task<StepResult> RunUntilInfrastructureHoldsAsync(
        OperatorRegistration registration, ExecuteStep command, StepClaimed claimed, StepClaim claim, ResourceGrant grant,
        IReadOnlyList<ResolvedInput> inputs, DatasetRef? patches, StepLogBuffer buffer, ILogger stepLog)
    {
        for (var wait = TimeSpan.FromSeconds(1); ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            string explanation;
            try
            {
                var result = await RunOnceAsync(registration, command, claimed, claim, grant, inputs, patches, buffer, stepLog);
                // What an operator says of a file that it could not read or write does not count while the store is away.
                if (result is not StepResult.Failed || await StoreTroubleAsync(claim.Work) is not { } trouble)
                    return result;
                explanation = trouble;
                log.LogWarning("The step waits {Wait}: {Explanation}", wait, explanation);
            }
            catch (Exception exception) when (!claim.Work.IsCancellationRequested && InfrastructureFailure.Explain(exception) is not null)
            {
                explanation = InfrastructureFailure.Explain(exception)!;
                log.LogWarning(exception, "The step waits {Wait}: {Explanation}", wait, explanation);
            }
            catch (OperatorCrashedException exception) when (!claim.Work.IsCancellationRequested)
            {
                if (await StoreTroubleAsync(claim.Work) is not { } trouble)
                    throw;
                explanation = trouble;
                log.LogWarning(exception, "The step waits {Wait}: {Explanation}", wait, explanation);
            }

            stepLog.LogWarning("{Explanation} The step waits {Seconds} s and tries again.", explanation, wait.TotalSeconds);
            claim.Report(new StepProgress($"waiting: {explanation}", 0, null));
            await Task.Delay(wait, time, claim.Work);
        }
    }

    /// <summary>Why the store cannot be used now; null when it can.</summary>
    private async Task<string?> StoreTroubleAsync(CancellationToken ct)
    {
        if (store is not IStoreProbe probe)
            return null;
        try
        {
            await probe.ProbeAsync(ct);
            return null;
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            return InfrastructureFailure.Explain(exception) ?? "The object store is not usable now.";
        }
    }

    private async Task<StepResult> RunOnceAsync(
        OperatorRegistration registration, ExecuteStep command, StepClaimed claimed, StepClaim claim, ResourceGrant grant,
        IReadOnlyList<ResolvedInput> inputs, DatasetRef? patches, StepLogBuffer buffer, ILogger stepLog)
    {
        var scratch = MakeScratch();
        var clean = false;
        try
        {
            StepResult result;
            if (registration.Description.RunsIn == OperatorRunsIn.EngineWorker)
            {
                var client = new WorkerClient(
                    new Progress(claim), new FencedConnections(connections, command, claim.Fence), new RunDatasets(line, command), entry => Write(command, buffer, entry));
                result = await workers.RunAsync(new Job
                {
                    Command = command,
                    Fence = claim.Fence,
                    Inputs = inputs,
                    Scratch = scratch,
                    Grant = grant,
                    State = claimed.State,
                    Patches = patches,
                    TraceParent = Activity.Current?.Id,
                }, client, claim.Work);
            }
            else
            {
                var outputs = new StepOutputs(store, command, claim.Fence, scratch);
                try
                {
                    result = await registration.ExecuteAsync(services, new StepContext
                    {
                        Command = command,
                        Fence = claim.Fence,
                        Inputs = inputs,
                        Outputs = outputs,
                        Store = store,
                        Scratch = scratch,
                        Grant = grant,
                        Log = stepLog,
                        Progress = new ThrottledProgress(HostProgressEvery, claim.Report),
                        Connections = new FencedConnections(connections, command, claim.Fence),
                        Datasets = new RunDatasets(line, command),
                        State = claimed.State,
                        Patches = patches,
                    }, claim.Work);
                }
                finally
                {
                    outputs.Discard();
                }
            }

            clean = true;
            return result;
        }
        finally
        {
            ScratchFolders.Remove(scratch);
            // A killed worker could not tidy up after itself.
            if (!clean && store is LocalObjectStore local)
                local.RemoveUnfinished(StepOutputs.Folder(command, claim.Fence));
        }
    }

    /// <summary>Asked for at the last moment: a repair counts as soon as it is made.</summary>
    private async Task<DatasetRef?> PatchesAsync(OperatorRegistration registration, ExecuteStep command, CancellationToken ct) => registration.Description.Patches
        ? await line.PatchesAsync(
            new GetPatches
            {
                Project = command.Project,
                ProjectId = command.ProjectId,
                PipelineId = command.PipelineId,
                Pipeline = command.Pipeline,
                // The elements of a forEach are one step to people, and so to the quarantine.
                StepId = StepIds.StepOf(command.StepId),
                RunId = command.RunId,
                Reinjection = command.Reinjection,
            }, ct)
        : null;

    private string MakeScratch()
    {
        try
        {
            return scratchFolders.Create();
        }
        catch (IOException exception)
        {
            throw new WorkerInfrastructureException("The scratch folder cannot be used now.", exception.Message);
        }
    }

    private async Task<(IReadOnlyList<ResolvedInput>? Inputs, StepError? Unknown)> ResolveInputsAsync(ExecuteStep command, CancellationToken ct)
    {
        var resolved = new ResolvedInput[command.Inputs.Count];
        for (var i = 0; i < resolved.Length; i++)
        {
            var input = command.Inputs[i];
            if (input.Dataset is { } dataset)
            {
                resolved[i] = new ResolvedInput(input.Name, dataset, input.OnlyPatched);
                continue;
            }

            if (input.Reference is not { } reference)
                return (null, new StepError { Code = "inputMissing", Message = $"The input {input.Name} names no data.", Path = $"inputs[{i}]" });
            var answer = await line.ResolveAsync(new ResolveDataset { Project = command.Project, RunId = command.RunId, ReadsLike = command.ReadsLike, Reference = reference }, ct);
            if (answer.First is { } found)
                resolved[i] = new ResolvedInput(input.Name, found.Content, input.OnlyPatched);
            else
                return (null, new StepError { Code = "datasetUnknown", Message = answer.Second?.Message ?? $"There is no {reference}.", Path = $"inputs[{i}]" });
        }

        return (resolved, null);
    }

    /// <summary>The key of the stored log; null when nothing was logged or the store would not take it.</summary>
    private async Task<string?> KeepLogAsync(ExecuteStep command, long fence, StepLogBuffer buffer)
    {
        if (buffer.IsEmpty)
            return null;
        var key = $"{StepOutputs.Folder(command, fence)}/log.ndjson";
        using var limit = new CancellationTokenSource(LogLimit, time);
        for (var tried = 1; ; tried++)
        {
            try
            {
                await using var content = buffer.Read();
                if (store is LocalObjectStore local)
                    await local.PutUnflushedAsync(key, content, limit.Token);
                else
                    await store.PutAsync(key, content, limit.Token);
                return key;
            }
            catch (Exception exception)
            {
                // A log is not worth a result that is ready.
                if (tried == LogTries || limit.IsCancellationRequested)
                {
                    log.LogWarning(exception, "The step's log could not be stored.");
                    return null;
                }

                await Task.Delay(TimeSpan.FromSeconds(tried), time, CancellationToken.None);
            }
        }
    }

    /// <summary>Tries until the broker has the result, or Runs no longer wants it.</summary>
    private async Task ReportAsync(object result, StepClaim claim, CancellationToken shutdown)
    {
        // A cancel is what Runs waits to hear confirmed, and who was cut off says that it lives; any other result becomes
        // worthless when the claim is refused.
        var confirmsStop = claim.Reason is StopReason.Refused or StopReason.LeaseLost;
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(confirmsStop ? CancellationToken.None : claim.Wanted);
        await using var stopping = shutdown.Register(() => giveUp.CancelAfter(ShutdownGrace));
        try
        {
            await line.ReportAsync(result, giveUp.Token);
        }
        catch (OperationCanceledException) when (claim.Wanted.IsCancellationRequested && !confirmsStop)
        {
            log.LogInformation("The result is no longer wanted: another execution holds the step.");
        }
    }

    private void Write(ExecuteStep command, StepLogBuffer buffer, StepLogLine line)
    {
        buffer.Write(line);
        log.Log(line.Level, "{Operator}: {Message}", command.Operator, line.Message);
    }

    private static StepResult.Failed Failed(string code, string message, bool transient) =>
        new(new StepError { Code = code, Message = message, Transient = transient });

    private static StepOutcome Nothing { get; } = new() { Outputs = new Dictionary<string, DatasetRef>(), Ledger = [] };

    private static string Words(TimeSpan limit) =>
        limit.TotalMinutes >= 1 && limit.Seconds == 0 ? $"{limit.TotalMinutes:0} min" : $"{limit.TotalSeconds:0.###} s";

    private sealed class Progress(StepClaim claim) : IProgress<StepProgress>
    {
        public void Report(StepProgress value) => claim.Report(value);
    }

    private sealed class WorkerClient(IProgress<StepProgress> progress, IConnections connections, IDatasets datasets, Action<StepLogLine> write) : IWorkerClient
    {
        public IProgress<StepProgress> Progress => progress;
        public IConnections Connections => connections;
        public IDatasets Datasets => datasets;
        public void Write(StepLogLine line) => write(line);
    }

    /// <summary>Whatever an operator asks for is looked for in the run's project, and pinned with the run.</summary>
    private sealed class RunDatasets(IRunsLine line, ExecuteStep command) : IDatasets
    {
        public async Task<ResolvedDataset> ResolveAsync(string reference, CancellationToken ct)
        {
            var answer = await line.ResolveAsync(new ResolveDataset { Project = command.Project, RunId = command.RunId, ReadsLike = command.ReadsLike, Reference = reference }, ct);
            return answer.First is { } found
                ? new ResolvedDataset(found.Dataset, found.Version, found.Content)
                : throw new DatasetException(answer.Second?.Message ?? $"There is no {reference}.");
        }
    }

    /// <summary>Whatever an operator asks for, it gets under its own fence.</summary>
    private sealed class FencedConnections(IConnectionExchange exchange, ExecuteStep command, long fence) : IConnections
    {
        public Task<Connection> OpenAsync(string name, CancellationToken ct) => exchange.ExchangeAsync(new ConnectionRequest
        {
            Project = command.Project,
            Connection = name,
            RunId = command.RunId,
            StepId = command.StepId,
            Fence = fence,
        }, ct);
    }
}

/// <param name="Id">The message id: the same when the broker delivers the command again.</param>
/// <param name="SentAt">When it was sent, for the time it waited.</param>
internal sealed record Delivery(ExecuteStep Command, Guid Id, bool Redelivered, DateTimeOffset? SentAt);
