using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Runs.Api;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Starting;

/// <summary>Starts a run that re-injects rows: of the version, about the time and with the parameters of the one that rejected them.</summary>
internal sealed class ReinjectionStarter(IUnitOfWork<RunsDb> work, RunStarter starter)
{
    /// <returns><see cref="ReinjectionStarted"/> or <see cref="ReinjectionRefused"/>.</returns>
    public async Task<object> StartAsync(StartReinjection asked, CancellationToken ct)
    {
        if (await work.Db.Runs.AsNoTracking().FirstOrDefaultAsync(run => run.CorrelationId == asked.Of && run.Project == asked.Project, ct) is not { } of)
        {
            return new ReinjectionRefused("notFound", $"There is no run {asked.Of}.");
        }

        var result = await starter.StartAsync(
            new StartRun
            {
                RunId = asked.RunId,
                Project = of.Project,
                Pipeline = of.Pipeline,
                Version = asked.LatestVersion ? null : asked.Version ?? of.PipelineVersion,
                Params = of.Given ?? of.Params,
                Day = of.Day,
                IntervalStart = of.IntervalStart,
                IntervalEnd = of.IntervalEnd,
                Reinjects = new ReinjectedRows(of.CorrelationId, asked.StepId, asked.Whole),
                IdempotencyKey = asked.IdempotencyKey ?? $"reinject:{asked.RunId}",
                Cause = $"re-injects rows of {of.CorrelationId}",
                Actor = asked.Actor,
            },
            ct);
        switch (result)
        {
            case StartResult.Started started:
                if (started.IsNew)
                {
                    await work.CommitAsync(ct);
                }

                return new ReinjectionStarted(started.Run.CorrelationId, started.Run.PipelineVersion, RunSummary.Word(started.Run.CurrentState));
            case StartResult.Unknown unknown:
                return new ReinjectionRefused("notFound", unknown.Message);
            case StartResult.Refused refused:
                return new ReinjectionRefused(refused.Code, refused.Message);
            case StartResult.Invalid invalid:
                return new ReinjectionRefused("invalid", string.Join(" ", invalid.Problems.Select(problem => $"{problem.Path} {problem.Message}.")));
            case StartResult.KeyTaken taken:
                return new ReinjectionRefused("idempotencyKeyTaken", $"This Idempotency-Key started run {taken.RunId} with another request; use a new key.");
            default:
                throw new InvalidOperationException($"Unknown outcome {result}.");
        }
    }
}
