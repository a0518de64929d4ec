using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Telemetry;

namespace Qualiz.Platform.Hosting;

/// <summary>The one way in which a Qualiz process starts, whether it holds one service or all.</summary>
public static class QualizHost
{
    /// <summary>Runs until stopped. Started with the argument <c>engine-worker</c>, it is a worker child instead.</summary>
    /// <param name="add">Registers the modules: <c>builder => builder.AddRuns()</c>.</param>
    /// <param name="map">Maps their endpoints: <c>app => app.MapRuns()</c>.</param>
    public static async Task<int> RunAsync(
        string[] args, Action<IHostApplicationBuilder> add, Action<IEndpointRouteBuilder>? map = null)
    {
        if (args is [EngineWorker.Argument, .. var rest])
            return await EngineWorker.RunAsync(rest, add);

        // The settings beside the program count, wherever it is started from.
        var options = new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory };
        await using var app = Build(WebApplication.CreateBuilder(options), add, map);
        await app.RunAsync();
        return Environment.ExitCode;
    }

    /// <summary>Everything but running it; tests start it in their own process.</summary>
    internal static WebApplication Build(WebApplicationBuilder builder, Action<IHostApplicationBuilder> add, Action<IEndpointRouteBuilder>? map)
    {
        builder.AddTelemetry();
        add(builder);
        builder.AddBus();

        var app = builder.Build();
        app.MapTelemetry();
        map?.Invoke(app);
        return app;
    }
}
