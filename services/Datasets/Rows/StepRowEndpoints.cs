using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Datasets.Http;
using Qualiz.Engine.Clustering;
using Qualiz.Engine.Matching;
using Qualiz.Engine.Profiling;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Suggestions;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;

namespace Qualiz.Datasets.Rows;

/// <summary>What the steps of a run wrote. Runs knows where it is; the rows are read here.</summary>
internal static class StepRowEndpoints
{
    private const string Rejected = RejectedRows.Port;

    public static void MapStepRows(this IEndpointRouteBuilder project)
    {
        var step = project.MapGroup("/runs/{run:guid}/steps/{step}").WithTags("Runs");
        step.MapGet("/outputs/{port}/schema", Schema).WithName("getStepSchema").WithSummary("The columns of what a step wrote to a port").Produces<SchemaView>().ProducesProblem(404);
        step.MapGet("/outputs/{port}/profile", Profile).WithName("getStepProfile").WithSummary("What a step wrote to a port looks like, column by column").Produces<DatasetProfile>().ProducesProblem(404);
        step.MapGet("/outputs/{port}/suggestions", Suggestions).WithName("getStepSuggestions").WithSummary("Rules and checks that the rows of a step's output speak for, with the evidence; nothing is applied").Produces<SuggestionList>().ProducesProblem(404);
        step.MapGet("/outputs/{port}/columns/{column}/clusters", Clusters).WithName("getStepClusters").WithSummary("Values of a text column of a step's output that are probably spellings of one another").Produces<ValueClusters>().ProducesProblem(403).ProducesProblem(404);
        step.MapGet("/outputs/{port}/rows", Rows).WithName("listStepRows").WithSummary("What a step wrote to a port, page by page").ProducesProblem(404);
        step.MapGet("/outputs/{port}/download", Download).WithName("downloadStepOutput").WithSummary("What a step wrote to a port, as parquet, csv or jsonl").ProducesProblem(404);
        step.MapGet("/entities/{entity}", Entity).WithName("getStepEntity").WithSummary("Why some rows are one entity: what holds them together, what speaks against it, what was cut off and why; the entity by its id or by one of its rows (12, or crm:12)").Produces<EntityExplanation>().ProducesProblem(404).ProducesProblem(409);
        step.MapGet("/rejected", ListRejected).WithName("listRejectedRows").WithSummary("Rejected rows with all their reasons, page by page").ProducesProblem(404);
        step.MapGet("/rejected/download", DownloadRejected).WithName("downloadRejectedRows").WithSummary("Rejected rows as csv, jsonl or parquet").ProducesProblem(404);
    }

    private static async Task<IResult> Schema(Guid run, string step, string port, CurrentProject project, IRequests requests, CancellationToken ct) =>
        TypedResults.Ok(SchemaView.Of(await SourceAsync(requests, project, run, step, port, ct)));

    private static async Task<IResult> Profile(
        Guid run, string step, string port, [Description(DatasetRowEndpoints.DependenciesAsked)] bool? dependencies, HttpContext http, CurrentProject project, IRequests requests, RowAnswers answers, CancellationToken ct) =>
        port == Rejected
            ? throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "Rejected rows have no columns of their own to profile; look at them with their reasons.")
            : await answers.ProfileAsync(http, await SourceAsync(requests, project, run, step, port, ct), dependencies == true, ct);

    private static async Task<IResult> Suggestions(
        Guid run, string step, string port, [Description(DatasetRowEndpoints.SuggestionsUnmasked)] bool? unmask, HttpContext http, CurrentProject project, IRequests requests, RowAnswers answers, CancellationToken ct) =>
        port == Rejected
            ? throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "Rejected rows have no columns of their own; look at them with their reasons.")
            : await answers.SuggestionsAsync(http, await SourceAsync(requests, project, run, step, port, ct), unmask == true, ct);

    private static async Task<IResult> Clusters(
        Guid run, string step, string port, string column, [AsParameters] ClustersRequest request, HttpContext http, CurrentProject project, IRequests requests, RowAnswers answers, CancellationToken ct) =>
        port == Rejected
            ? throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "Rejected rows have no columns of their own; look at them with their reasons.")
            : await answers.ClustersAsync(http, await SourceAsync(requests, project, run, step, port, ct), column, request, ct);

    private static async Task<IResult> Rows(
        Guid run, string step, string port, [AsParameters] RowsRequest request, PageRequest page, HttpContext http, CurrentProject project, IRequests requests, RowAnswers answers, CancellationToken ct) =>
        port == Rejected
            ? await ListRejected(run, step, request, page, http, project, requests, answers, ct)
            : await SourceAsync(requests, project, run, step, port, ct) is var source && source.IsChangeLog
                ? await answers.PageAsync(http, source, request with { Hidden = request.Hidden ?? true }, page, ct)
                : await answers.PageAsync(http, source, Unfiltered(request), page, ct);

    private static async Task<IResult> Download(
        Guid run, string step, string port, [AsParameters] RowsRequest request, HttpContext http, CurrentProject project, IRequests requests, RowAnswers answers, CancellationToken ct) =>
        port == Rejected
            ? await DownloadRejected(run, step, request, http, project, requests, answers, ct)
            : await SourceAsync(requests, project, run, step, port, ct) is var source && source.IsChangeLog
                ? await answers.DownloadAsync(http, source, request with { Hidden = request.Hidden ?? true }, ct)
                : await answers.DownloadAsync(http, source, Unfiltered(request), ct);

    private static async Task<IResult> Entity(Guid run, string step, string entity, HttpContext http, CurrentProject project, IRequests requests, RowAnswers answers, CancellationToken ct) =>
        await answers.EntityAsync(http, await SourceAsync(requests, project, run, step, "members", ct), await SourceAsync(requests, project, run, step, "pairs", ct), entity, ct);

    // The hidden columns say which row of which source it was, so they are shown here.
    private static async Task<IResult> ListRejected(
        Guid run, string step, [AsParameters] RowsRequest request, PageRequest page, HttpContext http, CurrentProject project, IRequests requests, RowAnswers answers, CancellationToken ct) =>
        await answers.PageAsync(http, await SourceAsync(requests, project, run, step, Rejected, ct), request with { Hidden = request.Hidden ?? true }, page, ct);

    private static async Task<IResult> DownloadRejected(
        Guid run, string step, [AsParameters] RowsRequest request, HttpContext http, CurrentProject project, IRequests requests, RowAnswers answers, CancellationToken ct) =>
        await answers.DownloadAsync(
            http, await SourceAsync(requests, project, run, step, Rejected, ct), request with { Hidden = request.Hidden ?? true, Format = request.Format ?? "csv" }, ct);

    /// <summary>Only rejected rows have reasons, and only changed cells rules.</summary>
    private static RowsRequest Unfiltered(RowsRequest request) =>
        request.Rule is null && request.Column is null
            ? request
            : throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "\"rule\" and \"column\" choose among rejected rows, and among the cells of a change log, only.");

    private static async Task<RowSource> SourceAsync(IRequests requests, CurrentProject project, Guid run, string step, string port, CancellationToken ct)
    {
        var answer = await requests.AskForPersonAsync<StepOutputFound, StepOutputUnknown>(
            Queues.RunClaims, new GetStepOutput { Project = project.Slug, RunId = run, StepId = step, Port = port }, ct);
        if (answer.First is not { } found)
            throw new ApiException(StatusCodes.Status404NotFound, "notFound", answer.Second!.Message);
        if (found.Content.Files.Any(file => !file.Key.EndsWith(".parquet", StringComparison.Ordinal)))
            throw new ApiException(StatusCodes.Status409Conflict, "outputNotTabular", "This output is a file that was delivered, not a table.");

        var content = found.Content;
        RejectedMask? mask = null;
        if (port == Rejected)
        {
            // What is inside is masked value by value, so the JSON columns themselves need no mask.
            mask = RejectedMask.Of(content.Schema);
            content = content with { Schema = new DatasetSchema { Columns = [.. content.Schema.Columns.Select(column => column with { Sensitivity = null, Type = IsJson(column.Name) ? "json" : column.Type })] } };
        }
        return new RowSource
        {
            Content = content,
            Subject = $"run:{run}/{step}.{port}",
            FileName = $"{step}-{port}",
            Stamp = Stamp(content),
            MaskInside = mask,
            // Other operators may have a port of that name.
            IsChangeLog = port == ChangeLog.Port && ChangeLog.Schema(null).Columns.All(column => content.Schema.Find(column.Name) is not null),
        };
    }

    private static bool IsJson(string column) => column is RejectedRows.Ingested or RejectedRows.Rejected or RejectedRows.Reasons;

    /// <summary>A retried step writes other files: a cursor of the old ones must not be used on them.</summary>
    private static string Stamp(DatasetRef content) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', content.Files.Select(file => file.Key)))))[..12];
}
