using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Pipelines.Model;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;

namespace Qualiz.Pipelines.Projects;

/// <summary>What is left out stays as it is.</summary>
internal sealed record EditProject(string? Name = null, string? Description = null, string? TimeZone = null);

/// <summary>Edits, archives, restores and deletes projects.</summary>
internal static class ProjectLifecycle
{
    public static void MapProjectLifecycle(this IEndpointRouteBuilder projects)
    {
        projects.MapPatch("/{project}", EditAsync).WithName("editProject").WithSummary("Changes name, description or time zone")
            .ProducesProblem(StatusCodes.Status412PreconditionFailed).ProducesProblem(StatusCodes.Status428PreconditionRequired);
        projects.MapPost("/{project}/archive", ArchiveAsync).WithName("archiveProject").WithSummary("Keeps it as it is: nothing in it starts or changes until it is restored");
        projects.MapPost("/{project}/restore", RestoreAsync).WithName("restoreProject").WithSummary("Takes it out of the archive");
        projects.MapDelete("/{project}", DeleteAsync).WithName("deleteProject")
            .WithSummary("Deletes a project for good, with its connections at once and its data with the next collection; ?confirm= repeats its slug");
    }

    /// <summary>Of what people edit.</summary>
    public static string Tag(Project project) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        JsonSerializer.Serialize(new { project.Id, project.Name, project.Description, project.TimeZone, project.ArchivedAt }))))[..16];

    private static Task<Results<Ok<ProjectView>, ProblemHttpResult>> EditAsync(
        string project, EditProject body, IUnitOfWork<PipelinesDb> work, TimeProvider time, HttpContext http, CancellationToken ct) =>
        ChangeAsync(project, work, time, http, found =>
        {
            if (ProjectEndpoints.Problems(body.Name, body.Description, body.TimeZone) is { Count: > 0 } errors)
                return (ApiProblem.Invalid("The project cannot be changed like this.", errors), null);
            http.Request.CheckIfMatch(Tag(found));
            if (found.ArchivedAt is not null)
                return (Archived(found), null);
            found.Name = body.Name ?? found.Name;
            found.Description = body.Description ?? found.Description;
            found.TimeZone = body.TimeZone ?? found.TimeZone;
            return (null, new ProjectEdited { Project = found.Slug });
        }, ct);

    private static Task<Results<Ok<ProjectView>, ProblemHttpResult>> ArchiveAsync(
        string project, IUnitOfWork<PipelinesDb> work, TimeProvider time, HttpContext http, CancellationToken ct) =>
        ChangeAsync(project, work, time, http, found =>
        {
            if (found.ArchivedAt is not null)
                return default;
            found.ArchivedAt = time.GetUtcNow();
            return (null, new ProjectArchived { Project = found.Slug });
        }, ct);

    private static Task<Results<Ok<ProjectView>, ProblemHttpResult>> RestoreAsync(
        string project, IUnitOfWork<PipelinesDb> work, TimeProvider time, HttpContext http, CancellationToken ct) =>
        ChangeAsync(project, work, time, http, found =>
        {
            if (found.ArchivedAt is null)
                return default;
            found.ArchivedAt = null;
            return (null, new ProjectRestored { Project = found.Slug });
        }, ct);

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string project, IUnitOfWork<PipelinesDb> work, TimeProvider time, HttpContext http, CancellationToken ct, string? confirm = null)
    {
        if (confirm != project)
            return ApiProblem.BadRequest($"Deleting a project cannot be undone; repeat its slug: ?confirm={project}", [new ApiError("should repeat the project's slug", "confirm")]);
        await work.BeginAsync(ct);
        if (await LockAsync(work, project, ct) is not { } found)
            return ApiProblem.NotFound("project", project);
        // Nobody can ask for the secrets any more, so they go now.
        await work.Db.Connections.Where(connection => connection.ProjectId == found.Id).ExecuteDeleteAsync(ct);
        found.DeletedAt = time.GetUtcNow();
        Publish(work, found, new ProjectDeleted { Project = found.Slug }, time, http);
        await work.CommitAsync(ct);
        return TypedResults.NoContent();
    }

    /// <param name="change">What hinders it, or the event that says what was done; neither when there is nothing to do.</param>
    private static async Task<Results<Ok<ProjectView>, ProblemHttpResult>> ChangeAsync(
        string slug, IUnitOfWork<PipelinesDb> work, TimeProvider time, HttpContext http, Func<Project, (ProblemHttpResult? Problem, EventRecord? Happened)> change, CancellationToken ct)
    {
        await work.BeginAsync(ct);
        if (await LockAsync(work, slug, ct) is not { } found)
            return ApiProblem.NotFound("project", slug);
        var (problem, happened) = change(found);
        if (problem is not null)
            return problem;
        if (happened is not null)
        {
            Publish(work, found, happened, time, http);
            await work.CommitAsync(ct);
        }

        http.Response.SetETag(Tag(found));
        return TypedResults.Ok(ProjectView.Of(found));
    }

    private static async Task<Project?> LockAsync(IUnitOfWork<PipelinesDb> work, string slug, CancellationToken ct) =>
        (await work.Db.Projects.FromSql($"select * from pipelines.project where slug = {slug} and deleted_at is null for update")
            .IgnoreQueryFilters().ToListAsync(ct)).SingleOrDefault();

    private static void Publish(IUnitOfWork<PipelinesDb> work, Project project, EventRecord happened, TimeProvider time, HttpContext http) =>
        work.Outbox.Publish(happened with { Id = Guid.CreateVersion7(), OccurredAt = time.GetUtcNow(), ProjectId = project.Id, Actor = http.Actor() });

    private static ProblemHttpResult Archived(Project project) =>
        ApiProblem.Conflict("archived", $"The project \"{project.Slug}\" is archived; restore it to change it.");
}
