using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Api;

/// <param name="Version">The pipeline's version; null means the latest.</param>
/// <param name="Params">Values of the pipeline's parameters, by name; those left out take their defaults.</param>
/// <param name="Day">The logical day, <c>run.day</c>; today in the pipeline's time zone when left out.</param>
/// <param name="Interval">The logical interval, <c>run.interval</c>; the whole day when left out.</param>
internal sealed record StartRunRequest(
    string Pipeline, int? Version = null, JsonElement? Params = null, DateOnly? Day = null, IntervalRequest? Interval = null);

internal sealed record IntervalRequest(DateTimeOffset Start, DateTimeOffset End);

/// <summary>Without anything, the run is done again exactly: same version, parameters, interval, and versions of the named datasets it read.</summary>
/// <param name="Params">Parameters to change, by name; null gives one its default again.</param>
/// <param name="Version">Another version of the pipeline.</param>
/// <param name="LatestVersion">The pipeline's newest version.</param>
/// <param name="LatestData">Read what the named datasets hold now.</param>
internal sealed record RerunRequest(
    JsonElement? Params = null, int? Version = null, bool LatestVersion = false, bool LatestData = false, DateOnly? Day = null, IntervalRequest? Interval = null);

internal sealed record PauseRunRequest(string? Reason = null);

internal sealed record CancelRunRequest(string? Reason = null);

/// <param name="WaitsFor">Why a queued run does not begin, beyond its turn.</param>
/// <param name="CollectedAt">Since when retention may have removed what its steps wrote.</param>
internal sealed record RunSummary(
    Guid Id,
    string Project,
    string Pipeline,
    int PipelineVersion,
    string State,
    DateOnly Day,
    string Cause,
    string Actor,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    string? FailedStep,
    StepError? Error,
    Guid? RerunOf,
    string? WaitsFor = null,
    DateTimeOffset? PinnedAt = null,
    DateTimeOffset? CollectedAt = null,
    ParentView? Parent = null,
    ReinjectionView? Reinjection = null)
{
    public static RunSummary Of(RunState run) => new(
        run.CorrelationId, run.Project, run.Pipeline, run.PipelineVersion, Word(run.CurrentState), run.Day, run.Cause, run.Actor,
        run.CreatedAt, run.StartedAt, run.FinishedAt, run.FailedStep, run.Error, run.RerunOf,
        run.AdmittedAt is null && run.FinishedAt is null ? run.Held : null, run.PinnedAt, run.CollectedAt,
        run.ParentRunId is { } parent ? new ParentView(parent, run.ParentStepId!) : null,
        run.Reinjection is { } rows ? new ReinjectionView(rows.Of, rows.StepId, rows.Base, rows.Base is null ? null : rows.Delta) : null);

    /// <summary>queued, running, paused, cancelling, completed, failed, cancelled.</summary>
    public static string Word(string state) => JsonNamingPolicy.CamelCase.ConvertName(state);
}

/// <summary>Whose rejected rows a run brings into the result.</summary>
/// <param name="Of">The run that rejected them, in <paramref name="Step"/>.</param>
/// <param name="Base">The run whose result they are added to; null until it has begun.</param>
/// <param name="Delta">True: only they flow. False: all rows are done again from the step on.</param>
internal sealed record ReinjectionView(Guid Of, string Step, Guid? Base, bool? Delta);

/// <summary>The step that started a run.</summary>
internal sealed record ParentView(Guid RunId, string Step);

/// <summary>A run that a step of this one started.</summary>
internal sealed record ChildView(Guid RunId, string Step, int Attempt, string Pipeline, string State);

/// <summary>A run with its steps in the order of the pipeline file.</summary>
/// <param name="LastEvent">The number of the run's last event: what a listener that has this answer goes on from.</param>
internal sealed record RunDetails(
    RunSummary Run, JsonElement Params, LogicalInterval Interval, long LastEvent, IReadOnlyList<StepView> Steps, IReadOnlyList<ChildView> Children);

/// <param name="Reason">Why it was skipped, or which run it waits for.</param>
/// <param name="Items">How far a step with forEach is; its elements are listed at <c>steps/{step}/items</c>.</param>
internal sealed record StepView(
    string Id,
    string Operator,
    string State,
    int Attempt,
    string? Worker,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    DateTimeOffset? DueAt,
    StepProgress? Progress,
    IReadOnlyList<string> Inputs,
    IReadOnlyList<string> Needs,
    IReadOnlyDictionary<string, OutputView> Outputs,
    IReadOnlyList<StepLedger> Ledger,
    IReadOnlyDictionary<string, long> Counts,
    IReadOnlyList<string> Warnings,
    bool HasLog,
    string? Reason,
    ItemsView? Items,
    StepError? Error);

internal sealed record OutputView(long Rows, long Bytes, DatasetSchema Schema)
{
    public static Dictionary<string, OutputView> Of(StepOutcome? outcome) =>
        outcome?.Outputs.ToDictionary(output => output.Key, output => new OutputView(output.Value.Rows, output.Value.Bytes, output.Value.Schema)) ?? [];
}

internal sealed record ItemsView(int Count, int Completed, int Failed, int Skipped, int Active)
{
    public static ItemsView? Of(ItemTally? tally) =>
        tally is null ? null : new(tally.Count, tally.Completed, tally.Failed, tally.Skipped, tally.Active);
}

/// <summary>One element of a step with forEach. Its log and rows are found under its id, like a step's.</summary>
internal sealed record ItemView(
    string Id,
    int Number,
    JsonElement? Value,
    string State,
    int Attempt,
    string? Worker,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    DateTimeOffset? DueAt,
    StepProgress? Progress,
    IReadOnlyDictionary<string, OutputView> Outputs,
    IReadOnlyList<StepLedger> Ledger,
    bool HasLog,
    string? Reason,
    StepError? Error)
{
    public static ItemView Of(StepState item) => new(
        item.StepId,
        item.Ordinal,
        item.Item,
        item.State.Word(),
        item.Attempt,
        item.Worker,
        item.StartedAt,
        item.FinishedAt,
        item.DueAt,
        item.Progress,
        OutputView.Of(item.Outcome),
        item.Outcome?.Ledger ?? [],
        item.Logs.Length > 0,
        item.Reason,
        item.Error);
}
