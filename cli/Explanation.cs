using System.Globalization;
using System.Text.Json;

namespace Qualiz.Cli;

/// <summary><c>explain RUN ENTITY</c>: why rows are one entity, for people or as the instance answers it.</summary>
internal sealed class Explanation(CommandContext context)
{
    /// <summary>Of each kind of pair; with --json there are all.</summary>
    private const int MostShown = 10;

    public async Task<int> ExecuteAsync(string run, string entity, string? step, CancellationToken ct)
    {
        var runPath = await context.RunPathAsync(run, ct);
        step ??= StepOf(await context.Client.GetAsync(runPath, ct));
        var answer = await context.Client.GetAsync($"{runPath}/steps/{Uri.EscapeDataString(step)}/entities/{Uri.EscapeDataString(entity)}", ct);
        if (context.Json)
        {
            context.Terminal.Json(answer);
        }
        else
        {
            Show(answer);
        }
        return ExitCode.Done;
    }

    private static string StepOf(JsonElement run)
    {
        var steps = run.List("steps").Where(step => step.TryGetProperty("outputs", out var outputs) && outputs.ValueKind == JsonValueKind.Object && outputs.TryGetProperty("members", out _) && outputs.TryGetProperty("pairs", out _))
            .Select(step => step.Text("id")!).ToList();
        return steps switch
        {
            [var only] => only,
            [] => throw new BadInputException("no step of this run has made entities"),
            _ => throw new BadInputException($"several steps of this run made entities; say which: --step {string.Join(", --step ", steps)}"),
        };
    }

    private void Show(JsonElement answer)
    {
        var terminal = context.Terminal;
        terminal.Line($"entity {answer.Text("entity")}, {answer.Text("size")} rows");
        terminal.Table(["row", "of", "key", "score", "linked by"], answer.List("members").Take(MostShown).Select(member => (IReadOnlyList<string>)[member.Text("row") ?? "", Cell(member, "source"), Cell(member, "key"), Number(member, "score", "0.000"), member.Text("linkedBy") ?? ""]));
        More(answer.List("members").Count());
        var links = answer.List("links").ToList();
        terminal.Line();
        terminal.Line(links.Count == 0 ? "No pair holds it together: it is one row, or its rows are equal in all that was compared, or keys or people tie them." : "What holds it together, the strongest first; the last is its weakest link:");
        // The weakest link is what a person asks for, so it is there whatever their number is.
        Pairs(links.Count > MostShown ? [.. links.Take(MostShown - 1), links[^1]] : links);
        More(links.Count);
        Pairs("What speaks against it:", answer, "against");
        var cut = answer.List("cut").ToList();
        if (cut.Count > 0)
        {
            terminal.Line();
            terminal.Line("What is likely and elsewhere:");
        }
        foreach (var one in cut.Take(MostShown))
        {
            Pair(one.GetProperty("pair"));
            terminal.Line($"    {Why(one)}{(one.Text("entity") is { Length: > 0 } other ? $"; in {other}" : "; of an earlier batch")}");
        }
        More(cut.Count);
        foreach (var decision in answer.List("decisions"))
        {
            var rows = string.Join(", ", decision.List("rows").Select(Row));
            terminal.Line(decision.Text("decision") == "match" ? $"A person said that these rows are the same as others: {rows}" : $"A person said that these are different: {rows}");
        }
    }

    private static string Why(JsonElement cut) => cut.Text("why") switch
    {
        "steward" => "a person said that they are different",
        "pair" => "not likely enough, or a row had a better partner",
        _ => $"on average over all {cut.Text("between")} pairs of the two entities, of which {cut.Text("likely")} are likely, the probability is {Number(cut, "average", "0.000")}",
    };

    private void Pairs(string heading, JsonElement answer, string list)
    {
        var pairs = answer.List(list).ToList();
        if (pairs.Count == 0)
        {
            return;
        }
        context.Terminal.Line();
        context.Terminal.Line(heading);
        Pairs([.. pairs.Take(MostShown)]);
        More(pairs.Count);
    }

    private void Pairs(List<JsonElement> pairs)
    {
        foreach (var pair in pairs)
        {
            Pair(pair);
        }
    }

    private void Pair(JsonElement pair)
    {
        context.Terminal.Line($"  {Row(pair.GetProperty("left"))} and {Row(pair.GetProperty("right"))}: {Number(pair, "weight", "0.0")} bits, probability {Number(pair, "probability", "0.000")}{(pair.Text("block") is { } block ? $", found by {block}" : "")}");
        context.Terminal.Line(context.Terminal.Faint($"    {string.Join(", ", pair.List("fields").Select(field => $"{Cell(field, "name")} {Signed(field)}"))}"));
    }

    private void More(int count)
    {
        if (count > MostShown)
        {
            context.Terminal.Line(context.Terminal.Faint($"  {count - MostShown} more; --json has them"));
        }
    }

    private static string Row(JsonElement row) => $"{Cell(row, "source")} row {row.Text("row")}";

    private static string Cell(JsonElement item, string property) => Terminal.Plain(item.Text(property) ?? "");

    private static string Signed(JsonElement field) => field.Text("level") == "-1" ? "empty" : Number(field, "weight", "+0.0;-0.0;0");

    private static string Number(JsonElement item, string property, string format) =>
        item.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble().ToString(format, CultureInfo.InvariantCulture) : "";
}
