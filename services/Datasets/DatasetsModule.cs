using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Qualiz.Contracts;
using Qualiz.Datasets.Catalogue;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Metrics;
using Qualiz.Datasets.Model;
using Qualiz.Datasets.Publishing;
using Qualiz.Datasets.Quarantine;
using Qualiz.Datasets.Resolving;
using Qualiz.Datasets.Retention;
using Qualiz.Datasets.Rows;
using Qualiz.Datasets.Uploads;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Storage;

[assembly: InternalsVisibleTo("Qualiz.Datasets.Tests")]

namespace Qualiz.Datasets;

/// <summary>The catalogue of named datasets, their versions and rows, and uploads.</summary>
public static class DatasetsModule
{
    internal const string Service = "datasets";

    public static IHostApplicationBuilder AddDatasets(this IHostApplicationBuilder builder)
    {
        builder.AddServiceDatabase<DatasetsDb>(Service);
        builder.AddObjectStore();
        builder.AddHttpApi();
        builder.AddBusConsumer<RunCompletedConsumer>(Queues.DatasetEvents, typeof(DatasetsDb));
        builder.AddRequestConsumer<ResolveDatasetConsumer>(Queues.DatasetRequests);
        builder.AddRequestConsumer<PatchConsumer>(Queues.DatasetRequests);
        builder.AddBusConsumer<RunEndedConsumer>(Queues.DatasetQuarantine, typeof(DatasetsDb));

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddScoped<Publisher>();
        builder.Services.AddScoped<Resolver>();
        builder.Services.AddScoped<CurrentProject>();
        builder.Services.AddScoped<UnmaskAudit>();
        builder.Services.AddScoped<CatalogueQueries>();
        builder.Services.AddScoped<UploadFiles>();
        builder.Services.AddScoped<ReferenceImport>();
        builder.Services.AddScoped<RowAnswers>();
        builder.Services.AddOptions<RetentionOptions>().BindConfiguration("Retention").Validate(
            options => options is { IntermediateRuns: >= 0, Versions: >= 1, MetricVersions: >= 1 } && options.Intermediate >= TimeSpan.Zero && options.Rejected >= TimeSpan.Zero && options.OrphanAge >= TimeSpan.Zero && options.UnknownAge >= TimeSpan.Zero,
            "Retention: numbers and times are not negative, and at least one version is kept.").ValidateOnStart();
        builder.Services.AddScoped<RunReviews>();
        builder.Services.AddScoped<VersionRetention>();
        builder.Services.AddScoped<Collector>();
        builder.Services.AddHostedService<RetentionService>();
        builder.Services.AddScoped<VersionMeasurer>();
        builder.Services.AddHostedService<MeasuringService>();
        builder.Services.AddScoped<QuarantineFill>();
        builder.Services.AddScoped<EndedRuns>();
        builder.Services.AddScoped<QuarantineReinjection>();
        builder.Services.AddScoped<QuarantineTrial>();
        builder.Services.AddScoped<QuarantineWork>();
        builder.Services.AddScoped<QuarantineQueries>();
        builder.Services.AddSingleton<ProjectDirectory>();
        builder.Services.AddSingleton<DatasetFileAccess>();
        return builder;
    }

    public static IEndpointRouteBuilder MapDatasets(this IEndpointRouteBuilder endpoints)
    {
        var project = endpoints.MapApi().MapGroup("/projects/{project}")
            .AddEndpointFilter<ContentProblems>()
            .AddEndpointFilter<ProjectFilter>();
        project.MapUploads();
        project.MapCatalogue();
        project.MapMetrics();
        project.MapDatasetRows();
        project.MapStepRows();
        project.MapQuarantine();
        project.MapRetention();
        return endpoints;
    }
}
