using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Qualiz.Contracts;
using Qualiz.Pipelines.Authoring;
using Qualiz.Pipelines.Connections;
using Qualiz.Pipelines.Model;
using Qualiz.Pipelines.Operators;
using Qualiz.Pipelines.Projects;
using Qualiz.Pipelines.Requests;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.Platform.Secrets;

[assembly: InternalsVisibleTo("Qualiz.Pipelines.Tests")]

namespace Qualiz.Pipelines;

/// <summary>Projects, pipelines and their versions, the operators there are, and connections.</summary>
public static class PipelinesModule
{
    public static IHostApplicationBuilder AddPipelines(this IHostApplicationBuilder builder)
    {
        builder.AddServiceDatabase<PipelinesDb>(PipelinesDb.Schema);
        builder.AddHttpApi();
        builder.AddSecrets();
        builder.AddBusConsumer<OperatorAnnouncedConsumer>(Queues.PipelineOperators);
        builder.AddAnswers<PipelineAnswers>(Queues.PipelineRequests);

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<OutboundGuard>();
        builder.Services.AddSingleton<OperatorRegistry>();
        builder.Services.AddScoped<CurrentProject>();
        builder.Services.AddScoped<PipelineChecker>();
        builder.Services.AddScoped<ColumnChecker>();
        builder.Services.AddScoped<PipelineWriter>();
        builder.Services.AddScoped<ConnectionStore>();
        builder.Services.AddSingleton<ConnectionTester>();
        // In the process that holds the connections nobody takes the way over HTTP.
        builder.Services.Replace(ServiceDescriptor.Singleton<IConnectionExchange, ConnectionExchange>());
        return builder;
    }

    public static IEndpointRouteBuilder MapPipelines(this IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapApi();
        api.MapProjects();
        api.MapOperators();
        api.MapConnectionTypes();
        var project = api.MapGroup("/projects/{project}").AddEndpointFilter<ProjectFilter>();
        project.MapPipelineFiles();
        project.MapPipelineLifecycle();
        project.MapConnections();
        endpoints.MapConnectionExchange();
        return endpoints;
    }
}
