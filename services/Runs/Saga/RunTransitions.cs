using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Qualiz.Contracts;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Values;
using Qualiz.Platform.Data;
using Qualiz.Runs.Claims;
using Qualiz.Runs.Items;
using Qualiz.Runs.Model;
using Qualiz.Runs.Planning;
using Qualiz.Runs.Starting;

namespace Qualiz.Runs.Saga;

/// <summary>
/// What the saga does with an event: update the step it concerns, ask <see cref="RunPlan.Next"/>, carry out the answer.
/// Everything happens in the saga's transaction, under the run's lock. Each method returns the run's end, or null while it goes on.
/// </summary>
internal sealed class RunTransitions(
    IUnitOfWork<RunsDb> work,
    PlanCache plans,
    RunEvents events,
    RunSteps steps,
    StepChanges changes,
    StepDispatch dispatch,
    ItemSpread items,
    StateTurns turns,
    Reinjections reinjections,
    IOptions<RunsOptions> options,
    TimeProvider time)
{
    /// <summary>Where operators write the rows that they reject.</summary>
    private const string RejectedPort = "rejected";

    private RunsDb Db => work.Db;

    public async Task<RunOutcome?> StartAsync(RunState run, CancellationToken ct)
    {
        run.StartedAt ??= time.GetUtcNow();
        events.Append(work, run, run.Actor, new RunStarted
        {
            Project = run.Project,
            Pipeline = run.Pipeline,
            PipelineId = run.PipelineId,
            PipelineVersion = run.PipelineVersion,
        });
        var plan = await plans.GetAsync(Db, run.VersionId, ct);
        if (plan.Limits.Timeout is { } timeout)
        {
            SetDeadline(run, time.GetUtcNow() + timeout);
        }

        if (plan.Late is { } late && await UsualAsync(run, ct) is { } usual)
        {
            var limit = usual * late.Times;
            limit = limit < options.Value.LateAtLeast ? options.Value.LateAtLeast : limit;
            LateRuns.Watch(work.Outbox, run, time.GetUtcNow() + limit, LateRuns.Reason(usual, late.Times));
        }

        // Only a run that was retried has steps that have done something.
        var all = await steps.AllAsync(run, ct);
        var refused = all.Values.Any(step => step.Attempt > 0) ? await turns.TakeAgainAsync(run, ct) : null;
        if (run.Reinjection is not null)
        {
            refused ??= await reinjections.BeginAsync(run, plan, all, ct);
        }

        if (refused is not null)
        {
            run.CurrentState = nameof(RunStateMachine.Cancelling);
            run.Error = refused;
            return await CancelAsync(run, RunEvents.System, refused.Message, ct);
        }

        return await AdvanceAsync(run, plan, ct);
    }

    /// <summary>Once for a run, whichever of its times comes first.</summary>
    public void TellLate(RunState run, ReportLate message)
    {
        if (run.LateAt is not null)
        {
            return;
        }

        run.LateAt = time.GetUtcNow();
        events.Append(work, run, RunEvents.System, new RunLate
        {
            Project = run.Project,
            Pipeline = run.Pipeline,
            PipelineId = run.PipelineId,
            PipelineVersion = run.PipelineVersion,
            Expected = message.Expected,
            Reason = message.Reason,
        });
    }

    /// <summary>The median of what the last ten completed runs of the pipeline took; null when there are too few to say what is usual.</summary>
    private async Task<TimeSpan?> UsualAsync(RunState run, CancellationToken ct)
    {
        var took = await Db.Runs.AsNoTracking()
            .Where(other => other.Project == run.Project && other.Pipeline == run.Pipeline && !other.Alone && other.CurrentState == nameof(RunStateMachine.Completed) && other.StartedAt != null)
            .OrderByDescending(other => other.CorrelationId).Take(10)
            .Select(other => new { other.StartedAt, other.FinishedAt }).ToListAsync(ct);
        return LateRuns.Median([.. took.Where(other => other.FinishedAt >= other.StartedAt).Select(other => other.FinishedAt!.Value - other.StartedAt!.Value)]);
    }

    public async Task<RunOutcome?> CompleteAsync(RunState run, CompleteStep message, CancellationToken ct)
    {
        if (await HearAsync(run, message.StepId, message.Fence, ct) is not { } step)
        {
            return null;
        }

        StepChanges.KeepLog(step, message.Outcome.LogKey);
        changes.Complete(run, step, message.Outcome);
        return await GoOnAsync(run, step, ct);
    }

    public async Task<RunOutcome?> FailAsync(RunState run, FailStep message, CancellationToken ct)
    {
        if (await HearAsync(run, message.StepId, message.Fence, ct) is not { } step)
        {
            return null;
        }

        StepChanges.KeepLog(step, message.Outcome?.LogKey);
        if (run.IsCancelling)
        {
            changes.Finish(step, StepStatus.Cancelled);
            step.Error = message.Error;
            step.Outcome = message.Outcome;
        }
        else if (message.Error.Code == StepErrorCodes.Infrastructure)
        {
            // Says nothing against the step, so it uses up nothing; and it goes out no more often than once a lease.
            changes.Lost(run, step);
            changes.Wait(step, StepStatus.BackingOff, (step.StartedAt ?? time.GetUtcNow()) + options.Value.Lease);
        }
        else
        {
            await CancelChildrenAsync(run, step, "failed", ct);
            changes.Fail(run, await plans.GetAsync(Db, run.VersionId, ct), step, message.Error, message.Outcome);
        }

        return await GoOnAsync(run, step, ct);
    }

    public async Task<RunOutcome?> SkipAsync(RunState run, SkipStep message, CancellationToken ct)
    {
        if (await HearAsync(run, message.StepId, message.Fence, ct) is not { } step)
        {
            return null;
        }

        StepChanges.KeepLog(step, message.LogKey);
        changes.Skip(run, step, message.Reason);
        return await GoOnAsync(run, step, ct);
    }

    public async Task<RunOutcome?> DeferAsync(RunState run, DeferStep message, CancellationToken ct)
    {
        if (await HearAsync(run, message.StepId, message.Fence, ct) is not { } step)
        {
            return null;
        }

        StepChanges.KeepLog(step, message.LogKey);
        changes.Defer(run, await plans.GetAsync(Db, run.VersionId, ct), step, message.Key, message.NextCheck);
        // What it waits for may have ended between its look and this word; then nobody else calls it back.
        if (!run.IsCancelling && await ChildrenOf(step).AnyAsync(child => child.FinishedAt != null, ct))
        {
            work.Outbox.Send(Queues.RunSaga, new ResumeStep { RunId = step.RunId, StepId = step.StepId, Dispatch = step.Dispatch });
        }

        return await GoOnAsync(run, step, ct);
    }

    /// <summary>
    /// A timer's or the reconciler's word: a waiting step goes on, a dispatch that nobody claimed is sent again. While the run
    /// is paused the step becomes ready, and goes on when the run does.
    /// </summary>
    public async Task<RunOutcome?> ResumeAsync(RunState run, ResumeStep message, CancellationToken ct)
    {
        if (await steps.FindAsync(run, message.StepId, ct) is not { } step || step.Dispatch != message.Dispatch)
        {
            return null;
        }

        var plan = await plans.GetAsync(Db, run.VersionId, ct);
        switch (step.State)
        {
            case StepStatus.Deferred when step.WaitsFor is not null && !run.IsPaused && await turns.FindAsync(run, step, ct) is { RunId: not null } turn:
                changes.WaitFor(run, step, turn);
                break;
            case StepStatus.Deferred when !run.IsPaused && await IsOverdueAsync(step, ct):
                await CancelChildrenAsync(run, step, "took longer than its limit", ct);
                changes.Fail(run, plan, step, new StepError
                {
                    Code = StepErrorCodes.Timeout,
                    Message = $"The step took longer than its limit of {new Duration(plan.Of(step).Timeout ?? TimeSpan.Zero)}.",
                    Transient = true,
                }, null);
                break;
            case StepStatus.Deferred or StepStatus.BackingOff or StepStatus.Ready:
                await dispatch.SendAsync(run, plan, step, ct);
                break;
            case StepStatus.Dispatched:
                await dispatch.SendAgainAsync(run, plan, step, ct);
                break;
            default:
                return null;
        }

        return await GoOnAsync(run, step, ct);
    }

    /// <summary>The execution is lost: its worker died or let its lease run out.</summary>
    public async Task<RunOutcome?> LoseAsync(RunState run, LoseStep message, CancellationToken ct)
    {
        if (await steps.FindAsync(run, message.StepId, ct) is not { State: StepStatus.Running } step || step.Fence != message.Fence)
        {
            return null;
        }

        if (!message.HostRestarted)
        {
            step.CountLost();
        }

        changes.Lost(run, step);
        changes.Stop(step);
        var plan = await plans.GetAsync(Db, run.VersionId, ct);
        if (run.IsCancelling)
        {
            changes.Finish(step, StepStatus.Cancelled);
        }
        else if (step.Lost >= RunPlan.LostLimit)
        {
            // Not a matter for the user's retries: what kills its workers would kill the next one too.
            await CancelChildrenAsync(run, step, "failed", ct);
            changes.GiveUp(run, plan, step, new StepError
            {
                Code = StepErrorCodes.WorkerDied,
                Message = $"worker died {RunPlan.LostLimit} times. The step may need more memory than a worker gets; its log says how far it came.",
            }, null);
        }
        else
        {
            await dispatch.SendAsync(run, plan, step, ct);
        }

        return await GoOnAsync(run, step, ct);
    }

    /// <summary>The run is in state Paused already: what was sent and not claimed waits here instead.</summary>
    /// <param name="waited">It was in the queue: nothing of it has begun, or will before it is resumed.</param>
    public async Task PauseAsync(RunState run, PauseRun message, bool waited, CancellationToken ct)
    {
        run.PausedAt = time.GetUtcNow();
        if (waited)
        {
            run.AdmittedAt = null;
            // Another may have its place.
            if (run.Concurrency is not null || run.Alone)
            {
                work.Outbox.Send(Queues.RunCommands, new AdmitNext { PipelineId = run.PipelineId });
            }
        }

        events.Append(work, run, message.Actor, new RunPaused { Project = run.Project, Pipeline = run.Pipeline, PipelineId = run.PipelineId, Reason = message.Reason });
        // A copy that is claimed all the same is refused: the run does not run, and later the dispatch is an old one.
        await Db.Steps.Where(step => step.RunId == run.CorrelationId && step.State == StepStatus.Dispatched)
            .ExecuteUpdateAsync(step => step.SetProperty(s => s.State, StepStatus.Ready).SetProperty(s => s.ReadyAt, run.PausedAt), ct);
    }

    /// <summary>The run is in state Queued again, behind none that is younger.</summary>
    public void QueueAgain(RunState run, ResumeRun message)
    {
        run.PausedAt = null;
        events.Append(work, run, message.Actor, new RunResumed { Project = run.Project, Pipeline = run.Pipeline, PipelineId = run.PipelineId });
        work.Outbox.Send(Queues.RunCommands, new AdmitNext { PipelineId = run.PipelineId });
    }

    /// <summary>The run is in state Running again: what became ready meanwhile goes out, then whatever comes next.</summary>
    public async Task<RunOutcome?> ResumeRunAsync(RunState run, ResumeRun message, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (run.Deadline is { } deadline && run.PausedAt is { } since)
        {
            SetDeadline(run, deadline + (now - since));
        }

        run.PausedAt = null;
        events.Append(work, run, message.Actor, new RunResumed { Project = run.Project, Pipeline = run.Pipeline, PipelineId = run.PipelineId });
        var plan = await plans.GetAsync(Db, run.VersionId, ct);
        var all = await steps.AllAsync(run, ct);
        var ready = await Db.Steps.Where(step => step.RunId == run.CorrelationId && step.State == StepStatus.Ready).OrderBy(step => step.ReadyAt).ToListAsync(ct);
        foreach (var step in ready)
        {
            await dispatch.SendAsync(run, plan, step, ct);
            if (step.Parent is not null)
            {
                await items.HearAsync(run, plan, all[step.Parent], step, ct);
            }
        }

        foreach (var step in all.Values.Where(step => step.State == StepStatus.Spread))
        {
            await items.GoOnAsync(run, plan, step, ct);
        }

        return await AdvanceAsync(run, plan, ct);
    }

    /// <summary>The run is in state Cancelling already: running steps are told to stop, the others will not begin.</summary>
    public async Task<RunOutcome?> CancelAsync(RunState run, string actor, string? reason, CancellationToken ct)
    {
        events.Append(work, run, actor, new RunCancelling { Reason = reason });
        foreach (var child in await Db.Runs.Where(child => child.ParentRunId == run.CorrelationId && child.FinishedAt == null).Select(child => child.CorrelationId).ToListAsync(ct))
        {
            work.Outbox.Send(Queues.RunSaga, new CancelRun { RunId = child, Actor = actor, Reason = $"Run {run.CorrelationId}, which started it, was cancelled." });
        }

        foreach (var step in (await steps.AllAsync(run, ct)).Values)
        {
            if (step.State == StepStatus.Running)
            {
                changes.Stop(step);
            }
            else if (step.State == StepStatus.Spread)
            {
                await items.CancelAsync(step, ct);
            }
        }

        return await AdvanceAsync(run, await plans.GetAsync(Db, run.VersionId, ct), ct);
    }

    public Task<RunOutcome?> ExpireAsync(RunState run, CancellationToken ct)
    {
        run.Error = new StepError { Code = "runTimeout", Message = "The run took longer than its limit (limits.timeout)." };
        return CancelAsync(run, RunEvents.System, run.Error.Message, ct);
    }

    /// <summary>Makes a failed or cancelled run ready to go on from where it stopped; its good steps and elements keep their outputs.</summary>
    public async Task RetryAsync(RunState run, string actor, CancellationToken ct)
    {
        var plan = await plans.GetAsync(Db, run.VersionId, ct);
        var all = await steps.AllAsync(run, ct);
        var again = RunPlan.Again(plan, id => all[id].State);
        foreach (var planned in plan.Steps.Where(step => again.Contains(step.Id)))
        {
            var step = all[planned.Id];
            // Elements hold as long as what they were made from does.
            if (planned.Dependencies.Any(again.Contains))
            {
                step.Items = null;
            }

            step.State = StepStatus.Pending;
            step.Retries = step.Resends = 0;
            step.ForgetLosses();
            step.Error = null;
            step.Reason = null;
            step.Outcome = null;
            step.Deferral = null;
            step.Deadline = null;
            step.FinishedAt = null;
        }

        run.Error = null;
        run.FailedStep = null;
        run.FinishedAt = null;
        run.HoldsState = false;
        events.Append(work, run, actor, new RunRetried { Steps = [.. plan.Steps.Select(step => step.Id).Where(again.Contains)] });
        // By the queue, even without a limit: another one may have the pipeline for itself.
        run.AdmittedAt = null;
        work.Outbox.Send(Queues.RunCommands, new AdmitNext { PipelineId = run.PipelineId });
    }

    /// <summary>A step has changed. An element's change matters to the run only when it ends its step.</summary>
    private async Task<RunOutcome?> GoOnAsync(RunState run, StepState step, CancellationToken ct)
    {
        var plan = await plans.GetAsync(Db, run.VersionId, ct);
        if (step.Parent is not null)
        {
            var parent = await steps.ParentAsync(run, step, ct);
            await items.HearAsync(run, plan, parent, step, ct);
            if (!parent.State.IsFinal())
            {
                return null;
            }
        }

        return await AdvanceAsync(run, plan, ct);
    }

    private async Task<RunOutcome?> AdvanceAsync(RunState run, PipelinePlan plan, CancellationToken ct)
    {
        var all = await steps.AllAsync(run, ct);
        while (true)
        {
            var transitions = RunPlan.Next(new RunSnapshot(
                plan,
                all.ToDictionary(pair => pair.Key, pair => new StepSnapshot(pair.Value.State, pair.Value.Error)),
                run.IsCancelling,
                Expired: run.IsCancelling ? run.Error : null,
                new Lazy<IScope>(() => RunScope.Of(run, all.Values)),
                run.IsPaused));
            if (transitions.Count == 0)
            {
                return null;
            }

            foreach (var transition in transitions)
            {
                switch (transition)
                {
                    case Transition.Dispatch(var id):
                        all[id].Attempt++;
                        if (plan.Step(id).ForEach is null)
                        {
                            await dispatch.SendAsync(run, plan, all[id], ct);
                        }
                        else
                        {
                            await items.BeginAsync(run, plan, all[id], ct);
                        }

                        break;
                    case Transition.Skip(var id, var reason):
                        changes.Skip(run, all[id], reason);
                        break;
                    case Transition.Fail(var id, var error):
                        changes.GiveUp(run, plan, all[id], error, null);
                        break;
                    case Transition.Cancel(var id):
                        changes.Finish(all[id], StepStatus.Cancelled);
                        break;
                    case Transition.End end:
                        end = await NotOvertakenAsync(run, end, ct);
                        var published = Published(plan, all).ToList();
                        if (end.Outcome == RunOutcome.Completed && run.Reinjection is { Delta: true }
                            && await reinjections.WithEarlierAsync(run, published, ct) is { } conflict)
                        {
                            end = new Transition.End(RunOutcome.Failed, null, conflict);
                        }

                        await EndAsync(run, all, published, end, ct);
                        return end.Outcome;
                }
            }
        }
    }

    /// <summary>The second net: a run whose state has been written by somebody else since it read it does not write its own over that, and says so.</summary>
    private async Task<Transition.End> NotOvertakenAsync(RunState run, Transition.End end, CancellationToken ct) =>
        end.Outcome == RunOutcome.Completed && run.HoldsState && await turns.OvertakenAsync(run, ct) is { } step
            ? new Transition.End(RunOutcome.Failed, step, new StepError { Code = StepErrorCodes.Overtaken, Message = StateTurns.Moved(step) })
            : end;

    /// <summary>The step, if this execution is still the one that counts; else it was only cut off, if it was taken for dead.</summary>
    private async Task<StepState?> HearAsync(RunState run, string stepId, long fence, CancellationToken ct)
    {
        var step = await steps.FindAsync(run, stepId, ct);
        if (step is { State: StepStatus.Running } && step.Fence == fence)
        {
            return step;
        }

        step?.HearAgain(fence);
        return null;
    }

    private void SetDeadline(RunState run, DateTimeOffset deadline)
    {
        run.Deadline = deadline;
        work.Outbox.SendAt(deadline, Queues.RunSaga, new ExpireRun { RunId = run.CorrelationId });
    }

    private async Task EndAsync(
        RunState run, Dictionary<string, StepState> all, IReadOnlyList<PublishedOutput> published, Transition.End end, CancellationToken ct)
    {
        run.FinishedAt = time.GetUtcNow();
        run.Error = end.Error;
        run.FailedStep = end.StepId;
        var done = all.Values.Where(step => !step.IsTakenOver).ToList();
        var hasRejects = done.Any(step => step.Outcome?.Outputs.ContainsKey(RejectedPort) == true);
        switch (end.Outcome)
        {
            case RunOutcome.Completed:
                await RememberAsync(run, all, ct);
                events.Append(work, run, RunEvents.System, new RunCompleted
                {
                    Project = run.Project,
                    Pipeline = run.Pipeline,
                    PipelineId = run.PipelineId,
                    PipelineVersion = run.PipelineVersion,
                    Published = published,
                    Rejected = done.Sum(step => step.Outcome?.RowsRejected ?? 0),
                    ToReview = done.Sum(step => step.Outcome?.Counts.GetValueOrDefault("review") ?? 0),
                    HasRejects = hasRejects,
                });
                break;
            case RunOutcome.Failed:
                events.Append(work, run, RunEvents.System, new RunFailed
                {
                    Project = run.Project,
                    Pipeline = run.Pipeline,
                    PipelineId = run.PipelineId,
                    PipelineVersion = run.PipelineVersion,
                    StepId = end.StepId,
                    Error = end.Error!,
                    HasRejects = hasRejects,
                });
                break;
            case RunOutcome.Cancelled:
                events.Append(work, run, RunEvents.System, new RunCancelled
                {
                    Project = run.Project,
                    Pipeline = run.Pipeline,
                    PipelineId = run.PipelineId,
                    PipelineVersion = run.PipelineVersion,
                    HasRejects = hasRejects,
                });
                break;
        }

        if (run.Concurrency is not null || run.Alone)
        {
            work.Outbox.Send(Queues.RunCommands, new AdmitNext { PipelineId = run.PipelineId });
        }

        await ResumeParentAsync(run, ct);
        // One that completes without a turn has had no step that others would wait for.
        if (run.HoldsState || end.Outcome != RunOutcome.Completed)
        {
            await turns.EndAsync(run, ct);
        }
    }

    /// <summary>By the database's clock, as the timers and the step's start are.</summary>
    private async Task<bool> IsOverdueAsync(StepState step, CancellationToken ct) =>
        step.Deadline is { } deadline && deadline <= await Db.Database.SqlQuery<DateTimeOffset>($"select now() as \"Value\"").SingleAsync(ct);

    /// <summary>The runs that this attempt of the step has started: one at most.</summary>
    private IQueryable<RunState> ChildrenOf(StepState step) =>
        Db.Runs.AsNoTracking().Where(child => child.ParentRunId == step.RunId && child.ParentStepId == step.StepId && child.ParentAttempt == step.Attempt);

    /// <summary>Nobody waits any more for what the attempt has started.</summary>
    private async Task CancelChildrenAsync(RunState run, StepState step, string why, CancellationToken ct)
    {
        foreach (var child in await ChildrenOf(step).Where(child => child.FinishedAt == null).Select(child => child.CorrelationId).ToListAsync(ct))
        {
            work.Outbox.Send(Queues.RunSaga, new CancelRun { RunId = child, Actor = RunEvents.System, Reason = $"Step {step.StepId} of run {run.CorrelationId}, which started it, {why}." });
        }
    }

    /// <summary>The step that waits for this run need not wait for its next look; one that is not waiting yet finds out when it begins to.</summary>
    private async Task ResumeParentAsync(RunState run, CancellationToken ct)
    {
        if (run.ParentRunId is not { } parent || run.ParentStepId is not { } stepId)
        {
            return;
        }

        // Its beginning to wait and this end happen one after the other, so that one of them sees the other. Locks go from child to parent only.
        await work.LockAsync(parent, ct);
        if (await Db.Steps.AsNoTracking().Where(step => step.RunId == parent && step.StepId == stepId && step.Attempt == run.ParentAttempt && step.State == StepStatus.Deferred)
                .Select(step => (int?)step.Dispatch).FirstOrDefaultAsync(ct) is { } dispatch)
        {
            work.Outbox.Send(Queues.RunSaga, new ResumeStep { RunId = parent, StepId = stepId, Dispatch = dispatch });
        }
    }

    /// <summary>
    /// What the steps want remembered is written with the run's completion, and only then. A step that reads on had its turn with it; of the others, what a
    /// later run remembers stays: it has seen more. So does what a run about a later time remembers: a backfill does not move it, unless it only adds to it.
    /// </summary>
    private async Task RememberAsync(RunState run, Dictionary<string, StepState> all, CancellationToken ct)
    {
        var version = Guid.CreateVersion7();
        foreach (var step in all.Values.Where(step => step.Outcome?.State is not null))
        {
            var memory = await Db.Memories.FindAsync([run.PipelineId, step.StepId], ct);
            if (memory is null)
            {
                memory = new StepMemory { PipelineId = run.PipelineId, StepId = step.StepId };
                Db.Memories.Add(memory);
            }

            var isEarlier = memory.ReadUntil > run.IntervalEnd;
            if ((step.MemoryVersion is null && memory.RunId.CompareTo(run.CorrelationId) > 0) || (isEarlier && !step.Outcome!.StateGrows))
            {
                continue;
            }

            memory.Value = step.Outcome!.State!.Value;
            memory.Version = version;
            memory.RunId = run.CorrelationId;
            memory.UpdatedAt = time.GetUtcNow();
            memory.ReadUntil = isEarlier ? memory.ReadUntil : memory.UpdatedAt < run.IntervalEnd ? memory.UpdatedAt : run.IntervalEnd;
        }

        var spread = all.Values.Where(step => step is { State: StepStatus.Completed, Items: not null }).Select(step => step.StepId).ToArray();
        if (spread.Length > 0)
        {
            await items.RememberAsync(run, spread, version, ct);
        }
    }

    private static IEnumerable<PublishedOutput> Published(PipelinePlan plan, Dictionary<string, StepState> all)
    {
        foreach (var step in plan.Steps.Where(step => step.Publish is not null && !all[step.Id].IsTakenOver))
        {
            if (all[step.Id] is { State: StepStatus.Completed, Outcome: { } outcome } && outcome.Outputs.TryGetValue("out", out var content))
            {
                var read = outcome.RowsIn + outcome.Ledger.Sum(line => line.Added);
                yield return new PublishedOutput(
                    step.Publish!, step.Id, content, read == 0 ? null : 1 - ((double)outcome.RowsRejected / read));
            }
        }
    }
}
