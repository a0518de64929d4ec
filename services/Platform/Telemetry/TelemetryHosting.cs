using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Qualiz.Platform.Telemetry;

public static class TelemetryHosting
{
    /// <summary>Logs to the console, traces and metrics, and the health checks of what every service leans on.</summary>
    /// <param name="toStandardError">An engine worker's standard output belongs to its protocol.</param>
    public static IHostApplicationBuilder AddTelemetry(this IHostApplicationBuilder builder, bool toStandardError = false)
    {
        var identity = new LogIdentity(ServiceName(builder), $"{Environment.MachineName}:{Environment.ProcessId}");
        builder.Services.AddSingleton(identity);
        builder.AddConsoleLog(toStandardError);
        if (toStandardError)
            return builder;

        // Without a collector only the sources that carry a run's trace across services stay on: their ids are in the logs.
        var exported = builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 };
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(identity.Service, serviceInstanceId: identity.Node))
            .WithTracing(tracing =>
            {
                tracing.AddSource(QualizTelemetry.Name, "MassTransit");
                tracing.AddAspNetCoreInstrumentation(options => options.Filter = context => !IsProbe(context.Request.Path));
                if (!exported)
                    return;
                tracing.AddSource("Npgsql");
                tracing.AddHttpClientInstrumentation();
                tracing.AddOtlpExporter();
            })
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(QualizTelemetry.Name, "MassTransit", "Npgsql");
                metrics.AddAspNetCoreInstrumentation();
                metrics.AddHttpClientInstrumentation();
                metrics.AddRuntimeInstrumentation();
                metrics.AddPrometheusExporter();
                if (exported)
                    metrics.AddOtlpExporter();
            });
        builder.Services.AddHealthChecks()
            .AddCheck<StoreHealthCheck>("store", tags: ["ready"], timeout: TimeSpan.FromSeconds(5))
            .AddCheck<DatabaseHealthCheck>("database", tags: ["ready"], timeout: TimeSpan.FromSeconds(5));
        return builder;
    }

    /// <summary><c>/metrics</c>, <c>/health/live</c> (this process answers) and <c>/health/ready</c> (database, bus and store do too).</summary>
    public static void MapTelemetry(this IEndpointRouteBuilder app)
    {
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteHealthAsync });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready"), ResponseWriter = WriteHealthAsync });
    }

    private static void AddConsoleLog(this IHostApplicationBuilder builder, bool toStandardError)
    {
        var redirected = toStandardError ? Console.IsErrorRedirected : Console.IsOutputRedirected;
        var format = builder.Configuration["Logging:Format"] ?? (redirected ? EcsFormatter.FormatterName : TextFormatter.FormatterName);
        builder.Logging.ClearProviders();
        builder.Logging.AddConsole(options =>
        {
            options.FormatterName = format;
            options.LogToStandardErrorThreshold = toStandardError ? LogLevel.Trace : LogLevel.None;
        });
        builder.Logging.AddConsoleFormatter<EcsFormatter, ConsoleFormatterOptions>();
        builder.Logging.AddConsoleFormatter<TextFormatter, ConsoleFormatterOptions>();
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore.Database.Command", LogLevel.Warning);
        // One line per statement, several times a second while nothing happens.
        builder.Logging.AddFilter("Npgsql", LogLevel.Warning);
        builder.Logging.AddFilter("System.Net.Http.HttpClient", LogLevel.Warning);
        // The ids are written from the current activity itself; as a scope they would come twice.
        builder.Logging.Configure(options => options.ActivityTrackingOptions = ActivityTrackingOptions.None);
    }

    private static string ServiceName(IHostApplicationBuilder builder) =>
        builder.Configuration["OTEL_SERVICE_NAME"] is { Length: > 0 } name
            ? name
            : builder.Environment.ApplicationName.ToLowerInvariant().Replace('.', '-');

    private static bool IsProbe(PathString path) => path.StartsWithSegments("/health") || path.StartsWithSegments("/metrics");

    private static Task WriteHealthAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(new
        {
            status = report.Status.ToString().ToLowerInvariant(),
            checks = report.Entries.ToDictionary(entry => entry.Key, entry => new
            {
                status = entry.Value.Status.ToString().ToLowerInvariant(),
                message = entry.Value.Description ?? entry.Value.Exception?.Message,
            }),
        }, JsonSerializerOptions.Web), context.RequestAborted);
    }
}
