using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Plans;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Saga;

/// <summary>Plans never change, so the ones in use are kept; the rest are read from <c>runs.plan</c>, where a version's first start puts it.</summary>
internal sealed class PlanCache(IServiceScopeFactory scopes)
{
    private const int Capacity = 1000;
    private readonly ConcurrentDictionary<Guid, PipelinePlan> _plans = new();

    /// <summary>The plan of a run that exists.</summary>
    public async ValueTask<PipelinePlan> GetAsync(Guid versionId, CancellationToken ct) =>
        await FindAsync(versionId, ct) ?? throw new InvalidOperationException($"The plan of version {versionId} is not stored.");

    /// <returns>Null when no committed start has stored it.</returns>
    public async ValueTask<PipelinePlan?> FindAsync(Guid versionId, CancellationToken ct)
    {
        if (_plans.TryGetValue(versionId, out var plan))
        {
            return plan;
        }

        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<RunsDb>();
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
