using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Qualiz.Platform.Telemetry;

namespace Qualiz.Gateway;

public static class GatewayModule
{
    private const string IdentityPrefix = "x-qualiz-";

    public static IHostApplicationBuilder AddGateway(this IHostApplicationBuilder builder)
    {
        builder.AddTelemetry();
        builder.Services.AddHealthChecks().AddCheck<DestinationsHealthCheck>(DestinationsHealthCheck.Tag, tags: [DestinationsHealthCheck.Tag]);
        builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"));
        return builder;
    }

    public static IEndpointRouteBuilder MapGateway(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        endpoints.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(DestinationsHealthCheck.Tag) });
        endpoints.MapPrometheusScrapingEndpoint("/metrics");
        endpoints.MapReverseProxy(proxy =>
        {
            proxy.Use((context, next) =>
            {
                // Who a caller is comes from the gateway alone; what a caller says of itself goes no further.
                foreach (var header in context.Request.Headers.Keys.Where(IsIdentity).ToList())
                {
                    context.Request.Headers.Remove(header);
                }
                return next(context);
            });
            proxy.UseLoadBalancing();
            proxy.UsePassiveHealthChecks();
        });
        return endpoints;
    }

    private static bool IsIdentity(string header) => header.StartsWith(IdentityPrefix, StringComparison.OrdinalIgnoreCase);
}
