using Microsoft.EntityFrameworkCore;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Starting;

/// <summary>Locks by name, held until the transaction ends.</summary>
internal static class Locks
{
    public static Task TakeAsync(RunsDb db, string name, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended({name}, 0))", ct);

    /// <summary>Held while a pipeline's runs are admitted. Never taken while a run's own lock is held.</summary>
    public static Task TakePipelineAsync(RunsDb db, Guid pipelineId, CancellationToken ct) => TakeAsync(db, $"pipeline:{pipelineId}", ct);

    /// <summary>Against <see cref="TakePipelineAsync"/>, not against each other: starts that count nothing.</summary>
    public static Task SharePipelineAsync(RunsDb db, Guid pipelineId, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock_shared(hashtextextended({$"pipeline:{pipelineId}"}, 0))", ct);
}
