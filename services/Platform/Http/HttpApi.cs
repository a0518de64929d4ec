using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.OpenApi;

namespace Qualiz.Platform.Http;

/// <summary>What the HTTP endpoints of all services have in common: problems, JSON, OpenAPI, and the guard against other sites.</summary>
public static class HttpApi
{
    public const string DocumentName = "v1";

    /// <summary>Call it in every module that maps endpoints; registers once per process.</summary>
    public static IHostApplicationBuilder AddHttpApi(this IHostApplicationBuilder builder)
    {
        if (!builder.Properties.TryAdd(typeof(HttpApi), true))
            return builder;
        builder.Services.AddSingleton<MappedOnce>();
        builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = Complete);
        builder.Services.AddExceptionHandler<ProblemHandler>();
        builder.Services.AddSingleton<IStartupFilter, Pipeline>();
        // A body that does not fit is a problem with its place, in every environment, not an empty 400.
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
            options.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            options.SerializerOptions.RespectNullableAnnotations = true;
            options.SerializerOptions.RespectRequiredConstructorParameters = true;
        });
        builder.Services.AddOpenApi(DocumentName, options =>
        {
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info = new OpenApiInfo
                {
                    Title = "Qualiz",
                    Version = DocumentName,
                    Description = "Pipelines, runs and datasets. Errors are RFC 9457 problems; lists are paged with limit and cursor; things that are edited carry an ETag.",
                };
                // The document is the same wherever it is served from.
                document.Servers?.Clear();
                return Task.CompletedTask;
            });
            options.AddOperationTransformer((operation, context, _) =>
            {
                DescribePaging(operation, context);
                return Task.CompletedTask;
            });
        });
        return builder;
    }

    /// <summary>The group <c>/api/v1</c>. Maps the OpenAPI document at <c>/openapi/v1.json</c> the first time.</summary>
    public static RouteGroupBuilder MapApi(this IEndpointRouteBuilder app)
    {
        if (app.ServiceProvider.GetRequiredService<MappedOnce>().First())
            app.MapOpenApi();
        return app.MapGroup("/api/v1").ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
    }

    /// <summary>Who does this. Until sign-in comes the API listens on loopback only, and whoever can reach it is the local user.</summary>
    public static string Actor(this HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true, Name: { Length: > 0 } name } ? name : "local";

    /// <summary>A type that binds itself from the query is not seen by the generator.</summary>
    private static void DescribePaging(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        var handler = context.Description.ActionDescriptor.EndpointMetadata.OfType<System.Reflection.MethodInfo>().FirstOrDefault();
        if (handler?.GetParameters().Any(parameter => parameter.ParameterType == typeof(PageRequest)) != true)
            return;
        operation.Parameters ??= [];
        operation.Parameters.Add(new OpenApiParameter
        {
            Name = "limit",
            In = ParameterLocation.Query,
            Description = $"How many at most, 1 to {PageRequest.MaxLimit}.",
            Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.Integer,
                Minimum = "1",
                Maximum = PageRequest.MaxLimit.ToString(CultureInfo.InvariantCulture),
                Default = PageRequest.DefaultLimit,
            },
        });
        operation.Parameters.Add(new OpenApiParameter
        {
            Name = "cursor",
            In = ParameterLocation.Query,
            Description = "The \"next\" of the page before; left out for the first page.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });
    }

    private static void Complete(ProblemDetailsContext context)
    {
        var problem = context.ProblemDetails;
        var status = problem.Status ?? context.HttpContext.Response.StatusCode;
        // What the framework answers by itself (no such address, wrong method) gets our words too.
        if (problem.Type?.StartsWith(ApiProblem.TypePrefix, StringComparison.Ordinal) != true)
        {
            problem.Title = ApiProblem.Title(status);
            problem.Type = ApiProblem.TypePrefix + (status switch
            {
                404 => "notFound",
                405 => "methodNotAllowed",
                415 => "unsupportedContent",
                >= 500 => "internal",
                _ => "badRequest",
            });
            if (status == StatusCodes.Status415UnsupportedMediaType)
                problem.Detail ??= "Say with Content-Type what is sent: application/json, or application/yaml for a pipeline file.";
        }

        problem.Instance ??= context.HttpContext.Request.Path;
        problem.Extensions["traceId"] = ProblemHandler.TraceId(context.HttpContext);
    }

    private sealed class MappedOnce
    {
        private int _mapped;

        public bool First() => Interlocked.Exchange(ref _mapped, 1) == 0;
    }

    private sealed class Pipeline : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseExceptionHandler();
            app.UseStatusCodePages();
            app.UseMiddleware<CrossSiteGuard>();
            next(app);
        };
    }
}
