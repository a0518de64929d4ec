using System.Text.Json;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Cli.Running;

/// <summary>Follows a run's events and prints a line for each step that ended; ends with the run's own line.</summary>
internal sealed class RunView(Terminal terminal, IReadOnlyDictionary<string, string> operators)
{
    private const int TextWidth = 72;

    private readonly int _nameWidth = operators.Keys.Select(name => name.Length).Append(9).Max();
    private readonly Dictionary<string, DateTimeOffset> _started = new(StringComparer.Ordinal);
    private DateTimeOffset? _begun;
    private long _rejected;
    private bool _warned;

    /// <summary>Set once the run has ended.</summary>
    public int? Exit { get; private set; }

    public bool Warned => _warned;

    public void Show(string type, string data)
    {
        switch (type)
        {
            case nameof(RunQueued):
                _begun ??= Read<RunQueued>(data).OccurredAt;
                break;
            case nameof(RunStarted):
                _begun = Read<RunStarted>(data).OccurredAt;
                break;
            case nameof(RunRetried):
                Exit = null;
                break;
            case nameof(StepStarted):
                var started = Read<StepStarted>(data);
                _started[started.StepId] = started.OccurredAt;
                break;
            case nameof(StepCompleted):
                var completed = Read<StepCompleted>(data);
                _rejected += completed.Outcome.RowsRejected;
                Print(StepView.Of(completed, operators.GetValueOrDefault(completed.StepId), Took(completed.StepId, completed.OccurredAt)));
                break;
            case nameof(StepFailed):
                var failed = Read<StepFailed>(data);
                Print(StepView.Of(failed, Took(failed.StepId, failed.OccurredAt)));
                break;
            case nameof(StepSkipped):
                Print(StepView.Of(Read<StepSkipped>(data)));
                break;
            case nameof(StepLost):
                var lost = Read<StepLost>(data);
                Print(new StepView(lost.StepId, StepMark.Warn, $"its worker was lost ({lost.Times} of 3); it starts again", null, "", []));
                break;
            case nameof(RunCompleted):
                var done = Read<RunCompleted>(data);
                var published = done.Published.Count == 0 ? "" : $" Published {string.Join(", ", done.Published.Select(output => $"dataset:{output.Dataset}"))}.";
                var waiting = _rejected == 0 ? "" : $" {StepView.Number(_rejected)} rows were rejected: ./qualiz rejected {done.RunId}";
                terminal.Line($"{terminal.Good("completed")}{In(done.OccurredAt)}.{published}{waiting}");
                Exit = ExitCode.Done;
                break;
            case nameof(RunFailed):
                var end = Read<RunFailed>(data);
                terminal.Line($"{terminal.Bad("failed")}{(end.StepId is null ? "" : $" in {end.StepId}")}{In(end.OccurredAt)}: {end.Error.Message}");
                Exit = ExitCode.Failed;
                break;
            case nameof(RunCancelled):
                terminal.Line($"{terminal.Doubtful("cancelled")}{In(Read<RunCancelled>(data).OccurredAt)}.");
                Exit = ExitCode.Cancelled;
                break;
        }
    }

    private void Print(StepView step)
    {
        _warned |= step.Mark == StepMark.Warn;
        var mark = step.Mark switch
        {
            StepMark.Ok => terminal.Good("ok    "),
            StepMark.Warn => terminal.Doubtful("warn  "),
            StepMark.Failed => terminal.Bad("FAILED"),
            StepMark.Skipped => terminal.Faint("skip  "),
            _ => throw new InvalidOperationException($"unknown mark {step.Mark}"),
        };
        var took = step.Took is { } time ? StepView.Seconds(time) : "";
        terminal.Line($"{mark} {step.Id.PadRight(_nameWidth)} {step.Text.PadRight(TextWidth)} {took,8}   {step.Notes}".TrimEnd());
        foreach (var warning in step.Warnings)
        {
            terminal.Line(terminal.Faint($"       {warning}"));
        }
    }

    private TimeSpan? Took(string step, DateTimeOffset end) => _started.TryGetValue(step, out var start) ? end - start : null;

    private string In(DateTimeOffset end) => _begun is { } begun ? $" in {StepView.Seconds(end - begun)}" : "";

    private static T Read<T>(string data) =>
        JsonSerializer.Deserialize<T>(data, ApiJson.Options) ?? throw new InvalidDataException($"an empty {typeof(T).Name} event");
}
