using System.Text.Json;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Platform.Messaging;
using Qualiz.Runs.Items;
using Qualiz.Runs.Model;
using Qualiz.Runs.Planning;
using Qualiz.Runs.Saga;

namespace Qualiz.Runs.Claims;

/// <summary>Who may work on a step (architecture.md 3). The lease is a column, by the database's clock.</summary>
internal sealed class StepClaims(
    IUnitOfWork<RunsDb> work,
    [FromKeyedServices(RunsModule.Service)] NpgsqlDataSource database,
    RunEvents events,
    StepChanges changes,
    StateTurns turns,
    IOptions<RunsOptions> options,
    Uptime uptime,
    TimeProvider time,
    PlanCache plans)
{
    /// <summary>
    /// One dispatch is claimed once. Only the very message that began an execution may take it over, when the broker delivers
    /// it again: its first receiver lost its connection, can no longer acknowledge, and is told to stop.
    /// </summary>
    /// <returns><see cref="StepClaimed"/> or <see cref="ClaimRefused"/>.</returns>
    public async Task<object> ClaimAsync(ClaimStep claim, CancellationToken ct)
    {
        if (claim.KeepsState)
        {
            await work.LockAsync(claim.RunId, ct);
        }
        else if (await TryBeginAsync(claim, ct) is { } begun)
        {
            return begun;
        }

        var run = await work.Db.Runs.FirstOrDefaultAsync(row => row.CorrelationId == claim.RunId, ct);
        var step = await work.Db.Steps.FirstOrDefaultAsync(row => row.RunId == claim.RunId && row.StepId == claim.StepId, ct);
        if (run is null || step is null)
        {
            return Refuse("there is no such step");
        }

        // The same question again: its answer was lost on the way.
        if (step.State == StepStatus.Running && claim.ClaimId != Guid.Empty && step.ClaimId == claim.ClaimId && !run.IsCancelling)
        {
            var again = await GrantAsync(run, step, claim.KeepsState, newFence: false, ct);
            await work.CommitAsync(ct);
            return again;
        }

        if (step.State == StepStatus.Running && claim.ClaimId != Guid.Empty && step.ClaimId == claim.ClaimId)
        {
            // Cancelled between question and answer: who asks has not begun and now will not, so the run need not wait for the lease to run out.
            work.Outbox.Send(Queues.RunSaga, new LoseStep { RunId = claim.RunId, StepId = claim.StepId, Fence = step.Fence, HostRestarted = true });
            await work.CommitAsync(ct);
            return Refuse($"the run is {run.CurrentState}");
        }

        if (run.CurrentState != nameof(RunStateMachine.Running))
        {
            return Refuse($"the run is {run.CurrentState}");
        }

        if (step.Dispatch != claim.Dispatch)
        {
            return Refuse($"dispatch {claim.Dispatch} is not the current one ({step.Dispatch})");
        }

        if (step.State == StepStatus.Running)
        {
            if (!claim.Redelivered || step.CommandId != claim.CommandId)
            {
                return Refuse($"{step.Worker} works on it");
            }

            // A broker that goes and comes back gives every command back, though no worker died; one that cuts its connections
            // one by one does so several times in a moment. So what was lost across a break of our own does not count, and what is
            // lost within one lease counts once; what kills its host is still given up.
            var now = time.GetUtcNow();
            if (uptime.Since(step.StartedAt ?? now) && (step.LostAt is not { } last || now - last >= options.Value.Lease))
            {
                if (step.Lost + 1 >= RunPlan.LostLimit)
                {
                    // One more would be too many: the saga counts it and gives the step up.
                    work.Outbox.Send(Queues.RunSaga, new LoseStep { RunId = claim.RunId, StepId = claim.StepId, Fence = step.Fence });
                    await work.CommitAsync(ct);
                    return Refuse("its workers died too often");
                }

                step.CountLost();
                step.LostAt = now;
            }

            events.Append(work, run, RunEvents.System, new StepLost { StepId = step.StepId, ItemOf = step.Parent, Fence = step.Fence, Times = step.Lost });
            work.Outbox.Publish(new StopStep { RunId = claim.RunId, StepId = claim.StepId, Fence = step.Fence });
        }
        else if (step.State != StepStatus.Dispatched)
        {
            return Refuse($"the step is {step.State}");
        }
        else if (claim.KeepsState)
        {
            var turn = await turns.FindAsync(run, step, ct);
            if (turn.RunId is not null)
            {
                changes.WaitFor(run, step, turn);
                await work.CommitAsync(ct);
                return Refuse(step.Reason!);
            }

            run.HoldsState = true;
        }

        var claimed = await GrantAsync(run, step, claim.KeepsState, newFence: true, ct);
        step.State = StepStatus.Running;
        step.Worker = claim.Worker;
        step.CommandId = claim.CommandId;
        step.ClaimId = claim.ClaimId;
        events.Append(work, run, claim.Worker, new StepStarted
        {
            StepId = step.StepId,
            ItemOf = step.Parent,
            Attempt = step.Attempt,
            Fence = step.Fence,
            Worker = claim.Worker,
        });
        await work.CommitAsync(ct);
        return claimed;
    }

    /// <summary>
    /// The usual claim, in two round trips: a dispatch that waits for its first execution, of a run that runs. What changes is what
    /// <see cref="ClaimAsync"/> changes; every other case is its own. Either way the run's lock is held afterwards, unless the claim is made.
    /// </summary>
    private async Task<StepClaimed?> TryBeginAsync(ClaimStep claim, CancellationToken ct)
    {
        var query = new NpgsqlBatchCommand(
            """
            with step as (
                update runs.step s
                   set state = 'Running', fence = nextval('runs.fence'), started_at = now(), lease_until = now() + $4, worker = $5, command_id = $6, claim_id = $7, memory_version = null
                  from runs.run r
                 where s.run_id = $1 and s.step_id = $2 and s.dispatch = $3 and s.state = 'Dispatched' and r.id = s.run_id and r.state = 'Running'
                returning s.fence, s.attempt, s.parent, coalesce(s.memory_key, s.step_id) as memory_key),
            run as (
                update runs.run set sequence = sequence + 1 where id = $1 and exists (select from step)
                returning project_id, pipeline_id, sequence)
            select step.fence, step.attempt, step.parent, run.project_id, run.sequence,
                   (select value::text from runs.state where state.pipeline_id = run.pipeline_id and state.step_id = step.memory_key)
              from step, run
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = claim.RunId },
                new NpgsqlParameter<string> { TypedValue = claim.StepId },
                new NpgsqlParameter<int> { TypedValue = claim.Dispatch },
                new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.Lease },
                new NpgsqlParameter<string> { TypedValue = claim.Worker },
                new NpgsqlParameter<Guid> { TypedValue = claim.CommandId },
                new NpgsqlParameter<Guid> { TypedValue = claim.ClaimId },
            },
        };
        var begun = await work.LockAndReadAsync<Begun?>(claim.RunId, query, static async (reader, ct) => await reader.ReadAsync(ct)
            ? new Begun(
                reader.GetInt64(0), reader.GetInt32(1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.GetGuid(3), reader.GetInt64(4), reader.IsDBNull(5) ? null : reader.GetString(5))
            : null, ct);
        if (begun is null)
        {
            return null;
        }

        events.Append(work, new RunState { CorrelationId = claim.RunId, ProjectId = begun.ProjectId, Sequence = begun.Sequence - 1 }, claim.Worker, new StepStarted
        {
            StepId = claim.StepId,
            ItemOf = begun.Parent,
            Attempt = begun.Attempt,
            Fence = begun.Fence,
            Worker = claim.Worker,
        });
        await work.CommitAsync(ct);
        return new StepClaimed
        {
            Fence = begun.Fence,
            Lease = options.Value.Lease,
            State = begun.Memory is null ? null : JsonSerializer.Deserialize<JsonElement>(begun.Memory),
        };
    }

    private sealed record Begun(long Fence, int Attempt, string? Parent, Guid ProjectId, long Sequence, string? Memory);

    /// <summary>Starts the lease, of a new execution or of one that is there already.</summary>
    private async Task<StepClaimed> GrantAsync(RunState run, StepState step, bool keepsState, bool newFence, CancellationToken ct)
    {
        var granted = await work.Db.Database.GetDbConnection().QuerySingleAsync<Granted>(new CommandDefinition(
            """
            select case when @newFence then nextval('runs.fence') else @fence end as fence, now() as now, now() + @lease as lease_until,
                   state.value::text as memory, coalesce(state.version, '00000000-0000-0000-0000-000000000000'::uuid) as version
              from (select) as always left join runs.state on pipeline_id = @pipelineId and step_id = @stepId
            """,
            new { newFence, fence = step.Fence, lease = options.Value.Lease, pipelineId = run.PipelineId, stepId = step.MemoryKey ?? step.StepId },
            work.Db.Database.CurrentTransaction!.GetDbTransaction(),
            cancellationToken: ct));
        step.LeaseUntil = granted.Lease_Until;
        step.MemoryVersion = keepsState ? granted.Version : null;
        if (newFence)
        {
            step.Fence = granted.Fence;
            step.StartedAt = granted.Now;
        }

        return new StepClaimed
        {
            Fence = granted.Fence,
            Lease = options.Value.Lease,
            State = granted.Memory is null ? null : JsonSerializer.Deserialize<JsonElement>(granted.Memory),
        };
    }

    public async Task<LeaseAnswer> RenewAsync(RenewLease renewal, CancellationToken ct)
    {
        if (await TryRenewAsync(renewal, ct) is { } goOn)
        {
            return new LeaseAnswer(goOn);
        }

        await HearAsync(renewal, ct);
        return new LeaseAnswer(false);
    }

    /// <summary>The execution does not hold its step any more. If it was taken for dead: it is not.</summary>
    private async Task HearAsync(RenewLease renewal, CancellationToken ct)
    {
        if (!await Of(renewal).AnyAsync(row => row.LostFences.Contains(renewal.Fence), ct))
        {
            return;
        }

        await work.LockAsync(renewal.RunId, ct);
        if (await Of(renewal).FirstOrDefaultAsync(ct) is { } step)
        {
            step.HearAgain(renewal.Fence);
        }

        await work.CommitAsync(ct);
    }

    private IQueryable<StepState> Of(RenewLease renewal) => work.Db.Steps.Where(row => row.RunId == renewal.RunId && row.StepId == renewal.StepId);

    /// <returns>Null when the fence does not hold the step.</returns>
    private async Task<bool?> TryRenewAsync(RenewLease renewal, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteScalarAsync<bool?>(new CommandDefinition(
            """
            update runs.step s
               set lease_until = now() + @lease, progress = coalesce(@progress::jsonb, s.progress)
              from runs.run r
             where s.run_id = @runId and s.step_id = @stepId and s.fence = @fence and s.state = 'Running' and r.id = s.run_id
            returning r.state in ('Running', 'Paused')
            """,
            new
            {
                lease = options.Value.Lease,
                progress = renewal.Progress is null ? null : JsonSerializer.Serialize(renewal.Progress, RunsDb.Json),
                runId = renewal.RunId,
                stepId = renewal.StepId,
                fence = renewal.Fence,
            },
            cancellationToken: ct));
    }

    public async Task<FenceAnswer> CheckAsync(CheckFence check, CancellationToken ct)
    {
        var held = await (from step in work.Db.Steps.AsNoTracking()
                          join run in work.Db.Runs.AsNoTracking() on step.RunId equals run.CorrelationId
                          where step.RunId == check.RunId && step.StepId == check.StepId && step.Fence == check.Fence
                              && step.State == StepStatus.Running
                              && (run.CurrentState == nameof(RunStateMachine.Running) || run.CurrentState == nameof(RunStateMachine.Paused))
                          select new { run.VersionId, run.ProjectId }).FirstOrDefaultAsync(ct);
        return held is null ? new FenceAnswer(false, null, null) : new FenceAnswer(true, held.VersionId, held.ProjectId);
    }

    /// <returns><see cref="StepOutputFound"/> or <see cref="StepOutputUnknown"/>.</returns>
    public async Task<object> OutputAsync(GetStepOutput asked, CancellationToken ct)
    {
        var found = await (from step in work.Db.Steps.AsNoTracking()
                           join run in work.Db.Runs.AsNoTracking() on step.RunId equals run.CorrelationId
                           where run.CorrelationId == asked.RunId && run.Project == asked.Project && step.StepId == asked.StepId
                           select new { run.ProjectId, step.State, step.Outcome }).FirstOrDefaultAsync(ct);
        if (found is null)
        {
            return Unknown($"Project \"{asked.Project}\" has no run {asked.RunId} with a step \"{asked.StepId}\".");
        }

        if (found.Outcome is not { } outcome)
        {
            return Unknown($"Step \"{asked.StepId}\" has written nothing yet; it is {found.State}.");
        }

        if (!outcome.Outputs.TryGetValue(asked.Port, out var content))
        {
            var ports = outcome.Outputs.Count == 0 ? "none" : string.Join(", ", outcome.Outputs.Keys);
            return Unknown($"Step \"{asked.StepId}\" wrote nothing to port \"{asked.Port}\"; it has: {ports}.");
        }

        return new StepOutputFound
        {
            ProjectId = found.ProjectId,
            Content = content,
        };
    }

    /// <returns><see cref="StepInputsFound"/> or <see cref="StepInputsUnknown"/>.</returns>
    public async Task<object> InputsAsync(GetStepInputs asked, CancellationToken ct)
    {
        if (await work.Db.Runs.AsNoTracking().FirstOrDefaultAsync(row => row.CorrelationId == asked.RunId && row.Project == asked.Project, ct) is not { } run)
        {
            return new StepInputsUnknown { Message = $"Project \"{asked.Project}\" has no run {asked.RunId}." };
        }

        if ((await plans.GetAsync(work.Db, run.VersionId, ct)).Steps.FirstOrDefault(step => step.Id == asked.StepId) is not { } planned)
        {
            return new StepInputsUnknown { Message = $"Run {asked.RunId} has no step \"{asked.StepId}\"." };
        }

        var steps = await work.Db.Steps.AsNoTracking().Where(step => step.RunId == asked.RunId && step.Parent == null).ToDictionaryAsync(step => step.StepId, ct);
        try
        {
            return new StepInputsFound
            {
                Inputs = [.. planned.Inputs.Select(input => StepDispatch.Input(input, steps)).Select(input => new StepInputColumns(input.Name, input.Dataset?.Schema, input.Reference))],
            };
        }
        catch (MissingOutputException problem)
        {
            return new StepInputsUnknown { Message = problem.Message };
        }
    }

    public async Task<LastOutputs> LastOutputsAsync(GetLastOutputs asked, CancellationToken ct)
    {
        var last = await work.Db.Runs.AsNoTracking()
            .Where(run => run.Project == asked.Project && run.Pipeline == asked.Pipeline && run.CurrentState == nameof(RunStateMachine.Completed))
            .OrderByDescending(run => run.CorrelationId)
            .Select(run => new { run.CorrelationId, run.PipelineVersion }).FirstOrDefaultAsync(ct);
        if (last is null)
        {
            return new LastOutputs();
        }

        var steps = await work.Db.Steps.AsNoTracking().Where(step => step.RunId == last.CorrelationId)
            .Select(step => new { step.StepId, step.Outcome }).ToListAsync(ct);
        return new LastOutputs
        {
            Version = last.PipelineVersion,
            Steps = steps.Where(step => step.Outcome is not null).ToDictionary(
                step => step.StepId,
                IReadOnlyDictionary<string, DatasetSchema> (step) => step.Outcome!.Outputs.ToDictionary(output => output.Key, output => output.Value.Schema)),
        };
    }

    /// <returns><see cref="RunOutputsFound"/> or <see cref="RunUnknown"/>.</returns>
    public async Task<object> OutputsAsync(GetRunOutputs asked, CancellationToken ct)
    {
        if (await work.Db.Runs.AsNoTracking().FirstOrDefaultAsync(row => row.CorrelationId == asked.RunId && row.Project == asked.Project, ct) is not { } run)
            return new RunUnknown { Message = $"Project \"{asked.Project}\" has no run {asked.RunId}." };
        var steps = await work.Db.Steps.AsNoTracking().Where(step => step.RunId == asked.RunId && step.Parent == null && step.Outcome != null).OrderBy(step => step.Ordinal).ToListAsync(ct);
        var spread = steps.Where(step => step.Items is not null).Select(step => step.StepId).ToList();
        var failed = spread.Count == 0 ? [] : await work.Db.Steps.AsNoTracking()
            .Where(step => step.RunId == asked.RunId && spread.Contains(step.Parent!) && step.Outcome != null && step.State != StepStatus.Completed)
            .OrderBy(step => step.Ordinal).ToListAsync(ct);
        return new RunOutputsFound
        {
            ProjectId = run.ProjectId,
            PipelineId = run.PipelineId,
            Pipeline = run.Pipeline,
            PipelineVersion = run.PipelineVersion,
            Finished = run.FinishedAt is not null,
            Completed = run.CurrentState == nameof(RunStateMachine.Completed),
            Delta = run.Reinjection is { Delta: true },
            Steps = [.. steps.Where(step => !step.IsTakenOver).Select(step => Outputs(step, [.. failed.Where(item => item.Parent == step.StepId)]))],
            Quarantine = (await plans.GetAsync(work.Db, run.VersionId, ct)).Keep?.Quarantine ?? true,
        };
    }

    private static RunStepOutputs Outputs(StepState step, List<StepState> failed)
    {
        var outputs = new RunStepOutputs(step.StepId, step.Operator, step.Outcome!.Outputs);
        if (failed.Count == 0)
        {
            return outputs;
        }

        StepError? conflict = null;
        var ended = failed.ConvertAll(item => new EndedItem(item.Ordinal, false, item.Outcome, item.Error));
        var ports = ended.SelectMany(item => item.Outcome!.Outputs.Keys).Distinct().Where(port => port != ItemStack.Rejected);
        return outputs with { OfFailed = ports.ToDictionary(port => port, port => ItemStack.Port(step.StepId, port, ended, ref conflict)!) };
    }

    private static StepOutputUnknown Unknown(string message) => new() { Message = message };

    private static ClaimRefused Refuse(string reason) => new() { Reason = reason };

    private sealed record Granted(long Fence, DateTime Now, DateTime Lease_Until, string? Memory, Guid Version);
}
