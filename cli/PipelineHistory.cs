using System.Globalization;
using System.Text;
using Qualiz.Cli.Transfer;

namespace Qualiz.Cli;

/// <summary>The versions of a pipeline. None is ever changed or taken away: undoing saves the text of an earlier one as the next.</summary>
internal static class PipelineHistory
{
    public static async Task<int> ShowAsync(CommandContext context, string pipeline, int? version, CancellationToken ct)
    {
        var (text, _) = await context.Client.GetTaggedAsync(TextPath(context, pipeline, version), ct);
        context.Terminal.Line(text.TrimEnd('\n'));
        return ExitCode.Done;
    }

    /// <param name="since">The version to compare with; null: the one before.</param>
    public static async Task<int> DiffAsync(CommandContext context, string pipeline, int? version, int? since, CancellationToken ct)
    {
        var latest = await LatestAsync(context, pipeline, ct);
        var after = version ?? latest;
        var before = since ?? after - 1;
        if (before < 1)
        {
            throw new BadInputException($"there is no version before {Number(after)} of {pipeline}");
        }
        PrintDiff(context, await TextAsync(context, pipeline, before, ct), await TextAsync(context, pipeline, after, ct));
        return ExitCode.Done;
    }

    /// <param name="to">The version to go back (or forth) to; null: the one before the change that made what is there now.</param>
    public static async Task<int> UndoAsync(CommandContext context, string pipeline, int? to, bool dryRun, CancellationToken ct)
    {
        var path = PathOf(context, pipeline);
        // The tag is that of the text: what somebody else saves in between is not undone unseen.
        var (now, seen) = await context.Client.GetTaggedAsync(TextPath(context, pipeline, null), ct);
        var latest = await LatestAsync(context, pipeline, ct);
        var target = to ?? await BeforeAsync(context, pipeline, latest, now, ct);
        if (target is not { } number)
        {
            throw new BadInputException($"{pipeline} is as it was first saved: there is nothing to undo");
        }
        var then = await TextAsync(context, pipeline, number, ct);
        if (then == now)
        {
            context.Terminal.Line($"{pipeline} is as in version {Number(number)} already");
            return ExitCode.Done;
        }
        if (!context.Json)
        {
            PrintDiff(context, now, then);
        }
        if (dryRun)
        {
            context.Terminal.Line($"{pipeline} would be as in version {Number(number)} again; nothing was changed");
            return ExitCode.Done;
        }
        using var content = new StringContent(then, Encoding.UTF8, "application/yaml");
        var saved = await context.Client.ChangeAsync(HttpMethod.Put, path, content, seen, ct);
        if (context.Json)
        {
            context.Terminal.Json(saved);
        }
        else
        {
            context.Terminal.Line($"{pipeline} is as in version {Number(number)} again: version {saved.Text("version")}. To take that back: pipelines undo {pipeline} --to {Number(latest)}");
        }
        return ExitCode.Done;
    }

    /// <summary>
    /// What has been undone already is not undone again: where the text now is that of an earlier version, everything after that one is taken back, and its own change is next. So one undo after another goes
    /// back step by step.
    /// </summary>
    private static async Task<int?> BeforeAsync(CommandContext context, string pipeline, int latest, string now, CancellationToken ct)
    {
        var made = latest;
        for (var version = latest - 1; version >= 1; version--)
        {
            if (await TextAsync(context, pipeline, version, ct) == now)
            {
                made = version;
            }
        }
        return made > 1 ? made - 1 : null;
    }

    private static void PrintDiff(CommandContext context, string before, string after)
    {
        foreach (var line in TextDiff.Of(before, after))
        {
            context.Terminal.Line(Terminal.Plain(line));
        }
    }

    private static async Task<int> LatestAsync(CommandContext context, string pipeline, CancellationToken ct) =>
        (await context.Client.GetAsync(PathOf(context, pipeline), ct)).GetProperty("version").GetInt32();

    private static async Task<string> TextAsync(CommandContext context, string pipeline, int version, CancellationToken ct) =>
        (await context.Client.GetTaggedAsync(TextPath(context, pipeline, version), ct)).Text;

    private static string TextPath(CommandContext context, string pipeline, int? version) =>
        $"{PathOf(context, pipeline)}{(version is { } number ? $"/versions/{Number(number)}" : "")}/text";

    private static string PathOf(CommandContext context, string pipeline) => $"{context.ProjectPath}/pipelines/{Uri.EscapeDataString(pipeline)}";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
