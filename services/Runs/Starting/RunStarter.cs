using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Storage;
using Qualiz.Runs.Model;
using Qualiz.Runs.Saga;

namespace Qualiz.Runs.Starting;

/// <summary>
/// Starts a run: checks it, writes its row and its steps, and lets it begin or wait, all in the caller's transaction.
/// From then on every message about the run finds it.
/// </summary>
internal sealed class RunStarter(IUnitOfWork<RunsDb> work, IRequests requests, PlanCache plans, RunEvents events, Reinjections reinjections, IStoreSpace space, TimeProvider time)
{
    /// <summary>Begins the transaction if the caller has not; the caller commits it.</summary>
    public async Task<StartResult> StartAsync(StartRun start, CancellationToken ct)
    {
        // A replay is answered by what it started, whatever has become of the pipeline and its parameters since.
        if (await EarlierAsync(start, ct) is { } replayed)
        {
            return replayed;
        }

        var answer = await requests.AskAsync<PipelineResolved, PipelineUnknown>(
            Queues.PipelineRequests,
            new ResolvePipeline { Project = start.Project, Pipeline = start.Pipeline, Version = start.Version },
            ct);
        if (answer.First is not { } version)
        {
            return new StartResult.Unknown(answer.Second!.Message);
        }

        var (plan, isStored) = await PlanAsync(version.VersionId, ct);
        var now = time.GetUtcNow();
        if (LogicalTime.Of(start, version.TimeZone, now, out var wrong) is not { } interval)
        {
            return new StartResult.Invalid([wrong!]);
        }

        var run = new RunState
        {
            CorrelationId = start.RunId,
            CurrentState = nameof(RunStateMachine.Queued),
            ProjectId = version.ProjectId,
            Project = start.Project,
            PipelineId = version.PipelineId,
            Pipeline = start.Pipeline,
            PipelineVersion = version.Version,
            VersionId = version.VersionId,
            Day = interval.Day,
            IntervalStart = interval.Start,
            IntervalEnd = interval.End,
            RerunOf = start.RerunOf,
            ReadsLike = start is { LatestData: false } && (start.RerunOf ?? start.Reinjects?.Of) is { } origin ? await ReadsLikeAsync(origin, ct) : [],
            Reinjection = start.Reinjects is { } rows ? new ReinjectionState { Of = rows.Of, StepId = rows.StepId, Whole = rows.Whole } : null,
            Alone = start.Reinjects is not null,
            Given = start.Params,
            Cause = start.Cause,
            Actor = start.Actor,
            IdempotencyKey = start.IdempotencyKey,
            RequestHash = start.IdempotencyKey is null ? null : Hash(start),
            Concurrency = plan.Limits.Concurrency,
            ParentRunId = start.Parent?.RunId,
            ParentStepId = start.Parent?.StepId,
            ParentAttempt = start.Parent?.Attempt,
            CreatedAt = now,
        };
        var (values, problems) = Parameters.Resolve(plan.Params, start.Params, RunScope.OfStart(run));
        if (problems.Count > 0)
        {
            return new StartResult.Invalid(problems);
        }

        run.Params = values;
        if (run.Reinjection is not null && await reinjections.RefusalAsync(run, plan, ct) is { } refused)
        {
            return refused;
        }

        await work.BeginAsync(ct);
        if (start.IdempotencyKey is not null)
        {
            // Two starts with one key at the same moment: the second waits here and then finds the first's run.
            await Locks.TakeAsync(work.Db, $"start:{start.Project}:{start.IdempotencyKey}", ct);
            if (await EarlierAsync(start, ct) is { } earlier)
            {
                return earlier;
            }
        }

        run.Held = space.Objection();
        if (run.Held is not null)
        {
            // It waits in the pipeline's queue, where admission looks again and again.
        }
        else if ((run.Alone ? 1 : plan.Limits.Concurrency) is not { } limit)
        {
            if (!await Admission.IsTakenAsync(work.Db, run.PipelineId, ct))
            {
                run.AdmittedAt = now;
            }
        }
        else
        {
            await Locks.TakePipelineAsync(work.Db, run.PipelineId, ct);
            var (active, waiting, isAlone) = await Admission.CountAsync(work.Db, run.PipelineId, ct);
            if (active < limit && waiting == 0 && !isAlone)
            {
                run.AdmittedAt = now;
            }
            else if (plan.Limits.WhenBusy == WhenBusy.Reject && !run.Alone)
            {
                return new StartResult.Busy(active, limit);
            }
        }

        work.Db.Runs.Add(run);
        work.Db.Steps.AddRange(plan.Steps.Select((step, ordinal) => new StepState
        {
            RunId = run.CorrelationId,
            StepId = step.Id,
            Ordinal = ordinal,
            Project = run.Project,
            Operator = step.Operator,
            State = StepStatus.Pending,
        }));
        if (!isStored)
        {
            var body = JsonSerializer.Serialize(plan, RunsDb.Json);
            await work.Db.Database.ExecuteSqlAsync(
                $"insert into runs.plan (version_id, body) values ({version.VersionId}, {body}::json) on conflict do nothing", ct);
        }

        events.Append(work, run, run.Actor, new RunQueued
        {
            Project = run.Project,
            Pipeline = run.Pipeline,
            PipelineId = run.PipelineId,
            PipelineVersion = run.PipelineVersion,
            Cause = run.Cause,
            RerunOf = run.RerunOf,
        });
        if (plan.Late?.By is { } by)
        {
            LateRuns.Watch(work.Outbox, run, LateRuns.Next(by, version.TimeZone, now), LateRuns.Reason(by, version.TimeZone));
        }

        if (run.AdmittedAt is not null)
        {
            work.Outbox.Send(Queues.RunSaga, new AdmitRun { RunId = run.CorrelationId });
        }

        return new StartResult.Started(run, IsNew: true);
    }

    /// <summary>What the idempotency key has started already, if anything.</summary>
    private async Task<StartResult?> EarlierAsync(StartRun start, CancellationToken ct)
    {
        if (start.IdempotencyKey is null)
        {
            return null;
        }

        var earlier = await work.Db.Runs.AsNoTracking()
            .FirstOrDefaultAsync(other => other.Project == start.Project && other.IdempotencyKey == start.IdempotencyKey, ct);
        return earlier is null ? null
            : earlier.RequestHash == Hash(start) ? new StartResult.Started(earlier, IsNew: false)
            : new StartResult.KeyTaken(earlier.CorrelationId);
    }

    /// <summary>Which version is meant is asked each time, so that a start sees what was saved before it; its plan never changes.</summary>
    private async Task<(PipelinePlan Plan, bool IsStored)> PlanAsync(Guid versionId, CancellationToken ct)
    {
        if (await plans.FindAsync(work.Db, versionId, ct) is { } known)
        {
            return (known, true);
        }

        var answer = await requests.AskAsync<PipelinePlanFound, PipelineUnknown>(
            Queues.PipelineRequests, new GetPipelinePlan { VersionId = versionId }, ct);
        return (answer.First?.Plan ?? throw new InvalidOperationException($"Pipelines named version {versionId} and does not have it."), false);
    }

    /// <summary>A run that failed early has not read all that its own predecessors had.</summary>
    private async Task<Guid[]> ReadsLikeAsync(Guid origin, CancellationToken ct)
    {
        const int longest = 50;
        var before = await work.Db.Runs.AsNoTracking().Where(run => run.CorrelationId == origin).Select(run => run.ReadsLike).FirstOrDefaultAsync(ct);
        return [origin, .. (before ?? []).Take(longest)];
    }

    private static string Hash(StartRun start)
    {
        string?[] parts =
        [
            start.Pipeline,
            start.Version?.ToString(CultureInfo.InvariantCulture),
            start.Day?.ToString("O", CultureInfo.InvariantCulture),
            start.Params?.GetRawText(),
        ];
        // Only where given, so that the keys of starts before these existed still mean the same.
        string?[] more = start is { IntervalStart: null, IntervalEnd: null, RerunOf: null, Reinjects: null }
            ? []
            : start.Reinjects is { } rows ? [rows.Of.ToString(), rows.StepId, rows.Whole ? "whole" : ""]
            : [start.IntervalStart?.ToString("O", CultureInfo.InvariantCulture), start.IntervalEnd?.ToString("O", CultureInfo.InvariantCulture), start.RerunOf?.ToString(), start.LatestData ? "latest" : ""];
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts.Concat(more)))));
    }
}

internal abstract record StartResult
{
    private StartResult()
    {
    }

    /// <param name="IsNew">False: the idempotency key had started it already.</param>
    public sealed record Started(RunState Run, bool IsNew) : StartResult;

    public sealed record Unknown(string Message) : StartResult;

    public sealed record Invalid(IReadOnlyList<ParameterProblem> Problems) : StartResult;

    public sealed record Busy(int Active, int Limit) : StartResult;

    /// <summary>A re-injection that cannot be.</summary>
    public sealed record Refused(string Code, string Message) : StartResult;

    /// <summary>The idempotency key belongs to another request.</summary>
    public sealed record KeyTaken(Guid RunId) : StartResult;
}
