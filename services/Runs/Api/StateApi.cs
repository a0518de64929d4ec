using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Storage;
using Qualiz.Runs.Model;
using Qualiz.Runs.Retention;
using Qualiz.Runs.Saga;
using Qualiz.Runs.Starting;

namespace Qualiz.Runs.Api;

/// <param name="RunId">The run that left it; null when it was set by hand.</param>
internal sealed record StateView(string Step, JsonElement Value, Guid? RunId, DateTimeOffset UpdatedAt)
{
    public static StateView Of(StepMemory memory) =>
        new(memory.StepId, memory.Value, memory.RunId == Guid.Empty ? null : memory.RunId, memory.UpdatedAt);
}

/// <summary>What a pipeline remembers from run to run, for people who must put it right. Every change is an event.</summary>
internal static class StateApi
{
    private const int MostBytes = 1 << 20;

    public static IEndpointRouteBuilder MapStateApi(this IEndpointRouteBuilder app)
    {
        var state = app.MapApi().MapGroup("/projects/{project}/pipelines/{pipeline}/state").WithTags("Runs");
        state.MapGet("/", ListAsync).WithName("listPipelineState").WithSummary("What each step remembers from the last completed run: cursors, seen files");
        state.MapPut("/{step}", SetAsync).WithName("setStepState").WithSummary("Makes a step remember something else; refused while the pipeline runs").ProducesProblem(StatusCodes.Status409Conflict);
        state.MapDelete("/{step}", ResetAsync).WithName("resetStepState").WithSummary("Makes a step forget, so that it begins anew; refused while the pipeline runs").ProducesProblem(StatusCodes.Status409Conflict);
        return app;
    }

    private static async Task<Results<Ok<Page<StateView>>, ProblemHttpResult>> ListAsync(string project, string pipeline, IRequests requests, RunsDb db, CancellationToken ct)
    {
        if (await FindAsync(requests, project, pipeline, ct) is not { } found)
        {
            return ApiProblem.NotFound("pipeline", pipeline);
        }

        var memories = await db.Memories.AsNoTracking().Where(memory => memory.PipelineId == found.PipelineId).OrderBy(memory => memory.StepId).ToListAsync(ct);
        return TypedResults.Ok(new Page<StateView>([.. memories.Select(StateView.Of)], null));
    }

    private static Task<Results<NoContent, ProblemHttpResult>> SetAsync(
        string project, string pipeline, string step, JsonElement value, IRequests requests, IUnitOfWork<RunsDb> work, IObjectStore store, TimeProvider time, HttpContext http, CancellationToken ct) =>
        value.ValueKind != JsonValueKind.Object || value.GetRawText().Length > MostBytes
            ? Task.FromResult<Results<NoContent, ProblemHttpResult>>(ApiProblem.Invalid("The state of a step is a JSON object of at most 1 MB, as it is listed."))
            : ChangeAsync(project, pipeline, step, value, requests, work, store, time, http, ct);

    private static Task<Results<NoContent, ProblemHttpResult>> ResetAsync(
        string project, string pipeline, string step, IRequests requests, IUnitOfWork<RunsDb> work, IObjectStore store, TimeProvider time, HttpContext http, CancellationToken ct) =>
        ChangeAsync(project, pipeline, step, null, requests, work, store, time, http, ct);

    /// <param name="value">Null: forget.</param>
    private static async Task<Results<NoContent, ProblemHttpResult>> ChangeAsync(
        string project, string pipeline, string step, JsonElement? value, IRequests requests, IUnitOfWork<RunsDb> work, IObjectStore store, TimeProvider time, HttpContext http, CancellationToken ct)
    {
        if (await FindAsync(requests, project, pipeline, ct) is not { } found)
        {
            return ApiProblem.NotFound("pipeline", pipeline);
        }

        await work.BeginAsync(ct);
        // No run begins meanwhile: admission takes the same lock.
        await Locks.TakePipelineAsync(work.Db, found.PipelineId, ct);
        if (await work.Db.Runs.AsNoTracking()
            .Where(run => run.PipelineId == found.PipelineId && run.FinishedAt == null && (run.CurrentState != nameof(RunStateMachine.Queued) || run.AdmittedAt != null))
            .OrderBy(run => run.CorrelationId).Select(run => (Guid?)run.CorrelationId).FirstOrDefaultAsync(ct) is { } active)
        {
            return ApiProblem.Conflict("running", $"Run {active} of this pipeline is under way and would write its own state at its end. Wait for it or cancel it.");
        }

        var memory = await work.Db.Memories.SingleOrDefaultAsync(known => known.PipelineId == found.PipelineId && known.StepId == step, ct);
        if (value is null && memory is null)
        {
            return ApiProblem.Of(StatusCodes.Status404NotFound, "notFound", $"Step \"{step}\" of this pipeline remembers nothing.");
        }

        if (value is not null && await ReadableAsync(work, store, project, value.Value, ct) is { } wrong)
        {
            return ApiProblem.Invalid(wrong);
        }

        if (value is null)
        {
            work.Db.Memories.Remove(memory!);
        }
        else
        {
            if (memory is null)
            {
                memory = new StepMemory { PipelineId = found.PipelineId, StepId = step };
                work.Db.Memories.Add(memory);
            }

            memory.Value = value.Value;
            memory.Version = Guid.CreateVersion7();
            memory.RunId = Guid.Empty;
            memory.UpdatedAt = time.GetUtcNow();
        }

        work.Outbox.Publish(new StateChanged
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = time.GetUtcNow(),
            ProjectId = found.ProjectId,
            Actor = http.Actor(),
            Project = project,
            Pipeline = pipeline,
            PipelineId = found.PipelineId,
            StepId = step,
            Reset = value is null,
        });
        await work.CommitAsync(ct);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// Files that the state names are the project's own and are there. A file of a run that is let go may be deleted at any moment,
    /// so it only counts as there while a state of the project names it already.
    /// </summary>
    /// <returns>What is wrong; null: nothing.</returns>
    private static async Task<string?> ReadableAsync(IUnitOfWork<RunsDb> work, IObjectStore store, string project, JsonElement state, CancellationToken ct)
    {
        var keys = StateFiles.OfRuns(state, project).Select(file => file.Key).Union(StateFiles.OfDatasets(state), StringComparer.Ordinal).ToList();
        if (keys.Count == 0)
        {
            return null;
        }

        if (keys.Find(key => !StateFiles.IsIn(project, key)) is { } strange)
        {
            return $"The state names \"{strange}\", which is no file of project {project}.";
        }

        // Held to the end, so that none of them is let go meanwhile. The newest first: a run's end takes its own lock and then that of the run that started it.
        foreach (var run in keys.Select(key => StateFiles.RunOf(key, project)).OfType<Guid>().Distinct().OrderDescending())
        {
            await work.LockAsync(run, ct);
        }

        var runs = keys.Select(key => StateFiles.RunOf(key, project)).OfType<Guid>().ToArray();
        var there = await work.Db.Runs.Where(run => runs.Contains(run.CorrelationId) && run.Project == project && run.CollectedAt == null).Select(run => run.CorrelationId).ToListAsync(ct);
        var remembered = await RunReviewer.RememberedAsync(work.Db, project, [], ct);
        foreach (var key in keys)
        {
            var stays = StateFiles.RunOf(key, project) is not { } run || there.Contains(run) || remembered[run].Contains(key);
            if (!stays || !await store.ExistsAsync(key, ct))
            {
                return $"The state names the file \"{key}\", which is not there any more.";
            }
        }

        return null;
    }

    private static async Task<PipelineResolved?> FindAsync(IRequests requests, string project, string pipeline, CancellationToken ct) =>
        (await requests.AskAsync<PipelineResolved, PipelineUnknown>(Queues.PipelineRequests, new ResolvePipeline { Project = project, Pipeline = pipeline }, ct)).First;
}
