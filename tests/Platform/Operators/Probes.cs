using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Storage;

namespace Qualiz.Platform.Tests.Operators;

/// <summary>Operators that do, on demand, what real ones do in bad moments: <c>probe</c> in an engine worker, <c>hostprobe</c> in the host.</summary>
internal static class Probes
{
    public static IHostApplicationBuilder AddProbes(this IHostApplicationBuilder builder)
    {
        builder.AddOperator<ProbeOperator, ProbeConfig>(Description("probe", OperatorRunsIn.EngineWorker));
        builder.AddOperator<HostProbeOperator, ProbeConfig>(Description("hostprobe", OperatorRunsIn.Host));
        return builder;
    }

    private static OperatorDescription Description(string kind, OperatorRunsIn runsIn) => new()
    {
        Kind = kind,
        Title = "Probe",
        Description = "Does what a test asks.",
        Icon = "bug",
        Outputs = [new OperatorPort("out", "Rows")],
        Accounts = [],
        KeepsState = ["number"],
        RunsIn = runsIn,
    };
}

internal sealed record ProbeConfig
{
    [Field(Title = "Action", Description = "What to do.", Example = "complete")]
    public required ProbeAction Do { get; init; }

    [Field(Title = "Text", Description = "A text for it.", Example = "x")]
    public string Text { get; init; } = "";

    [Field(Title = "Number", Description = "A number for it.", Example = 1)]
    public int Number { get; init; }
}

internal enum ProbeAction
{
    Complete,
    Fail,
    Throw,
    Defer,

    /// <summary>Waits <c>number</c> milliseconds, or for ever with 0.</summary>
    Sleep,

    /// <summary>Waits, whatever happens, in a process of its own as well; both ids are in the progress.</summary>
    Spawn,

    /// <summary>Takes <c>number</c> megabytes and holds them.</summary>
    Allocate,

    /// <summary>Ends its process the hard way.</summary>
    Crash,
    Write,
    Print,
    Connect,
    LookUp,
    Environment,

    /// <summary>Meets a store that is away, until the file <c>text</c> exists.</summary>
    StoreAway,
}

internal sealed class ProbeOperator : IOperator<ProbeConfig>
{
    public Task<StepResult> ExecuteAsync(ProbeConfig config, StepContext step, CancellationToken ct) => Probe.RunAsync(config, step, ct);

    public async Task<OutputInferred> InferOutputAsync(ProbeConfig config, InferenceContext context, CancellationToken ct)
    {
        switch (config.Do)
        {
            case ProbeAction.Throw:
                throw new InvalidOperationException(config.Text);
            case ProbeAction.Crash:
                Environment.FailFast("as asked");
                break;
            case ProbeAction.Sleep:
                Thread.Sleep(Timeout.Infinite);
                break;
            case ProbeAction.Connect:
                var connection = await context.Connections.OpenAsync(config.Text, ct);
                return OutputInferred.Unknown($"root {connection.Settings["root"]}");
        }

        var columns = context.Inputs.SelectMany(input => input.Schema?.Columns ?? [])
            .Append(new DatasetColumn { Name = Environment.ProcessId.ToString(CultureInfo.InvariantCulture), Type = "text" });
        return new OutputInferred { Outputs = new Dictionary<string, DatasetSchema> { ["out"] = new() { Columns = [.. columns] } } };
    }
}

internal sealed class HostProbeOperator : IOperator<ProbeConfig>
{
    public Task<StepResult> ExecuteAsync(ProbeConfig config, StepContext step, CancellationToken ct) => Probe.RunAsync(config, step, ct);
}

internal static partial class Probe
{
    private static readonly List<byte[]> Held = [];

    public static async Task<StepResult> RunAsync(ProbeConfig config, StepContext step, CancellationToken ct)
    {
        var counts = new Dictionary<string, long> { ["pid"] = Environment.ProcessId, ["memory"] = step.Grant.MemoryBytes, ["threads"] = step.Grant.Threads };
        IReadOnlyDictionary<string, DatasetRef> outputs = new Dictionary<string, DatasetRef>();
        IReadOnlyList<string> warnings = [];
        switch (config.Do)
        {
            case ProbeAction.Fail:
                return new StepResult.Failed(new StepError { Code = "probe", Message = config.Text });
            case ProbeAction.Throw:
                throw new InvalidOperationException(config.Text);
            case ProbeAction.Defer:
                return new StepResult.Deferred(config.Text, DateTimeOffset.UnixEpoch);
            case ProbeAction.Sleep:
                step.Progress.Report(new StepProgress(Ids(Environment.ProcessId), 0, null));
                await Task.Delay(config.Number == 0 ? Timeout.Infinite : config.Number, ct);
                break;
            case ProbeAction.Spawn:
                using (var child = Process.Start("sleep", "300"))
                    step.Progress.Report(new StepProgress(Ids(Environment.ProcessId, child.Id), 0, null));
                Thread.Sleep(Timeout.Infinite);
                break;
            case ProbeAction.Allocate:
                for (var taken = 0; taken < config.Number; taken += 16)
                {
                    var bytes = GC.AllocateUninitializedArray<byte>(16 * 1024 * 1024);
                    bytes.AsSpan().Fill(1);
                    Held.Add(bytes);
                }

                await Task.Delay(Timeout.Infinite, ct);
                break;
            case ProbeAction.Crash:
                Environment.FailFast("as asked");
                break;
            case ProbeAction.Write:
                outputs = await WriteAsync(config, step, ct);
                break;
            case ProbeAction.Print:
                Console.WriteLine("{\"type\":\"done\"}");
                Console.Out.Flush();
                var bytesOut = "printed by native code\n"u8.ToArray();
                _ = WriteNative(1, bytesOut, bytesOut.Length);
                break;
            case ProbeAction.Connect:
                var connection = await step.Connections.OpenAsync(config.Text, ct);
                counts["length of password"] = connection.Settings["password"].Length;
                break;
            case ProbeAction.LookUp:
                var dataset = await step.Datasets.ResolveAsync(config.Text, ct);
                counts["version"] = dataset.Version;
                counts["rows"] = dataset.Content.Rows;
                break;
            case ProbeAction.Environment:
                warnings = [string.Join(' ', Environment.GetEnvironmentVariables().Keys.Cast<string>().Order()), string.Join(' ', Environment.GetCommandLineArgs().Skip(1))];
                break;
            case ProbeAction.StoreAway when !File.Exists(config.Text):
                throw new StoreUnavailableException("nobody home");
        }

        if (config.Do != ProbeAction.Write && config.Text.Length > 0)
            step.Log.LogInformation("Said {Text}", config.Text);
        return new StepResult.Completed(new StepOutcome { Outputs = outputs, Ledger = [], Counts = counts, Warnings = warnings });
    }

    private static async Task<IReadOnlyDictionary<string, DatasetRef>> WriteAsync(ProbeConfig config, StepContext step, CancellationToken ct)
    {
        var path = step.Outputs.CreateFile("out");
        // Left behind: the execution removes it.
        await File.WriteAllTextAsync(step.Outputs.CreateFile("unused"), "x", ct);
        await File.WriteAllTextAsync(path, config.Text, Encoding.UTF8, ct);
        var file = await step.Outputs.CommitAsync(path, config.Number, ct);
        return new Dictionary<string, DatasetRef>
        {
            ["out"] = new() { Files = [file], Rows = file.Rows, Bytes = file.Bytes, Schema = new DatasetSchema { Columns = [] } },
        };
    }

    private static string Ids(params int[] ids) => string.Join(' ', ids.Select(id => id.ToString(CultureInfo.InvariantCulture)));

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint WriteNative(int descriptor, byte[] bytes, nint count);
}
