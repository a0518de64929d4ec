using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using Qualiz.Runs.Model;
using Qualiz.Runs.Saga;

namespace Qualiz.Runs.Retention;

/// <summary>
/// Removes the history of runs that ended long ago, with their steps and events. What they wrote to the store is the
/// collector's matter: it finds files of a run that nobody knows any more.
/// </summary>
internal sealed class RunJanitor(
    [FromKeyedServices(RunsModule.Service)] NpgsqlDataSource database, IServiceScopeFactory scopes, PlanCache plans, IOptions<RunsOptions> options, TimeProvider time, ILogger<RunJanitor> log)
    : BackgroundService
{
    private const int Page = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
                return;
            try
            {
                await CleanAsync(stoppingToken);
            }
            catch (Exception problem) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogWarning(problem, "Old runs could not be removed; trying again");
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <returns>How many runs went.</returns>
    internal async Task<int> CleanAsync(CancellationToken ct)
    {
        var removed = 0;
        foreach (var (pipeline, keep) in await LimitsAsync(ct))
        {
            int some;
            do
            {
                await using var connection = await database.OpenConnectionAsync(ct);
                some = await connection.ExecuteAsync(new CommandDefinition(
                    """
                    delete from runs.run where id in (
                        select id from runs.run
                         where pipeline_id = @pipeline and finished_at < @before and pinned_at is null
                         order by id limit @Page for update skip locked)
                    """,
                    new { pipeline, before = time.GetUtcNow() - keep, Page }, cancellationToken: ct));
                removed += some;
            }
            while (some == Page);
        }

        if (removed > 0)
            log.LogInformation("Removed the history of {Runs} old runs", removed);
        return removed;
    }

    /// <summary>How long the runs of each pipeline are kept: what the newest version says, else the instance.</summary>
    private async Task<List<(Guid Pipeline, TimeSpan Keep)>> LimitsAsync(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<RunsDb>();
        var pipelines = await db.Runs.AsNoTracking().Select(run => run.PipelineId).Distinct().ToListAsync(ct);
        var limits = new List<(Guid, TimeSpan)>();
        foreach (var pipeline in pipelines)
        {
            var version = await db.Runs.AsNoTracking().Where(run => run.PipelineId == pipeline).OrderByDescending(run => run.CorrelationId).Select(run => run.VersionId).FirstOrDefaultAsync(ct);
            if (await plans.FindAsync(db, version, ct) is { } plan)
                limits.Add((pipeline, plan.Keep?.Runs ?? options.Value.KeepRuns));
        }

        return limits;
    }
}
