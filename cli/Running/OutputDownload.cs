namespace Qualiz.Cli.Running;

/// <summary>Saves what the run's last steps wrote, and all rejected rows, as CSV files.</summary>
internal sealed class OutputDownload(QualizClient client, Terminal terminal)
{
    public async Task SaveAsync(string runPath, string folder, bool json, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        var run = await client.GetAsync(runPath, ct);
        foreach (var step in run.List("steps"))
        {
            var id = step.Text("id")!;
            foreach (var port in new[] { "out", "rejected" })
            {
                var target = Path.Combine(folder, port == "out" ? $"{id}.csv" : $"{id}.{port}.csv");
                var partial = target + ".partial";
                try
                {
                    await using (var file = File.Create(partial))
                    {
                        await client.DownloadAsync($"{runPath}/steps/{Uri.EscapeDataString(id)}/outputs/{port}/download?format=csv", file, ct);
                    }
                    File.Move(partial, target, overwrite: true);
                    if (!json)
                    {
                        terminal.Line($"saved {target}");
                    }
                }
                catch (ProblemException none) when (none.Status is System.Net.HttpStatusCode.NotFound or System.Net.HttpStatusCode.Conflict)
                {
                    // The step has no such port, or delivered a file that is no table.
                    File.Delete(partial);
                }
            }
        }
    }
}
