using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DuckDB.NET.Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Qualiz.Cleanse;
using Qualiz.Contracts.Data;
using Qualiz.Ingest;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Benchmarks.Data;

/// <summary>One run in a process of its own: the cleanse operator as an engine worker runs it, or the bare engine's copy of the same Parquet file.</summary>
internal static class CleanseChild
{
    public const string Argument = "cleanse-child";

    /// <summary>The same with ten checks.</summary>
    public const string WithChecks = "clean-child";

    /// <summary>Arguments: prepare|ours|bare, a folder with customers.csv. Prints seconds, rows, rejected rows and peak bytes.</summary>
    /// <param name="recipe">What is measured: a file beside this one.</param>
    public static async Task<int> RunAsync(string[] args, string recipe)
    {
        var (kind, folder) = (args[0], args[1]);
        if (kind == "prepare")
        {
            await PrepareAsync(folder, BigCsv.RowsOfOne);
            Console.WriteLine("{}");
            return 0;
        }
        // An engine worker is used again and again, so neither side is measured on loading code.
        var small = Path.Combine(folder, $"small-{kind}");
        Directory.CreateDirectory(small);
        await PrepareAsync(small, 100_000);
        await RunAsync(kind, small, recipe);
        await RunAsync(kind, small, recipe);
        var before = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        var (rows, rejected) = await RunAsync(kind, folder, recipe);
        var seconds = watch.Elapsed.TotalSeconds;
        Console.WriteLine(JsonSerializer.Serialize(new ChildResult(seconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds, rows, rejected, IngestChild.PeakBytes())));
        Directory.Delete(small, recursive: true);
        return 0;
    }

    public static CleanseConfig Recipe(string name = "cleanse20.json")
    {
        using var stream = typeof(CleanseChild).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return OperatorBench.Config<CleanseConfig>(reader.ReadToEnd());
    }

    private static Task<(long Rows, long Rejected)> RunAsync(string kind, string folder, string recipe) => kind == "ours" ? OursAsync(folder, recipe) : Task.FromResult(Bare(folder));

    /// <summary>Makes the CSV and lets ingest read it.</summary>
    private static async Task PrepareAsync(string folder, int rows)
    {
        var csv = Path.Combine(folder, "customers.csv");
        BigCsv.Write(csv, rows);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Folders:Roots:0"] = folder }).Build();
        // The folder stays, so the bench is not disposed of.
        var bench = new OperatorBench(Directory.CreateDirectory(Path.Combine(folder, "ours")).FullName);
        var result = await new IngestOperator(configuration, new OutboundGuard(configuration)).ExecuteAsync(
            new IngestConfig { From = new IngestSource { Folder = csv } },
            bench.Step(new StepSetup { Grant = new ResourceGrant(IngestChild.MemoryBytes, IngestChild.Threads), Log = NullLogger.Instance }),
            CancellationToken.None);
        var dataset = ((StepResult.Completed)result).Outcome.Outputs["out"];
        await File.WriteAllTextAsync(Path.Combine(folder, "dataset.json"), JsonSerializer.Serialize(dataset));
        File.Delete(csv);
    }

    private static DatasetRef Dataset(string folder) => JsonSerializer.Deserialize<DatasetRef>(File.ReadAllText(Path.Combine(folder, "dataset.json")))!;

    private static (long Rows, long Rejected) Bare(string folder)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        Execute($"SET threads = {IngestChild.Threads}");
        Execute($"SET memory_limit = '{IngestChild.MemoryBytes.ToString(CultureInfo.InvariantCulture)}B'");
        Execute($"SET temp_directory = '{Path.Combine(folder, "spill")}'");
        var source = Path.Combine(folder, "ours", "store", Dataset(folder).Files[0].Key);
        var target = Path.Combine(folder, "bare.parquet");
        var rows = Execute($"COPY (SELECT * FROM read_parquet('{source}')) TO '{target}'");
        File.Delete(target);
        return (rows, 0);

        int Execute(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            return command.ExecuteNonQuery();
        }
    }

    private static async Task<(long Rows, long Rejected)> OursAsync(string folder, string recipe)
    {
        var bench = new OperatorBench(Path.Combine(folder, "ours"));
        var result = await new CleanseOperator().ExecuteAsync(
            Recipe(recipe),
            bench.Step(new StepSetup
            {
                Inputs = [new ResolvedInput("customers", Dataset(folder))],
                Grant = new ResourceGrant(IngestChild.MemoryBytes, IngestChild.Threads),
                Log = NullLogger.Instance,
            }),
            CancellationToken.None);
        if (result is not StepResult.Completed { Outcome: var outcome })
            throw new InvalidOperationException(((StepResult.Failed)result).Error.Message);
        if (!outcome.Ledger.All(line => line.Balances))
            throw new InvalidOperationException("The ledger does not balance.");
        if (outcome.Outputs["changes"].Rows == 0 || outcome.RowsRejected == 0)
            throw new InvalidOperationException("The recipe should change and reject something.");
        foreach (var file in outcome.Outputs.Values.SelectMany(output => output.Files))
            File.Delete(Path.Combine(bench.StoreFolder, file.Key));
        return (outcome.RowsOut, outcome.RowsRejected);
    }
}
