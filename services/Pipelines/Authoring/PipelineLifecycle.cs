using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Pipelines.Model;
using Qualiz.Pipelines.Projects;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;

namespace Qualiz.Pipelines.Authoring;

/// <summary>Archives, restores and deletes pipelines. Runs that go on are not touched: they follow a version, and versions stay.</summary>
internal static class PipelineLifecycle
{
    public static void MapPipelineLifecycle(this IEndpointRouteBuilder project)
    {
        var pipelines = project.MapGroup("/pipelines").WithTags("Pipelines");
        pipelines.MapPost("/{pipeline}/archive", ArchiveAsync).WithName("archivePipeline").WithSummary("Keeps it as it is: no run of it starts until it is restored");
        pipelines.MapPost("/{pipeline}/restore", RestoreAsync).WithName("restorePipeline").WithSummary("Takes it out of the archive");
        pipelines.MapDelete("/{pipeline}", DeleteAsync).WithName("deletePipeline").WithSummary("Deletes a pipeline for good; what its runs published stays")
            .ProducesProblem(StatusCodes.Status412PreconditionFailed);
    }

    private static Task<Results<Ok<PipelineView>, ProblemHttpResult>> ArchiveAsync(
        string pipeline, IUnitOfWork<PipelinesDb> work, CurrentProject project, TimeProvider time, HttpContext http, CancellationToken ct) =>
        ChangeAsync(pipeline, work, project, time, http, found =>
        {
            if (found.ArchivedAt is not null)
                return null;
            found.ArchivedAt = time.GetUtcNow();
            return new PipelineArchived { Project = project.Slug, Pipeline = found.Name, PipelineId = found.Id };
        }, ct);

    private static Task<Results<Ok<PipelineView>, ProblemHttpResult>> RestoreAsync(
        string pipeline, IUnitOfWork<PipelinesDb> work, CurrentProject project, TimeProvider time, HttpContext http, CancellationToken ct) =>
        ChangeAsync(pipeline, work, project, time, http, found =>
        {
            if (found.ArchivedAt is null)
                return null;
            found.ArchivedAt = null;
            return new PipelineRestored { Project = project.Slug, Pipeline = found.Name, PipelineId = found.Id };
        }, ct);

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string pipeline, IUnitOfWork<PipelinesDb> work, CurrentProject project, TimeProvider time, HttpContext http, CancellationToken ct)
    {
        await work.BeginAsync(ct);
        if (await LockAsync(work, project, pipeline, ct) is not { } found)
            return ApiProblem.NotFound("pipeline", pipeline);
        http.Request.CheckIfMatch(found.Latest, required: false);
        found.DeletedAt = time.GetUtcNow();
        Publish(work, project, new PipelineDeleted { Project = project.Slug, Pipeline = found.Name, PipelineId = found.Id }, time, http);
        await work.CommitAsync(ct);
        return TypedResults.NoContent();
    }

    /// <param name="change">The event that says what was done, or null when there is nothing to do.</param>
    private static async Task<Results<Ok<PipelineView>, ProblemHttpResult>> ChangeAsync(
        string name, IUnitOfWork<PipelinesDb> work, CurrentProject project, TimeProvider time, HttpContext http, Func<Pipeline, EventRecord?> change, CancellationToken ct)
    {
        await work.BeginAsync(ct);
        if (await LockAsync(work, project, name, ct) is not { } found)
            return ApiProblem.NotFound("pipeline", name);
        if (change(found) is { } happened)
        {
            Publish(work, project, happened, time, http);
            await work.CommitAsync(ct);
        }

        http.Response.SetETag(found.Latest);
        return TypedResults.Ok(PipelineView.Of(found));
    }

    private static async Task<Pipeline?> LockAsync(IUnitOfWork<PipelinesDb> work, CurrentProject project, string name, CancellationToken ct) =>
        (await work.Db.Pipelines.FromSql($"select * from pipelines.pipeline where project_id = {project.Id} and name = {name} and deleted_at is null for update")
            .IgnoreQueryFilters().ToListAsync(ct)).SingleOrDefault();

    private static void Publish(IUnitOfWork<PipelinesDb> work, CurrentProject project, EventRecord happened, TimeProvider time, HttpContext http) =>
        work.Outbox.Publish(happened with { Id = Guid.CreateVersion7(), OccurredAt = time.GetUtcNow(), ProjectId = project.Id, Actor = http.Actor() });
}
