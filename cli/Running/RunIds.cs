using Qualiz.Cli.Files;

namespace Qualiz.Cli.Running;

/// <summary>
/// Runs are shown by the last eight digits of their id: those are random, while the first ones are the time and alike in runs
/// of the same minute. Whatever a person gives of an id is looked up among the newest runs.
/// </summary>
internal static class RunIds
{
    private const int Searched = 1_000;

    public static string Short(string id) => id.Length > 8 ? id[^8..] : id;

    /// <exception cref="BadInputException">No run, or more than one, is meant.</exception>
    public static async Task<Guid> ResolveAsync(QualizClient client, string projectPath, string text, CancellationToken ct)
    {
        if (Guid.TryParse(text, out var whole))
        {
            return whole;
        }
        var found = new List<Guid>();
        await foreach (var run in client.ListAsync($"{projectPath}/runs", Searched, ct))
        {
            var id = run.Text("id")!;
            if (text == "latest")
            {
                // Those of clean, match and profile are over with the command; what was run before is what is meant.
                if (run.Text("pipeline") is not { } pipeline || !FileRun.Pipelines.Contains(pipeline))
                {
                    found.Add(Guid.Parse(id));
                    break;
                }
            }
            else if (id.EndsWith(text, StringComparison.OrdinalIgnoreCase) || id.StartsWith(text, StringComparison.OrdinalIgnoreCase))
            {
                found.Add(Guid.Parse(id));
            }
        }
        return found.Count switch
        {
            1 => found[0],
            0 when text == "latest" => throw new BadInputException("there is no run yet"),
            0 => throw new BadInputException($"\"{text}\" is no run: give the id that ./qualiz runs shows, or latest"),
            _ => throw new BadInputException($"\"{text}\" is the id of {found.Count} runs ({string.Join(", ", found.Take(3))}): give more of it"),
        };
    }
}
