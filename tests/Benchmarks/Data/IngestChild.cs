using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DuckDB.NET.Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Ingest;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;
using Qualiz.Platform.Storage;

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
        BigCsv.Write(csv, 1000);
        Bare(csv, small);
        await OursAsync(csv, small);
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
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Folders:Roots:0"] = Path.GetDirectoryName(csv), ["Store:Root"] = Path.Combine(folder, "store") })
            .Build();
        var scratch = Directory.CreateDirectory(Path.Combine(folder, "scratch")).FullName;
        var store = StoreHosting.Create(configuration);
        var command = new ExecuteStep
        {
            RunId = Guid.CreateVersion7(),
            ProjectId = Guid.CreateVersion7(),
            Project = "bench",
            Pipeline = "bench",
            PipelineId = Guid.CreateVersion7(),
            PipelineVersion = 1,
            StepId = "ingest",
            Operator = "ingest",
            Major = 1,
            Attempt = 1,
            Dispatch = 1,
            Config = default,
            Inputs = [],
            Interval = new LogicalInterval(default, default, default),
        };
        var result = await new IngestOperator(configuration, new OutboundGuard(configuration)).ExecuteAsync(
            new IngestConfig { From = new IngestSource { Folder = csv } },
            new StepContext
            {
                Command = command,
                Fence = 1,
                Inputs = [],
                Outputs = new StepOutputs(store, command, 1, scratch),
                Store = store,
                Scratch = scratch,
                Grant = new ResourceGrant(MemoryBytes, Threads),
                Log = NullLogger.Instance,
                Progress = new Progress<StepProgress>(),
                Connections = new NoConnections(),
            },
            CancellationToken.None);
        if (result is not StepResult.Completed { Outcome: var outcome })
            throw new InvalidOperationException(((StepResult.Failed)result).Error.Message);
        if (!outcome.Ledger.All(line => line.Balances))
            throw new InvalidOperationException("The ledger does not balance.");
        return (outcome.RowsOut, outcome.RowsRejected);
    }

    // The kernel's own high-water mark of this process.
    private static long PeakBytes()
    {
        var line = File.ReadLines("/proc/self/status").First(text => text.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
    }

    private sealed class NoConnections : IConnections
    {
        public Task<Connection> OpenAsync(string name, CancellationToken ct) => throw new ConnectionException("There are no connections here.");
    }
}

internal sealed record ChildResult(double Seconds, double CpuSeconds, long Rows, long Rejected, long PeakBytes);
