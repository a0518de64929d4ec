using Microsoft.Extensions.Hosting;

namespace Qualiz.Platform.Messaging;

internal static class BusHosting
{
    /// <summary>Wires everything that the modules registered; the last thing before the host is built.</summary>
    public static IHostApplicationBuilder AddBus(this IHostApplicationBuilder builder)
    {
        BusRegistrations.Of(builder);
        return builder;
    }
}
