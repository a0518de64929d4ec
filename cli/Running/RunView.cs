using System.Text.Json;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Cli.Running;

/// <summary>Follows a run's events and prints a line for each step that ended; ends with the run's own line.</summary>
/// <param name="ephemeral">Nothing can be looked up afterwards, so nothing is offered.</param>
/// <param name="saved">What the steps wrote will be saved.</param>
/// <param name="once">What it read is gone with it, so that it cannot be retried.</param>
internal sealed class RunView(Terminal terminal, IReadOnlyDictionary<string, string> operators, bool ephemeral = false, bool saved = false, bool once = false)
{
    private const int MarkWidth = 6;

    /// <summary>Without a terminal: enough for most steps, and the times stand below each other.</summary>
    private const int TextWidth = 72;
    private const int TookWidth = 8;

    private readonly int _nameWidth = operators.Keys.Select(name => name.Length).Append(9).Max() + 3;
    private readonly Dictionary<string, DateTimeOffset> _started = new(StringComparer.Ordinal);
    private DateTimeOffset? _begun;
    private long _rejected;
    private bool _warned;

    /// <summary>Set once the run has ended.</summary>
    public int? Exit { get; private set; }

    public bool Warned => _warned;

    /// <summary>When each step that is not done began.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Running => _started;

    public int NameWidth => _nameWidth;

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
                // Elements of a forEach are told by their step, so that ten thousand of them make one line; those that fail are named.
                if (started.ItemOf is null)
                {
                    _started[started.StepId] = started.OccurredAt;
                }
                break;
            case nameof(StepSpread):
                var spread = Read<StepSpread>(data);
                _started[spread.StepId] = spread.OccurredAt;
                break;
            case nameof(StepCompleted):
                var completed = Read<StepCompleted>(data);
                if (completed.ItemOf is not null)
                {
                    break;
                }
                _rejected += completed.Outcome.RowsRejected;
                Print(StepView.Of(completed, operators.GetValueOrDefault(completed.StepId), Took(completed.StepId, completed.OccurredAt)));
                break;
            case nameof(StepFailed):
                var failed = Read<StepFailed>(data);
                if (failed.RetryAt is null && failed.ItemOf is null)
                {
                    _rejected += failed.Outcome?.RowsRejected ?? 0;
                }
                Print(StepView.Of(failed, Took(failed.StepId, failed.OccurredAt)));
                break;
            case nameof(StepSkipped):
                if (Read<StepSkipped>(data) is { ItemOf: null } skipped)
                {
                    Print(StepView.Of(skipped));
                }
                break;
            case nameof(StepDeferred):
                var deferred = Read<StepDeferred>(data);
                _started.Remove(deferred.StepId);
                if (deferred is { Reason: { } reason, ItemOf: null })
                {
                    Print(new StepView(deferred.StepId, StepMark.Warn, reason, null, "", []));
                }
                break;
            case nameof(StepLost):
                var lost = Read<StepLost>(data);
                _started.Remove(lost.StepId);
                Print(new StepView(lost.StepId, StepMark.Warn, $"its worker was lost ({lost.Times} of 3); it starts again", null, "", []));
                break;
            case nameof(RunLate):
                terminal.Line($"{terminal.Doubtful("late")}: {Sentence(Read<RunLate>(data).Reason)}");
                break;
            case nameof(RunPaused):
                terminal.Line(terminal.Doubtful("paused") + $": ./qualiz resume {RunIds.Short($"{Read<RunPaused>(data).RunId}")} lets it go on");
                break;
            case nameof(RunResumed):
                terminal.Line("resumed");
                break;
            case nameof(RunCompleted):
                var done = Read<RunCompleted>(data);
                var published = done.Published.Count == 0 ? "" : $" Published {string.Join(", ", done.Published.Select(output => $"dataset:{output.Dataset}"))}.";
                terminal.Line($"{terminal.Good("completed")}{In(done.OccurredAt)}.{published}{Waiting(done.RunId)}");
                Exit = ExitCode.Done;
                break;
            case nameof(RunFailed):
                var end = Read<RunFailed>(data);
                terminal.Line($"{terminal.Bad("failed")}{(end.StepId is null ? "" : $" in {end.StepId}")}{In(end.OccurredAt)}: {Sentence(end.Error.Message)}{Waiting(end.RunId)}");
                string?[] hints =
                [
                    once ? null : $"when its cause is mended: ./qualiz retry {RunIds.Short($"{end.RunId}")}",
                    end.StepId is null ? null : $"what it logged: ./qualiz logs {RunIds.Short($"{end.RunId}")} {end.StepId}",
                ];
                if (string.Join("; ", hints.OfType<string>()) is { Length: > 0 } hint)
                    Hint(char.ToUpperInvariant(hint[0]) + hint[1..]);
                Exit = ExitCode.Failed;
                break;
            case nameof(RunCancelled):
                var cancelled = Read<RunCancelled>(data);
                terminal.Line($"{terminal.Doubtful("cancelled")}{In(cancelled.OccurredAt)}.");
                if (!once)
                    Hint($"To go on: ./qualiz retry {RunIds.Short($"{cancelled.RunId}")}");
                Exit = ExitCode.Cancelled;
                break;
        }
    }

    private void Print(StepView step)
    {
        _warned |= step.Mark == StepMark.Warn;
        _started.Remove(step.Id);
        var mark = step.Mark switch
        {
            StepMark.Ok => terminal.Good("ok".PadRight(MarkWidth)),
            StepMark.Warn => terminal.Doubtful("warn".PadRight(MarkWidth)),
            StepMark.Failed => terminal.Bad("fail".PadRight(MarkWidth)),
            StepMark.Skipped => terminal.Faint("skip".PadRight(MarkWidth)),
            _ => throw new InvalidOperationException($"unknown mark {step.Mark}"),
        };
        var took = step.Took is { } time ? StepView.Seconds(time) : "";
        var indent = new string(' ', MarkWidth + _nameWidth);
        var room = terminal.Width is { } width ? Math.Clamp(width - MarkWidth - _nameWidth - TookWidth - 1, 20, TextWidth) : TextWidth;
        var lines = Wrap(Aligned(step.Text), room);
        var notesFit = terminal.Width is null || (MarkWidth + _nameWidth + room + 1 + TookWidth + 3 + step.Notes.Length) <= terminal.Width;
        terminal.Line($"{mark}{step.Name.PadRight(_nameWidth)}{lines[0].PadRight(room)} {took,TookWidth}{(notesFit ? $"   {step.Notes}" : "")}".TrimEnd());
        foreach (var line in lines.Skip(1))
        {
            terminal.Line(indent + line);
        }
        if (!notesFit)
        {
            foreach (var line in Wrap(step.Notes, Math.Max(20, terminal.Width!.Value - indent.Length - 1)))
            {
                terminal.Line(indent + terminal.Faint(line));
            }
        }
        foreach (var warning in step.Warnings)
        {
            foreach (var line in terminal.Width is { } all ? Wrap(warning, Math.Max(20, all - indent.Length - 1)) : [warning])
            {
                terminal.Line(indent + terminal.Faint(line));
            }
        }
    }

    /// <summary>Numbers at the beginning stand below each other.</summary>
    private static string Aligned(string text)
    {
        var digits = text.TakeWhile(letter => char.IsAsciiDigit(letter) || letter == ',').Count();
        return digits is > 0 and < 6 && text.Length > digits && text[digits] == ' ' ? text.PadLeft(text.Length + 6 - digits) : text;
    }

    private static List<string> Wrap(string text, int room)
    {
        var lines = new List<string>();
        while (text.Length > room)
        {
            var at = text.LastIndexOf(' ', room);
            // The spaces of an aligned number are no place to break.
            if (at <= text.Length - text.TrimStart().Length)
            {
                at = room;
            }
            lines.Add(text[..at].TrimEnd());
            text = text[at..].TrimStart();
        }
        lines.Add(text);
        return lines;
    }

    private void Hint(string text)
    {
        if (!ephemeral)
        {
            terminal.Line(text);
        }
    }

    private string Waiting(Guid? run)
    {
        if (_rejected == 0)
        {
            return "";
        }
        var rows = $" {StepView.Number(_rejected)} {(_rejected == 1 ? "row was" : "rows were")} rejected";
        if (ephemeral || saved)
        {
            return saved ? $"{rows}." : $"{rows}; --out DIR saves them with their reasons.";
        }
        return $" {StepView.Number(_rejected)} {(_rejected == 1 ? "row waits" : "rows wait")} in quarantine: ./qualiz quarantine list --run {RunIds.Short($"{run}")}";
    }

    private static string Sentence(string message) => message.EndsWith('.') || message.EndsWith('!') || message.EndsWith('?') ? message : message + ".";

    private TimeSpan? Took(string step, DateTimeOffset end) => _started.TryGetValue(step, out var start) ? end - start : null;

    private string In(DateTimeOffset end) => _begun is { } begun ? $" in {StepView.Seconds(end - begun)}" : "";

    private static T Read<T>(string data) =>
        JsonSerializer.Deserialize<T>(data, ApiJson.Options) ?? throw new InvalidDataException($"an empty {typeof(T).Name} event");
}
