using System.Globalization;
using System.Text.Json;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Files;

/// <summary><c>profile FILE</c>: a short block of lines for each column.</summary>
internal sealed class ProfileCommand(CommandContext context)
{
    private const int ShownExamples = 3;

    public Task<int> ExecuteAsync(string file, bool dependencies, CancellationToken ct) =>
        new FileRun(context).AskAsync(
            new FileQuestion("qualiz-profile", "What a file at the command line looks like", "profiling", $"profile{(dependencies ? "?dependencies=true" : "")}"), file, async (profile, runPath) =>
            {
                if (context.Json)
                {
                    foreach (var one in profile.List("columns").Concat(profile.List("dependencies")))
                    {
                        context.Terminal.Json(one);
                    }
                    return;
                }
                var run = await context.Client.GetAsync(runPath, ct);
                Print(context.Terminal, Path.GetFileName(file), profile, run.List("steps").First());
            }, ct);

    internal static void Print(Terminal terminal, string file, JsonElement profile, JsonElement step)
    {
        var rows = Long(profile, "rows");
        var columns = profile.List("columns").ToList();
        var rejected = step.List("ledger").Sum(line => Long(line, "rejected"));
        terminal.Line($"{file}: {StepView.Number(rows)} rows, {columns.Count} columns{(rejected == 0 ? "" : terminal.Doubtful($", {RejectedDownload.Told(rejected)}"))}");
        foreach (var reason in step.List("ledger").SelectMany(line => line.List("reasons")).Where(reason => reason.Text("kind") == "rejected"))
        {
            terminal.Line($"  {StepView.Number(Long(reason, "rows"))} {reason.Text("reason")}");
        }
        foreach (var warning in step.List("warnings"))
        {
            terminal.Line($"  {terminal.Doubtful("!")} {warning}");
        }
        var nameWidth = columns.Select(column => Terminal.Plain(column.Text("name")!).Length).DefaultIfEmpty(0).Max();
        foreach (var column in columns)
        {
            terminal.Line();
            var nulls = Long(column, "nulls");
            var blank = Long(column, "blank");
            var distinct = Long(column, "distinct");
            var isKey = rows > 0 && nulls == 0 && (Is(column, "unique") || (distinct == rows && !Is(column, "distinctEstimated")));
            var facts = new List<string>
            {
                column.Text("type") + Meaning(column),
                nulls == 0 ? "no empty cells" : $"{StepView.Number(nulls)} empty ({StepView.Share(nulls, rows)})",
                isKey ? "all different" : $"{(Is(column, "distinctEstimated") ? "~" : "")}{StepView.Number(distinct)} different",
            };
            if (blank > 0)
            {
                facts.Add(terminal.Doubtful($"{StepView.Number(blank)} blank"));
            }
            terminal.Line($"{Terminal.Plain(column.Text("name")!).PadRight(nameWidth)}  {string.Join(", ", facts)}");
            if (column.Text("min") is { } min && column.Text("max") is { } max && distinct > 1)
            {
                var mean = column.Text("mean") is { } average ? $", mean {double.Parse(average, CultureInfo.InvariantCulture).ToString("#,0.###", CultureInfo.InvariantCulture)}" : "";
                var lengths = column.Text("minLength") is { } shortest && column.Text("maxLength") is { } longest ? $", {(shortest == longest ? shortest : $"{shortest} to {longest}")} characters" : "";
                terminal.Line($"    {terminal.Faint("from")} {Quoted(min)} {terminal.Faint("to")} {Quoted(max)}{mean}{lengths}");
            }
            if (QuantileOf(column, 0.5) is { } median && distinct > 2)
            {
                var half = QuantileOf(column, 0.25) is { } lower && QuantileOf(column, 0.75) is { } upper ? $", {terminal.Faint("half between")} {Quoted(lower)} {terminal.Faint("and")} {Quoted(upper)}" : "";
                terminal.Line($"    {terminal.Faint("middle")} {(Is(column, "distributionEstimated") ? "~" : "")}{Quoted(median)}{half}");
            }
            // Of a column whose values are all different the most frequent ones say nothing.
            if (!isKey && !Is(column, "unique") && distinct < rows - nulls)
            {
                Counts(terminal, "most", column.List("top"), rows);
            }
            Counts(terminal, Is(column, "patternsEstimated") ? "like (about)" : "like", column.List("patterns"), rows);
            if (column.TryGetProperty("outliers", out var far) && far.ValueKind == JsonValueKind.Object)
            {
                terminal.Line($"    {terminal.Doubtful("far off")} {StepView.Number(Long(far, "rows"))} outside {Quoted(far.Text("from")!)} to {Quoted(far.Text("to")!)}: {string.Join(", ", far.List("examples").Select(value => Quoted(value.ToString())))}");
            }
        }
        PrintTogether(terminal, profile, rows);
    }

    /// <summary>What is said of several columns.</summary>
    private static void PrintTogether(Terminal terminal, JsonElement profile, long rows)
    {
        static string Names(IEnumerable<JsonElement> names) => string.Join(" + ", names.Select(name => Terminal.Plain(name.GetString()!)));
        var keys = profile.List("keys").Select(key => Names(key.EnumerateArray())).ToList();
        var missing = profile.List("missingTogether").ToList();
        if (keys.Count + missing.Count > 0)
        {
            terminal.Line();
        }
        if (keys.Count > 0)
        {
            terminal.Line($"{terminal.Faint("tells all rows apart:")} {string.Join(", ", keys)}");
        }
        foreach (var pair in missing)
        {
            var how = pair.GetProperty("correlation").GetDouble() > 0 ? $"mostly empty together, in {StepView.Number(Long(pair, "rows"))} rows ({StepView.Share(Long(pair, "rows"), rows)})" : "mostly empty in turn";
            terminal.Line($"{Names(pair.List("columns"))}: {how}");
        }
        if (!profile.TryGetProperty("dependencies", out var asked) || asked.ValueKind != JsonValueKind.Array)
        {
            return;
        }
        terminal.Line();
        if (asked.GetArrayLength() == 0)
        {
            terminal.Line("no column says what stands in another one");
        }
        foreach (var dependency in asked.EnumerateArray())
        {
            var violations = Long(dependency, "violations");
            terminal.Line($"{Names(dependency.List("left"))} {terminal.Faint("says")} {Terminal.Plain(dependency.Text("right")!)}{(violations == 0
                ? ", always"
                : terminal.Doubtful($", but for {StepView.Number(violations)} of {StepView.Number(Long(dependency, "rows"))} rows ({StepView.Share(violations, Long(dependency, "rows"))})"))}");
            foreach (var group in dependency.List("examples").Take(ShownExamples))
            {
                terminal.Line($"    {string.Join(" + ", group.List("left").Select(value => Quoted(value.GetString()!)))}: {string.Join(", ", group.List("right").Select(value => $"{Quoted(value.Text("value")!)} ×{StepView.Number(Long(value, "rows"))}"))}");
            }
        }
    }

    /// <summary>What the values stand for, and the tag proposed for a column that has none.</summary>
    private static string Meaning(JsonElement column) =>
        column.TryGetProperty("semantic", out var semantic) && semantic.ValueKind == JsonValueKind.Object && semantic.Text("type") is { } type && type != column.Text("type")
            ? $" ({type}{(semantic.Text("sensitivity") is { } tag && !Is(column, "masked") ? $", {tag}?" : "")})"
            : "";

    private static bool Is(JsonElement element, string property) => element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.True;

    private static string? QuantileOf(JsonElement column, double share) =>
        column.List("quantiles").FirstOrDefault(quantile => quantile.GetProperty("share").GetDouble() == share).Text("value");

    private static void Counts(Terminal terminal, string title, IEnumerable<JsonElement> counts, long rows)
    {
        var room = (terminal.Width ?? 120) - 10;
        var line = "";
        foreach (var count in counts)
        {
            var number = Long(count, "rows");
            var item = $"{Quoted(count.Text("value")!)} {(number * 1000 < rows ? $"×{StepView.Number(number)}" : StepView.Share(number, rows))}";
            if (line.Length > 0 && line.Length + item.Length + 2 > room)
            {
                break;
            }
            line += line.Length == 0 ? item : $", {item}";
        }
        if (line.Length > 0)
        {
            terminal.Line($"    {terminal.Faint(title)} {line}");
        }
    }

    /// <summary>Quoted where it could be misread.</summary>
    private static string Quoted(string value)
    {
        var shown = Terminal.Plain(value.Length > 40 ? value[..39] + "…" : value);
        return shown.Length == 0 || shown[0] == ' ' || shown[^1] == ' ' || shown.Contains(',', StringComparison.Ordinal) ? $"\"{shown}\"" : shown;
    }

    private static long Long(JsonElement element, string name) =>
        long.TryParse(element.Text(name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : 0;
}
