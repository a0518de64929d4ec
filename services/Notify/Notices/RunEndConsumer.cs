using System.Globalization;
using Dapper;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Qualiz.Contracts;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Notify.Records;
using Qualiz.Platform.Messaging;

namespace Qualiz.Notify.Notices;

/// <summary>
/// A run has ended, is late, or made a version that is not as those before: whoever the pipeline names is told when that changes how it stands. What is to be told
/// is written in the same transaction.
/// </summary>
internal sealed class RunEndConsumer(NotifyDb db, IRequests requests, NoticeOptions options, TimeProvider time) : IConsumer<RunCompleted>, IConsumer<RunFailed>, IConsumer<RunLate>, IConsumer<DatasetFindings>
{
    private const int MostFindings = 10;

    public async Task Consume(ConsumeContext<RunCompleted> context)
    {
        var run = context.Message;
        var ct = context.CancellationToken;
        var before = await MoveAsync(run.PipelineId, run.Project, run.Pipeline, "good", null, run.OccurredAt, ct);
        var waits = run.Rejected + run.ToReview > 0;
        if (before?.State != "failed" && !waits)
            return;
        var about = await AboutAsync(run.Project, run.Pipeline, run.PipelineVersion, ct);
        if (before?.State == "failed")
            Tell(about, PlanNotifyOn.Recovered, run.Project, run.Pipeline, run.RunId!.Value, $"{run.Pipeline} runs again", "It completed after a failure.");
        if (waits)
        {
            string[] parts = [run.Rejected > 0 ? string.Create(CultureInfo.InvariantCulture, $"{run.Rejected:N0} rows") : "", run.ToReview > 0 ? string.Create(CultureInfo.InvariantCulture, $"{run.ToReview:N0} pairs") : ""];
            var what = string.Join(" and ", parts.Where(part => part.Length > 0));
            Tell(about, PlanNotifyOn.Attention, run.Project, run.Pipeline, run.RunId!.Value, $"{run.Pipeline}: {what} wait for a person", $"It completed; {what} wait for a person.");
        }
    }

    public async Task Consume(ConsumeContext<RunFailed> context)
    {
        var run = context.Message;
        var ct = context.CancellationToken;
        var cause = $"{run.StepId}:{run.Error.Code}";
        var before = await MoveAsync(run.PipelineId, run.Project, run.Pipeline, "failed", cause, run.OccurredAt, ct);
        // The same cause again is no news, nor is what ended before what is known.
        if (before is null || (before.State == "failed" && before.Cause == cause))
            return;
        var about = await AboutAsync(run.Project, run.Pipeline, null, ct);
        Tell(about, PlanNotifyOn.Failed, run.Project, run.Pipeline, run.RunId!.Value, $"{run.Pipeline} failed",
            run.StepId is null ? run.Error.Message : $"It failed in {run.StepId}: {run.Error.Message}");
    }

    /// <summary>Once of a run, however often it is said.</summary>
    public async Task Consume(ConsumeContext<RunLate> context)
    {
        var run = context.Message;
        if (await db.Notices.AnyAsync(notice => notice.RunId == run.RunId && notice.Kind == nameof(PlanNotifyOn.Late), context.CancellationToken))
            return;
        var about = await AboutAsync(run.Project, run.Pipeline, run.PipelineVersion, context.CancellationToken);
        Tell(about, PlanNotifyOn.Late, run.Project, run.Pipeline, run.RunId!.Value, $"{run.Pipeline} is late", run.Reason);
    }

    /// <summary>Once of a version that a pipeline made; an upload has nobody who is named.</summary>
    public async Task Consume(ConsumeContext<DatasetFindings> context)
    {
        var found = context.Message;
        var ct = context.CancellationToken;
        if (found.SourceRunId is not { } runId || found.Findings.Count == 0)
            return;
        var asked = await requests.AskAsync<RunOutputsFound, RunUnknown>(Queues.RunClaims, new GetRunOutputs { Project = found.Project, RunId = runId }, ct);
        if (asked.First is not { } run)
            return;
        var version = $"{found.Dataset}@{found.Version}";
        var subject = $"{run.Pipeline}: {version} is not as usual";
        if (await db.Notices.AnyAsync(notice => notice.RunId == runId && notice.Subject == subject, ct))
            return;
        var about = await AboutAsync(found.Project, run.Pipeline, run.PipelineVersion, ct);
        var more = found.Findings.Count - MostFindings;
        Tell(about, PlanNotifyOn.Attention, found.Project, run.Pipeline, runId, subject,
            string.Create(CultureInfo.InvariantCulture, $"{version}: {string.Join(", ", found.Findings.Take(MostFindings).Select(Words))}{(more > 0 ? $" and {more} more" : "")}."));
    }

    private static string Words(DatasetFinding finding) => finding switch
    {
        { Kind: "columnGone" } => $"column {finding.Column} is gone",
        { Kind: "columnNew" } => $"column {finding.Column} is new",
        { Kind: "columnType" } => $"column {finding.Column} has another type",
        { Column: "" } => $"{finding.Metric} off its course",
        _ => $"{finding.Metric} of {finding.Column} off its course",
    };

    /// <summary>
    /// How the pipeline stood, and stands no more; null when a later run's end is known already. One statement: every run of a pipeline waits here for the one before.
    /// </summary>
    private async Task<PipelineChange?> MoveAsync(Guid pipelineId, string project, string pipeline, string state, string? cause, DateTimeOffset at, CancellationToken ct)
    {
        var moved = await db.Database.GetDbConnection().QueryAsync<PipelineChange>(new CommandDefinition(
            """
            with known as (select state, cause from notify.pipeline where pipeline_id = @pipelineId for update),
            moved as (
                insert into notify.pipeline as p (pipeline_id, project, pipeline, state, cause, at)
                select @pipelineId, @project, @pipeline, @state, @cause, @at from (select count(*) from known) as locked
                on conflict (pipeline_id) do update set state = excluded.state, cause = excluded.cause, at = excluded.at where p.at <= excluded.at
                returning pipeline_id)
            select known.state, known.cause from moved left join known on true
            """,
            new { pipelineId, project, pipeline, state, cause, at },
            db.Database.CurrentTransaction!.GetDbTransaction(),
            cancellationToken: ct));
        return moved.FirstOrDefault();
    }

    private async Task<(Guid VersionId, IReadOnlyList<PlanNotification> Notify)> AboutAsync(string project, string pipeline, int? version, CancellationToken ct)
    {
        var found = await requests.AskAsync<PipelineResolved, PipelineUnknown>(Queues.PipelineRequests, new ResolvePipeline { Project = project, Pipeline = pipeline, Version = version }, ct);
        // A pipeline that was removed since has nobody to tell.
        if (found.First is not { } resolved)
            return (Guid.Empty, []);
        var plan = await requests.AskAsync<PipelinePlanFound, PipelineUnknown>(Queues.PipelineRequests, new GetPipelinePlan { VersionId = resolved.VersionId }, ct);
        return (resolved.VersionId, plan.First?.Plan.Notify ?? []);
    }

    private void Tell((Guid VersionId, IReadOnlyList<PlanNotification> Notify) about, PlanNotifyOn what, string project, string pipeline, Guid runId, string subject, string text)
    {
        if (options.IsMuted(project, pipeline))
            return;
        var now = time.GetUtcNow();
        var body = options.Address.Length == 0 ? text : $"{text}\n{options.Address}/p/{project}/runs/{runId}";
        foreach (var notification in about.Notify.Where(notification => notification.When.Contains(what)))
        {
            foreach (var target in notification.To.Distinct(StringComparer.Ordinal))
            {
                // Nobody can know when there will be a mail server, and news of today is none next week: it is on record, and waits for nothing.
                var hindrance = options.Hindrance(target);
                db.Notices.Add(new Notice
                {
                    Id = Guid.CreateVersion7(),
                    Project = project,
                    Pipeline = pipeline,
                    VersionId = about.VersionId,
                    RunId = runId,
                    Target = target,
                    Kind = what.ToString(),
                    Subject = subject,
                    Body = body,
                    Digest = notification.Every is not null,
                    DueAt = options.AfterQuiet(notification.Every is { } every ? EndOf(now, every) : now),
                    State = hindrance is null ? NoticeState.Waiting : NoticeState.NotSent,
                    Error = hindrance,
                    CreatedAt = now,
                });
            }
        }
    }

    /// <summary>The end of the hour, day or week (from Monday) that it is now, in UTC.</summary>
    private static DateTimeOffset EndOf(DateTimeOffset now, TimeSpan every)
    {
        // Day 0 of the count is a Monday.
        var monday = new DateTimeOffset(2001, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return monday + (every * (Math.Floor((now - monday) / every) + 1));
    }

    private sealed record PipelineChange(string? State, string? Cause);
}
