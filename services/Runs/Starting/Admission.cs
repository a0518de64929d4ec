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

        var (active, _) = await CountAsync(work.Db, pipelineId, ct);
        var waiting = await work.Db.Runs
            .Where(run => run.PipelineId == pipelineId && run.CurrentState == nameof(RunStateMachine.Queued) && run.AdmittedAt == null)
            .OrderBy(run => run.CorrelationId)
            .Select(run => new { run.CorrelationId, run.Concurrency })
            .Take(100)
            .ToListAsync(ct);
        foreach (var run in waiting)
        {
            // The limit of the run's own version; one without a limit never waits.
            if (active >= (run.Concurrency ?? int.MaxValue))
            {
                break;
            }

            var now = time.GetUtcNow();
            active += await work.Db.Runs
                .Where(row => row.CorrelationId == run.CorrelationId && row.AdmittedAt == null && row.CurrentState == nameof(RunStateMachine.Queued))
                .ExecuteUpdateAsync(row => row.SetProperty(r => r.AdmittedAt, now).SetProperty(r => r.Held, (string?)null), ct);
            work.Outbox.Send(Queues.RunSaga, new AdmitRun { RunId = run.CorrelationId });
        }
    }

    /// <summary>Active: admitted and not ended. Waiting: in the queue. One that was paused there is neither.</summary>
    public static async Task<(int Active, int Waiting)> CountAsync(RunsDb db, Guid pipelineId, CancellationToken ct)
    {
        var counts = await db.Runs
            .Where(run => run.PipelineId == pipelineId
                && (run.CurrentState == nameof(RunStateMachine.Queued)
                    || run.CurrentState == nameof(RunStateMachine.Running)
                    || (run.CurrentState == nameof(RunStateMachine.Paused) && run.AdmittedAt != null)
                    || run.CurrentState == nameof(RunStateMachine.Cancelling)))
            .GroupBy(run => run.CurrentState == nameof(RunStateMachine.Queued) && run.AdmittedAt == null)
            .Select(group => new { Waiting = group.Key, Count = group.Count() })
            .ToListAsync(ct);
        return (counts.Where(c => !c.Waiting).Sum(c => c.Count), counts.Where(c => c.Waiting).Sum(c => c.Count));
    }
}
