using System.Collections.Concurrent;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Saga;

/// <summary>Options of Runs, section <c>Runs</c>.</summary>
internal sealed class RunsOptions
{
    /// <summary>How many steps of one project may be dispatched or running at a time, so that no project starves the others.</summary>
    public int StepsPerProject { get; set; } = 200;

    /// <summary>How long a claim holds without a heartbeat.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>No run is late for taking longer than usual before it has taken so long.</summary>
    public TimeSpan LateAtLeast { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often the reconciler looks.</summary>
    public TimeSpan ReconcileEvery { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the history of runs is kept where their pipeline says nothing else.</summary>
    public TimeSpan KeepRuns { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How soon a dispatch that nobody claimed is sent again, the first time (doubles twice).</summary>
    public TimeSpan ResendAfter { get; set; } = TimeSpan.FromMinutes(5);
}

/// <summary>
/// The cap on a project's steps in flight. It is a soft cap: while the project is clearly below it, a count of a second ago
/// will do, so that the usual dispatch costs no query. The count goes by the caller's own connection: under load every connection
/// of the pool is held by somebody who wants to dispatch, and with a second one for the count they would all wait for each other.
/// </summary>
internal sealed class StepLimit(IOptions<RunsOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Count> _counts = new();

    /// <param name="uncommitted">Steps that the caller's transaction has dispatched already: no count sees them yet.</param>
    public async ValueTask<bool> TryTakeAsync(RunsDb db, string project, int uncommitted, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (!_counts.TryGetValue(project, out var count) || now - count.At > TimeSpan.FromSeconds(1)
            || count.InFlight + count.Taken > options.Value.StepsPerProject / 2)
        {
            var inFlight = await db.Database.GetDbConnection().ExecuteScalarAsync<int>(new CommandDefinition(
                "select count(*)::int from runs.step where project = @project and state in ('Dispatched', 'Running')",
                new { project }, db.Database.CurrentTransaction?.GetDbTransaction(), cancellationToken: ct));
            _counts[project] = count = new Count { At = now, InFlight = inFlight, Taken = uncommitted };
        }

        return count.InFlight + Interlocked.Increment(ref count.Taken) <= options.Value.StepsPerProject;
    }

    private sealed class Count
    {
        public DateTimeOffset At { get; init; }
        public int InFlight { get; init; }
        public int Taken;
    }
}
