using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Qualiz.Platform.Telemetry;

public static class TelemetryHosting
{
    /// <summary>Traces, metrics and logs.</summary>
    public static IHostApplicationBuilder AddTelemetry(this IHostApplicationBuilder builder) => builder;

    /// <summary><c>/metrics</c>.</summary>
    public static IEndpointRouteBuilder MapTelemetry(this IEndpointRouteBuilder endpoints) => endpoints;
}
