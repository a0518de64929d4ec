using Qualiz.Contracts;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Runs.Claims;
using Qualiz.Runs.Model;
using Qualiz.Runs.Planning;

namespace Qualiz.Runs.Saga;

/// <summary>The ways in which a step or an element changes its state, each with its event, in the saga's transaction.</summary>
internal sealed class StepChanges(IUnitOfWork<RunsDb> work, RunEvents events, TimeProvider time)
{
    private const int MostLogs = 100;

    public void Complete(RunState run, StepState step, StepOutcome outcome)
    {
        Finish(step, StepStatus.Completed);
        step.Outcome = outcome;
        step.Error = null;
        events.Append(work, run, step.Worker ?? RunEvents.System, new StepCompleted
        {
            StepId = step.StepId,
            ItemOf = step.Parent,
            Attempt = step.Attempt,
            Fence = step.Fence,
            // The files of a step with elements are told by these.
            Outcome = step.Items is null ? outcome : WithoutFiles(outcome),
        });
    }

    public void Skip(RunState run, StepState step, string reason)
    {
        Finish(step, StepStatus.Skipped);
        step.Error = null;
        step.Reason = reason;
        events.Append(work, run, step.Worker ?? RunEvents.System, new StepSkipped { StepId = step.StepId, ItemOf = step.Parent, Reason = reason });
    }

    /// <summary>Failed: tried again as its policy says, or given up.</summary>
    public void Fail(RunState run, PipelinePlan plan, StepState step, StepError error, StepOutcome? outcome)
    {
        if (RunPlan.RetryAfter(plan.Of(step).Retry, step.Retries, error) is not { } wait)
        {
            GiveUp(run, plan, step, error, outcome);
            return;
        }

        var due = time.GetUtcNow() + wait;
        step.Error = plan.Locate(plan.Of(step).Id, error);
        step.Outcome = outcome;
        AppendFailure(run, step, due);
        step.Attempt++;
        step.Retries++;
        step.Deadline = null;
        step.ForgetLosses();
        Wait(step, StepStatus.BackingOff, due);
    }

    public void GiveUp(RunState run, PipelinePlan plan, StepState step, StepError error, StepOutcome? outcome)
    {
        Finish(step, StepStatus.Failed);
        step.Error = plan.Locate(plan.Of(step).Id, error);
        step.Outcome = outcome;
        AppendFailure(run, step, null);
    }

    public void Defer(RunState run, PipelinePlan plan, StepState step, string key, DateTimeOffset nextCheck)
    {
        step.Deferral = new Deferral(key, (step.Deferral?.Count ?? 0) + 1);
        if (plan.Of(step).Timeout is { } limit)
        {
            step.Deadline ??= (step.StartedAt ?? time.GetUtcNow()) + limit;
        }

        Wait(step, StepStatus.Deferred, step.Deadline < nextCheck ? step.Deadline.Value : nextCheck);
        events.Append(work, run, step.Worker ?? RunEvents.System, new StepDeferred { StepId = step.StepId, ItemOf = step.Parent, NextCheck = nextCheck });
    }

    /// <summary>Another run has its turn with what the pipeline remembers. No time of the step's own passes meanwhile.</summary>
    public void WaitFor(RunState run, StepState step, StateTurn turn)
    {
        var (reason, due) = (turn.Reason, turn.Now + StateTurns.Look);
        if (step.State != StepStatus.Deferred || step.WaitsFor != turn.RunId || step.Reason != reason)
        {
            events.Append(work, run, RunEvents.System, new StepDeferred { StepId = step.StepId, ItemOf = step.Parent, NextCheck = due, Reason = reason });
        }

        step.WaitsFor = turn.RunId;
        step.Reason = reason;
        // Woken before its time, it has a timer that is still to come.
        if (step.State != StepStatus.Deferred || step.DueAt is null || step.DueAt <= turn.Now)
        {
            Wait(step, StepStatus.Deferred, due);
        }
    }

    /// <summary>It waits for no other run any more.</summary>
    public static void WaitNoMore(StepState step)
    {
        if (step.WaitsFor is not null)
        {
            step.WaitsFor = null;
            step.Reason = null;
        }
    }

    public void Lost(RunState run, StepState step) =>
        events.Append(work, run, RunEvents.System, new StepLost { StepId = step.StepId, ItemOf = step.Parent, Fence = step.Fence, Times = step.Lost });

    public void Wait(StepState step, StepStatus status, DateTimeOffset due)
    {
        step.State = status;
        step.LeaseUntil = null;
        step.DueAt = due;
        work.Outbox.SendAt(due, Queues.RunSaga, new ResumeStep { RunId = step.RunId, StepId = step.StepId, Dispatch = step.Dispatch });
    }

    public void Finish(StepState step, StepStatus status)
    {
        WaitNoMore(step);
        step.State = status;
        step.LeaseUntil = null;
        step.DueAt = null;
        step.FinishedAt = time.GetUtcNow();
    }

    public void Stop(StepState step) =>
        work.Outbox.Publish(new StopStep { RunId = step.RunId, StepId = step.StepId, Fence = step.Fence });

    /// <summary>What a step logged stays readable when it goes on; of one that comes back very often, the newest.</summary>
    public static void KeepLog(StepState step, string? key)
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
            ItemOf = step.Parent,
            Attempt = step.Attempt,
            Error = step.Error!,
            Outcome = step.Items is null || step.Outcome is null ? step.Outcome : WithoutFiles(step.Outcome),
            RetryAt = retryAt,
        });

    private static StepOutcome WithoutFiles(StepOutcome outcome) =>
        outcome with { Outputs = outcome.Outputs.ToDictionary(output => output.Key, output => output.Value with { Files = [] }) };
}

internal static class PlanOfStep
{
    /// <summary>What the file says of a step, or of the step that this is an element of.</summary>
    public static PlanStep Of(this PipelinePlan plan, StepState step) => plan.Step(step.Parent ?? step.StepId);
}
