using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Model;
using Qualiz.Datasets.Uploads;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Catalogue;

internal static partial class CatalogueEndpoints
{
    private const int LongestText = 4000;

    public static void MapCatalogue(this IEndpointRouteBuilder project)
    {
        var datasets = project.MapGroup("/datasets").WithTags("Datasets");
        datasets.MapGet("", List).WithName("listDatasets").WithSummary("Named datasets, by name");
        datasets.MapGet("/{name}", Get).WithName("getDataset").WithSummary("One dataset and its latest version").ProducesProblem(404);
        datasets.MapPatch("/{name}", Edit).WithName("editDataset").WithSummary("Change owner and description").ProducesProblem(412);
        datasets.MapGet("/{name}/versions", Versions).WithName("listDatasetVersions").WithSummary("Versions, newest first").ProducesProblem(404);
        datasets.MapGet("/{name}/versions/{version}", Version).WithName("getDatasetVersion").WithSummary("One version (a number, or latest)").ProducesProblem(404);
        datasets.MapPost("/{name}/versions", Add).WithName("addDatasetVersion").WithSummary("Make an upload of reference data the next version");
    }

    private static async Task<Page<DatasetView>> List(PageRequest page, string? search, CurrentProject project, DatasetsDb db, CancellationToken ct)
    {
        var query = db.Datasets.AsNoTracking().Where(dataset => dataset.Project == project.Slug);
        if (!string.IsNullOrWhiteSpace(search))
            query = query.Where(dataset => dataset.Name.Contains(search) || dataset.Description!.Contains(search));
        if (page.TryGetAfter<string>(out var last))
        {
#pragma warning disable CA1309 // It becomes SQL: the order is the database's, here as in the ORDER BY.
            query = query.Where(dataset => string.Compare(dataset.Name, last) > 0);
#pragma warning restore CA1309
        }
        var found = await query.OrderBy(dataset => dataset.Name)
            .Select(dataset => new
            {
                dataset,
                // Not the content: it lists every file.
                latest = db.Versions.Where(version => version.DatasetId == dataset.Id && version.Number == dataset.Latest)
                    .Select(version => new VersionView(
                        version.Number, version.CreatedAt, version.Actor, version.RunId, version.StepId, version.UploadId, version.Rows, version.Bytes, version.Quality, version.RemovedAt, version.PinnedAt))
                    .SingleOrDefault(),
            })
            .Take(page.Limit + 1).ToListAsync(ct);
        return Page.Of([.. found.Select(row => DatasetView.Of(row.dataset, row.latest))], page, dataset => dataset.Name);
    }

    private static async Task<Ok<DatasetView>> Get(string name, HttpContext http, CatalogueQueries catalogue, CancellationToken ct)
    {
        var dataset = await catalogue.DatasetAsync(name, ct);
        var latest = dataset.Latest == 0 ? null : VersionView.Of(await catalogue.VersionAsync(name, "latest", ct));
        http.Response.SetETag(Tag(dataset));
        return TypedResults.Ok(DatasetView.Of(dataset, latest));
    }

    private static async Task<Results<Ok<DatasetView>, ProblemHttpResult>> Edit(
        string name, EditDataset edit, HttpContext http, CurrentProject project, IUnitOfWork<DatasetsDb> work, CatalogueQueries catalogue, CancellationToken ct)
    {
        if (edit.Owner?.Length > LongestText || edit.Description?.Length > LongestText)
            return ApiProblem.Invalid($"Owner and description have at most {LongestText} characters.");
        await work.BeginAsync(ct);
        var dataset = await work.Db.Datasets
            .FromSql($"select *, xmin from datasets.dataset where project = {project.Slug} and name = {name} for update").SingleOrDefaultAsync(ct)
            ?? await catalogue.DatasetAsync(name, ct);
        http.Request.CheckIfMatch(Tag(dataset));
        dataset.Owner = edit.Owner;
        dataset.Description = edit.Description;
        await work.CommitAsync(ct);
        http.Response.SetETag(Tag(dataset));
        var latest = dataset.Latest == 0 ? null : VersionView.Of(await catalogue.VersionAsync(name, "latest", ct));
        return TypedResults.Ok(DatasetView.Of(dataset, latest));
    }

    private static async Task<Page<VersionView>> Versions(
        string name, PageRequest page, CatalogueQueries catalogue, DatasetsDb db, CancellationToken ct)
    {
        var dataset = await catalogue.DatasetAsync(name, ct);
        var query = db.Versions.AsNoTracking().Where(version => version.DatasetId == dataset.Id);
        if (page.TryGetAfter<int>(out var last))
            query = query.Where(version => version.Number < last);
        var found = await query.OrderByDescending(version => version.Number)
            .Select(version => new VersionView(
                version.Number, version.CreatedAt, version.Actor, version.RunId, version.StepId, version.UploadId, version.Rows, version.Bytes, version.Quality, version.RemovedAt, version.PinnedAt))
            .Take(page.Limit + 1).ToListAsync(ct);
        return Page.Of(found, page, version => version.Version);
    }

    private static async Task<Ok<VersionDetail>> Version(string name, string version, CatalogueQueries catalogue, CancellationToken ct)
    {
        var found = await catalogue.VersionAsync(name, version, ct);
        return TypedResults.Ok(new VersionDetail(VersionView.Of(found), found.Content.Schema));
    }

    private static async Task<Results<Created<VersionView>, ProblemHttpResult>> Add(
        string name, AddVersion body, HttpContext http, CurrentProject project, DatasetsDb db, ReferenceImport import, CancellationToken ct)
    {
        if (!DatasetName().IsMatch(name))
            return ApiProblem.Invalid("A dataset's name has lower-case letters, digits, \"-\" and \"_\", at most 63, and begins with a letter or digit.", [new ApiError("is no dataset name", "name")]);
        if (await UploadEndpoints.Find(db, project, body.Upload, ct) is not { } upload)
            return UploadEndpoints.Unknown(body.Upload);
        var added = await import.AddAsync(project, name, upload, body.Format, http.Actor(), ct);
        return TypedResults.Created($"/api/v1/projects/{project.Slug}/datasets/{name}/versions/{added.Number}", VersionView.Of(added));
    }

    /// <summary>Of what people edit; a new version does not spoil an edit under way.</summary>
    private static string Tag(Dataset dataset) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { dataset.Id, dataset.Owner, dataset.Description }))))[..16];

    [GeneratedRegex("^[a-z0-9][a-z0-9_-]{0,62}$", RegexOptions.NonBacktracking)]
    private static partial Regex DatasetName();
}
