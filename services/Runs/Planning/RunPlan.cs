using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Planning;

/// <summary>
/// The rules of a run as pure functions: from what is known to what comes next. No input or output, no clock of its own;
/// everything that drives a run asks here, so there is one answer.
/// </summary>
internal static class RunPlan
{
    /// <summary>An execution lost this often fails its step: something about the step kills its workers.</summary>
    public const int LostLimit = 3;

    /// <summary>
    /// Only what is new: steps to dispatch, skip or fail, in the order of the plan, and the run's end when nothing is left.
    /// Applying the result and asking again gives what follows from it; the caller repeats until the answer is empty.
    /// </summary>
    public static IReadOnlyList<Transition> Next(RunSnapshot run)
    {
        var transitions = new List<Transition>();
        foreach (var step in run.Plan.Steps)
        {
            var known = run.Steps[step.Id];
            if (run.Cancelling)
            {
                if (!known.Status.IsFinal() && known.Status is not (StepStatus.Running or StepStatus.Spread))
                {
                    transitions.Add(new Transition.Cancel(step.Id));
                }
            }
            else if (known.Status == StepStatus.Pending && !run.Paused)
            {
                if (Decide(run, step) is { } decided)
                {
                    transitions.Add(decided);
                }
            }
        }

        if (transitions.Count == 0 && run.Steps.Values.All(step => step.Status.IsFinal()))
        {
            transitions.Add(End(run));
        }

        return transitions;
    }

    private static Transition? Decide(RunSnapshot run, PlanStep step)
    {
        var waiting = false;
        var reads = StepReads.Of(step);
        foreach (var dependency in step.Dependencies)
        {
            switch (run.Steps[dependency].Status)
            {
                case StepStatus.Completed:
                    break;
                case StepStatus.Failed or StepStatus.Skipped when reads.JudgedByWhen.Contains(dependency):
                    // An error branch: the condition says itself what it makes of that step's end.
                    break;
                case StepStatus.Failed or StepStatus.Skipped or StepStatus.Cancelled:
                    return new Transition.Skip(step.Id, $"{dependency} {Word(run.Steps[dependency].Status)}");
                default:
                    waiting = true;
                    break;
            }
        }

        if (waiting)
        {
            return null;
        }

        if (step.When is null || reads.WhenReadsItem)
        {
            return new Transition.Dispatch(step.Id);
        }

        try
        {
            return Condition.Parse(step.When).Evaluate(run.Scope.Value)
                ? new Transition.Dispatch(step.Id)
                : new Transition.Skip(step.Id, $"condition is false: {step.When}");
        }
        catch (ConditionException problem)
        {
            return new Transition.Fail(step.Id, new StepError
            {
                Code = "conditionInvalid",
                Message = $"The condition \"{step.When}\" has no answer: {problem.Message}.",
                Path = "when",
            });
        }
    }

    private static Transition.End End(RunSnapshot run)
    {
        if (run.Expired is { } expired)
        {
            return new Transition.End(RunOutcome.Failed, null, expired);
        }

        if (run.Cancelling)
        {
            return new Transition.End(RunOutcome.Cancelled, null, null);
        }

        var failed = run.Plan.Steps.FirstOrDefault(step => run.Steps[step.Id].Status == StepStatus.Failed);
        return failed is null
            ? new Transition.End(RunOutcome.Completed, null, null)
            : new Transition.End(RunOutcome.Failed, failed.Id, run.Steps[failed.Id].Error);
    }

    /// <summary>
    /// What a retry by hand does again: what did not complete, and what completed after it: an error branch has seen an end
    /// that is no longer true.
    /// </summary>
    public static IReadOnlySet<string> Again(PipelinePlan plan, Func<string, StepStatus> status)
    {
        var again = plan.Steps.Where(step => status(step.Id) != StepStatus.Completed).Select(step => step.Id).ToHashSet();
        while (plan.Steps.Where(step => !again.Contains(step.Id) && step.Dependencies.Any(again.Contains)).Select(step => step.Id).ToList() is { Count: > 0 } more)
        {
            again.UnionWith(more);
        }

        return again;
    }

    /// <summary>When a step whose execution reported an error is tried again; null: it is not.</summary>
    public static TimeSpan? RetryAfter(RetryPolicy retry, int retries, StepError error) =>
        (error.Transient || retry.On == RetryOn.Any) && retries < retry.Times ? retry.WaitBefore(retries + 2) : null;

    private static string Word(StepStatus status) => status switch
    {
        StepStatus.Failed => "failed",
        StepStatus.Skipped => "was skipped",
        _ => "was cancelled",
    };
}

/// <summary>What is known of a run when a decision is due.</summary>
/// <param name="Expired">Set when the run's time is up: it ends as failed with this error.</param>
/// <param name="Scope">What conditions see; built only when one asks.</param>
/// <param name="Paused">Nothing begins; the run may still end when nothing is left to do.</param>
internal sealed record RunSnapshot(
    PipelinePlan Plan, IReadOnlyDictionary<string, StepSnapshot> Steps, bool Cancelling, StepError? Expired, Lazy<IScope> Scope, bool Paused = false);

internal sealed record StepSnapshot(StepStatus Status, StepError? Error);

internal abstract record Transition
{
    private Transition()
    {
    }

    public sealed record Dispatch(string StepId) : Transition;

    public sealed record Skip(string StepId, string Reason) : Transition;

    public sealed record Fail(string StepId, StepError Error) : Transition;

    public sealed record Cancel(string StepId) : Transition;

    /// <param name="StepId">The first failed step, in the order of the plan.</param>
    public sealed record End(RunOutcome Outcome, string? StepId, StepError? Error) : Transition;
}

internal enum RunOutcome
{
    Completed,
    Failed,
    Cancelled,
}
