using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DuckDB.NET.Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Qualiz.Ingest;
using Qualiz.OperatorKit;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Benchmarks.Data;

/// <summary>One run in a process of its own: the ingest operator as an engine worker runs it, or the bare engine's COPY.</summary>
internal static class IngestChild
{
    public const string Argument = "ingest-child";

    /// <summary>What a worker is granted on a machine of 2 cores and 4 GB.</summary>
    public const long MemoryBytes = 1L << 30;
    public const int Threads = 2;

    /// <summary>Arguments: ours|bare, the CSV, a folder to work in. Prints seconds, rows, rejected rows and peak bytes.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var (kind, csv, folder) = (args[0], args[1], args[2]);
        // An engine worker is used again and again, so neither side is measured on loading code.
        await WarmAsync(folder);
        var before = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        var (rows, rejected) = kind == "ours" ? await OursAsync(csv, folder) : Bare(csv, folder);
        var seconds = watch.Elapsed.TotalSeconds;
        var cpu = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
        Console.WriteLine(JsonSerializer.Serialize(new ChildResult(seconds, cpu, rows, rejected, PeakBytes())));
        return 0;
    }

    private static async Task WarmAsync(string folder)
    {
        var small = Path.Combine(folder, "small");
        Directory.CreateDirectory(small);
        var csv = Path.Combine(small, "small.csv");
        BigCsv.Write(csv, 100_000);
        for (var round = 0; round < 2; round++)
        {
            Bare(csv, small);
            await OursAsync(csv, small);
        }
    }

    private static (long Rows, long Rejected) Bare(string csv, string folder)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        Execute($"SET threads = {Threads}");
        Execute($"SET memory_limit = '{MemoryBytes.ToString(CultureInfo.InvariantCulture)}B'");
        Execute($"SET temp_directory = '{Path.Combine(folder, "spill")}'");
        var target = Path.Combine(folder, "bare.parquet");
        // It must step over the broken lines, or it would stop at the first.
        var rows = Execute($"COPY (SELECT * FROM read_csv('{csv}', ignore_errors = true)) TO '{target}'");
        File.Delete(target);
        return (rows, 0);

        int Execute(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            return command.ExecuteNonQuery();
        }
    }

    private static async Task<(long Rows, long Rejected)> OursAsync(string csv, string folder)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Folders:Roots:0"] = Path.GetDirectoryName(csv) })
            .Build();
        using var bench = new OperatorBench(Directory.CreateDirectory(Path.Combine(folder, "ours")).FullName);
        var result = await new IngestOperator(configuration, new OutboundGuard(configuration)).ExecuteAsync(
            new IngestConfig { From = new IngestSource { Folder = csv } },
            bench.Step(new StepSetup { Grant = new ResourceGrant(MemoryBytes, Threads), Log = NullLogger.Instance }),
            CancellationToken.None);
        if (result is not StepResult.Completed { Outcome: var outcome })
            throw new InvalidOperationException(((StepResult.Failed)result).Error.Message);
        if (!outcome.Ledger.All(line => line.Balances))
            throw new InvalidOperationException("The ledger does not balance.");
        return (outcome.RowsOut, outcome.RowsRejected);
    }

    // The kernel's own high-water mark of this process.
    public static long PeakBytes()
    {
        var line = File.ReadLines("/proc/self/status").First(text => text.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
    }
}

internal sealed record ChildResult(double Seconds, double CpuSeconds, long Rows, long Rejected, long PeakBytes);
