using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Runs.Api;
using Qualiz.Runs.Model;
using Qualiz.Runs.Saga;

namespace Qualiz.Runs.Starting;

/// <summary>Runs that steps of other runs start: in the parent's own project, not too deep, and in no circle.</summary>
internal sealed class ChildRuns(IUnitOfWork<RunsDb> work, RunStarter starter)
{
    /// <summary>A pipeline that starts a pipeline that starts a pipeline ...: so many are enough for everything but a mistake.</summary>
    public const int MostLevels = 5;

    /// <returns><see cref="ChildRun"/> or <see cref="ChildRunRefused"/>.</returns>
    public async Task<object> EnsureAsync(StartChildRun asked, CancellationToken ct)
    {
        var parent = await work.Db.Runs.AsNoTracking().FirstOrDefaultAsync(run => run.CorrelationId == asked.RunId, ct);
        var step = await work.Db.Steps.AsNoTracking().FirstOrDefaultAsync(row => row.RunId == asked.RunId && row.StepId == asked.StepId, ct);
        if (parent is null || step is null || !Holds(step, asked.Fence))
        {
            return NotHeld();
        }

        if (await FindAsync(asked.RunId, asked.StepId, step.Attempt, ct) is { } known)
        {
            return Answer(known);
        }

        if (await ObjectionAsync(parent, asked.Pipeline, ct) is { } objection)
        {
            return objection;
        }

        var result = await starter.StartAsync(
            new StartRun
            {
                RunId = Guid.CreateVersion7(),
                Project = parent.Project,
                Pipeline = asked.Pipeline,
                Version = asked.Version,
                Params = asked.Params,
                Day = asked.Day ?? parent.Day,
                IdempotencyKey = $"child:{asked.RunId}:{asked.StepId}:{step.Attempt}",
                Cause = $"run {asked.RunId}",
                Actor = parent.Actor,
                Parent = new ParentStep(asked.RunId, asked.StepId, step.Attempt),
            },
            ct);
        switch (result)
        {
            case StartResult.Started { IsNew: false } earlier:
                return Answer(earlier.Run);
            case StartResult.Started started:
                // Against a cancel of the parent at this very moment: it sees the child, or the child is not started.
                await work.LockAsync(asked.RunId, ct);
                var holds = await work.Db.Runs.AsNoTracking().AnyAsync(run => run.CorrelationId == asked.RunId && run.FinishedAt == null && run.CurrentState != nameof(RunStateMachine.Cancelling), ct)
                    && await work.Db.Steps.AsNoTracking().AnyAsync(row => row.RunId == asked.RunId && row.StepId == asked.StepId && row.State == StepStatus.Running && row.Fence == asked.Fence, ct);
                if (!holds)
                {
                    return NotHeld();
                }

                await work.CommitAsync(ct);
                return Answer(started.Run);
            case StartResult.Unknown unknown:
                return Refuse("pipelineUnknown", unknown.Message, "pipeline");
            case StartResult.Invalid invalid:
                return Refuse("paramsInvalid", string.Join(" ", invalid.Problems.Select(problem => problem.Message)), "params");
            case StartResult.Busy busy:
                return Refuse("busy", $"The pipeline {asked.Pipeline} has {busy.Active} active runs and allows {busy.Limit} (limits.concurrency, whenBusy: reject).", "pipeline", transient: true);
            default:
                return Refuse("notStarted", $"The pipeline {asked.Pipeline} could not be started.", "pipeline", transient: true);
        }
    }

    private async Task<ChildRunRefused?> ObjectionAsync(RunState parent, string pipeline, CancellationToken ct)
    {
        var level = 1;
        for (var ancestor = parent; ; level++)
        {
            if (ancestor.Pipeline == pipeline)
            {
                return Refuse("recursion", level == 1 ? $"The pipeline {pipeline} cannot start itself." : $"The pipeline {pipeline} has started this one, {level - 1} levels above; it cannot be started below itself.", "pipeline");
            }

            if (level >= MostLevels)
            {
                return Refuse("tooDeep", $"Pipelines may start each other {MostLevels} levels deep.", "pipeline");
            }

            if (ancestor.ParentRunId is not { } id || await work.Db.Runs.AsNoTracking().FirstOrDefaultAsync(run => run.CorrelationId == id, ct) is not { } next)
            {
                return null;
            }

            ancestor = next;
        }
    }

    private Task<RunState?> FindAsync(Guid runId, string stepId, int attempt, CancellationToken ct) =>
        work.Db.Runs.AsNoTracking().FirstOrDefaultAsync(run => run.ParentRunId == runId && run.ParentStepId == stepId && run.ParentAttempt == attempt, ct);

    private static bool Holds(StepState step, long fence) => step.State == StepStatus.Running && step.Fence == fence;

    private static ChildRun Answer(RunState run) => new()
    {
        RunId = run.CorrelationId,
        PipelineVersion = run.PipelineVersion,
        State = RunSummary.Word(run.CurrentState),
        FailedStep = run.FailedStep,
        Error = run.Error,
    };

    private static ChildRunRefused NotHeld() => Refuse(StepErrorCodes.Infrastructure, "This execution no longer holds its step.", null, transient: true);

    private static ChildRunRefused Refuse(string code, string message, string? path, bool transient = false) =>
        new() { Error = new StepError { Code = code, Message = message, Path = path, Transient = transient } };
}
