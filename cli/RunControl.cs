using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Cli.Running;

namespace Qualiz.Cli;

/// <summary>Pausing and resuming a run, doing one again, and the elements of a step with forEach.</summary>
internal static class RunControl
{
    public static async Task<int> PauseAsync(CommandContext context, string run, CancellationToken ct)
    {
        await context.Client.PostAsync($"{await context.RunPathAsync(run, ct)}/pause", new { reason = "asked for at the command line" }, ct);
        context.Terminal.Line("paused: what runs may finish, nothing more begins");
        return ExitCode.Done;
    }

    public static async Task<int> ResumeAsync(CommandContext context, string run, CancellationToken ct)
    {
        await context.Client.PostAsync($"{await context.RunPathAsync(run, ct)}/resume", new { }, ct);
        context.Terminal.Line("resumed");
        return ExitCode.Done;
    }

    public static async Task<int> RerunAsync(
        CommandContext context, string run, IReadOnlyList<string> set, bool latestVersion, bool latestData, string? day, string? interval, bool detach, CancellationToken ct)
    {
        if (RunCommand.Parameters(set, out var parameters) is { } wrong)
        {
            throw new BadInputException(wrong);
        }
        var body = new JsonObject { ["params"] = parameters, ["latestVersion"] = latestVersion, ["latestData"] = latestData };
        AddTime(body, day, interval);
        var started = await context.Client.PostAsync($"{await context.RunPathAsync(run, ct)}/rerun", body, ct, Guid.CreateVersion7().ToString());
        var id = started.Text("id")!;
        if (context.Json)
        {
            context.Terminal.Json(started);
        }
        else
        {
            context.Terminal.Line($"{started.Text("pipeline")} v{started.Text("pipelineVersion")} · run {RunIds.Short(id)} · again after {RunIds.Short(started.Text("rerunOf")!)}");
        }
        return detach
            ? ExitCode.Done
            : await new RunCommand(context.Client, context.Terminal, TimeProvider.System).FollowAsync(
                $"{context.ProjectPath}/runs/{id}", new RunOptions("", [], context.Project, context.Json, false, null, false), ct);
    }

    public static async Task<int> ItemsAsync(CommandContext context, string run, string step, string? state, int limit, CancellationToken ct)
    {
        var rows = new List<IReadOnlyList<string>>();
        var path = $"{await context.RunPathAsync(run, ct)}/steps/{Uri.EscapeDataString(step)}/items{(state is null ? "" : $"?state={Uri.EscapeDataString(state)}")}";
        await foreach (var item in context.Client.ListAsync(path, limit, ct))
        {
            if (context.Json)
            {
                context.Terminal.Json(item);
                continue;
            }
            var why = item.TryGetProperty("error", out var error) ? error.Text("message") : null;
            rows.Add([item.Text("id") ?? "", Short(item.Text("value")), item.Text("state") ?? "", item.Text("attempt") ?? "", why ?? item.Text("reason") ?? ""]);
        }
        if (!context.Json)
        {
            context.Terminal.Table(["element", "value", "state", "attempt", "why"], rows);
        }
        return ExitCode.Done;
    }

    /// <summary>The run is one of the version that was just saved, also when somebody else has saved another one since.</summary>
    public static void AddVersion(JsonObject body, JsonElement saved)
    {
        if (saved.Text("version") is { } version)
        {
            body["version"] = int.Parse(version, CultureInfo.InvariantCulture);
        }
    }

    /// <param name="interval"><c>2026-11-21T00:00Z/2026-11-21T06:00Z</c></param>
    public static void AddTime(JsonObject body, string? day, string? interval)
    {
        if (day is not null)
        {
            body["day"] = DateOnly.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
                ? day
                : throw new BadInputException($"--day {day}: expected a date like 2026-11-21");
        }
        if (interval is null)
        {
            return;
        }
        var ends = interval.Split('/');
        if (ends.Length != 2 || !Array.TrueForAll(ends, end => DateTimeOffset.TryParse(end, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _)))
        {
            throw new BadInputException($"--interval {interval}: expected START/END, for example 2026-11-21T00:00Z/2026-11-21T06:00Z");
        }
        body["interval"] = new JsonObject { ["start"] = Moment(ends[0]), ["end"] = Moment(ends[1]) };
    }

    private static string Moment(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToString("O", CultureInfo.InvariantCulture);

    private static string Short(string? text) => text is { Length: > 40 } ? string.Concat(text.AsSpan(0, 39), "…") : text ?? "";
}
