using Dapper;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Datasets.Catalogue;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Model;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;

namespace Qualiz.Datasets.Retention;

/// <param name="MeasuredAt">When a collection or a preview last looked; null: never.</param>
internal sealed record StorageView(DateTime? MeasuredAt, long Files, long Bytes, IReadOnlyList<StorageLine> Lines);

internal static class RetentionEndpoints
{
    public static void MapRetention(this IEndpointRouteBuilder project)
    {
        project.MapGet("/retention/preview", Preview).WithTags("Retention").WithName("previewRetention").WithSummary("What a collection would remove now, and what it would keep");
        project.MapPost("/retention/run", Run).WithTags("Retention").WithName("runRetention").WithSummary("Removes now what is too old or too many").ProducesProblem(StatusCodes.Status409Conflict);
        project.MapGet("/storage", Storage).WithTags("Retention").WithName("getStorage").WithSummary("Bytes by pipeline and step, as last measured");
        var pin = project.MapGroup("/datasets/{name}/versions/{version}/pin").WithTags("Datasets");
        pin.MapPut("", Pin).WithName("pinDatasetVersion").WithSummary("Keeps a version, however many follow it").ProducesProblem(404).ProducesProblem(409);
        pin.MapDelete("", Unpin).WithName("unpinDatasetVersion").WithSummary("Leaves a version to retention again").ProducesProblem(404);
    }

    private static async Task<Ok<RetentionReport>> Preview(CurrentProject project, IRequests requests, Collector collector, CancellationToken ct) =>
        TypedResults.Ok((await collector.CollectAsync(await ListedAsync(project, requests, ct), preview: true, ct))!);

    private static async Task<Results<Ok<RetentionReport>, ProblemHttpResult>> Run(CurrentProject project, IRequests requests, Collector collector, CancellationToken ct) =>
        await collector.CollectAsync(await ListedAsync(project, requests, ct), preview: false, ct) is { } report
            ? TypedResults.Ok(report)
            : ApiProblem.Conflict("collecting", "A collection is under way already; try again when it is done.");

    private static async Task<Ok<StorageView>> Storage(CurrentProject project, [FromKeyedServices(DatasetsModule.Service)] NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var lines = (await connection.QueryAsync<StorageLine>(new CommandDefinition(
            "select kind, pipeline, step, files, bytes from datasets.storage_usage where project = @Slug order by bytes desc, pipeline, step", new { project.Slug }, cancellationToken: ct))).ToList();
        var at = await connection.ExecuteScalarAsync<DateTime?>(new CommandDefinition("select max(measured_at) from datasets.storage_usage where project = @Slug", new { project.Slug }, cancellationToken: ct));
        return TypedResults.Ok(new StorageView(at, lines.Sum(line => line.Files), lines.Sum(line => line.Bytes), lines));
    }

    private static Task<Results<NoContent, ProblemHttpResult>> Pin(
        string name, string version, CurrentProject project, CatalogueQueries catalogue, IUnitOfWork<DatasetsDb> work, TimeProvider time, HttpContext http, CancellationToken ct) =>
        PinAsync(name, version, pin: true, project, catalogue, work, time, http, ct);

    private static Task<Results<NoContent, ProblemHttpResult>> Unpin(
        string name, string version, CurrentProject project, CatalogueQueries catalogue, IUnitOfWork<DatasetsDb> work, TimeProvider time, HttpContext http, CancellationToken ct) =>
        PinAsync(name, version, pin: false, project, catalogue, work, time, http, ct);

    private static async Task<Results<NoContent, ProblemHttpResult>> PinAsync(
        string name, string version, bool pin, CurrentProject project, CatalogueQueries catalogue, IUnitOfWork<DatasetsDb> work, TimeProvider time, HttpContext http, CancellationToken ct)
    {
        var found = await catalogue.VersionAsync(name, version, ct);
        await work.BeginAsync(ct);
        var (id, number, now, actor) = (found.DatasetId, found.Number, time.GetUtcNow(), http.Actor());
        var changed = await work.Db.Versions
            .Where(row => row.DatasetId == id && row.Number == number && row.RemovedAt == null && row.PinnedAt != null != pin)
            .ExecuteUpdateAsync(row => row.SetProperty(v => v.PinnedAt, pin ? now : null).SetProperty(v => v.PinnedBy, pin ? actor : null), ct);
        if (changed == 0)
        {
            return pin && await work.Db.Versions.AnyAsync(row => row.DatasetId == id && row.Number == number && row.RemovedAt != null, ct)
                ? ApiProblem.Conflict("collected", "This version has been removed already (retention); there is nothing to keep.")
                : TypedResults.NoContent();
        }
        work.Outbox.Publish(new DatasetVersionPinned
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = now,
            ProjectId = project.Id,
            Actor = actor,
            Project = project.Slug,
            Dataset = name,
            Version = number,
            Pinned = pin,
        });
        await work.CommitAsync(ct);
        return TypedResults.NoContent();
    }

    /// <summary>The project in the address, with what of it is deleted.</summary>
    private static async Task<ListedProject> ListedAsync(CurrentProject project, IRequests requests, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        for (string? after = null; ;)
        {
            var page = await requests.AskAsync<ProjectsListed>(Queues.PipelineRequests, new ListProjects { After = after }, limit.Token);
            if (page.Projects.FirstOrDefault(listed => listed.Project == project.Slug) is { } found)
                return found;
            if (!page.More || page.Projects.Count == 0)
                return new ListedProject(project.Id, project.Slug, false, []);
            after = page.Projects[^1].Project;
        }
    }
}
