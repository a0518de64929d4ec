using Microsoft.Extensions.Hosting;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Messaging;

namespace Qualiz.Platform.Operators;

/// <summary>Says at start and every 30 s which operators this process has; silence for 90 s means that they are gone.</summary>
internal sealed class OperatorAnnouncer(OperatorCatalog catalog, IMessageSender sender, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30);
    private static readonly string Instance = $"{Environment.MachineName}:{Environment.ProcessId}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            foreach (var registration in catalog.All)
                await sender.PublishAsync(new OperatorAnnounced { Manifest = registration.Manifest, Instance = Instance, At = time.GetUtcNow() }, stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
