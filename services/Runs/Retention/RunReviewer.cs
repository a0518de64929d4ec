using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Runs.Model;
using Qualiz.Runs.Saga;

namespace Qualiz.Runs.Retention;

/// <summary>
/// Tells the collector of old data which runs still need what their steps wrote. A run that is let go is marked under its own
/// lock first: from then on it cannot be retried, so nothing that reads its data can begin.
/// </summary>
internal sealed class RunReviewer(IUnitOfWork<RunsDb> work, PlanCache plans, TimeProvider time)
{
    public async Task<RunsReviewed> ReviewAsync(ReviewRuns asked, CancellationToken ct)
    {
        var reviewed = new List<ReviewedRun>();
        var limits = new Dictionary<Guid, (Guid? Oldest, TimeSpan KeepFor)>();
        // One at a time: with the locks of several, it would wait for a run that waits, with its own lock, for one of them.
        foreach (var id in asked.RunIds.Distinct().Order())
        {
            await work.BeginAsync(ct);
            reviewed.Add(await ReviewAsync(id, asked, limits, ct));
            await work.CommitAsync(ct);
        }

        // After the marks: a state that is set by hand names no file of a marked run anew (StateApi), so what is not here is not named later either.
        var remembered = await RememberedAsync(work.Db, asked.Project, asked.ProjectDeleted ? null : asked.DeletedPipelines, ct);
        return new RunsReviewed { Runs = [.. reviewed.Select(run => run with { Remembered = [.. remembered[run.RunId]] })] };
    }

    private async Task<ReviewedRun> ReviewAsync(Guid id, ReviewRuns asked, Dictionary<Guid, (Guid? Oldest, TimeSpan KeepFor)> limits, CancellationToken ct)
    {
        if (asked.Release)
            await work.LockAsync(id, ct);
        var run = await work.Db.Runs.AsNoTracking().FirstOrDefaultAsync(row => row.CorrelationId == id && row.Project == asked.Project, ct);
        if (run is null)
            return new ReviewedRun { RunId = id, Known = false };
        var steps = await work.Db.Steps.AsNoTracking().Where(step => step.RunId == id).ToListAsync(ct);
        var keep = await IsKeptAsync(run, asked, limits, ct);
        var plan = await plans.GetAsync(work.Db, run.VersionId, ct);
        var published = plan.Steps.Where(step => step.Publish is not null).ToDictionary(step => step.Id, step => step.Publish!);
        if (asked.Release && !keep && run.CollectedAt is null)
        {
            var now = time.GetUtcNow();
            await work.Db.Runs.Where(row => row.CorrelationId == id).ExecuteUpdateAsync(row => row.SetProperty(other => other.CollectedAt, now), ct);
        }

        return Review(run, steps, keep, published, quarantined: plan.Keep?.Quarantine ?? true);
    }

    /// <summary>
    /// What the project's pipelines remember, by the run whose file it is: that outlives this run and its history. Whichever run left
    /// the memory, or nobody: it is the keys in it that the next run reads.
    /// </summary>
    /// <param name="deleted">Pipelines whose memory counts no more; null: none counts.</param>
    public static async Task<ILookup<Guid, string>> RememberedAsync(RunsDb db, string project, IReadOnlyList<Guid>? deleted, CancellationToken ct)
    {
        var begin = $"\"{project}/";
        var memories = deleted is null ? [] : await db.Memories.FromSql($"select * from runs.state where strpos(value::text, {begin}) > 0").AsNoTracking()
            .Where(memory => !deleted.Contains(memory.PipelineId)).ToListAsync(ct);
        return memories.SelectMany(memory => StateFiles.OfRuns(memory.Value, project)).Distinct().ToLookup(file => file.Run, file => file.Key);
    }

    private async Task<bool> IsKeptAsync(RunState run, ReviewRuns asked, Dictionary<Guid, (Guid? Oldest, TimeSpan KeepFor)> limits, CancellationToken ct)
    {
        if (run.FinishedAt is not { } finished)
            return true;
        // A run that does this one again reads what it read.
        if (await work.Db.Runs.AnyAsync(other => other.FinishedAt == null && other.ReadsLike.Contains(run.CorrelationId), ct))
            return true;
        // What is let go once stays so: some of it may be gone.
        if (run.CollectedAt is not null)
            return false;
        if (run.PinnedAt is not null)
            return true;
        if (asked.ProjectDeleted)
            return false;
        if (!limits.TryGetValue(run.PipelineId, out var limit))
            limits[run.PipelineId] = limit = await LimitAsync(run.PipelineId, asked, ct);
        return limit.Oldest is null || run.CorrelationId >= limit.Oldest || time.GetUtcNow() - finished <= limit.KeepFor;
    }

    /// <summary>The oldest of the runs that are kept for their number (null: all of them), and how long the others are kept.</summary>
    private async Task<(Guid? Oldest, TimeSpan KeepFor)> LimitAsync(Guid pipelineId, ReviewRuns asked, CancellationToken ct)
    {
        var newest = await work.Db.Runs.AsNoTracking().Where(run => run.PipelineId == pipelineId).OrderByDescending(run => run.CorrelationId)
            .Select(run => new { run.CorrelationId, run.VersionId }).Take(Math.Max(1, asked.KeepRuns)).ToListAsync(ct);
        // What the newest version says counts for all runs of the pipeline.
        var keepFor = (await plans.GetAsync(work.Db, newest[0].VersionId, ct)).Keep?.Intermediate ?? asked.KeepFor;
        return asked.KeepRuns <= 0 || asked.DeletedPipelines.Contains(pipelineId) ? (Guid.AllBitsSet, keepFor)
            : newest.Count < asked.KeepRuns ? (null, keepFor)
            : (newest[^1].CorrelationId, keepFor);
    }

    private static ReviewedRun Review(RunState run, List<StepState> steps, bool keep, Dictionary<string, string> published, bool quarantined)
    {
        var outcomes = steps.Where(step => step.Outcome is not null && !step.IsTakenOver).ToList();
        var logs = steps.SelectMany(step => step.Logs).ToList();
        return new ReviewedRun
        {
            RunId = run.CorrelationId,
            Known = true,
            Pipeline = run.Pipeline,
            Finished = run.FinishedAt is not null,
            Keep = keep,
            Files =
            [
                .. outcomes.SelectMany(step => step.Outcome!.Outputs.Values).SelectMany(output => output.Files).Select(file => file.Key),
                .. outcomes.Where(step => step.Outcome!.State is not null).SelectMany(step => StateFiles.OfRuns(step.Outcome!.State!.Value, run.Project)).Where(file => file.Run == run.CorrelationId).Select(file => file.Key),
                .. logs,
            ],
            Logs = logs,
            Active = [.. steps.Where(step => step.State == StepStatus.Running).Select(step => new ActiveFence(step.StepId, step.Fence))],
            Published = run.CurrentState != nameof(RunStateMachine.Completed) ? [] :
            [
                .. outcomes.Where(step => step.State == StepStatus.Completed && published.ContainsKey(step.StepId) && step.Outcome!.Outputs.ContainsKey("out"))
                    .Select(step => new PublishedStep(published[step.StepId], step.StepId)),
            ],
            Rejecting = [.. outcomes.Where(step => quarantined && step.Parent is null && step.Outcome!.Outputs.TryGetValue("rejected", out var rejected) && rejected.Rows > 0).Select(step => step.StepId)],
        };
    }
}
