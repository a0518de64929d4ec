using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Storage;
using Qualiz.Runs.Claims;
using Qualiz.Runs.Model;
using Qualiz.Runs.Saga;
using Qualiz.Runs.Starting;

namespace Qualiz.Runs.Api;

/// <summary>Runs over HTTP: start, look, follow, pause, cancel, retry, do again.</summary>
internal static class RunsApi
{
    public static IEndpointRouteBuilder MapRunsApi(this IEndpointRouteBuilder app)
    {
        var runs = app.MapApi().MapGroup("/projects/{project}/runs").WithTags("Runs");
        runs.MapPost("/", StartAsync).WithName("startRun").WithSummary("Starts a run; the same Idempotency-Key starts the same run");
        runs.MapGet("/", ListAsync).WithName("listRuns").WithSummary("Runs, newest first");
        runs.MapGet("/{id:guid}", GetAsync).WithName("getRun").WithSummary("A run with its steps");
        runs.MapPost("/{id:guid}/cancel", CancelAsync).WithName("cancelRun").WithSummary("Cancels a run: running steps stop, waiting ones do not begin");
        runs.MapPost("/{id:guid}/retry", RetryAsync).WithName("retryRun").WithSummary("Goes on from the failed steps; the outputs of good steps are reused");
        runs.MapPost("/{id:guid}/pause", PauseAsync).WithName("pauseRun").WithSummary("Pauses a run: what runs may finish, nothing more begins");
        runs.MapPost("/{id:guid}/resume", ResumeAsync).WithName("resumeRun").WithSummary("Lets a paused run go on");
        runs.MapPost("/{id:guid}/rerun", RerunAsync).WithName("rerunRun").WithSummary("Starts a new run like this one: same version and same dataset versions unless told otherwise, with changed parameters");
        runs.MapGet("/{id:guid}/steps/{step}/items", ItemsAsync).WithName("listStepItems").WithSummary("The elements of a step with forEach, by number");
        runs.MapGet("/{id:guid}/events", FollowAsync).WithName("followRun").WithSummary("The run's events as they happen (server-sent events; Last-Event-ID goes on from there)")
            .Produces<string>(contentType: "text/event-stream");
        runs.MapGet("/{id:guid}/steps/{step}/log", LogAsync).WithName("getStepLog").WithSummary("The step's log, one JSON object a line")
            .Produces<string>(contentType: "application/x-ndjson");
        return app;
    }

    private static async Task<Results<Accepted<RunSummary>, Ok<RunSummary>, ProblemHttpResult>> StartAsync(
        string project,
        StartRunRequest request,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey,
        RunStarter starter,
        IUnitOfWork<RunsDb> work,
        HttpContext http,
        CancellationToken ct)
    {
        return await BeginAsync(
            new StartRun
            {
                RunId = Guid.CreateVersion7(),
                Project = project,
                Pipeline = request.Pipeline,
                Version = request.Version,
                Params = request.Params,
                Day = request.Day,
                IntervalStart = request.Interval?.Start,
                IntervalEnd = request.Interval?.End,
                IdempotencyKey = idempotencyKey,
                Cause = "api",
                Actor = http.Actor(),
            },
            starter, work, ct);
    }

    private static async Task<Results<Accepted<RunSummary>, Ok<RunSummary>, ProblemHttpResult>> RerunAsync(
        string project,
        Guid id,
        RerunRequest? request,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey,
        RunStarter starter,
        IUnitOfWork<RunsDb> work,
        HttpContext http,
        CancellationToken ct)
    {
        if (await FindAsync(work.Db, project, id, ct) is not { } run)
        {
            return NoRun(id);
        }

        request ??= new RerunRequest();
        var sameTime = request is { Day: null, Interval: null };
        return await BeginAsync(
            new StartRun
            {
                RunId = Guid.CreateVersion7(),
                Project = project,
                Pipeline = run.Pipeline,
                Version = request.LatestVersion ? null : request.Version ?? run.PipelineVersion,
                Params = Parameters.Change(run.Given ?? run.Params, request.Params),
                Day = sameTime ? run.Day : request.Day,
                IntervalStart = sameTime ? run.IntervalStart : request.Interval?.Start,
                IntervalEnd = sameTime ? run.IntervalEnd : request.Interval?.End,
                RerunOf = run.CorrelationId,
                LatestData = request.LatestData,
                IdempotencyKey = idempotencyKey,
                Cause = $"re-run of {run.CorrelationId}",
                Actor = http.Actor(),
            },
            starter, work, ct);
    }

    private static async Task<Results<Accepted<RunSummary>, Ok<RunSummary>, ProblemHttpResult>> BeginAsync(
        StartRun start, RunStarter starter, IUnitOfWork<RunsDb> work, CancellationToken ct)
    {
        if (start.IdempotencyKey is { Length: > 200 })
        {
            return ApiProblem.Invalid("The Idempotency-Key has at most 200 characters.");
        }

        var result = await starter.StartAsync(start, ct);
        switch (result)
        {
            case StartResult.Started { IsNew: false } earlier:
                return TypedResults.Ok(RunSummary.Of(earlier.Run));
            case StartResult.Started started:
                await work.CommitAsync(ct);
                return TypedResults.Accepted(Address(start.Project, started.Run.CorrelationId), RunSummary.Of(started.Run));
            case StartResult.Unknown unknown:
                return ApiProblem.Of(StatusCodes.Status404NotFound, "notFound", unknown.Message);
            case StartResult.Invalid invalid:
                return ApiProblem.Invalid(
                    "The run's parameters are not right.", [.. invalid.Problems.Select(problem => new ApiError(problem.Message, problem.Path))]);
            case StartResult.Busy busy:
                return ApiProblem.Conflict("busy", $"The pipeline has {busy.Active} active runs and allows {busy.Limit} (limits.concurrency, whenBusy: reject).");
            case StartResult.KeyTaken taken:
                return ApiProblem.Conflict("idempotencyKeyTaken", $"This Idempotency-Key started run {taken.RunId} with another request; use a new key.");
            default:
                throw new InvalidOperationException($"Unknown outcome {result}.");
        }
    }

    private static async Task<Results<Ok<Page<RunSummary>>, ProblemHttpResult>> ListAsync(
        string project, string? pipeline, string? state, PageRequest page, RunsDb db, IRequests requests, CancellationToken ct)
    {
        var runs = db.Runs.AsNoTracking().Where(run => run.Project == project);
        if (pipeline is not null)
        {
            runs = runs.Where(run => run.Pipeline == pipeline);
        }

        if (state is not null)
        {
            if (!TryStates<string>(state, RunStates, word => word, out var states, out var unknownState))
                return unknownState;
            runs = runs.Where(run => states.Contains(run.CurrentState));
        }

        if (page.TryGetAfter<Guid>(out var after))
        {
            runs = runs.Where(run => run.CorrelationId < after);
        }

        var found = await runs.OrderByDescending(run => run.CorrelationId).Take(page.Limit + 1).ToListAsync(ct);
        // Where runs are, there is a project; only when there are none somebody has to be asked.
        if (found.Count == 0 && !await db.Runs.AnyAsync(run => run.Project == project, ct)
            && (await requests.AskAsync<ProjectFound, ProjectUnknown>(Queues.PipelineRequests, new GetProject { Project = project }, ct)).Second is { } unknown)
        {
            return ApiProblem.Of(StatusCodes.Status404NotFound, "notFound", unknown.Message);
        }

        return TypedResults.Ok(Page.Of([.. found.Select(RunSummary.Of)], page, run => run.Id));
    }

    private static readonly string[] RunStates =
    [
        nameof(RunStateMachine.Queued), nameof(RunStateMachine.Running), nameof(RunStateMachine.Paused), nameof(RunStateMachine.Cancelling),
        nameof(RunStateMachine.Completed), nameof(RunStateMachine.Failed), nameof(RunStateMachine.Cancelled),
    ];

    /// <summary><c>failed,cancelled</c>, as the database has it.</summary>
    private static bool TryStates<T>(string words, IReadOnlyList<string> known, Func<string, T> read, out T[] states, [NotNullWhen(false)] out ProblemHttpResult? problem)
    {
        var asked = words.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var unknown = asked.FirstOrDefault(word => !known.Contains(word, StringComparer.OrdinalIgnoreCase));
        states = unknown is null ? [.. asked.Select(word => read(known.First(name => name.Equals(word, StringComparison.OrdinalIgnoreCase))))] : [];
        problem = unknown is null ? null : ApiProblem.BadRequest($"\"{unknown}\" is no state; there is {string.Join(", ", known.Select(name => name.ToLowerInvariant()))}.");
        return unknown is null;
    }

    private static async Task<Results<Ok<RunDetails>, ProblemHttpResult>> GetAsync(
        string project, Guid id, RunsDb db, PlanCache plans, CancellationToken ct)
    {
        if (await FindAsync(db, project, id, ct) is not { } run)
        {
            return NoRun(id);
        }

        var steps = await db.Steps.AsNoTracking().Where(step => step.RunId == id && step.Parent == null).OrderBy(step => step.Ordinal).ToListAsync(ct);
        var children = await db.Runs.AsNoTracking().Where(child => child.ParentRunId == id).OrderBy(child => child.CorrelationId).ToListAsync(ct);
        var plan = await plans.GetAsync(db, run.VersionId, ct);
        return TypedResults.Ok(new RunDetails(
            RunSummary.Of(run),
            run.Params,
            run.Interval,
            run.Sequence,
            [.. steps.Select(step =>
            {
                var planned = plan.Step(step.StepId);
                return new StepView(
                    step.StepId,
                    step.Operator,
                    step.State.Word(),
                    step.Attempt,
                    step.Worker,
                    step.StartedAt,
                    step.FinishedAt,
                    step.DueAt,
                    step.Progress,
                    [.. planned.Inputs.Select(input => input.Name)],
                    planned.Needs,
                    OutputView.Of(step.Outcome),
                    // The rows of a step that is taken over are in the ledger of the run that did it.
                    step.IsTakenOver ? [] : step.Outcome?.Ledger ?? [],
                    step.IsTakenOver ? new Dictionary<string, long>() : step.Outcome?.Counts ?? new Dictionary<string, long>(),
                    step.IsTakenOver ? [] : step.Outcome?.Warnings ?? [],
                    step.Logs.Length > 0,
                    step.Reason,
                    ItemsView.Of(step.Items),
                    step.Error);
            })],
            [.. children.Select(child => new ChildView(child.CorrelationId, child.ParentStepId!, child.ParentAttempt ?? 1, child.Pipeline, RunSummary.Word(child.CurrentState)))]));
    }

    private static Task<Results<Accepted, ProblemHttpResult>> CancelAsync(
        string project, Guid id, CancelRunRequest? request, IUnitOfWork<RunsDb> work, HttpContext http, CancellationToken ct) =>
        CommandAsync(
            project, id, work,
            run => run.FinishedAt is null ? null : $"The run is {RunSummary.Word(run.CurrentState)} already.",
            new CancelRun { RunId = id, Actor = http.Actor(), Reason = request?.Reason }, ct);

    private static Task<Results<Accepted, ProblemHttpResult>> PauseAsync(
        string project, Guid id, PauseRunRequest? request, IUnitOfWork<RunsDb> work, HttpContext http, CancellationToken ct) =>
        CommandAsync(
            project, id, work,
            run => run.CurrentState is nameof(RunStateMachine.Running) or nameof(RunStateMachine.Queued) ? null : $"The run is {RunSummary.Word(run.CurrentState)}; only a running run, or one that waits for its turn, can be paused.",
            new PauseRun { RunId = id, Actor = http.Actor(), Reason = request?.Reason }, ct);

    private static Task<Results<Accepted, ProblemHttpResult>> ResumeAsync(
        string project, Guid id, IUnitOfWork<RunsDb> work, HttpContext http, CancellationToken ct) =>
        CommandAsync(
            project, id, work,
            run => run.IsPaused ? null : $"The run is {RunSummary.Word(run.CurrentState)}; only a paused run can be resumed.",
            new ResumeRun { RunId = id, Actor = http.Actor() }, ct);

    private static async Task<Results<Ok<Page<ItemView>>, ProblemHttpResult>> ItemsAsync(
        string project, Guid id, string step, string? state, PageRequest page, RunsDb db, CancellationToken ct)
    {
        if (await FindAsync(db, project, id, ct) is null)
        {
            return NoRun(id);
        }

        if (!await db.Steps.AnyAsync(row => row.RunId == id && row.StepId == step && row.Parent == null, ct))
        {
            return ApiProblem.NotFound("step", step);
        }

        var items = db.Steps.AsNoTracking().Where(row => row.RunId == id && row.Parent == step);
        if (state is not null)
        {
            if (!TryStates(state, Enum.GetNames<StepStatus>(), Enum.Parse<StepStatus>, out var states, out var unknownState))
                return unknownState;
            items = items.Where(item => states.Contains(item.State));
        }

        if (page.TryGetAfter<int>(out var after))
        {
            items = items.Where(item => item.Ordinal > after);
        }

        var found = await items.OrderBy(item => item.Ordinal).Take(page.Limit + 1).ToListAsync(ct);
        return TypedResults.Ok(Page.Of([.. found.Select(ItemView.Of)], page, item => item.Number));
    }

    private static async Task<Results<Accepted, ProblemHttpResult>> RetryAsync(
        string project, Guid id, IUnitOfWork<RunsDb> work, StateTurns turns, HttpContext http, CancellationToken ct)
    {
        // A good step keeps what it read; since then somebody may have read on from the same place, and delivered it.
        var overtaken = await turns.ObjectionAsync(id, ct);
        return await CommandAsync(
            project, id, work,
            run => run.CurrentState is not (nameof(RunStateMachine.Failed) or nameof(RunStateMachine.Cancelled))
                    ? $"The run is {RunSummary.Word(run.CurrentState)}; only a failed or cancelled run can be retried."
                : run.CollectedAt is not null ? "What the run's good steps wrote has been removed (retention); start a new run."
                : overtaken,
            new RetryRun { RunId = id, Actor = http.Actor() }, ct);
    }

    private static async Task<Results<Accepted, ProblemHttpResult>> CommandAsync(
        string project, Guid id, IUnitOfWork<RunsDb> work, Func<RunState, string?> objection, object command, CancellationToken ct)
    {
        if (await FindAsync(work.Db, project, id, ct) is not { } run)
        {
            return NoRun(id);
        }

        if (objection(run) is { } reason)
        {
            return ApiProblem.Conflict("wrongState", reason);
        }

        await work.BeginAsync(ct);
        work.Outbox.Send(Queues.RunSaga, command);
        await work.CommitAsync(ct);
        await TakenAsync(work.Db, run, ct);
        return TypedResults.Accepted(Address(project, id));
    }

    /// <summary>
    /// Usually the saga takes a command within milliseconds. Waiting for that lets the caller see what it has done: a listener
    /// that follows the run right after a retry would otherwise hear that the run has ended.
    /// </summary>
    private static async Task TakenAsync(RunsDb db, RunState before, CancellationToken ct)
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < TimeSpan.FromSeconds(3); await Task.Delay(20, ct))
        {
            if (await db.Runs.AsNoTracking().AnyAsync(run => run.CorrelationId == before.CorrelationId && run.Sequence > before.Sequence, ct))
            {
                return;
            }
        }
    }

    private static async Task<IResult> FollowAsync(
        string project,
        Guid id,
        [FromHeader(Name = "Last-Event-ID")] string? lastEventId,
        RunsDb db,
        RunEventFeed feed,
        CancellationToken ct)
    {
        if (await FindAsync(db, project, id, ct) is not { } run)
        {
            return NoRun(id);
        }

        var after = 0L;
        if (!string.IsNullOrEmpty(lastEventId) && (!long.TryParse(lastEventId, out after) || after < 0))
        {
            return ApiProblem.BadRequest("Last-Event-ID is the number of an event of this run.");
        }

        // Nothing is left to say: 204 tells an EventSource not to come back.
        return run.FinishedAt is not null && after >= run.Sequence
            ? TypedResults.NoContent()
            : TypedResults.ServerSentEvents(feed.FollowAsync(id, after, ct));
    }

    private static async Task<IResult> LogAsync(string project, Guid id, string step, RunsDb db, IObjectStore store, CancellationToken ct)
    {
        if (await FindAsync(db, project, id, ct) is null)
        {
            return NoRun(id);
        }

        var found = await db.Steps.AsNoTracking().FirstOrDefaultAsync(row => row.RunId == id && row.StepId == step, ct);
        if (found is null)
        {
            return ApiProblem.NotFound("step", step);
        }

        // All its executions, oldest first: what it did before it waited, and why earlier attempts failed.
        var parts = new List<Stream>();
        try
        {
            foreach (var key in found.Logs)
            {
                try
                {
                    parts.Add(await store.OpenReadAsync(key, ct));
                }
                catch (FileNotFoundException)
                {
                    // Removed by retention; the newer ones may be there.
                }
            }

            if (parts.Count == 0)
            {
                return found.Logs.Length == 0
                    ? TypedResults.Text("", "application/x-ndjson")
                    : ApiProblem.Of(StatusCodes.Status410Gone, "removed", "The step's log has been removed (retention).");
            }

            var all = parts;
            parts = [];
            return TypedResults.Stream(
                async target =>
                {
                    try
                    {
                        foreach (var part in all)
                        {
                            await part.CopyToAsync(target, ct);
                        }
                    }
                    finally
                    {
                        await CloseAsync(all);
                    }
                },
                "application/x-ndjson");
        }
        finally
        {
            await CloseAsync(parts);
        }
    }

    private static async Task CloseAsync(List<Stream> parts)
    {
        foreach (var part in parts)
        {
            await part.DisposeAsync();
        }
    }

    private static Task<RunState?> FindAsync(RunsDb db, string project, Guid id, CancellationToken ct) =>
        db.Runs.AsNoTracking().FirstOrDefaultAsync(run => run.CorrelationId == id && run.Project == project, ct);

    private static ProblemHttpResult NoRun(Guid id) => ApiProblem.NotFound("run", id.ToString());

    private static string Address(string project, Guid id) => $"/api/v1/projects/{Uri.EscapeDataString(project)}/runs/{id}";
}
