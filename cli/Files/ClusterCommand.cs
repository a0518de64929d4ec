using System.Globalization;
using System.Text;
using System.Text.Json;
using Qualiz.Cli.Running;

namespace Qualiz.Cli.Files;

/// <summary><c>cluster FILE COLUMN</c>: values that are probably spellings of one another, and rules that write them in one way.</summary>
internal sealed class ClusterCommand(CommandContext context)
{
    /// <summary>As many as the server gives at once.</summary>
    private const int Most = 10_000;
    private const int Shown = 50;

    public Task<int> ExecuteAsync(string file, string column, string by, string? output, CancellationToken ct) =>
        new FileRun(context).ProposeAsync(
            new FileQuestion(
                "qualiz-cluster", "Values of a file at the command line that are spelt in several ways", "comparing",
                // The file is the person's own.
                $"columns/{Uri.EscapeDataString(column)}/clusters?by={by}&limit={Most}&unmask=true"),
            file, "clusters", output, clusters => Rules(column, clusters), "take out what is wrong", (found, clusters) => Print(Path.GetFileName(file), column, found, clusters), ct);

    private void Print(string file, string column, JsonElement found, List<JsonElement> clusters)
    {
        var terminal = context.Terminal;
        var all = found.GetProperty("found").GetInt32();
        terminal.Line(all == 0
            ? $"{file}: none of the {StepView.Number(found.GetProperty("distinct").GetInt64())} values of {Terminal.Plain(column)} looks like another one's spelling"
            : $"{file}: {StepView.Number(all)} {(all == 1 ? "value" : "values")} of {Terminal.Plain(column)} in more than one spelling, of {StepView.Number(found.GetProperty("distinct").GetInt64())} different ones");
        foreach (var limit in found.List("limits"))
        {
            terminal.Line($"  {terminal.Doubtful("!")} {limit}");
        }
        foreach (var cluster in clusters.Take(Shown))
        {
            var values = cluster.List("values").Select(value => $"{Terminal.Plain(value.Text("value")!)} {terminal.Faint($"×{StepView.Number(value.GetProperty("rows").GetInt64())}")}");
            terminal.Line($"  {string.Join("  ", values)}");
        }
        if (all > Shown)
        {
            terminal.Line($"  and {StepView.Number(all - Shown)} more");
        }
    }

    /// <summary>As under <c>with:</c> of a cleanse step. JSON's texts are YAML's too.</summary>
    internal static string Rules(string column, IReadOnlyList<JsonElement> clusters)
    {
        if (clusters.Count == 0)
        {
            return "# Made by ./qualiz cluster: nothing to merge.\nrules: []\n";
        }
        var text = new StringBuilder($"# Made by ./qualiz cluster: take out what is wrong.\nrules:\n  - rule: replace\n    columns: [{Quoted(column)}]\n    map:\n");
        foreach (var cluster in clusters)
        {
            var suggested = cluster.Text("suggested")!;
            foreach (var value in cluster.List("values").Select(value => value.Text("value")!).Where(value => value != suggested))
            {
                text.Append(CultureInfo.InvariantCulture, $"      {Quoted(value)}: {Quoted(suggested)}\n");
            }
        }
        return text.ToString();
    }

    private static string Quoted(string text) => JsonSerializer.Serialize(text, ApiJson.Options);
}
