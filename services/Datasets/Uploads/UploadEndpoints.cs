using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Model;
using Qualiz.Platform.Http;
using Qualiz.Platform.Storage;

namespace Qualiz.Datasets.Uploads;

internal sealed record UploadView(Guid Id, string Name, long Bytes, string Sha256, DateTimeOffset CreatedAt)
{
    public static UploadView Of(Upload upload) => new(upload.Id, upload.Name, upload.Bytes, upload.Sha256, upload.CreatedAt);
}

internal static class UploadEndpoints
{
    public static void MapUploads(this IEndpointRouteBuilder project)
    {
        var uploads = project.MapGroup("/uploads").WithTags("Uploads");
        uploads.MapPost("", Receive).WithName("receiveUpload").WithSummary("Send a file: as the body (its name in ?name=) or as the file of a form").DisableAntiforgery();
        uploads.MapGet("", List).WithName("listUploads").WithSummary("Uploads, newest first");
        uploads.MapGet("/{upload:guid}", Get).WithName("getUpload").WithSummary("One upload");
        uploads.MapGet("/{upload:guid}/content", Content).WithName("downloadUpload").WithSummary("The file as it was sent");
        uploads.MapDelete("/{upload:guid}", Delete).WithName("deleteUpload").WithSummary("Remove an upload and its file");
    }

    private static async Task<Results<Created<UploadView>, ProblemHttpResult>> Receive(
        HttpContext http, string? name, CurrentProject project, UploadFiles files, CancellationToken ct)
    {
        // Files have any size: they go through in pieces and are never held in memory.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;

        Stream file = http.Request.Body;
        var sent = NameIn(http.Request.Headers.ContentDisposition.ToString());
        if (MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
            if (string.IsNullOrEmpty(boundary) || await FileOf(new MultipartReader(boundary, http.Request.Body), ct) is not { } section)
                return ApiProblem.BadRequest("The form holds no file.");
            (file, sent) = (section.Body, NameIn(section.ContentDisposition));
        }
        if (FileName.Shown(name ?? sent) is not { } shown)
            return ApiProblem.BadRequest("The file has no usable name; give one, e.g. ?name=customers.csv.", [new ApiError("is missing or empty", "name")]);
        try
        {
            var upload = await files.ReceiveAsync(project, shown, file, http.Actor(), ct);
            return TypedResults.Created($"/api/v1/projects/{project.Slug}/uploads/{upload.Id}", UploadView.Of(upload));
        }
        catch (IOException torn) when (torn is not StoreUnavailableException and not BadHttpRequestException)
        {
            // A form that ends before its last boundary.
            return ApiProblem.BadRequest("The file did not arrive whole.");
        }
    }

    private static async Task<Page<UploadView>> List(PageRequest page, CurrentProject project, DatasetsDb db, CancellationToken ct)
    {
        var query = db.Uploads.AsNoTracking().Where(upload => upload.Project == project.Slug);
        if (page.TryGetAfter<Guid>(out var last))
            query = query.Where(upload => upload.Id < last);
        var found = await query.OrderByDescending(upload => upload.Id).Take(page.Limit + 1).ToListAsync(ct);
        return Page.Of([.. found.Select(UploadView.Of)], page, upload => upload.Id);
    }

    private static async Task<Results<Ok<UploadView>, ProblemHttpResult>> Get(Guid upload, CurrentProject project, DatasetsDb db, CancellationToken ct) =>
        await Find(db, project, upload, ct) is { } found ? TypedResults.Ok(UploadView.Of(found)) : Unknown(upload);

    private static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> Content(
        Guid upload, CurrentProject project, DatasetsDb db, IObjectStore store, CancellationToken ct)
    {
        if (await Find(db, project, upload, ct) is not { } found)
            return Unknown(upload);
        try
        {
            return TypedResults.Stream(await store.OpenReadAsync(found.Key, ct), "application/octet-stream", found.Name);
        }
        catch (FileNotFoundException)
        {
            return Unknown(upload);
        }
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(Guid upload, CurrentProject project, UploadFiles files, CancellationToken ct) =>
        await files.DeleteAsync(project, upload, ct) ? TypedResults.NoContent() : Unknown(upload);

    public static Task<Upload?> Find(DatasetsDb db, CurrentProject project, Guid id, CancellationToken ct) =>
        db.Uploads.AsNoTracking().SingleOrDefaultAsync(upload => upload.Project == project.Slug && upload.Id == id, ct);

    public static ProblemHttpResult Unknown(Guid upload) => ApiProblem.NotFound("upload", upload.ToString());

    /// <summary>The first section that is a file; what stands before it is passed over.</summary>
    private static async Task<MultipartSection?> FileOf(MultipartReader form, CancellationToken ct)
    {
        try
        {
            while (await form.ReadNextSectionAsync(ct) is { } section)
            {
                if (section.GetContentDispositionHeader() is { } disposition && disposition.IsFileDisposition())
                    return section;
            }
            return null;
        }
        catch (Exception error) when (error is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "The form cannot be read.");
        }
    }

    private static string? NameIn(string? disposition) =>
        ContentDispositionHeaderValue.TryParse(disposition, out var header)
            ? HeaderUtilities.RemoveQuotes(header.FileNameStar.HasValue ? header.FileNameStar : header.FileName).Value
            : null;
}
