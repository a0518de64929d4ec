using System.Diagnostics;
using System.Text.Json;

namespace Qualiz.Benchmarks.Data;

/// <summary>A measured run in a process of its own, with the runtime's settings that the pool gives its engine workers.</summary>
internal static class WorkerChild
{
    /// <param name="arguments">The kind of child, and its own arguments.</param>
    public static async Task<ChildResult> RunAsync(IEnumerable<string> arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet")
            start.ArgumentList.Add(typeof(WorkerChild).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        // As EngineWorkerPool has them.
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_GCConserveMemory"] = "5";
        start.Environment["DOTNET_TieredCompilation"] = "0";
        using var child = Process.Start(start)!;
        try
        {
            var output = await child.StandardOutput.ReadToEndAsync(ct);
            await child.WaitForExitAsync(ct);
            return child.ExitCode == 0
                ? JsonSerializer.Deserialize<ChildResult>(output)!
                : throw new InvalidOperationException($"The run {string.Join(' ', arguments.Take(2))} failed with exit code {child.ExitCode}.");
        }
        finally
        {
            if (!child.HasExited)
                child.Kill(entireProcessTree: true);
        }
    }
}
