using Dapper;
using Microsoft.EntityFrameworkCore;
using Qualiz.Datasets.Catalogue;
using Qualiz.Datasets.Model;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Metrics;

/// <summary>The figures of a dataset over its versions, and what was unusual about them.</summary>
internal static class MetricEndpoints
{
    public static void MapMetrics(this IEndpointRouteBuilder project)
    {
        var dataset = project.MapGroup("/datasets/{name}").WithTags("Datasets");
        dataset.MapGet("/metrics", Metrics).WithName("listDatasetMetrics").WithSummary("Figures of a dataset and its columns over its versions, newest first").ProducesProblem(404);
        dataset.MapGet("/findings", Findings).WithName("listDatasetFindings").WithSummary("Unusual figures and changed columns of a dataset's versions, newest first").ProducesProblem(404);
    }

    private static async Task<Page<MetricView>> Metrics(string name, [AsParameters] MetricsRequest request, PageRequest page, CatalogueQueries catalogue, DatasetsDb db, CancellationToken ct)
    {
        var dataset = await catalogue.DatasetAsync(name, ct);
        page.TryGetAfter<MetricCursor>(out var after);
        var found = await db.Database.GetDbConnection().QueryAsync<MetricView>(new CommandDefinition(
            """
            select number as Version, at as At, column_name as "Column", metric as Metric, value as Value from datasets.metric
            where dataset_id = @Id and (@Column is null or column_name = @Column) and (@Metric is null or metric = @Metric)
              and (@AfterVersion is null or (-number, column_name, metric) > (-@AfterVersion, @AfterColumn, @AfterMetric))
            order by -number, column_name, metric limit @Limit
            """,
            new { dataset.Id, request.Column, request.Metric, AfterVersion = after?.Version, AfterColumn = after?.Column, AfterMetric = after?.Metric, Limit = page.Limit + 1 }, cancellationToken: ct));
        return Page.Of([.. found], page, row => new MetricCursor(row.Version, row.Column, row.Metric));
    }

    private static async Task<Page<FindingView>> Findings(string name, PageRequest page, CatalogueQueries catalogue, DatasetsDb db, CancellationToken ct)
    {
        var dataset = await catalogue.DatasetAsync(name, ct);
        page.TryGetAfter<FindingCursor>(out var after);
        var found = await db.Database.GetDbConnection().QueryAsync<FindingView>(new CommandDefinition(
            """
            select number as Version, at as At, kind as Kind, column_name as "Column", metric as Metric, expected as Expected, score as Score, detail as Detail from datasets.finding
            where dataset_id = @Id
              and (@AfterVersion is null or (-number, kind, column_name, metric) > (-@AfterVersion, @AfterKind, @AfterColumn, @AfterMetric))
            order by -number, kind, column_name, metric limit @Limit
            """,
            new { dataset.Id, AfterVersion = after?.Version, AfterKind = after?.Kind, AfterColumn = after?.Column, AfterMetric = after?.Metric, Limit = page.Limit + 1 }, cancellationToken: ct));
        return Page.Of([.. found], page, row => new FindingCursor(row.Version, row.Kind, row.Column, row.Metric));
    }

    private sealed record MetricCursor(int Version, string Column, string Metric);

    private sealed record FindingCursor(int Version, string Kind, string Column, string Metric);
}

/// <summary>Which figures.</summary>
internal sealed record MetricsRequest
{
    /// <summary>Of this column; empty for those of the whole dataset. Default all.</summary>
    public string? Column { get; init; }

    /// <summary>rows, bytes, quality; of columns completeness, distinct, mean, min, max. Default all.</summary>
    public string? Metric { get; init; }
}

internal sealed record MetricView
{
    public required int Version { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>Empty for a figure of the whole dataset.</summary>
    public required string Column { get; init; }
    public required string Metric { get; init; }
    public required double Value { get; init; }
}

internal sealed record FindingView
{
    public required int Version { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>anomaly, columnGone, columnNew or columnType.</summary>
    public required string Kind { get; init; }
    public required string Column { get; init; }
    public required string Metric { get; init; }

    /// <summary>Of an anomaly: what the versions before led one to expect.</summary>
    public double? Expected { get; init; }

    /// <summary>Of an anomaly: by how many robust standard deviations the figure lies elsewhere.</summary>
    public double? Score { get; init; }
    public string? Detail { get; init; }
}
