using System.ComponentModel;
using System.Globalization;
using Qualiz.Datasets.Catalogue;
using Qualiz.Engine.Clustering;
using Qualiz.Engine.Profiling;
using Qualiz.Engine.Suggestions;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Rows;

internal static class DatasetRowEndpoints
{
    public const string DependenciesAsked = "With true the profile also says which columns say what stands in another one, and which rows contradict; that takes longer";

    public const string SuggestionsUnmasked = "Look at sensitive columns too, and show their values in the evidence; this is put on record";

    public static void MapDatasetRows(this IEndpointRouteBuilder project)
    {
        var version = project.MapGroup("/datasets/{name}/versions/{version}").WithTags("Datasets");
        version.MapGet("/schema", Schema).WithName("getDatasetSchema").WithSummary("The columns of a version (a number, or latest)").Produces<SchemaView>().ProducesProblem(404);
        version.MapGet("/profile", Profile).WithName("getDatasetProfile").WithSummary("What the rows of a version look like, column by column").Produces<DatasetProfile>().ProducesProblem(404);
        version.MapGet("/suggestions", Suggestions).WithName("getDatasetSuggestions").WithSummary("Rules and checks that the rows of a version speak for, with the evidence; nothing is applied").Produces<SuggestionList>().ProducesProblem(404);
        version.MapGet("/columns/{column}/clusters", Clusters).WithName("getDatasetClusters").WithSummary("Values of a text column that are probably spellings of one another").Produces<ValueClusters>().ProducesProblem(403).ProducesProblem(404);
        version.MapGet("/rows", Rows).WithName("listDatasetRows").WithSummary("Rows of a version, page by page").ProducesProblem(404);
        version.MapGet("/download", Download).WithName("downloadDataset").WithSummary("A version as parquet, csv or jsonl").ProducesProblem(404);
    }

    private static async Task<IResult> Schema(string name, string version, CatalogueQueries catalogue, CancellationToken ct) =>
        TypedResults.Ok(SchemaView.Of(await SourceAsync(catalogue, name, version, null, ct)));

    private static async Task<IResult> Profile(
        string name, string version, [Description(DependenciesAsked)] bool? dependencies, HttpContext http, CatalogueQueries catalogue, RowAnswers answers, CancellationToken ct) =>
        await answers.ProfileAsync(http, await SourceAsync(catalogue, name, version, null, ct), dependencies == true, ct);

    private static async Task<IResult> Suggestions(
        string name, string version, [Description(SuggestionsUnmasked)] bool? unmask, HttpContext http, CatalogueQueries catalogue, RowAnswers answers, CancellationToken ct) =>
        await answers.SuggestionsAsync(http, await SourceAsync(catalogue, name, version, null, ct), unmask == true, ct);

    private static async Task<IResult> Clusters(
        string name, string version, string column, [AsParameters] ClustersRequest request, HttpContext http, CatalogueQueries catalogue, RowAnswers answers, CancellationToken ct) =>
        await answers.ClustersAsync(http, await SourceAsync(catalogue, name, version, null, ct), column, request, ct);

    private static async Task<IResult> Rows(
        string name, string version, [AsParameters] RowsRequest request, PageRequest page, HttpContext http, CatalogueQueries catalogue, RowAnswers answers, CancellationToken ct) =>
        await answers.PageAsync(http, await SourceAsync(catalogue, name, version, page, ct), request, page, ct);

    private static async Task<IResult> Download(
        string name, string version, [AsParameters] RowsRequest request, HttpContext http, CatalogueQueries catalogue, RowAnswers answers, CancellationToken ct) =>
        await answers.DownloadAsync(http, await SourceAsync(catalogue, name, version, null, ct), request, ct);

    private static async Task<RowSource> SourceAsync(CatalogueQueries catalogue, string name, string version, PageRequest? page, CancellationToken ct)
    {
        // Whoever pages through "latest" stays in the version they began with.
        if (version == "latest" && page is not null && page.TryGetAfter<RowCursor>(out var cursor) && cursor.Stamp is ['v', .. var begun])
            version = begun;
        var found = await catalogue.VersionAsync(name, version, ct);
        var number = found.Number.ToString(CultureInfo.InvariantCulture);
        return new RowSource { Content = found.Content, Subject = $"dataset:{name}@{number}", FileName = $"{name}-v{number}", Stamp = $"v{number}" };
    }
}
