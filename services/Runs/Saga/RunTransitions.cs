using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Qualiz.Contracts;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Runs.Model;
using Qualiz.Runs.Planning;

namespace Qualiz.Runs.Saga;

/// <summary>
/// What the saga does with an event: update the step it concerns, ask <see cref="RunPlan.Next"/>, carry out the answer.
/// Everything happens in the saga's transaction, under the run's lock. Each method returns the run's end, or null while it goes on.
/// </summary>
internal sealed class RunTransitions(IUnitOfWork<RunsDb> work, PlanCache plans, RunEvents events, StepLimit limit, IOptions<RunsOptions> options, TimeProvider time)
{
    private const int MostLogs = 100;

    /// <summary>Steps dispatched in this transaction.</summary>
    private int _dispatched;

    private RunsDb Db => work.Db;

    public async Task<RunOutcome?> StartAsync(RunState run, CancellationToken ct)
    {
        run.StartedAt ??= time.GetUtcNow();
        events.Append(work, run, run.Actor, new RunStarted());
        var plan = await plans.GetAsync(run.VersionId, ct);
        if (plan.Limits.Timeout is { } timeout)
        {
            run.Deadline = time.GetUtcNow() + timeout;
            work.Outbox.SendAt(run.Deadline.Value, Queues.RunSaga, new ExpireRun { RunId = run.CorrelationId });
        }

        return await AdvanceAsync(run, plan, await StepsAsync(run, ct), ct);
    }

    public async Task<RunOutcome?> CompleteAsync(RunState run, CompleteStep message, CancellationToken ct)
    {
        var steps = await StepsAsync(run, ct);
        if (Hear(steps, message.StepId, message.Fence) is not { } step)
        {
            return null;
        }

        Finish(step, StepStatus.Completed);
        step.Outcome = message.Outcome;
        KeepLog(step, message.Outcome.LogKey);
        step.Error = null;
        events.Append(work, run, step.Worker!, new StepCompleted
        {
            StepId = step.StepId,
            Attempt = step.Attempt,
            Fence = step.Fence,
            Outcome = message.Outcome,
        });
        return await AdvanceAsync(run, await plans.GetAsync(run.VersionId, ct), steps, ct);
    }

    public async Task<RunOutcome?> FailAsync(RunState run, FailStep message, CancellationToken ct)
    {
        var steps = await StepsAsync(run, ct);
        if (Hear(steps, message.StepId, message.Fence) is not { } step)
        {
            return null;
        }

        var plan = await plans.GetAsync(run.VersionId, ct);
        KeepLog(step, message.Outcome?.LogKey);
        if (IsCancelling(run))
        {
            Finish(step, StepStatus.Cancelled);
            step.Error = message.Error;
            step.Outcome = message.Outcome;
        }
        else if (message.Error.Code == StepErrorCodes.Infrastructure)
        {
            // Says nothing against the step, so it uses up nothing; and it goes out no more often than once a lease.
            events.Append(work, run, RunEvents.System, new StepLost { StepId = step.StepId, Fence = step.Fence, Times = step.Lost });
            Wait(step, StepStatus.BackingOff, (step.StartedAt ?? time.GetUtcNow()) + options.Value.Lease);
        }
        else
        {
            Fail(run, plan, step, message.Error, message.Outcome);
        }

        return await AdvanceAsync(run, plan, steps, ct);
    }

    public async Task<RunOutcome?> SkipAsync(RunState run, SkipStep message, CancellationToken ct)
    {
        var steps = await StepsAsync(run, ct);
        if (Hear(steps, message.StepId, message.Fence) is not { } step)
        {
            return null;
        }

        KeepLog(step, message.LogKey);
        Skip(run, step, message.Reason);
        return await AdvanceAsync(run, await plans.GetAsync(run.VersionId, ct), steps, ct);
    }

    public async Task<RunOutcome?> DeferAsync(RunState run, DeferStep message, CancellationToken ct)
    {
        var steps = await StepsAsync(run, ct);
        if (Hear(steps, message.StepId, message.Fence) is not { } step)
        {
            return null;
        }

        KeepLog(step, message.LogKey);
        step.Deferral = new Deferral(message.Key, (step.Deferral?.Count ?? 0) + 1);
        Wait(step, StepStatus.Deferred, message.NextCheck);
        events.Append(work, run, step.Worker!, new StepDeferred { StepId = step.StepId, NextCheck = message.NextCheck });
        return await AdvanceAsync(run, await plans.GetAsync(run.VersionId, ct), steps, ct);
    }

    /// <summary>A timer's or the reconciler's word: a waiting step goes on, a dispatch that nobody claimed is sent again.</summary>
    public async Task<RunOutcome?> ResumeAsync(RunState run, ResumeStep message, CancellationToken ct)
    {
        var steps = await StepsAsync(run, ct);
        if (steps.GetValueOrDefault(message.StepId) is not { } step || step.Dispatch != message.Dispatch)
        {
            return null;
        }

        var plan = await plans.GetAsync(run.VersionId, ct);
        switch (step.State)
        {
            case StepStatus.Deferred or StepStatus.BackingOff or StepStatus.Ready:
                await DispatchAsync(run, plan, steps, step, ct);
                break;
            case StepStatus.Dispatched:
                step.Resends++;
                step.DispatchedAt = time.GetUtcNow();
                SendCommand(run, plan, steps, step);
                break;
            default:
                return null;
        }

        return await AdvanceAsync(run, plan, steps, ct);
    }

    /// <summary>The execution is lost: its worker died or let its lease run out.</summary>
    public async Task<RunOutcome?> LoseAsync(RunState run, LoseStep message, CancellationToken ct)
    {
        var steps = await StepsAsync(run, ct);
        if (Executing(steps, message.StepId, message.Fence) is not { } step)
        {
            return null;
        }

        if (!message.HostRestarted)
        {
            step.CountLost();
        }

        events.Append(work, run, RunEvents.System, new StepLost { StepId = step.StepId, Fence = step.Fence, Times = step.Lost });
        Stop(step);

        var plan = await plans.GetAsync(run.VersionId, ct);
        if (IsCancelling(run))
        {
            Finish(step, StepStatus.Cancelled);
        }
        else if (step.Lost >= RunPlan.LostLimit)
        {
            // Not a matter for the user's retries: what kills its workers would kill the next one too.
            GiveUp(run, plan, step, new StepError
            {
                Code = StepErrorCodes.WorkerDied,
                Message = $"worker died {RunPlan.LostLimit} times. The step may need more memory than a worker gets; its log says how far it came.",
            }, null);
        }
        else
        {
            await DispatchAsync(run, plan, steps, step, ct);
        }

        return await AdvanceAsync(run, plan, steps, ct);
    }

    /// <summary>The run is in state Cancelling already: running steps are told to stop, the others will not begin.</summary>
    public async Task<RunOutcome?> CancelAsync(RunState run, string actor, string? reason, CancellationToken ct)
    {
        var steps = await StepsAsync(run, ct);
        events.Append(work, run, actor, new RunCancelling { Reason = reason });
        foreach (var step in steps.Values.Where(step => step.State == StepStatus.Running))
        {
            Stop(step);
        }

        return await AdvanceAsync(run, await plans.GetAsync(run.VersionId, ct), steps, ct);
    }

    public Task<RunOutcome?> ExpireAsync(RunState run, CancellationToken ct)
    {
        run.Error = new StepError { Code = "runTimeout", Message = "The run took longer than its limit (limits.timeout)." };
        return CancelAsync(run, RunEvents.System, run.Error.Message, ct);
    }

    /// <summary>Makes a failed or cancelled run ready to go on from where it stopped; its good steps keep their outputs.</summary>
    public async Task RetryAsync(RunState run, string actor, CancellationToken ct)
    {
        var steps = await StepsAsync(run, ct);
        var again = steps.Values.Where(step => step.State != StepStatus.Completed).OrderBy(step => step.Ordinal).ToList();
        foreach (var step in again)
        {
            step.State = StepStatus.Pending;
            step.Retries = step.Resends = 0;
            step.ForgetLosses();
            step.Error = null;
            step.Reason = null;
            step.Outcome = null;
            step.Deferral = null;
            step.FinishedAt = null;
        }

        run.Error = null;
        run.FailedStep = null;
        run.FinishedAt = null;
        events.Append(work, run, actor, new RunRetried { Steps = [.. again.Select(step => step.StepId)] });
        if (run.Concurrency is null)
        {
            run.AdmittedAt = time.GetUtcNow();
            work.Outbox.Send(Queues.RunSaga, new AdmitRun { RunId = run.CorrelationId });
        }
        else
        {
            run.AdmittedAt = null;
            work.Outbox.Send(Queues.RunCommands, new AdmitNext { PipelineId = run.PipelineId });
        }
    }

    private async Task<RunOutcome?> AdvanceAsync(
        RunState run, PipelinePlan plan, Dictionary<string, StepState> steps, CancellationToken ct)
    {
        while (true)
        {
            var transitions = RunPlan.Next(new RunSnapshot(
                plan,
                steps.ToDictionary(pair => pair.Key, pair => new StepSnapshot(pair.Value.State, pair.Value.Error)),
                IsCancelling(run),
                Expired: IsCancelling(run) ? run.Error : null,
                new Lazy<IScope>(() => RunScope.Of(run, steps.Values))));
            if (transitions.Count == 0)
            {
                return null;
            }

            foreach (var transition in transitions)
            {
                switch (transition)
                {
                    case Transition.Dispatch(var id):
                        steps[id].Attempt++;
                        await DispatchAsync(run, plan, steps, steps[id], ct);
                        break;
                    case Transition.Skip(var id, var reason):
                        Skip(run, steps[id], reason);
                        break;
                    case Transition.Fail(var id, var error):
                        GiveUp(run, plan, steps[id], error, null);
                        break;
                    case Transition.Cancel(var id):
                        Finish(steps[id], StepStatus.Cancelled);
                        break;
                    case Transition.End end:
                        await EndAsync(run, plan, steps, end, ct);
                        return end.Outcome;
                }
            }
        }
    }

    private async Task DispatchAsync(
        RunState run, PipelinePlan plan, Dictionary<string, StepState> steps, StepState step, CancellationToken ct)
    {
        step.LeaseUntil = null;
        step.DueAt = null;
        step.Progress = null;
        if (!await limit.TryTakeAsync(run.Project, _dispatched, ct))
        {
            step.State = StepStatus.Ready;
            step.ReadyAt = time.GetUtcNow();
            return;
        }

        _dispatched++;
        step.State = StepStatus.Dispatched;
        step.Dispatch++;
        step.Resends = 0;
        step.DispatchedAt = time.GetUtcNow();
        SendCommand(run, plan, steps, step);
    }

    private void SendCommand(RunState run, PipelinePlan plan, Dictionary<string, StepState> steps, StepState step)
    {
        var planned = plan.Step(step.StepId);
        try
        {
            work.Outbox.Send(Queues.Operator(planned.Operator, planned.Major), new ExecuteStep
            {
                RunId = run.CorrelationId,
                ProjectId = run.ProjectId,
                Project = run.Project,
                Pipeline = run.Pipeline,
                PipelineId = run.PipelineId,
                PipelineVersion = run.PipelineVersion,
                StepId = step.StepId,
                Operator = planned.Operator,
                Major = planned.Major,
                Attempt = step.Attempt,
                Dispatch = step.Dispatch,
                Config = MayHoldExpressions(planned) ? Template.Fill(planned.Config, RunScope.Of(run, steps.Values)) : planned.Config,
                Inputs = [.. planned.Inputs.Select(input => Input(input, steps))],
                Interval = run.Interval,
                Timeout = planned.Timeout,
                Deferral = step.Deferral,
            });
        }
        catch (ConditionException problem)
        {
            GiveUp(run, plan, step, new StepError { Code = StepErrorCodes.ConfigInvalid, Message = problem.Message, Path = problem.Path }, null);
        }
        catch (MissingOutputException problem)
        {
            GiveUp(run, plan, step, new StepError { Code = "inputMissing", Message = problem.Message, Path = "inputs" }, null);
        }
    }

    private static bool MayHoldExpressions(PlanStep step) =>
        step.Config.ValueKind == System.Text.Json.JsonValueKind.Object && step.Config.GetRawText().Contains('$', StringComparison.Ordinal);

    private static StepInput Input(PlanInput input, Dictionary<string, StepState> steps)
    {
        if (input.Step is null)
        {
            return new StepInput { Name = input.Name, Reference = input.Dataset };
        }

        var port = input.Port ?? "out";
        return steps[input.Step].Outcome!.Outputs.TryGetValue(port, out var output)
            ? new StepInput { Name = input.Name, Dataset = output }
            : throw new MissingOutputException($"Step \"{input.Step}\" wrote nothing to its port \"{port}\".");
    }

    private sealed class MissingOutputException(string message) : Exception(message);

    /// <summary>The step, if this execution is still the one that counts; else it was only cut off, if it was taken for dead.</summary>
    private static StepState? Hear(Dictionary<string, StepState> steps, string stepId, long fence)
    {
        if (Executing(steps, stepId, fence) is { } step)
        {
            return step;
        }

        steps.GetValueOrDefault(stepId)?.HearAgain(fence);
        return null;
    }

    /// <summary>The step, if this execution is still the one that counts.</summary>
    private static StepState? Executing(Dictionary<string, StepState> steps, string stepId, long fence) =>
        steps.GetValueOrDefault(stepId) is { State: StepStatus.Running } step && step.Fence == fence ? step : null;

    private void Fail(RunState run, PipelinePlan plan, StepState step, StepError error, StepOutcome? outcome)
    {
        if (RunPlan.RetryAfter(plan.Step(step.StepId).Retry, step.Retries, error) is not { } wait)
        {
            GiveUp(run, plan, step, error, outcome);
            return;
        }

        var due = time.GetUtcNow() + wait;
        step.Error = plan.Locate(step.StepId, error);
        step.Outcome = outcome;
        AppendFailure(run, step, due);
        step.Attempt++;
        step.Retries++;
        step.ForgetLosses();
        Wait(step, StepStatus.BackingOff, due);
    }

    private void GiveUp(RunState run, PipelinePlan plan, StepState step, StepError error, StepOutcome? outcome)
    {
        Finish(step, StepStatus.Failed);
        step.Error = plan.Locate(step.StepId, error);
        step.Outcome = outcome;
        AppendFailure(run, step, null);
    }

    private void Skip(RunState run, StepState step, string reason)
    {
        Finish(step, StepStatus.Skipped);
        step.Error = null;
        step.Reason = reason;
        events.Append(work, run, step.Worker ?? RunEvents.System, new StepSkipped { StepId = step.StepId, Reason = reason });
    }

    /// <summary>What a step logged stays readable when it goes on; of one that comes back very often, the newest.</summary>
    private static void KeepLog(StepState step, string? key)
    {
        if (key is not null)
        {
            step.Logs = [.. step.Logs.TakeLast(MostLogs - 1), key];
        }
    }

    private void AppendFailure(RunState run, StepState step, DateTimeOffset? retryAt) =>
        events.Append(work, run, step.Worker ?? RunEvents.System, new StepFailed
        {
            StepId = step.StepId,
            Attempt = step.Attempt,
            Error = step.Error!,
            Outcome = step.Outcome,
            RetryAt = retryAt,
        });

    private void Wait(StepState step, StepStatus status, DateTimeOffset due)
    {
        step.State = status;
        step.LeaseUntil = null;
        step.DueAt = due;
        work.Outbox.SendAt(due, Queues.RunSaga, new ResumeStep { RunId = step.RunId, StepId = step.StepId, Dispatch = step.Dispatch });
    }

    private void Finish(StepState step, StepStatus status)
    {
        step.State = status;
        step.LeaseUntil = null;
        step.DueAt = null;
        step.FinishedAt = time.GetUtcNow();
    }

    private void Stop(StepState step) =>
        work.Outbox.Publish(new StopStep { RunId = step.RunId, StepId = step.StepId, Fence = step.Fence });

    private async Task EndAsync(
        RunState run, PipelinePlan plan, Dictionary<string, StepState> steps, Transition.End end, CancellationToken ct)
    {
        run.FinishedAt = time.GetUtcNow();
        run.Error = end.Error;
        run.FailedStep = end.StepId;
        switch (end.Outcome)
        {
            case RunOutcome.Completed:
                await RememberAsync(run, steps.Values, ct);
                events.Append(work, run, RunEvents.System, new RunCompleted
                {
                    Project = run.Project,
                    Pipeline = run.Pipeline,
                    PipelineId = run.PipelineId,
                    PipelineVersion = run.PipelineVersion,
                    Published = [.. Published(plan, steps)],
                });
                break;
            case RunOutcome.Failed:
                events.Append(work, run, RunEvents.System, new RunFailed
                {
                    Project = run.Project,
                    Pipeline = run.Pipeline,
                    PipelineId = run.PipelineId,
                    StepId = end.StepId,
                    Error = end.Error!,
                });
                break;
            case RunOutcome.Cancelled:
                events.Append(work, run, RunEvents.System, new RunCancelled
                {
                    Project = run.Project,
                    Pipeline = run.Pipeline,
                    PipelineId = run.PipelineId,
                });
                break;
        }

        if (run.Concurrency is not null)
        {
            work.Outbox.Send(Queues.RunCommands, new AdmitNext { PipelineId = run.PipelineId });
        }
    }

    /// <summary>What the steps want remembered is written with the run's completion, and only then.</summary>
    private async Task RememberAsync(RunState run, IEnumerable<StepState> steps, CancellationToken ct)
    {
        foreach (var step in steps.Where(step => step.Outcome?.State is not null))
        {
            var memory = await Db.Memories.FindAsync([run.PipelineId, step.StepId], ct);
            if (memory is null)
            {
                memory = new StepMemory { PipelineId = run.PipelineId, StepId = step.StepId };
                Db.Memories.Add(memory);
            }

            memory.Value = step.Outcome!.State!.Value;
            memory.RunId = run.CorrelationId;
            memory.UpdatedAt = time.GetUtcNow();
        }
    }

    private static IEnumerable<PublishedOutput> Published(PipelinePlan plan, Dictionary<string, StepState> steps)
    {
        foreach (var step in plan.Steps.Where(step => step.Publish is not null))
        {
            if (steps[step.Id] is { State: StepStatus.Completed, Outcome: { } outcome } && outcome.Outputs.TryGetValue("out", out var content))
            {
                var read = outcome.RowsIn;
                yield return new PublishedOutput(
                    step.Publish!, step.Id, content, read == 0 ? null : 1 - ((double)outcome.RowsRejected / read));
            }
        }
    }

    private static bool IsCancelling(RunState run) => run.CurrentState == nameof(RunStateMachine.Cancelling);

    private async Task<Dictionary<string, StepState>> StepsAsync(RunState run, CancellationToken ct)
    {
        var steps = await Db.Steps.Where(step => step.RunId == run.CorrelationId).ToListAsync(ct);
        return steps.ToDictionary(step => step.StepId);
    }
}
