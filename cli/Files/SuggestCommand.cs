using System.Globalization;
using System.Text;
using System.Text.Json;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Files;

/// <summary><c>profile FILE --suggest</c>: rules and checks that the file's rows speak for, and a recipe made of them.</summary>
internal sealed class SuggestCommand(CommandContext context)
{
    /// <summary>From here on a suggestion stands in the recipe; below it is there as a comment.</summary>
    private const double Sure = 0.9;
    private const int ShownSamples = 3;

    private static readonly FileQuestion Question =
        new("qualiz-suggest", "What is to be done about a file at the command line", "looking for what is wrong", "suggestions?unmask=true"); // The file is the person's own.

    public Task<int> ExecuteAsync(string file, string? output, CancellationToken ct) =>
        new FileRun(context).ProposeAsync(
            Question, file, "items", output, Recipe, $"what is at least {Sure.ToString(CultureInfo.InvariantCulture)} sure is in it, the rest is a comment: look through it",
            (found, items) => Print(context.Terminal, Path.GetFileName(file), found, items), ct);

    internal static void Print(Terminal terminal, string file, JsonElement found, List<JsonElement> items)
    {
        var (rows, looked) = (Long(found, "rows"), Long(found, "looked"));
        terminal.Line(items.Count == 0 ? $"{file}: nothing to suggest" : $"{file}: {StepView.Number(items.Count)} {(items.Count == 1 ? "suggestion" : "suggestions")}");
        if (looked < rows)
        {
            terminal.Line($"  {terminal.Doubtful("!")} {StepView.Number(looked)} of {StepView.Number(rows)} rows were looked at");
        }
        foreach (var item in items)
        {
            var affected = Long(item, "affected");
            var isRule = item.TryGetProperty("rule", out var rule) && rule.ValueKind == JsonValueKind.Object;
            terminal.Line($"{Confidence(item)}  {(isRule ? "rule " : "check")} {Terminal.Plain(item.Text("message")!)}{(affected == 0 ? "" : $": {StepView.Number(affected)} {(affected == 1 ? $"row {(isRule ? "changes" : "fails")}" : $"rows {(isRule ? "change" : "fail")}")}")}");
            foreach (var sample in item.List("samples").Take(ShownSamples))
            {
                var before = sample.Text("before") is { } text ? $"\"{Terminal.Plain(text)}\"" : "nothing";
                var after = isRule ? $" -> {(sample.Text("after") is { } value ? $"\"{Terminal.Plain(value)}\"" : "nothing")}" : "";
                terminal.Line($"            {before}{after} {terminal.Faint($"×{StepView.Number(Long(sample, "rows"))}{(sample.Text("because") is { } why ? $", {Terminal.Plain(why)}" : "")}")}");
            }
        }
    }

    /// <summary>As under <c>with:</c> of a cleanse step. JSON is YAML too.</summary>
    internal static string Recipe(IReadOnlyList<JsonElement> items)
    {
        var text = new StringBuilder("# Made by ./qualiz profile --suggest: look through it, take out what is wrong and the \"#\" before what is right.\n");
        foreach (var (part, name) in (ReadOnlySpan<(string, string)>)[("rules", "rule"), ("checks", "check")])
        {
            var own = items.Where(item => item.TryGetProperty(name, out var one) && one.ValueKind == JsonValueKind.Object).ToList();
            if (own.Count == 0)
            {
                continue;
            }
            // With all of them comments there must be a list all the same.
            text.Append(CultureInfo.InvariantCulture, $"{part}:{(own.Any(IsSure) ? "" : " []")}\n");
            foreach (var item in own)
            {
                text.Append(CultureInfo.InvariantCulture, $"  # {Confidence(item)}, rows: {item.GetProperty("affected")}; {Plain(item.Text("message")!)}\n  {(IsSure(item) ? "" : "# ")}- {JsonSerializer.Serialize(item.GetProperty(name), ApiJson.Options)}\n");
            }
        }
        return text.ToString();
    }

    private static bool IsSure(JsonElement item) => item.GetProperty("confidence").GetDouble() >= Sure;

    private static string Confidence(JsonElement item) => item.GetProperty("confidence").GetDouble().ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>A name of a column may hold anything; a comment is one line.</summary>
    private static string Plain(string message) => Terminal.Plain(message).ReplaceLineEndings(" ");

    private static long Long(JsonElement element, string name) => long.TryParse(element.Text(name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : 0;
}
