using Qualiz.Contracts;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Messaging;

namespace Qualiz.Datasets.Quarantine;

/// <summary>What the steps of a run that ended have rejected comes into the quarantine, in the caller's transaction; done twice, it is done once.</summary>
internal sealed class EndedRuns(QuarantineFill fill, IRequests requests)
{
    /// <param name="completed">The run ended well; null: as Runs says.</param>
    public async Task FillAsync(string project, Guid run, bool? completed, CancellationToken ct)
    {
        var answer = await requests.AskAsync<RunOutputsFound, RunUnknown>(Queues.RunClaims, new GetRunOutputs { Project = project, RunId = run }, ct);
        // Retried since: its next end says what became of its rows. Or removed since: nothing is left to read. Or nobody is to settle them.
        if (answer.First is not { Finished: true, Quarantine: true } found)
            return;
        // In one order, so that two runs of a pipeline do not wait for each other.
        foreach (var step in found.Steps.Where(step => step.Outputs.ContainsKey(Engine.Recipes.RejectedRows.Port)).OrderBy(step => step.StepId, StringComparer.Ordinal))
            await fill.FillAsync(project, run, found, step, completed ?? found.Completed, ct);
    }
}
