using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Platform.Storage;
using Qualiz.Runs.Model;
using Qualiz.Runs.Saga;

namespace Qualiz.Runs.Starting;

/// <summary>Lets waiting runs of a pipeline begin, oldest first, while its limit of active runs allows.</summary>
internal sealed class Admission(IUnitOfWork<RunsDb> work, IStoreSpace space, TimeProvider time)
{
    /// <summary>In the caller's transaction, which does nothing else: it holds the pipeline's lock.</summary>
    public async Task AdmitNextAsync(Guid pipelineId, CancellationToken ct)
    {
        await Locks.TakePipelineAsync(work.Db, pipelineId, ct);
        if (space.Objection() is { } objection)
        {
            await work.Db.Runs
                .Where(run => run.PipelineId == pipelineId && run.CurrentState == nameof(RunStateMachine.Queued) && run.AdmittedAt == null && run.Held != objection)
                .ExecuteUpdateAsync(row => row.SetProperty(run => run.Held, objection), ct);
            return;
        }

        var (active, _, isAlone) = await CountAsync(work.Db, pipelineId, ct);
        var waiting = await work.Db.Runs
            .Where(run => run.PipelineId == pipelineId && run.CurrentState == nameof(RunStateMachine.Queued) && run.AdmittedAt == null)
            .OrderBy(run => run.CorrelationId)
            .Select(run => new { run.CorrelationId, run.Concurrency, run.Alone })
            .Take(100)
            .ToListAsync(ct);
        foreach (var run in waiting)
        {
            // The limit of the run's own version; one without a limit never waits.
            if (isAlone || active >= (run.Alone ? 1 : run.Concurrency ?? int.MaxValue))
            {
                break;
            }

            var now = time.GetUtcNow();
            active += await work.Db.Runs
                .Where(row => row.CorrelationId == run.CorrelationId && row.AdmittedAt == null && row.CurrentState == nameof(RunStateMachine.Queued))
                .ExecuteUpdateAsync(row => row.SetProperty(r => r.AdmittedAt, now).SetProperty(r => r.Held, (string?)null), ct);
            isAlone = run.Alone;
            work.Outbox.Send(Queues.RunSaga, new AdmitRun { RunId = run.CorrelationId });
        }
    }

    /// <summary>For a run without a limit: whether one is active, or waits, that has its pipeline for itself. It stays so until the caller's transaction ends.</summary>
    public static async Task<bool> IsTakenAsync(RunsDb db, Guid pipelineId, CancellationToken ct)
    {
        await Locks.SharePipelineAsync(db, pipelineId, ct);
        return await db.Runs.AnyAsync(run => run.PipelineId == pipelineId && run.Alone && run.FinishedAt == null
            && (run.AdmittedAt != null || run.CurrentState == nameof(RunStateMachine.Queued)), ct);
    }

    /// <summary>Active: admitted and not ended. Waiting: in the queue. One that was paused there is neither. Alone: the active one has the pipeline for itself.</summary>
    public static async Task<(int Active, int Waiting, bool Alone)> CountAsync(RunsDb db, Guid pipelineId, CancellationToken ct)
    {
        var counts = await db.Runs
            .Where(run => run.PipelineId == pipelineId
                && (run.CurrentState == nameof(RunStateMachine.Queued)
                    || run.CurrentState == nameof(RunStateMachine.Running)
                    || (run.CurrentState == nameof(RunStateMachine.Paused) && run.AdmittedAt != null)
                    || run.CurrentState == nameof(RunStateMachine.Cancelling)))
            .GroupBy(run => new { Waiting = run.CurrentState == nameof(RunStateMachine.Queued) && run.AdmittedAt == null, run.Alone })
            .Select(group => new { group.Key.Waiting, group.Key.Alone, Count = group.Count() })
            .ToListAsync(ct);
        return (counts.Where(c => !c.Waiting).Sum(c => c.Count), counts.Where(c => c.Waiting).Sum(c => c.Count), counts.Any(c => c is { Waiting: false, Alone: true }));
    }
}
