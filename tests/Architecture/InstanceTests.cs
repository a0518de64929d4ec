using System.Diagnostics;
using System.Globalization;

namespace Qualiz.Architecture.Tests;

/// <summary>What the scripts of a local instance know about the services.</summary>
public class InstanceTests
{
    [Fact]
    public void The_engine_workers_of_all_processes_share_60_percent_of_the_memory()
    {
        var withWorkers = Repository.Services
            .Where(service => Repository.Files("*.cs").Where(path => path.StartsWith($"{service.Folder}/", StringComparison.Ordinal)).Select(Repository.Read)
                .Any(text => text.Contains("static OperatorDescription Description", StringComparison.Ordinal) && !text.Contains("OperatorRunsIn.Host", StringComparison.Ordinal)))
            .Select(service => service.Folder.Split('/')[^1].ToLowerInvariant()).Order(StringComparer.Ordinal).ToList();
        withWorkers.ShouldContain("cleanse");
        Lines("printf '%s\\n' \"${engine_services[@]}\"").Order(StringComparer.Ordinal).ShouldBe(withWorkers);

        var shares = Lines("for replicas in {1..9}; do memory_share $replicas; echo; done").Select(share => decimal.Parse(share, CultureInfo.InvariantCulture)).ToList();
        shares.Count.ShouldBe(9);
        shares.Select((share, i) => share * withWorkers.Count * (i + 1)).ShouldAllBe(sum => sum <= 0.6m && sum > 0.58m);
    }

    private static string[] Lines(string commands)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", $"set -e; root=$PWD; . infra/local/common.sh; . infra/local/stack.sh; {commands}"])
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
        })!;
        var lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        process.ExitCode.ShouldBe(0);
        return lines;
    }
}
