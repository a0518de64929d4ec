namespace Qualiz.Cli.Running;

/// <summary>Saves what every step of a run wrote to each of its ports, rejected rows included; also what a failed run has left.</summary>
internal sealed class OutputDownload(QualizClient client, Terminal terminal)
{
    public async Task SaveAsync(string runPath, string folder, string format, bool json, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        var run = await client.GetAsync(runPath, ct);
        foreach (var step in run.List("steps"))
        {
            var id = step.Text("id")!;
            var ports = step.TryGetProperty("outputs", out var outputs) && outputs.ValueKind == System.Text.Json.JsonValueKind.Object
                ? outputs.EnumerateObject().ToList()
                : [];
            foreach (var port in ports)
            {
                var target = Path.Combine(folder, port.Name == "out" ? $"{id}.{format}" : $"{id}.{port.Name}.{format}");
                if (await TrySaveAsync($"{runPath}/steps/{Uri.EscapeDataString(id)}/outputs/{Uri.EscapeDataString(port.Name)}/download?format={format}", target, ct) && !json)
                {
                    terminal.Line($"saved {target}  {StepView.Number(port.Value.TryGetProperty("rows", out var rows) ? rows.GetInt64() : 0)} rows");
                }
            }
        }
    }

    /// <summary>False: there is no table to save. A file under its final name is whole.</summary>
    public async Task<bool> TrySaveAsync(string path, string target, CancellationToken ct)
    {
        try
        {
            await client.SaveAsync(path, target, ct);
            return true;
        }
        catch (ProblemException none) when (none.Status is System.Net.HttpStatusCode.NotFound or System.Net.HttpStatusCode.Conflict)
        {
            // The step delivered a file that is no table.
            return false;
        }
    }
}
