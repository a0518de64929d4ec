using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Cli.Running;
using Qualiz.Contracts.Files;

namespace Qualiz.Cli.Commands;

/// <summary><c>quarantine try --rules FILE</c>: what a recipe would make of open rows, before it is saved.</summary>
internal static class QuarantineTrial
{
    private static readonly string[] Parts = ["rules", "checks"];

    /// <param name="address">Where the question goes, with its filter.</param>
    public static async Task<int> ExecuteAsync(CommandContext context, string rulesFile, int samples, string address, CancellationToken ct)
    {
        var text = await RunCommand.ReadAsync(rulesFile, ct);
        // The rules alone are no pipeline; they are read the same way, so that every place is known.
        var file = PipelineFile.Parse(text, rulesFile);
        if (file.Root is not { } root)
        {
            throw new BadInputException(file.Problems.Count > 0 ? file.Problems[0].ToString() : $"{rulesFile}: no rules are in it");
        }
        var body = new JsonObject { ["samples"] = samples };
        foreach (var part in Parts)
        {
            if (root.Find(part) is { } found)
            {
                body[part] = JsonNode.Parse(found.Value.ToJson().GetRawText());
            }
        }
        if (body.Count == 1)
        {
            throw new BadInputException($"{rulesFile}: it has neither rules nor checks; they stand there as under with: of a cleanse step");
        }
        foreach (var other in root.Properties.Where(property => !Parts.Contains(property.Name)))
        {
            context.Terminal.Error($"{rulesFile}: {other.Name} is not tried, only rules and checks are");
        }
        JsonElement tried;
        try
        {
            tried = await context.Client.PostAsync(address, body, ct);
        }
        catch (ProblemException problem) when (problem.Errors.Any(error => error.Path is { } path && Parts.Any(part => path.StartsWith(part, StringComparison.Ordinal))))
        {
            foreach (var error in problem.Errors)
            {
                var place = file.Locate(error.Path ?? "");
                context.Terminal.Error((error with { Line = place?.Line, Column = place?.Column }).Describe(rulesFile));
            }
            return ExitCode.BadInput;
        }
        if (context.Json)
        {
            context.Terminal.Json(tried);
        }
        else
        {
            Show(context.Terminal, tried);
        }
        return ExitCode.Done;
    }

    private static void Show(Terminal terminal, JsonElement tried)
    {
        string Number(string name) => StepView.Number(tried.GetProperty(name).GetInt64());
        terminal.Line(tried.Text("looked") == tried.Text("open") ? $"{Number("open")} open rows" : $"{Number("open")} open rows; the oldest {Number("looked")} were looked at");
        terminal.Line($"{Number("passes")} would pass, {Number("rejected")} would be rejected, {Number("filtered")} would be filtered");
        if (tried.Text("unfit") is not "0")
        {
            terminal.Line($"{Number("unfit")} cannot be tried: a value is none of the type that its column has by now");
        }
        if (tried.List("reasons").Any())
        {
            terminal.Table(["rows", "reason", "column", "in"], tried.List("reasons").Select(reason =>
                (IReadOnlyList<string>)[StepView.Number(reason.GetProperty("items").GetInt64()), reason.Text("rule") ?? "", reason.Text("column") ?? "", reason.Text("path") ?? ""]));
        }
        foreach (var item in tried.List("passesSample"))
        {
            terminal.Line($"row {item.Text("item")} would pass{Changes(item)}");
        }
        foreach (var item in tried.List("rejectedSample"))
        {
            var why = item.List("after").SelectMany(row => row.List("reasons")).Select(reason => reason.Text("column") is { } column ? $"{column} {reason.Text("message")}" : reason.Text("message")).Distinct();
            terminal.Line($"row {item.Text("item")} would be rejected: {string.Join(", ", why)}");
        }
        foreach (var item in tried.List("filteredSample"))
        {
            terminal.Line($"row {item.Text("item")} would be filtered");
        }
        foreach (var part in tried.List("fails"))
        {
            terminal.Line($"the step would fail by {part.Text("path")}: {part.Text("message")}");
        }
        foreach (var part in tried.List("notJudged"))
        {
            terminal.Line($"not judged: {part.Text("path")} ({part.Text("message")})");
        }
    }

    /// <summary>What the rules would make of the row's values; a row that becomes several says how many.</summary>
    private static string Changes(JsonElement item)
    {
        var rows = item.List("after").ToList();
        if (rows.Count != 1)
        {
            return $" as {rows.Count} rows";
        }
        var before = item.GetProperty("before");
        var changes = rows[0].GetProperty("values").EnumerateObject().Where(value => before.Text(value.Name) != rows[0].GetProperty("values").Text(value.Name))
            .Select(value => $"{value.Name} {Quoted(before.Text(value.Name))} -> {Quoted(rows[0].GetProperty("values").Text(value.Name))}").ToList();
        return changes.Count == 0 ? "" : $": {string.Join(", ", changes)}";
    }

    private static string Quoted(string? value) => value is null ? "empty" : $"\"{Terminal.Plain(value)}\"";
}
