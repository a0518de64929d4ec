using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Files;
using Qualiz.Contracts.Plans;
using Qualiz.Pipelines.Model;
using Qualiz.Pipelines.Projects;
using Qualiz.Platform.Http;

namespace Qualiz.Pipelines.Authoring;

/// <param name="Version">The newest version's number; it is also the ETag.</param>
internal sealed record PipelineView(Guid Id, string Name, string? Owner, string? Description, int Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? ArchivedAt)
{
    public static PipelineView Of(Pipeline pipeline) =>
        new(pipeline.Id, pipeline.Name, pipeline.Owner, pipeline.Description, pipeline.Latest, pipeline.CreatedAt, pipeline.UpdatedAt, pipeline.ArchivedAt);
}

internal sealed record VersionView(Guid Id, string Pipeline, int Version, string FileName, DateTimeOffset CreatedAt, string CreatedBy);

/// <param name="Text">As authored.</param>
/// <param name="Plan">What the run engine makes of it.</param>
internal sealed record VersionDetail(Guid Id, string Pipeline, int Version, string FileName, DateTimeOffset CreatedAt, string CreatedBy, string Text, PipelinePlan Plan);

/// <param name="Changed">False when the text was that of the newest version already: nothing was saved.</param>
/// <param name="Warnings">What does not stand in the way but may surprise.</param>
internal sealed record SavedPipeline(Guid Id, string Name, int Version, Guid VersionId, bool Changed, IReadOnlyList<ApiError> Warnings);

/// <param name="Plan">Null when there is any error.</param>
/// <param name="Steps">Which steps were held against the columns that they will meet, which were not and why, and what they give.</param>
internal sealed record Validation(bool Valid, IReadOnlyList<ApiError> Problems, PipelinePlan? Plan, IReadOnlyList<StepCheck> Steps);

internal static class PipelineEndpoints
{
    private const string DefaultFileName = "pipeline.yaml";

    public static void MapPipelineFiles(this IEndpointRouteBuilder project)
    {
        var pipelines = project.MapGroup("/pipelines").WithTags("Pipelines");
        pipelines.MapPost("/validate", ValidateAsync).WithName("validatePipeline").WithSummary("Checks a pipeline file without saving it")
            .Accepts<string>("application/yaml", "application/x-yaml", "text/yaml", "application/json", "text/plain");
        pipelines.MapGet("", ListAsync).WithName("listPipelines").WithSummary("The project's pipelines, by name; with archived=true the archived ones");
        pipelines.MapPut("/{pipeline}", SaveAsync).WithName("savePipeline").WithSummary("Saves a pipeline file as the next version; the same text again changes nothing")
            .Accepts<string>("application/yaml", "application/x-yaml", "text/yaml", "application/json", "text/plain")
            .ProducesProblem(StatusCodes.Status412PreconditionFailed).ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status428PreconditionRequired);
        pipelines.MapGet("/{pipeline}", GetAsync).WithName("getPipeline").WithSummary("One pipeline; its ETag is what a change names in If-Match");
        pipelines.MapGet("/{pipeline}/text", LatestTextAsync).WithName("getPipelineText").WithSummary("The newest version as authored").Produces<string>(contentType: "application/yaml");
        pipelines.MapGet("/{pipeline}/versions", VersionsAsync).WithName("listPipelineVersions").WithSummary("All versions, newest first");
        pipelines.MapGet("/{pipeline}/versions/{version:int}", VersionAsync).WithName("getPipelineVersion").WithSummary("One version with its text and plan");
        pipelines.MapGet("/{pipeline}/versions/{version:int}/text", TextAsync).WithName("getPipelineVersionText").WithSummary("One version as authored").Produces<string>(contentType: "application/yaml");
    }

    private static async Task<Ok<Validation>> ValidateAsync(
        HttpRequest request, PipelineChecker checker, CurrentProject project, CancellationToken ct, string? file = null)
    {
        var found = await checker.CheckAsync(project.Id, null, await ReadTextAsync(request, ct), FileName(file, null), ct);
        return TypedResults.Ok(new Validation(found.Result.Plan is not null, [.. found.Result.Problems.Select(problem => problem.ToApiError())], found.Result.Plan, found.Steps));
    }

    private static async Task<Results<Ok<SavedPipeline>, Created<SavedPipeline>, ProblemHttpResult>> SaveAsync(
        string pipeline, HttpRequest request, HttpResponse response, PipelineWriter writer, CurrentProject project, CancellationToken ct, string? file = null)
    {
        if (!Names.IsName(pipeline))
            return ApiProblem.Invalid($"\"{pipeline}\" is no name of a pipeline: a small letter, then small letters, digits, - and _, at most 63.");
        var saved = await writer.SaveAsync(project, pipeline, await ReadTextAsync(request, ct), FileName(file, pipeline), request, ct);
        response.SetETag(saved.Version.Number);
        var view = new SavedPipeline(saved.Pipeline.Id, pipeline, saved.Version.Number, saved.Version.Id, saved.IsNew, saved.Warnings);
        return saved is { IsNew: true, Version.Number: 1 }
            ? TypedResults.Created($"/api/v1/projects/{project.Slug}/pipelines/{pipeline}", view)
            : TypedResults.Ok(view);
    }

    private static async Task<Ok<Page<PipelineView>>> ListAsync(PageRequest page, PipelinesDb db, CurrentProject project, CancellationToken ct, bool archived = false)
    {
        var query = db.Pipelines.AsNoTracking().Where(pipeline => pipeline.ProjectId == project.Id && pipeline.ArchivedAt != null == archived);
        if (page.TryGetAfter<string>(out var after))
            query = query.Where(pipeline => pipeline.Name.CompareTo(after) > 0);
        var found = await query.OrderBy(pipeline => pipeline.Name).Take(page.Limit + 1).ToListAsync(ct);
        return TypedResults.Ok(Page.Of([.. found.Select(PipelineView.Of)], page, pipeline => pipeline.Name));
    }

    private static async Task<Results<Ok<PipelineView>, ProblemHttpResult>> GetAsync(
        string pipeline, PipelinesDb db, CurrentProject project, HttpResponse response, CancellationToken ct)
    {
        if (await FindAsync(db, project, pipeline, ct) is not { } found)
            return ApiProblem.NotFound("pipeline", pipeline);
        response.SetETag(found.Latest);
        return TypedResults.Ok(PipelineView.Of(found));
    }

    private static async Task<Results<Ok<Page<VersionView>>, ProblemHttpResult>> VersionsAsync(
        string pipeline, PageRequest page, PipelinesDb db, CurrentProject project, CancellationToken ct)
    {
        if (await FindAsync(db, project, pipeline, ct) is not { } owner)
            return ApiProblem.NotFound("pipeline", pipeline);
        var query = db.Versions.Where(version => version.PipelineId == owner.Id);
        if (page.TryGetAfter<int>(out var after))
            query = query.Where(version => version.Number < after);
        var found = await query.OrderByDescending(version => version.Number).Take(page.Limit + 1)
            .Select(version => new VersionView(version.Id, pipeline, version.Number, version.FileName, version.CreatedAt, version.CreatedBy)).ToListAsync(ct);
        return TypedResults.Ok(Page.Of(found, page, version => version.Version));
    }

    private static async Task<Results<Ok<VersionDetail>, ProblemHttpResult>> VersionAsync(
        string pipeline, int version, PipelinesDb db, CurrentProject project, CancellationToken ct) =>
        await FindVersionAsync(db, project, pipeline, version, ct) is { } found
            ? TypedResults.Ok(new VersionDetail(found.Id, pipeline, found.Number, found.FileName, found.CreatedAt, found.CreatedBy, found.Text, found.Plan))
            : ApiProblem.NotFound("version", $"{pipeline}@{version}");

    private static Task<IResult> LatestTextAsync(string pipeline, PipelinesDb db, CurrentProject project, HttpContext http, CancellationToken ct) =>
        AnswerTextAsync(pipeline, null, db, project, http, ct);

    private static Task<IResult> TextAsync(string pipeline, int version, PipelinesDb db, CurrentProject project, HttpContext http, CancellationToken ct) =>
        AnswerTextAsync(pipeline, version, db, project, http, ct);

    private static async Task<IResult> AnswerTextAsync(string pipeline, int? version, PipelinesDb db, CurrentProject project, HttpContext http, CancellationToken ct)
    {
        if (await FindVersionAsync(db, project, pipeline, version, ct) is not { } found)
            return ApiProblem.NotFound(version is null ? "pipeline" : "version", version is null ? pipeline : $"{pipeline}@{version}");
        http.Response.SetETag(found.Number);
        if (http.Request.HasCurrent(found.Number))
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        var type = found.Text.AsSpan().TrimStart().StartsWith("{") ? "application/json" : "application/yaml";
        return TypedResults.Text(found.Text, type, Encoding.UTF8);
    }

    private static Task<Pipeline?> FindAsync(PipelinesDb db, CurrentProject project, string name, CancellationToken ct) =>
        db.Pipelines.AsNoTracking().FirstOrDefaultAsync(pipeline => pipeline.ProjectId == project.Id && pipeline.Name == name, ct);

    /// <param name="number">Null: the newest.</param>
    private static Task<PipelineVersion?> FindVersionAsync(PipelinesDb db, CurrentProject project, string name, int? number, CancellationToken ct) => (
        from pipeline in db.Pipelines
        join version in db.Versions on pipeline.Id equals version.PipelineId
        where pipeline.ProjectId == project.Id && pipeline.Name == name && version.Number == (number ?? pipeline.Latest)
        select version).AsNoTracking().FirstOrDefaultAsync(ct);

    /// <summary>Only for messages: what the file is called where it was written.</summary>
    private static string FileName(string? given, string? pipeline) =>
        given is { Length: > 0 and <= 200 } && !given.Any(char.IsControl) ? Path.GetFileName(given) : pipeline is null ? DefaultFileName : $"{pipeline}.yaml";

    private static async Task<string> ReadTextAsync(HttpRequest request, CancellationToken ct)
    {
        // A character takes up to four bytes; the reader of the file has the limit in characters.
        const int mostBytes = 4_000_000;
        if (request.ContentLength > mostBytes)
            throw TooLarge();
        using var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(buffer, ct)) > 0;)
        {
            if (bytes.Length + read > mostBytes)
                throw TooLarge();
            bytes.Write(buffer, 0, read);
        }

        try
        {
            // Bytes that are no UTF-8 must not be stored as question marks.
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
            return text.Contains('\0', StringComparison.Ordinal)
                ? throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "A pipeline file is text; this holds a zero character.")
                : text;
        }
        catch (DecoderFallbackException)
        {
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "A pipeline file is UTF-8 text; this is not.");
        }

        static ApiException TooLarge() => new(StatusCodes.Status413PayloadTooLarge, "tooLarge", "A pipeline file has at most 4 MB.");
    }
}
