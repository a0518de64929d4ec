using System.Text.Json;
using Qualiz.Contracts;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Runs.Model;
using Qualiz.Runs.Planning;

namespace Qualiz.Runs.Saga;

/// <summary>Sends steps and elements to their operators, in the saga's transaction.</summary>
internal sealed class StepDispatch(IUnitOfWork<RunsDb> work, RunSteps steps, StepChanges changes, StepLimit limit, Reinjections reinjections, TimeProvider time)
{
    /// <summary>For a last look when the time is almost up.</summary>
    private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(1);

    /// <summary>Steps dispatched in this transaction.</summary>
    private int _dispatched;

    /// <summary>
    /// The step's next dispatch; while the run is paused, or its project has as many steps in flight as it may, the step is
    /// ready and waits. Afterwards it may have failed: not all that its configuration asks for is there.
    /// </summary>
    public async Task SendAsync(RunState run, PipelinePlan plan, StepState step, CancellationToken ct)
    {
        StepChanges.WaitNoMore(step);
        step.LeaseUntil = null;
        step.DueAt = null;
        step.Progress = null;
        if (run.IsPaused || !await limit.TryTakeAsync(work.Db, run.Project, _dispatched, ct))
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
        await SendCommandAsync(run, plan, step, ct);
    }

    /// <summary>The same dispatch again: nobody has claimed it for a while.</summary>
    public async Task SendAgainAsync(RunState run, PipelinePlan plan, StepState step, CancellationToken ct)
    {
        step.Resends++;
        step.DispatchedAt = time.GetUtcNow();
        await SendCommandAsync(run, plan, step, ct);
    }

    private async Task SendCommandAsync(RunState run, PipelinePlan plan, StepState step, CancellationToken ct)
    {
        var planned = plan.Of(step);
        try
        {
            work.Outbox.Send(Queues.Operator(planned.Operator, planned.Major), new ExecuteStep
            {
                RunId = run.CorrelationId,
                ReadsLike = run.ReadsLike,
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
                Config = await ConfigAsync(run, planned, step, ct),
                Inputs = await InputsAsync(run, planned, ct),
                Interval = run.Interval,
                Timeout = TimeLeft(planned, step),
                Deferral = step.Deferral,
                Reinjection = run.Reinjection is { } rows && rows.StepId == planned.Id ? Reinjections.Asked(rows) : null,
            });
        }
        catch (ConditionException problem)
        {
            changes.GiveUp(run, plan, step, new StepError { Code = StepErrorCodes.ConfigInvalid, Message = problem.Message, Path = problem.Path }, null);
        }
        catch (MissingOutputException problem)
        {
            changes.GiveUp(run, plan, step, new StepError { Code = "inputMissing", Message = problem.Message, Path = "inputs" }, null);
        }
    }

    /// <summary>A step that has waited has only what is left of its time.</summary>
    private TimeSpan? TimeLeft(PlanStep planned, StepState step) =>
        step.Deadline is { } deadline && deadline - time.GetUtcNow() is var left ? (left < LeastTime ? LeastTime : left) : planned.Timeout;

    private async Task<JsonElement> ConfigAsync(RunState run, PlanStep planned, StepState step, CancellationToken ct)
    {
        if (planned.Config.ValueKind != JsonValueKind.Object || !planned.Config.GetRawText().Contains('$', StringComparison.Ordinal))
        {
            return planned.Config;
        }

        // Most configurations of elements read the element and the parameters; those need no other step.
        var others = step.Parent is null || StepReads.Of(planned).ReadsSteps ? (await steps.AllAsync(run, ct)).Values : (IEnumerable<StepState>)[];
        return Template.Fill(planned.Config, RunScope.Of(run, others, planned.ForEach, step.Item));
    }

    private async Task<IReadOnlyList<StepInput>> InputsAsync(RunState run, PlanStep planned, CancellationToken ct)
    {
        if (planned.Inputs.Count == 0)
        {
            return [];
        }

        var all = await steps.AllAsync(run, ct);
        if (run.Reinjection is { } rows && rows.StepId == planned.Id)
        {
            return await reinjections.InputsAsync(rows, planned, rows.Delta ? [] : [.. planned.Inputs.Select(input => Input(input, all))], ct);
        }

        return [.. planned.Inputs.Select(input => Input(input, all))];
    }

    /// <exception cref="MissingOutputException">The step has not written it.</exception>
    public static StepInput Input(PlanInput input, Dictionary<string, StepState> steps)
    {
        if (input.Step is null)
        {
            return new StepInput { Name = input.Name, Reference = input.Dataset };
        }

        var port = input.Port ?? "out";
        return steps[input.Step].Outcome is { } outcome && outcome.Outputs.TryGetValue(port, out var output)
            ? new StepInput { Name = input.Name, Dataset = output }
            : throw new MissingOutputException($"Step \"{input.Step}\" wrote nothing to its port \"{port}\".");
    }

}

internal sealed class MissingOutputException(string message) : Exception(message);
