using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Qualiz.Contracts.Files;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Pipelines.Model;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;

namespace Qualiz.Pipelines.Projects;

/// <param name="Slug">The project's name in addresses: small letters, digits, - and _. It can never be changed.</param>
/// <param name="TimeZone">In which days and schedules count, e.g. <c>Europe/Oslo</c>; UTC when left out.</param>
internal sealed record CreateProject(string Slug, string? Name = null, string? Description = null, string? TimeZone = null);

internal sealed record ProjectView(Guid Id, string Slug, string Name, string? Description, string TimeZone, DateTimeOffset CreatedAt, string CreatedBy, DateTimeOffset? ArchivedAt)
{
    public static ProjectView Of(Project project) =>
        new(project.Id, project.Slug, project.Name, project.Description, project.TimeZone, project.CreatedAt, project.CreatedBy, project.ArchivedAt);
}

internal static class ProjectEndpoints
{
    public static void MapProjects(this IEndpointRouteBuilder api)
    {
        var projects = api.MapGroup("/projects").WithTags("Projects");
        projects.MapPost("", CreateAsync).WithName("createProject").WithSummary("Creates a project");
        projects.MapGet("", ListAsync).WithName("listProjects").WithSummary("All projects, by slug; with archived=true the archived ones");
        projects.MapProjectLifecycle();
        projects.MapGet("/{project}", GetAsync).WithName("getProject").WithSummary("One project; its ETag is what a change names in If-Match");
    }

    private static async Task<Results<Created<ProjectView>, ProblemHttpResult>> CreateAsync(
        CreateProject body, IUnitOfWork<PipelinesDb> work, TimeProvider time, HttpContext http, CancellationToken ct)
    {
        var errors = Problems(body.Name, body.Description, body.TimeZone);
        if (!Names.IsName(body.Slug))
            errors.Insert(0, new ApiError("should be a small letter, then small letters, digits, - and _, at most 63", "slug"));
        else if (body.Slug == Names.Exports)
            errors.Insert(0, new ApiError("is the folder of the object store that all projects deliver to; take another slug", "slug"));
        if (errors.Count > 0)
            return ApiProblem.Invalid("The project cannot be created like this.", errors);

        var project = new Project
        {
            Id = Guid.CreateVersion7(),
            Slug = body.Slug,
            Name = body.Name ?? body.Slug,
            Description = body.Description,
            TimeZone = body.TimeZone ?? "UTC",
            CreatedAt = time.GetUtcNow(),
            CreatedBy = http.Actor(),
        };
        work.Db.Projects.Add(project);
        work.Outbox.Publish(new ProjectCreated { Id = Guid.CreateVersion7(), OccurredAt = project.CreatedAt, ProjectId = project.Id, Actor = project.CreatedBy, Project = project.Slug });
        try
        {
            await work.CommitAsync(ct);
        }
        catch (DbUpdateException exception) when (exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return ApiProblem.Conflict("slugTaken", $"There is, or was, a project \"{body.Slug}\"; take another slug.");
        }

        return TypedResults.Created($"/api/v1/projects/{project.Slug}", ProjectView.Of(project));
    }

    /// <summary>What is wrong with what people say of a project; null is fine.</summary>
    internal static List<ApiError> Problems(string? name, string? description, string? timeZone)
    {
        var errors = new List<ApiError>();
        if (name is { Length: 0 or > 200 })
            errors.Add(new ApiError("should have 1 to 200 characters", "name"));
        if (description is { Length: > 2000 })
            errors.Add(new ApiError("should have at most 2000 characters", "description"));
        if (timeZone is not null && !TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out _))
            errors.Add(new ApiError("is no time zone; write it like Europe/Oslo", "timeZone"));
        return errors;
    }

    private static async Task<Ok<Page<ProjectView>>> ListAsync(PageRequest page, PipelinesDb db, CancellationToken ct, bool archived = false)
    {
        var query = db.Projects.AsNoTracking().Where(project => project.ArchivedAt != null == archived);
        if (page.TryGetAfter<string>(out var after))
            query = query.Where(project => project.Slug.CompareTo(after) > 0);
        var found = await query.OrderBy(project => project.Slug).Take(page.Limit + 1).ToListAsync(ct);
        return TypedResults.Ok(Page.Of([.. found.Select(ProjectView.Of)], page, project => project.Slug));
    }

    private static async Task<Results<Ok<ProjectView>, ProblemHttpResult>> GetAsync(string project, PipelinesDb db, HttpResponse response, CancellationToken ct)
    {
        if (await db.Projects.AsNoTracking().FirstOrDefaultAsync(candidate => candidate.Slug == project, ct) is not { } found)
            return ApiProblem.NotFound("project", project);
        response.SetETag(ProjectLifecycle.Tag(found));
        return TypedResults.Ok(ProjectView.Of(found));
    }
}

/// <summary>The project in the address of this request.</summary>
internal sealed class CurrentProject
{
    public Guid Id { get; set; }
    public string Slug { get; set; } = "";
}

/// <summary>Answers 404 for projects that are not there, before anything else is done.</summary>
internal sealed class ProjectFilter : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var slug = (string)http.Request.RouteValues["project"]!;
        var db = http.RequestServices.GetRequiredService<PipelinesDb>();
        var found = await db.Projects.Where(project => project.Slug == slug).Select(project => new { project.Id, project.ArchivedAt }).FirstOrDefaultAsync(http.RequestAborted);
        if (found is null)
            return ApiProblem.NotFound("project", slug);
        if (found.ArchivedAt is not null && !HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
            return ApiProblem.Conflict("archived", $"The project \"{slug}\" is archived; restore it to change it.");
        var current = http.RequestServices.GetRequiredService<CurrentProject>();
        (current.Id, current.Slug) = (found.Id, slug);
        return await next(context);
    }
}
