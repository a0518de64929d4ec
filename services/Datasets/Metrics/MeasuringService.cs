namespace Qualiz.Datasets.Metrics;

/// <summary>Measures versions soon after they are there, beside whatever else goes on.</summary>
internal sealed class MeasuringService(IServiceScopeFactory scopes, TimeProvider time, ILogger<MeasuringService> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var more = false;
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                more = await scope.ServiceProvider.GetRequiredService<VersionMeasurer>().MeasureNextAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem)
            {
                log.LogWarning(problem, "A version could not be measured; trying again later");
            }
            if (!more)
                await Task.Delay(Every, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
