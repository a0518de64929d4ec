using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Qualiz.Contracts;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Platform.Messaging;
using Qualiz.Runs.Model;
using Qualiz.Runs.Saga;

namespace Qualiz.Runs.Recovery;

/// <summary>
/// Finds what should have gone on and did not, and sends it again; so no run depends on a message surviving. Everything it
/// sends may be superfluous: the saga and the claim tell. Several instances share the work (SKIP LOCKED).
/// </summary>
internal sealed class Reconciler(
    IServiceScopeFactory scopes, IOptions<RunsOptions> options, IConfiguration configuration, Uptime uptime, TimeProvider time, ILogger<Reconciler> log) : BackgroundService
{
    /// <summary>Steps that wait for their project's turn are looked for this often.</summary>
    private static readonly TimeSpan ReadyEvery = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // On the in-process bus one process holds everything: whoever held a lease, or a command in a queue, went with its predecessor.
        var hostRestarted = BusTransport.Of(configuration) == BusTransport.InProcess;
        long? reconciledAt = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (reconciledAt is null || time.GetElapsedTime(reconciledAt.Value) >= options.Value.ReconcileEvery)
                {
                    await ReconcileAsync(hostRestarted, stoppingToken);
                    hostRestarted = false;
                    reconciledAt = time.GetTimestamp();
                }

                await DispatchReadyAsync(stoppingToken);
            }
            catch (Exception problem) when (!stoppingToken.IsCancellationRequested)
            {
                uptime.Interrupted();
                log.LogWarning(problem, "Reconciling runs failed; trying again");
            }

            await Task.Delay(ReadyEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <param name="hostRestarted">All leases are void and all dispatches unheard, because the process that had them is gone.</param>
    internal Task ReconcileAsync(bool hostRestarted, CancellationToken ct) => InTransactionAsync(
        async work =>
        {
            foreach (var step in await QueryAsync<LostStep>(
                work,
                """
                select run_id, step_id, fence, started_at from runs.step
                 where state = 'Running' and (@hostRestarted or lease_until < now())
                 order by lease_until limit @limit for update skip locked
                """,
                new { hostRestarted, limit = hostRestarted ? int.MaxValue : 1000 }, ct))
            {
                log.LogWarning("Execution {Fence} of step {StepId} in run {RunId} is lost", step.Fence, step.Step_Id, step.Run_Id);
                work.Outbox.Send(Queues.RunSaga, new LoseStep
                {
                    RunId = step.Run_Id,
                    StepId = step.Step_Id,
                    Fence = step.Fence,
                    // Nobody can renew a lease while the broker, the database or this service is away.
                    HostRestarted = hostRestarted || !uptime.Since(step.Started_At),
                });
            }

            Resume(work, await QueryAsync<WaitingStep>(
                work,
                """
                select run_id, step_id, dispatch from runs.step
                 where state = 'Dispatched' and (@hostRestarted or dispatched_at + @wait * power(2, least(resends, 2)) < now())
                 order by dispatched_at limit @limit for update skip locked
                """,
                new { hostRestarted, wait = options.Value.ResendAfter, limit = hostRestarted ? int.MaxValue : 1000 }, ct));

            // Runs that have waited a while although their pipeline may have room: an admission too many costs nothing.
            foreach (var pipeline in await QueryAsync<Guid>(
                work,
                "select distinct pipeline_id from runs.run where state = 'Queued' and admitted_at is null and created_at < now() - @wait limit 1000",
                new { wait = options.Value.ReconcileEvery }, ct))
            {
                work.Outbox.Send(Queues.RunCommands, new AdmitNext { PipelineId = pipeline });
            }
        },
        ct);

    /// <summary>Round robin over the projects that have steps waiting for their turn.</summary>
    internal Task DispatchReadyAsync(CancellationToken ct) => InTransactionAsync(
        async work => Resume(work, await QueryAsync<WaitingStep>(
            work,
            """
            with waiting as (
                select s.run_id, s.step_id, s.dispatch, s.project, row_number() over (partition by s.project order by s.ready_at) as turn
                  from runs.step s join runs.run r on r.id = s.run_id
                 where s.state = 'Ready' and r.state = 'Running'),
            flying as (
                select project, count(*) as steps from runs.step where state in ('Dispatched', 'Running') group by project)
            select w.run_id, w.step_id, w.dispatch
              from waiting w left join flying f using (project)
             where w.turn <= @limit - coalesce(f.steps, 0)
             order by w.turn limit 1000
            """,
            new { limit = options.Value.StepsPerProject }, ct)),
        ct);

    private static void Resume(IUnitOfWork<RunsDb> work, IEnumerable<WaitingStep> steps)
    {
        foreach (var step in steps)
        {
            work.Outbox.Send(Queues.RunSaga, new ResumeStep { RunId = step.Run_Id, StepId = step.Step_Id, Dispatch = step.Dispatch });
        }
    }

    private async Task InTransactionAsync(Func<IUnitOfWork<RunsDb>, Task> act, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var work = scope.ServiceProvider.GetRequiredService<IUnitOfWork<RunsDb>>();
        await work.BeginAsync(ct);
        await act(work);
        await work.CommitAsync(ct);
    }

    private static Task<IEnumerable<T>> QueryAsync<T>(IUnitOfWork<RunsDb> work, string sql, object parameters, CancellationToken ct) =>
        work.Db.Database.GetDbConnection().QueryAsync<T>(new CommandDefinition(
            sql, parameters, work.Db.Database.CurrentTransaction!.GetDbTransaction(), cancellationToken: ct));

    private sealed record LostStep(Guid Run_Id, string Step_Id, long Fence, DateTime Started_At);

    private sealed record WaitingStep(Guid Run_Id, string Step_Id, int Dispatch);
}
