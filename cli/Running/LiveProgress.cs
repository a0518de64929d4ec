using System.Globalization;
using System.Text.Json;

namespace Qualiz.Cli.Running;

/// <summary>At a terminal: what the steps under way are doing, below the lines of those that ended.</summary>
internal sealed class LiveProgress(QualizClient client, Terminal terminal, TimeProvider time)
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan TurnEvery = TimeSpan.FromMilliseconds(100);
    private static readonly string[] Spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

    /// <summary>Until <paramref name="ct"/> is cancelled; then the status is gone.</summary>
    public async Task ShowAsync(string runPath, RunView view, CancellationToken ct)
    {
        var steps = new List<ActiveStep>();
        var turn = 0;
        var asked = long.MinValue;
        try
        {
            while (true)
            {
                if (asked == long.MinValue || time.GetElapsedTime(asked) >= AskEvery)
                {
                    asked = time.GetTimestamp();
                    steps = await AskAsync(runPath, ct) ?? steps;
                }
                var now = time.GetUtcNow();
                terminal.Status([.. steps.Where(step => view.Running.ContainsKey(step.Id) || step.Waits).Take(8).Select(step => step.Describe(Spinner[turn % Spinner.Length], view.NameWidth, now))]);
                turn++;
                await Task.Delay(TurnEvery, time, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The run has ended, or nobody looks any more.
        }
        finally
        {
            terminal.Status([]);
        }
    }

    private async Task<List<ActiveStep>?> AskAsync(string runPath, CancellationToken ct)
    {
        try
        {
            var run = await client.GetAsync(runPath, ct);
            return [.. run.List("steps").Where(step => step.Text("state") is "running" or "waiting" or "deferred").Select(ActiveStep.Of)];
        }
        catch (Exception lost) when (lost is UnreachableException or ProblemException or HttpRequestException)
        {
            // The follower of the events says so, when it lasts.
            return null;
        }
    }
}

/// <summary>A step under way, as last heard of.</summary>
internal sealed record ActiveStep(string Id, bool Waits, DateTimeOffset? StartedAt, string? Phase, long Rows, double? Share)
{
    public static ActiveStep Of(JsonElement step)
    {
        var progress = step.TryGetProperty("progress", out var value) && value.ValueKind == JsonValueKind.Object ? value : default;
        return new ActiveStep(
            step.Text("id") ?? "",
            step.Text("state") != "running",
            DateTimeOffset.TryParse(step.Text("startedAt"), CultureInfo.InvariantCulture, out var at) ? at : null,
            progress.Text("phase"),
            long.TryParse(progress.Text("rows"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var rows) ? rows : 0,
            double.TryParse(progress.Text("share"), NumberStyles.Float, CultureInfo.InvariantCulture, out var share) ? share : null);
    }

    /// <summary><c>⠹     clean       3,200,000 rows  1,600,000/s   64 %  1.1 s left</c></summary>
    public string Describe(string spinner, int nameWidth, DateTimeOffset now)
    {
        var parts = new List<string>();
        var took = StartedAt is { } begun ? now - begun : (TimeSpan?)null;
        if (Waits)
        {
            parts.Add("waits");
        }
        if (Rows > 0)
        {
            parts.Add($"{StepView.Number(Rows)} rows");
            if (took is { TotalSeconds: > 0.5 } elapsed)
            {
                parts.Add($"{StepView.Number((long)(Rows / elapsed.TotalSeconds))}/s");
            }
        }
        if (Share is > 0 and <= 1 and var share)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %"));
            if (share < 1 && took is { TotalSeconds: > 1 } elapsed)
            {
                parts.Add($"{StepView.Seconds(elapsed * ((1 - share) / share))} left");
            }
        }
        if (parts.Count == 0 && Phase is not null)
        {
            parts.Add(Phase);
        }
        if (took is { TotalSeconds: > 0 } shown)
        {
            parts.Add(StepView.Seconds(shown));
        }
        return $"{spinner}     {Id.PadRight(nameWidth)}{string.Join("  ", parts)}";
    }
}
