using System.Diagnostics;
using System.Globalization;
using Qualiz.Benchmarks.Orchestration;
using Qualiz.TestKit;

namespace Qualiz.Benchmarks.Data;

/// <summary>
/// 10 million customers of two systems through the whole pipeline of the demo (ingest from PostgreSQL and from files, cleanse, match, enrich, publish,
/// deliver), all services in one process with its engine workers: the peak of what that process and its descendants have at once.
/// </summary>
internal sealed class DemoMemoryBenchmark : IBenchmark
{
    private const string Memory = "data.demo10m.memory";
    private const long AllRows = 10_000_000;
    private const double Limit = 4;

    /// <summary>Fewer rows, to try it out: the figure is then called after their number.</summary>
    private const string RowsVariable = "QUALIZ_BENCH_DEMO_ROWS";

    public IReadOnlyList<string> Names => [Memory];

    public async Task<IReadOnlyList<Figure>> RunAsync(IReadOnlySet<string> wanted, Action<string> say, CancellationToken ct)
    {
        var rows = Environment.GetEnvironmentVariable(RowsVariable) is { Length: > 0 } some ? long.Parse(some, CultureInfo.InvariantCulture) : AllRows;
        await using var instance = await Instance.StartAsync(Deployment.InProcess, ct, folder => new Dictionary<string, string>
        {
            ["Folders__Roots__0"] = Directory.CreateDirectory(Path.Combine(folder, "landing")).FullName,
            ["Engine__Scratch"] = Directory.CreateDirectory(Path.Combine(folder, "scratch")).FullName,
            ["Outbound__Allow__0"] = "127.0.0.1",
            // As on a machine that has no more than the limit; with more, the engine takes its share of that before it spills.
            ["Engine__MemoryBytes"] = (Limit * 1e9).ToString("0", CultureInfo.InvariantCulture),
        });
        var warehouse = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var tree = new ProcessTree(instance.ProcessIds[0]);
        var watch = Stopwatch.StartNew();
        var told = await DemoAsync(instance, warehouse, rows, ct);
        foreach (var line in told.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            say(line);
        say(string.Create(CultureInfo.InvariantCulture,
            $"{rows:N0} rows in {watch.Elapsed.TotalSeconds:0} s, their making included; peak {tree.PeakBytes / 1e9:0.00} GB in {tree.Processes} processes, the largest of any {tree.LargestBytes / 1e9:0.00} GB"));
        var peak = tree.PeakBytes / 1e9;
        return [new Figure(rows == AllRows ? Memory : string.Create(CultureInfo.InvariantCulture, $"data.demo{rows}.memory"), peak, "GB", Limit, Limit / peak)];
    }

    /// <summary>Makes the sources and runs the pipeline, as <c>./qualiz up</c> does with fewer rows; the answer is what the command said.</summary>
    private static async Task<string> DemoAsync(Instance instance, string warehouse, long rows, CancellationToken ct)
    {
        var bin = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", ".."));
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            Path.Combine(bin, "Qualiz.Cli", "release", "qualiz-cli.dll"),
            "demo",
            "--data", Path.GetFullPath(Path.Combine(bin, "..", "..", "infra", "demo")),
            "--landing", Path.Combine(instance.Folder, "landing"),
            "--postgres", warehouse,
            "--rows", rows.ToString(CultureInfo.InvariantCulture),
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["QUALIZ_URL"] = instance.Runs.BaseAddress!.ToString();
        using var client = Process.Start(start)!;
        try
        {
            var errors = client.StandardError.ReadToEndAsync(ct);
            var output = await client.StandardOutput.ReadToEndAsync(ct);
            await client.WaitForExitAsync(ct);
            return client.ExitCode == 0 ? output : throw new InvalidOperationException($"The demo ended with {client.ExitCode}:\n{output}{await errors}");
        }
        finally
        {
            if (!client.HasExited)
                client.Kill(entireProcessTree: true);
        }
    }
}
