using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Qualiz.Contracts;
using Qualiz.Datasets.Catalogue;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Model;
using Qualiz.Datasets.Publishing;
using Qualiz.Datasets.Resolving;
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
    public static IHostApplicationBuilder AddDatasets(this IHostApplicationBuilder builder)
    {
        builder.AddServiceDatabase<DatasetsDb>("datasets");
        builder.AddObjectStore();
        builder.AddHttpApi();
        builder.AddBusConsumer<RunCompletedConsumer>(Queues.DatasetEvents, typeof(DatasetsDb));
        builder.AddRequestConsumer<ResolveDatasetConsumer>(Queues.DatasetRequests);

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddScoped<Publisher>();
        builder.Services.AddScoped<Resolver>();
        builder.Services.AddScoped<CurrentProject>();
        builder.Services.AddScoped<CatalogueQueries>();
        builder.Services.AddScoped<UploadFiles>();
        builder.Services.AddScoped<ReferenceImport>();
        builder.Services.AddScoped<RowAnswers>();
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
        project.MapDatasetRows();
        project.MapStepRows();
        return endpoints;
    }
}
