using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Qualiz.Cli.Commands;

/// <summary>What old data there is, and its removal.</summary>
internal static class RetentionCommands
{
    public static IEnumerable<Command> All() =>
    [
        new Command("retention", "Old data: what would go, and its removal")
        {
            new ClientCommand("preview", "Show what a collection would remove now", "retention preview")
                .Doing(async (context, ct) => Show(context, await context.Client.GetAsync($"{context.ProjectPath}/retention/preview", ct), "would go")),
            new ClientCommand("run", "Remove now what is too old or too many", "retention run")
                .Doing(async (context, ct) => Show(context, await context.Client.PostAsync($"{context.ProjectPath}/retention/run", new { }, ct), "went")),
        },
    ];

    private static int Show(CommandContext context, JsonElement report, string verb)
    {
        if (context.Json)
        {
            context.Terminal.Json(report);
            return ExitCode.Done;
        }
        var rows = report.List("removed").Select(line => (line, verb)).Concat(report.List("kept").Select(line => (line, verb: "stays")))
            .Select(row => (IReadOnlyList<string>)[row.verb, row.line.Text("kind") ?? "", row.line.Text("pipeline") ?? "", row.line.Text("step") ?? "", row.line.Text("files") ?? "", Size(row.line.Text("bytes"))]);
        context.Terminal.Table(["", "what", "pipeline", "step", "files", "size"], rows);
        foreach (var dataset in report.List("versions"))
        {
            context.Terminal.Line($"dataset {dataset.Text("dataset")}: versions {string.Join(", ", dataset.List("versions").Select(number => number.GetRawText()))} {verb}");
        }
        if (report.Text("quarantineItems") is { } items and not "0")
        {
            context.Terminal.Line($"{items} rejected rows that were settled long ago {verb}");
        }
        context.Terminal.Line($"{report.Text("files")} files ({Size(report.Text("bytes"))}) {verb}");
        return ExitCode.Done;
    }

    private static string Size(string? bytes) => double.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
        ? size switch
        {
            >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{size / 1e9:0.0} GB"),
            >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{size / 1e6:0.0} MB"),
            >= 1e3 => string.Create(CultureInfo.InvariantCulture, $"{size / 1e3:0.0} kB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{size:0} B"),
        }
        : "";
}
