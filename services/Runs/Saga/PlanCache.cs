using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Plans;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Saga;

/// <summary>Plans never change, so the ones in use are kept; the rest are read from <c>runs.plan</c>, where a version's first start puts it.</summary>
/// <remarks>
/// It reads by its caller's own connection: who holds one of the pool and waits for a second can wait for ever, when all the others do the same.
/// </remarks>
internal sealed class PlanCache
{
    private const int Capacity = 1000;
    private readonly ConcurrentDictionary<Guid, PipelinePlan> _plans = new();

    /// <summary>The plan of a run that exists.</summary>
    public async ValueTask<PipelinePlan> GetAsync(RunsDb db, Guid versionId, CancellationToken ct) =>
        await FindAsync(db, versionId, ct) ?? throw new InvalidOperationException($"The plan of version {versionId} is not stored.");

    /// <summary>To be asked before the caller's transaction stores the plan itself: what is found stays known, whatever becomes of that.</summary>
    /// <returns>Null when no start has stored it.</returns>
    public async ValueTask<PipelinePlan?> FindAsync(RunsDb db, Guid versionId, CancellationToken ct)
    {
        if (_plans.TryGetValue(versionId, out var plan))
        {
            return plan;
        }

        var body = await db.Plans.Where(row => row.VersionId == versionId).Select(row => row.Body).SingleOrDefaultAsync(ct);
        if (body is null)
        {
            return null;
        }

        if (_plans.Count >= Capacity)
        {
            _plans.Clear();
        }

        return _plans[versionId] = JsonSerializer.Deserialize<PipelinePlan>(body, RunsDb.Json)!;
    }
}
