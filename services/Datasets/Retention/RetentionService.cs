using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Platform.Messaging;

namespace Qualiz.Datasets.Retention;

/// <summary>Collects in all projects, again and again; of several processes one does it.</summary>
internal sealed class RetentionService(IServiceScopeFactory scopes, IRequests requests, IOptions<RetentionOptions> options, TimeProvider time, ILogger<RetentionService> log) : BackgroundService
{
    /// <summary>Let a system that has just started do its work first.</summary>
    private static readonly TimeSpan First = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Every <= TimeSpan.Zero)
            return;
        for (var wait = First; !stoppingToken.IsCancellationRequested; wait = options.Value.Every)
        {
            await Task.Delay(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
                return;
            try
            {
                await CollectAllAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem)
            {
                log.LogWarning(problem, "Old data could not be collected; trying again later");
            }
        }
    }

    internal async Task CollectAllAsync(CancellationToken ct)
    {
        for (string? after = null; ;)
        {
            var page = await requests.AskAsync<ProjectsListed>(Queues.PipelineRequests, new ListProjects { After = after }, ct);
            foreach (var project in page.Projects)
            {
                await using var scope = scopes.CreateAsyncScope();
                try
                {
                    await scope.ServiceProvider.GetRequiredService<Collector>().CollectAsync(project, preview: false, ct);
                }
                catch (Exception problem) when (!ct.IsCancellationRequested)
                {
                    // One project's trouble is not the others'.
                    log.LogWarning(problem, "Old data of project {Project} could not be collected; trying again later", project.Project);
                }
            }
            if (!page.More || page.Projects.Count == 0)
                break;
            after = page.Projects[^1].Project;
        }
        await ForgetReadersAsync(ct);
    }

    /// <summary>What runs read is remembered as long as anyone can ask: a version that is gone holds nobody.</summary>
    private async Task ForgetReadersAsync(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        await using var connection = await scope.ServiceProvider.GetRequiredKeyedService<NpgsqlDataSource>(DatasetsModule.Service).OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "delete from datasets.read_pin p using datasets.version v where v.dataset_id = p.dataset_id and v.number = p.number and v.removed_at < now() - interval '90 days'", cancellationToken: ct));
    }
}
