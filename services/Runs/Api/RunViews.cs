using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Api;

/// <param name="Version">The pipeline's version; null means the latest.</param>
/// <param name="Params">Values of the pipeline's parameters, by name; those left out take their defaults.</param>
/// <param name="Day">The logical day, <c>run.day</c>; today (UTC) when left out.</param>
internal sealed record StartRunRequest(string Pipeline, int? Version = null, JsonElement? Params = null, DateOnly? Day = null);

internal sealed record CancelRunRequest(string? Reason = null);

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
    StepError? Error)
{
    public static RunSummary Of(RunState run) => new(
        run.CorrelationId, run.Project, run.Pipeline, run.PipelineVersion, Word(run.CurrentState), run.Day, run.Cause, run.Actor,
        run.CreatedAt, run.StartedAt, run.FinishedAt, run.FailedStep, run.Error);

    /// <summary>queued, running, cancelling, completed, failed, cancelled.</summary>
    public static string Word(string state) => JsonNamingPolicy.CamelCase.ConvertName(state);
}

/// <summary>A run with its steps in the order of the pipeline file.</summary>
/// <param name="LastEvent">The number of the run's last event: what a listener that has this answer goes on from.</param>
internal sealed record RunDetails(
    RunSummary Run, JsonElement Params, LogicalInterval Interval, long LastEvent, IReadOnlyList<StepView> Steps);

/// <param name="Reason">Why it was skipped.</param>
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
    StepError? Error);

internal sealed record OutputView(long Rows, long Bytes, DatasetSchema Schema);
