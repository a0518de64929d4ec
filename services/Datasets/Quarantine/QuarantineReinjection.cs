using Dapper;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Datasets.Http;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;

namespace Qualiz.Datasets.Quarantine;

/// <summary>Brings repaired rows into the result now: for each run and step that rejected some, a run of its own.</summary>
internal sealed class QuarantineReinjection([FromKeyedServices(DatasetsModule.Service)] NpgsqlDataSource database, CurrentProject project, IRequests requests)
{
    /// <returns>Nothing when no row waits: whoever asks again, because the answer was lost, has what was wanted.</returns>
    /// <exception cref="ApiException">Rows wait, and no run could be started.</exception>
    public async Task<Reinjected> StartAsync(QuarantineFilter filter, ReinjectItems asked, bool dryRun, string? idempotencyKey, string actor, CancellationToken ct)
    {
        if (filter with { Pipeline = null, Step = null, Run = null } is { IsEmpty: false })
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "All repaired rows of a step go together: choose them by pipeline, step and run alone.");
        var groups = await WaitingAsync(filter, asked.Whole, ct);
        var runs = new List<ReinjectedItems>();
        foreach (var group in groups)
            runs.Add(dryRun ? group.Of(null, null, null) : await StartAsync(group, asked, idempotencyKey, actor, ct));
        if (!dryRun && runs.Count > 0 && runs.TrueForAll(run => run.RunId is null))
        {
            throw new ApiException(StatusCodes.Status409Conflict, "cannotReinject", string.Join(" ", runs.Select(run => run.Problem!.Message).Distinct()),
                [.. runs.Select(run => run.Problem!)]);
        }
        return new Reinjected(runs, dryRun);
    }

    private async Task<ReinjectedItems> StartAsync(Group group, ReinjectItems asked, string? idempotencyKey, string actor, CancellationToken ct)
    {
        var answer = await requests.AskForPersonAsync<ReinjectionStarted, ReinjectionRefused>(
            Queues.RunClaims,
            new StartReinjection
            {
                RunId = Guid.CreateVersion7(),
                Project = project.Slug,
                Of = group.Rejected,
                StepId = group.Step,
                Version = asked.Version,
                LatestVersion = asked.LatestVersion,
                // A row that is in the result with another repair, or with one that was taken back, has to leave it.
                Whole = asked.Whole || group.InResult,
                Actor = actor,
                IdempotencyKey = idempotencyKey is null ? null : $"{idempotencyKey}:{group.Rejected:N}:{group.Step}",
            },
            ct);
        return answer.First is { } started
            ? group.Of(started.RunId, started, null)
            : group.Of(null, null, new ApiError(answer.Second!.Message, $"{group.Pipeline}.{group.Step}"));
    }

    /// <summary>Oldest run first: what comes later is added to what came before.</summary>
    /// <param name="whole">All rows are done again: those that nobody has repaired as well, which another version of the recipe may let through.</param>
    private async Task<List<Group>> WaitingAsync(QuarantineFilter filter, bool whole, CancellationToken ct)
    {
        var parameters = new DynamicParameters();
        var where = filter.Where(project.Slug, parameters);
        parameters.Add("whole", whole);
        await using var connection = await database.OpenConnectionAsync(ct);
        return [.. await connection.QueryAsync<Group>(new CommandDefinition(
            $"""
            select s.pipeline as Pipeline, s.step as Step, coalesce(i.repaired_run, i.last_run) as Rejected, count(*) as Rows, bool_or(i.repaired_run is not null) as InResult
              from {QuarantineItem.From} where {where} and (i.state = 'repaired' or i.state = 'open' and (i.repaired_run is not null or @whole))
             group by 1, 2, 3 order by 3, 1, 2
            """,
            parameters, cancellationToken: ct))];
    }

    private sealed record Group(string Pipeline, string Step, Guid Rejected, long Rows, bool InResult)
    {
        public ReinjectedItems Of(Guid? run, ReinjectionStarted? started, ApiError? problem) => new(run, Pipeline, Step, Rejected, Rows, started?.PipelineVersion, started?.State, problem);
    }
}
