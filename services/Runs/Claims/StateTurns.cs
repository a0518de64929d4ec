using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Runs.Model;
using Qualiz.Runs.Saga;
using Qualiz.Runs.Starting;

namespace Qualiz.Runs.Claims;

/// <summary>
/// Whose turn it is with what a pipeline remembers (cursors, seen files, entities). A run takes it with the first step that reads on from there
/// and has it until it ends, because its state is written only then: another one would read the same rows, and deliver them again. Who has the turn
/// never waits for it, and others wait for it or for an older run that waits, so that nobody waits in a circle.
/// </summary>
internal sealed class StateTurns(IUnitOfWork<RunsDb> work)
{
    /// <summary>How often a step that waits looks whether it still has to, besides being woken.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(30);

    /// <summary>The run that the step has to wait for; null: none. Then it stays so until the caller's transaction ends.</summary>
    public async Task<StateTurn> FindAsync(RunState run, StepState step, CancellationToken ct)
    {
        await LockAsync(run, ct);
        if (run.HoldsState)
        {
            return new StateTurn(null, null, default);
        }

        var name = step.Parent ?? step.StepId;
        return await work.Db.Database.SqlQuery<StateTurn>(
            $"""
            select first.id as run_id, first.state, now() as now
              from (select) as always
              left join lateral (
                select id, state, 0 as turn from runs.run
                 where pipeline_id = {run.PipelineId} and id <> {run.CorrelationId} and holds_state and finished_at is null
                union all
                select r.id, r.state, 1 from runs.run r join runs.step s on s.run_id = r.id
                 where r.pipeline_id = {run.PipelineId} and r.id < {run.CorrelationId} and r.state = 'Running'
                   and s.step_id = {name} and s.parent is null and s.state in ('Ready', 'Dispatched', 'Deferred', 'Spread')
                 order by turn, id limit 1) as first on true
            """).SingleAsync(ct);
    }

    /// <summary>The run has ended: those that wait for it go on.</summary>
    public async Task EndAsync(RunState run, CancellationToken ct)
    {
        await LockAsync(run, ct);
        run.HoldsState = false;
        foreach (var step in await work.Db.Steps.AsNoTracking()
            .Where(step => step.WaitsFor == run.CorrelationId && step.State == StepStatus.Deferred)
            .Select(step => new { step.RunId, step.StepId, step.Dispatch }).ToListAsync(ct))
        {
            work.Outbox.Send(Queues.RunSaga, new ResumeStep { RunId = step.RunId, StepId = step.StepId, Dispatch = step.Dispatch });
        }
    }

    /// <summary>A run that was retried takes its turn again for what its good steps have read; unless another one has read on from there.</summary>
    public async Task<StepError?> TakeAgainAsync(RunState run, CancellationToken ct)
    {
        await LockAsync(run, ct);
        if (await KeptAsync(run.CorrelationId, ct) is not { } kept)
        {
            return null;
        }

        if (Objection(kept) is { } objection)
        {
            return new StepError { Code = StepErrorCodes.Overtaken, Message = objection };
        }

        run.HoldsState = true;
        return null;
    }

    /// <summary>The last look before the run's state is written, for a run that has the turn.</summary>
    /// <returns>The step whose state is no longer the one that it was given.</returns>
    public async Task<string?> OvertakenAsync(RunState run, CancellationToken ct)
    {
        await work.Db.SaveChangesAsync(ct);
        return await KeptAsync(run.CorrelationId, ct) is { Moved: true } kept ? kept.Step : null;
    }

    /// <summary>Why what the good steps of a run have read cannot be used any more; null: it can.</summary>
    public async Task<string?> ObjectionAsync(Guid runId, CancellationToken ct) => await KeptAsync(runId, ct) is { } kept ? Objection(kept) : null;

    public static string Moved(string step) => $"The state of step \"{step}\" has moved on since this run read from it; start a new run, which reads what is still missing.";

    private static string? Objection(Kept kept) =>
        kept.Moved ? Moved(kept.Step)
        : kept.Holder is { } holder ? $"Run {holder} reads on from the same state of step \"{kept.Step}\" as this run did. Wait for it or cancel it; if it completes, start a new run instead of this one."
        : null;

    /// <summary>Of the steps and elements that have read on from a state and are good: one whose state has moved, if there is one.</summary>
    private Task<Kept?> KeptAsync(Guid runId, CancellationToken ct) => work.Db.Database.SqlQuery<Kept>(
        $"""
        select coalesce(s.parent, s.step_id) as step, s.memory_version <> coalesce(m.version, '00000000-0000-0000-0000-000000000000'::uuid) as moved,
               (select h.id from runs.run h where h.pipeline_id = r.pipeline_id and h.id <> r.id and h.holds_state and h.finished_at is null) as holder
          from runs.step s
          join runs.run r on r.id = s.run_id
          left join runs.step p on p.run_id = s.run_id and p.step_id = s.parent
          left join runs.state m on m.pipeline_id = r.pipeline_id and m.step_id = coalesce(s.memory_key, s.step_id)
         where s.run_id = {runId} and s.state = 'Completed' and s.memory_version is not null and jsonb_typeof(s.outcome -> 'state') <> 'null'
           and (s.parent is null or p.items is not null)
         order by 2 desc, 1 limit 1
        """).FirstOrDefaultAsync(ct);

    /// <summary>The last of all locks: whoever has it asks for no other.</summary>
    private Task LockAsync(RunState run, CancellationToken ct) => Locks.TakeAsync(work.Db, $"state:{run.PipelineId}", ct);

    private sealed record Kept(string Step, bool Moved, Guid? Holder);
}

/// <param name="RunId">The run that must be waited for; null: none.</param>
/// <param name="Now">By the database's clock, as timers are.</param>
internal sealed record StateTurn(Guid? RunId, string? State, DateTimeOffset Now)
{
    public string Reason => $"waits for run {RunId}, which is first with what this pipeline remembers (cursors, seen files, entities)" + State switch
    {
        nameof(RunStateMachine.Paused) => " and is paused: resume or cancel it",
        nameof(RunStateMachine.Cancelling) => " and is being cancelled",
        _ => "",
    };
}
