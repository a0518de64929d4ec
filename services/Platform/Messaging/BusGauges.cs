using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Qualiz.Platform.Data;
using Qualiz.Platform.Telemetry;

namespace Qualiz.Platform.Messaging;

/// <summary>With a broker: what waits to be sent and what was given up, as metrics.</summary>
internal sealed class BusGauges(IServiceProvider services, ServiceDatabases databases, ErrorQueues errors, ILogger<BusGauges> logger) : BackgroundService
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(30);
    private static readonly Meter s_meter = new(QualizTelemetry.Name);
    private static readonly Gauge<long> s_givenUp = s_meter.CreateGauge<long>(
        "qualiz.error.queue.messages", description: "Messages in the error queues of this process's endpoints; it should be 0.");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(s_pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
                return;
            try
            {
                s_givenUp.Record(await errors.CountAsync(stoppingToken));
                foreach (var database in databases.All)
                {
                    await using var command = services.GetRequiredKeyedService<NpgsqlDataSource>(BusSchema.Name)
                        .CreateCommand("SELECT count(*) FROM bus.outbox WHERE service = $1 AND sent_at IS NULL");
                    command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = database.Name });
                    QualizTelemetry.OutboxUnsent(database.Name, (long)(await command.ExecuteScalarAsync(stoppingToken))!);
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogDebug("The bus could not be measured: {Reason}", exception.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
