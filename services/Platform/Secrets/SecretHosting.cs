using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Qualiz.Platform.Secrets;

public static class SecretHosting
{
    /// <summary>Registers <see cref="SecretBox"/>; a host without a key does not start.</summary>
    public static IHostApplicationBuilder AddSecrets(this IHostApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(services => SecretBox.FromConfiguration(services.GetRequiredService<IConfiguration>()));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, KeyCheck>());
        return builder;
    }

    private sealed class KeyCheck(IServiceProvider services) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            services.GetRequiredService<SecretBox>();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
