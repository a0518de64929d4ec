using System.Globalization;
using System.Text;
using System.Text.Json;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Cli.Running;

/// <summary>What steps logged. A log is there when its step has ended.</summary>
internal static class LogView
{
    public static async Task<int> ShowAsync(CommandContext context, string run, string? step, bool follow, CancellationToken ct)
    {
        var runPath = await context.RunPathAsync(run, ct);
        if (!follow)
        {
            var steps = step is not null
                ? [step]
                : (await context.Client.GetAsync(runPath, ct)).List("steps").Where(item => item.Text("hasLog") == "true").Select(item => item.Text("id")!).ToList();
            foreach (var id in steps)
            {
                await PrintAsync(context, runPath, id, ct);
            }
            if (steps.Count == 0 && !context.Json)
            {
                context.Terminal.Line("nothing was logged");
            }
            return ExitCode.Done;
        }

        var ended = new List<string>();
        var events = new RunFollower(context.Client, TimeProvider.System);
        await events.FollowAsync(runPath, null, (type, data) =>
        {
            if (type is nameof(StepCompleted) or nameof(StepFailed))
            {
                using var document = JsonDocument.Parse(data);
                ended.Add(document.RootElement.Text("stepId")!);
            }
        }, ct, async () =>
        {
            foreach (var id in ended.Where(id => step is null || id == step))
            {
                await PrintAsync(context, runPath, id, ct);
            }
            ended.Clear();
        });
        return ExitCode.Done;
    }

    private static async Task PrintAsync(CommandContext context, string runPath, string step, CancellationToken ct)
    {
        using var log = new MemoryStream();
        await context.Client.DownloadAsync($"{runPath}/steps/{Uri.EscapeDataString(step)}/log", log, ct);
        foreach (var line in Encoding.UTF8.GetString(log.GetBuffer(), 0, (int)log.Length).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            context.Terminal.Line(context.Json ? line : Describe(context.Terminal, step, line));
        }
    }

    private static string Describe(Terminal terminal, string step, string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var entry = document.RootElement;
            var time = DateTimeOffset.TryParse(entry.Text("time"), CultureInfo.InvariantCulture, out var at)
                ? at.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)
                : "";
            var level = entry.Text("level") ?? "";
            var shown = level switch { "warn" => terminal.Doubtful("warn "), "error" => terminal.Bad("error"), _ => terminal.Faint(level.PadRight(5)) };
            return $"{terminal.Faint(time)} {shown} {step}  {entry.Text("message")}";
        }
        catch (JsonException)
        {
            return line;
        }
    }
}
