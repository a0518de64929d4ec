using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Saga;

/// <summary>
/// The steps of the run that a message is about. Elements of a <c>forEach</c> are read one by one, never all together: a run
/// may have ten thousand. Scoped: one message, one run.
/// </summary>
internal sealed class RunSteps(IUnitOfWork<RunsDb> work)
{
    private static readonly Func<RunsDb, Guid, IAsyncEnumerable<StepState>> s_all = EF.CompileAsyncQuery(
        (RunsDb db, Guid run) => db.Steps.Where(step => step.RunId == run && step.Parent == null));

    private Dictionary<string, StepState>? _steps;

    /// <summary>The steps of the file, by name.</summary>
    public async ValueTask<Dictionary<string, StepState>> AllAsync(RunState run, CancellationToken ct) =>
        _steps ??= await s_all(work.Db, run.CorrelationId).ToDictionaryAsync(step => step.StepId, cancellationToken: ct);

    /// <summary>A step or an element.</summary>
    public async ValueTask<StepState?> FindAsync(RunState run, string stepId, CancellationToken ct) =>
        StepIds.IsItem(stepId)
            ? await work.Db.Steps.FindAsync([run.CorrelationId, stepId], ct)
            : (await AllAsync(run, ct)).GetValueOrDefault(stepId);

    /// <summary>An element's step. Alone, when nothing else needs the other steps: their outcomes may be large.</summary>
    public async ValueTask<StepState> ParentAsync(RunState run, StepState item, CancellationToken ct) =>
        _steps?[item.Parent!]
        ?? await work.Db.Steps.FindAsync([run.CorrelationId, item.Parent!], ct)
        ?? throw new InvalidOperationException($"Element {item.StepId} of run {run.CorrelationId} has no step.");

    /// <summary>Elements of the whole run, or of one step, for a query.</summary>
    public IQueryable<StepState> Items(RunState run) => work.Db.Steps.Where(step => step.RunId == run.CorrelationId && step.Parent != null);

    public IQueryable<StepState> ItemsOf(StepState step) => work.Db.Steps.Where(item => item.RunId == step.RunId && item.Parent == step.StepId);
}
