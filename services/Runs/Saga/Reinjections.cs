using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Runs.Api;
using Qualiz.Runs.Items;
using Qualiz.Runs.Model;
using Qualiz.Runs.Planning;
using Qualiz.Runs.Starting;

namespace Qualiz.Runs.Saga;

/// <summary>
/// Runs that bring repaired rows into the result of earlier ones, from the step on that rejected them. The steps before are taken over; either the
/// repaired rows flow alone and are added to what was published, or all rows are done again with them. Such a run has its pipeline for itself, and
/// what it adds to is looked up when it begins, so that no other one publishes in between.
/// </summary>
internal sealed class Reinjections(IUnitOfWork<RunsDb> work, PlanCache plans, TimeProvider time)
{
    private RunsDb Db => work.Db;

    /// <summary>What the step that rejected the rows is told of them.</summary>
    public static Reinjection Asked(ReinjectionState rows) => new(rows.Of, rows.Delta ? [] : rows.Since, [.. ((Guid[])[rows.Of, rows.Base!.Value, .. rows.Since]).Distinct()]);

    /// <summary>Why a re-injection is not started: there is one that waits to do the same, or it cannot be. Null: it may start.</summary>
    public async Task<StartResult?> RefusalAsync(RunState run, PipelinePlan plan, CancellationToken ct)
    {
        var rows = run.Reinjection!;
        if (await Db.Runs.AsNoTracking().FirstOrDefaultAsync(other => other.CorrelationId == rows.Of && other.PipelineId == run.PipelineId, ct) is not { } of)
        {
            return new StartResult.Unknown($"The pipeline \"{run.Pipeline}\" has no run {rows.Of}.");
        }

        if (of.CurrentState != nameof(RunStateMachine.Completed))
        {
            return new StartResult.Refused("wrongState", $"Run {of.CorrelationId} is {RunSummary.Word(of.CurrentState)}, so there is no result to bring rows into. The next run of the pipeline applies the repairs.");
        }

        if (ReinjectionPlan.Of(plan, rows.StepId, rows.Whole).Objection is { } objection)
        {
            return new StartResult.Refused("cannotReinject", objection);
        }

        if (await GoneAsync(Sources(of, rows.StepId), ct) is { } gone)
        {
            return new StartResult.Refused("removed", gone);
        }

        var earlier = await Db.Runs.AsNoTracking()
            .Where(other => other.PipelineId == run.PipelineId && other.Alone && other.CurrentState != nameof(RunStateMachine.Completed) && other.CollectedAt == null)
            .OrderByDescending(other => other.CorrelationId).Take(100).ToListAsync(ct);
        foreach (var other in earlier.Where(other => other.Reinjection is { } its && its.Of == rows.Of && its.StepId == rows.StepId))
        {
            if (other.AdmittedAt is null && other.CurrentState == nameof(RunStateMachine.Queued) && other.VersionId == run.VersionId && other.Reinjection!.Whole == rows.Whole)
            {
                return new StartResult.Started(other, IsNew: false);
            }

            if (other.FinishedAt is not null && await HasAddedAsync(other, ct))
            {
                return new StartResult.Refused("retryFirst", $"Run {other.CorrelationId} has delivered these rows already and {RunSummary.Word(other.CurrentState)} afterwards; retry it, so that they are not delivered twice.");
            }
        }

        return null;
    }

    /// <summary>Takes over what was done before, and says from there on which rows flow. Asked again after a retry, it looks whether that still holds.</summary>
    /// <returns>Why the run cannot go on; null: it can.</returns>
    public async Task<StepError?> BeginAsync(RunState run, PipelinePlan plan, Dictionary<string, StepState> steps, CancellationToken ct)
    {
        var rows = run.Reinjection!;
        if (await BaseAsync(run, ct) is not { } @base)
        {
            return Error("removed", "The run whose result the rows belong to is not known any more; start a new run.");
        }

        var since = await SinceAsync(run, @base.CorrelationId, ct);
        if (rows.Base is { } begun)
        {
            return begun == @base.CorrelationId && rows.Since.SequenceEqual(since.Select(other => other.CorrelationId))
                ? null
                : Error(StepErrorCodes.Overtaken, "Another run of the pipeline has completed since this one began, and its result may have the rows; re-inject those that still wait.");
        }

        var of = await Db.Runs.AsNoTracking().SingleAsync(other => other.CorrelationId == rows.Of, ct);
        var how = ReinjectionPlan.Of(plan, rows.StepId, rows.Whole);
        var delta = how.Delta && await HasPublishedAsync(plan, how.Again, @base, ct);
        if (!delta && how.Delta)
        {
            how = ReinjectionPlan.Of(plan, rows.StepId, whole: true);
        }

        Guid[] sources = delta
            ? Sources(of, rows.StepId)
            : [.. Sources(of, rows.StepId).Concat(since.Where(other => other.Reinjection!.StepId == rows.StepId).SelectMany(other => other.Reinjection!.Sources))
                .Except([@base.CorrelationId, .. since.Select(other => other.CorrelationId)])];
        if (how.Objection is { } objection)
        {
            return Error("cannotReinject", objection);
        }

        if (sources.Length > 0 && plan.Step(rows.StepId).ForEach is not null)
        {
            return Error("cannotReinject", $"Step \"{rows.StepId}\" is done for each element of a list, and the rows are those of an earlier run than the last one; repair them with the next run.");
        }

        if (await GoneAsync([.. sources, @base.CorrelationId], ct) is { } gone)
        {
            return Error("removed", gone);
        }

        var outputs = delta ? await OutputsAsync([sources[0]], ct) : await WholeAsync(@base.CorrelationId, since, ct);
        foreach (var planned in plan.Steps.Where(step => !how.Again.Contains(step.Id)))
        {
            switch (outputs.GetValueOrDefault(planned.Id))
            {
                case { State: StepStatus.Completed, Outcome: { } outcome } earlier:
                    steps[planned.Id].State = StepStatus.Completed;
                    steps[planned.Id].Reason = $"taken over from run {earlier.RunId}";
                    // What it remembered was remembered then.
                    steps[planned.Id].Outcome = outcome with { State = null };
                    break;
                case { State: StepStatus.Skipped } earlier:
                    steps[planned.Id].State = StepStatus.Skipped;
                    steps[planned.Id].Reason = earlier.Reason;
                    break;
                default:
                    return Error("cannotReinject", $"Step \"{planned.Id}\" has no result in run {(delta ? sources[0] : @base.CorrelationId)} that could be taken over.");
            }

            steps[planned.Id].FinishedAt = time.GetUtcNow();
        }

        run.Reinjection = rows with { Base = @base.CorrelationId, Since = [.. since.Select(other => other.CorrelationId)], Delta = delta, Sources = sources };
        // The versions that they have read are read again; and while this one goes on, what they wrote is kept.
        run.ReadsLike = [.. (delta ? run.ReadsLike : [@base.CorrelationId, .. run.ReadsLike]).Concat(sources).Append(@base.CorrelationId).Distinct()];
        return null;
    }

    /// <summary>The inputs of the step that rejected the rows: its own, if all rows are done again, and those of the runs whose rows are re-injected.</summary>
    public async Task<IReadOnlyList<StepInput>> InputsAsync(ReinjectionState rows, PlanStep step, IReadOnlyList<StepInput> own, CancellationToken ct)
    {
        var inputs = own.ToList();
        if (rows.Delta)
        {
            inputs.AddRange(step.Inputs.Where(input => input.Step is null).Select(input => new StepInput { Name = input.Name, Reference = input.Dataset, OnlyPatched = true }));
        }

        foreach (var source in rows.Sources)
        {
            var outputs = await OutputsAsync([source], ct);
            inputs.AddRange(step.Inputs.Where(input => input.Step is not null).Select(input => StepDispatch.Input(input, outputs) with
            {
                Name = rows.Delta && rows.Sources.Length == 1 ? input.Name : $"{input.Name} of run {source}",
                OnlyPatched = true,
            }));
        }

        return inputs;
    }

    /// <summary>What is published of a run through which only repaired rows went: what was there before, and they.</summary>
    /// <returns>Why they do not fit together; null: they do.</returns>
    public async Task<StepError?> WithEarlierAsync(RunState run, List<PublishedOutput> published, CancellationToken ct)
    {
        if (published.Count == 0)
        {
            return null;
        }

        var since = await SinceAsync(run, run.Reinjection!.Base!.Value, ct);
        var before = await WholeAsync(run.Reinjection.Base.Value, since, ct);
        for (var i = 0; i < published.Count; i++)
        {
            var own = new StepOutcome { Outputs = new Dictionary<string, DatasetRef> { ["out"] = published[i].Content }, Ledger = [] };
            StepError? conflict = null;
            var content = ItemStack.Port(published[i].StepId, "out", [new EndedItem(1, true, before[published[i].StepId].Outcome, null), new EndedItem(2, true, own, null)], ref conflict);
            if (conflict is not null)
            {
                return Error(conflict.Code, $"The repaired rows have other columns or types than what step \"{published[i].StepId}\" published before. Re-inject them with all rows.");
            }

            published[i] = published[i] with { Content = content!, Quality = null };
        }

        return null;
    }

    /// <summary>The runs from which the rows of <paramref name="of"/> that came to a step are read: it itself, unless it got them in the same way.</summary>
    private static Guid[] Sources(RunState of, string stepId) => of.Reinjection is not { Base: { } @base } its || its.StepId != stepId
        ? [of.CorrelationId]
        : [.. (its.Delta ? its.Sources : [@base, .. its.Sources]).Distinct()];

    /// <summary>The last run that read the sources and ended well.</summary>
    private Task<RunState?> BaseAsync(RunState run, CancellationToken ct) => Db.Runs.AsNoTracking()
        .Where(other => other.PipelineId == run.PipelineId && !other.Alone && other.CurrentState == nameof(RunStateMachine.Completed))
        .OrderByDescending(other => other.FinishedAt).FirstOrDefaultAsync(ct);

    /// <summary>What was re-injected since then, in its order.</summary>
    private async Task<List<RunState>> SinceAsync(RunState run, Guid @base, CancellationToken ct) =>
    [
        .. (await Db.Runs.AsNoTracking()
            .Where(other => other.PipelineId == run.PipelineId && other.Alone && other.CurrentState == nameof(RunStateMachine.Completed) && other.CorrelationId != run.CorrelationId)
            .OrderBy(other => other.FinishedAt).ToListAsync(ct)).Where(other => other.Reinjection!.Base == @base),
    ];

    private async Task<Dictionary<string, StepState>> OutputsAsync(Guid[] runs, CancellationToken ct) =>
        await Db.Steps.AsNoTracking().Where(step => runs.Contains(step.RunId) && step.Parent == null).ToDictionaryAsync(step => step.StepId, ct);

    /// <summary>The steps of a run with the outputs that they have by now: with the rows that were re-injected since.</summary>
    private async Task<Dictionary<string, StepState>> WholeAsync(Guid @base, List<RunState> since, CancellationToken ct)
    {
        var whole = await OutputsAsync([@base], ct);
        foreach (var run in since)
        {
            foreach (var step in (await OutputsAsync([run.CorrelationId], ct)).Values.Where(step => step is { State: StepStatus.Completed, IsTakenOver: false, Outcome: not null }))
            {
                if (run.Reinjection!.Delta && whole.GetValueOrDefault(step.StepId)?.Outcome is { } before)
                {
                    // What does not fit was refused when it was published; what nobody publishes is only read by name.
                    StepError? conflict = null;
                    EndedItem[] parts = [new(1, true, before, null), new(2, true, step.Outcome, null)];
                    step.Outcome = before with { Outputs = before.Outputs.Keys.Union(step.Outcome!.Outputs.Keys).ToDictionary(port => port, port => ItemStack.Port(step.StepId, port, parts, ref conflict)!) };
                }

                whole[step.StepId] = step;
            }
        }

        return whole;
    }

    /// <summary>Only then can rows be added to it.</summary>
    private async Task<bool> HasPublishedAsync(PipelinePlan plan, IReadOnlySet<string> again, RunState @base, CancellationToken ct)
    {
        var outputs = await OutputsAsync([@base.CorrelationId], ct);
        return plan.Steps.Where(step => again.Contains(step.Id) && step.Publish is not null)
            .All(step => outputs.GetValueOrDefault(step.Id) is { State: StepStatus.Completed, Outcome: { } outcome } && outcome.Outputs.ContainsKey("out"));
    }

    private async Task<string?> GoneAsync(Guid[] runs, CancellationToken ct)
    {
        var there = await Db.Runs.AsNoTracking().Where(run => runs.Contains(run.CorrelationId) && run.CollectedAt == null).Select(run => run.CorrelationId).ToListAsync(ct);
        return runs.Where(run => !there.Contains(run)).Select(run => $"What the steps of run {run} wrote has been removed (retention). The next run that reads the rows applies the repairs.").FirstOrDefault();
    }

    /// <summary>A delivery that adds rows has had those of a run that did not end well.</summary>
    private async Task<bool> HasAddedAsync(RunState run, CancellationToken ct)
    {
        if (run.Reinjection is not { Base: { } @base, Delta: true } || (await BaseAsync(run, ct))?.CorrelationId != @base)
        {
            return false;
        }

        var adds = (await plans.GetAsync(Db, run.VersionId, ct)).Steps.Where(step => step.Adds).Select(step => step.Id).ToList();
        return await Db.Steps.AnyAsync(step => step.RunId == run.CorrelationId && adds.Contains(step.StepId) && step.State == StepStatus.Completed && step.Attempt > 0, ct);
    }

    private static StepError Error(string code, string message) => new() { Code = code, Message = message };
}
