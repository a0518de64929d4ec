using System.Globalization;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Cli.Running;

internal enum StepMark
{
    Ok,
    Warn,
    Failed,
    Skipped,
}

/// <summary>One step's line: what happened to its rows, how long it took, and the main reasons of rejection. Warnings follow on lines of their own.</summary>
internal sealed record StepView(string Id, StepMark Mark, string Text, TimeSpan? Took, string Notes, IReadOnlyList<string> Warnings)
{
    private const string Items = "items";
    private const string ItemsFailed = "itemsFailed";

    /// <summary>With the elements of a forEach that were done: <c>shop 3/3</c>.</summary>
    public string Name { get; init; } = Id;


    public static StepView Of(StepCompleted step, string? kind, TimeSpan? took) => new(
        step.StepId,
        step.Outcome.RowsRejected > 0 || step.Outcome.Warnings.Count > 0 ? StepMark.Warn : StepMark.Ok,
        Describe(step.Outcome, kind),
        took,
        ReasonsOf(step.Outcome),
        step.Outcome.Warnings)
    {
        Name = step.Outcome.Counts.TryGetValue(Items, out var items) && step.ItemOf is null
            ? string.Create(CultureInfo.InvariantCulture, $"{step.StepId} {items - step.Outcome.Counts.GetValueOrDefault(ItemsFailed)}/{items}")
            : step.StepId,
    };

    public static StepView Of(StepFailed step, TimeSpan? took) => new(
        step.StepId,
        StepMark.Failed,
        Describe(step.Error) + (step.RetryAt is { } retry
            ? $" (again at {retry.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture)})"
            : ""),
        took,
        step.Outcome is null ? "" : ReasonsOf(step.Outcome),
        step.Outcome?.Warnings ?? []);

    /// <summary>With its place in the pipeline file, when it has one.</summary>
    public static string Describe(StepError error) =>
        error.Place is { } place ? string.Create(CultureInfo.InvariantCulture, $"{place.File}:{place.Line}:{place.Column} {place.Path}: {WithoutPlace(error.Message, place.Path)}") : error.Message;

    /// <summary>A message may begin with the place in the settings; that is said already.</summary>
    private static string WithoutPlace(string message, string path) =>
        message.IndexOf(": ", StringComparison.Ordinal) is > 0 and var at && path.EndsWith("." + message[..at], StringComparison.Ordinal) ? message[(at + 2)..] : message;

    public static StepView Of(StepSkipped step) => new(step.StepId, StepMark.Skipped, step.Reason, null, "", []);

    private static string Describe(StepOutcome outcome, string? kind)
    {
        var read = outcome.RowsIn;
        var rejected = outcome.RowsRejected;
        var parts = new List<string>();
        switch (kind)
        {
            case "ingest":
                parts.Add(outcome.Counts.TryGetValue("files", out var files) ? $"{Number(read)} read from {Number(files)} {(files == 1 ? "file" : "files")}" : $"{Number(read)} read");
                break;
            case "deliver":
                var written = $"{Number(outcome.Ledger.Sum(line => line.Out))} {(outcome.Counts.ContainsKey("same") ? "upserted" : "delivered")}";
                var counts = outcome.Counts.Where(count => count.Key is not (Items or ItemsFailed)).Select(count => count.Key == "bytes" ? Bytes(count.Value) : $"{Number(count.Value)} {count.Key}").ToList();
                parts.Add(counts.Count == 0 ? written : $"{written}: {string.Join(", ", counts)}");
                break;
            case "dedup":
                parts.Add($"{Number(read)} in");
                parts.Add($"{Number(outcome.Counts.GetValueOrDefault("entities"))} entities");
                Add(parts, outcome.Ledger.Sum(line => line.Merged), "merged");
                Add(parts, outcome.Counts.GetValueOrDefault("review"), "pairs to review");
                Add(parts, outcome.Counts.GetValueOrDefault("largest"), "in the largest");
                Add(parts, outcome.Counts.GetValueOrDefault("cut"), "likely pairs cut");
                return string.Join("  ", parts);
            case "detect":
                parts.Add($"{Number(read)} in");
                Add(parts, outcome.Counts.GetValueOrDefault("errors"), "wrong cells");
                Add(parts, outcome.Counts.GetValueOrDefault("toNormalise"), "to normalise");
                Add(parts, outcome.Counts.GetValueOrDefault("missing"), "missing");
                Add(parts, outcome.Counts.GetValueOrDefault("repaired"), "repaired");
                return string.Join("  ", parts);
            case "enrich":
                parts.Add($"{Number(read)} in");
                parts.Add($"{Number(outcome.RowsOut)} out");
                foreach (var (count, rows) in outcome.Counts.Where(count => count.Value > 0).OrderBy(count => count.Key, StringComparer.Ordinal))
                {
                    var (verb, column) = count.IndexOf('.', StringComparison.Ordinal) is > 0 and var at ? (count[..at], count[(at + 1)..]) : (count, "");
                    if (verb is "filled" or "overridden")
                    {
                        parts.Add($"{column} {verb} in {Number(rows)}");
                    }
                }
                break;
            default:
                // A step without rows (a message, a wait) says nothing about them.
                if (outcome.Ledger.Count > 0 || outcome.Outputs.Count > 0)
                {
                    parts.Add($"{Number(read)} in");
                    parts.Add($"{Number(outcome.RowsOut)} out");
                }
                break;
        }
        Add(parts, outcome.Ledger.Sum(line => line.Added), "added");
        if (rejected > 0)
        {
            parts.Add($"{Number(rejected)} rejected ({Share(rejected, read + outcome.Ledger.Sum(line => line.Added))})");
        }
        Add(parts, outcome.Ledger.Sum(line => line.Merged), "merged");
        if (outcome.Ledger.Any(line => !line.Accounted))
        {
            parts.Add("rows not accounted");
        }
        Add(parts, outcome.Ledger.Sum(line => line.Filtered), "filtered");
        return string.Join("  ", parts);
    }

    private static void Add(List<string> parts, long rows, string word)
    {
        if (rows > 0)
        {
            parts.Add($"{Number(rows)} {word}");
        }
    }

    private static string ReasonsOf(StepOutcome outcome)
    {
        var reasons = outcome.Ledger
            .SelectMany(line => line.Reasons)
            .Where(reason => reason.Kind == "rejected")
            .GroupBy(reason => reason.Reason, StringComparer.Ordinal)
            .Select(group => (Reason: group.Key, Rows: group.Sum(reason => reason.Rows)))
            .OrderByDescending(reason => reason.Rows)
            .ToList();
        var notes = reasons.Take(3).Select(reason => $"{reason.Reason} {Number(reason.Rows)}").ToList();
        if (reasons.Count > 3)
        {
            notes.Add($"{reasons.Count - 3} more reasons");
        }
        return string.Join(", ", notes);
    }

    public static string Bytes(long bytes) => bytes switch
    {
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
    };

    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Share(long part, long whole) => whole == 0
        ? "0 %"
        : string.Create(CultureInfo.InvariantCulture, $"{100m * part / whole:0.0} %");

    public static string Seconds(TimeSpan time) => time.TotalMinutes < 2
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds:00} s");
}
