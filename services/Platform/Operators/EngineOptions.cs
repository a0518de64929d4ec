using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Qualiz.Platform.Operators;

/// <summary><c>Engine:*</c>: what this host lends to steps.</summary>
internal sealed record EngineOptions
{
    /// <summary>How many engine workers may be at work at once.</summary>
    public required int Workers { get; init; }

    /// <summary>All grants together never exceed this.</summary>
    public required long MemoryBytes { get; init; }
    public required int Threads { get; init; }
    public required long ScratchBytes { get; init; }

    /// <summary>Holds one folder per process, in it one per execution.</summary>
    public required string ScratchRoot { get; init; }

    /// <summary>How an engine worker is started; empty: this executable with the argument <c>engine-worker</c>.</summary>
    public IReadOnlyList<string> WorkerCommand { get; init; } = [];

    /// <summary>The number of workers, also for modules that need it before there is a service provider.</summary>
    public static int WorkersOf(IConfiguration configuration) =>
        Math.Max(1, configuration.GetValue<int?>("Engine:Workers") ?? Math.Max(2, Environment.ProcessorCount));

    public static EngineOptions From(IConfiguration configuration)
    {
        var share = configuration.GetValue<double?>("Engine:MemoryShare") ?? 0.6;
        if (share is not (> 0 and <= 1))
            throw new InvalidOperationException($"Engine:MemoryShare is {share.ToString(CultureInfo.InvariantCulture)}; it must be above 0 and at most 1.");
        var scratch = configuration["Engine:Scratch"] is { Length: > 0 } root ? root : Path.Combine(Path.GetTempPath(), $"qualiz-scratch-{Environment.UserName}");
        RequireUsable(scratch);
        return new EngineOptions
        {
            Workers = WorkersOf(configuration),
            MemoryBytes = (long)(share * (configuration.GetValue<long?>("Engine:MemoryBytes") ?? MachineMemory.Bytes())),
            Threads = Math.Max(1, configuration.GetValue<int?>("Engine:Threads") ?? Environment.ProcessorCount),
            ScratchBytes = configuration.GetValue<long?>("Engine:ScratchBytes") ?? new DriveInfo(Path.GetFullPath(scratch)).AvailableFreeSpace / 2,
            ScratchRoot = Path.GetFullPath(scratch),
            WorkerCommand = configuration.GetSection("Engine:WorkerCommand").Get<string[]>() ?? [],
        };
    }

    /// <summary>A folder of somebody else's would make every step wait for ever; better not to start.</summary>
    private static void RequireUsable(string scratch)
    {
        try
        {
            Directory.CreateDirectory(scratch);
            Directory.Delete(Directory.CreateDirectory(Path.Combine(scratch, $"probe-{Guid.CreateVersion7():N}")).FullName);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new InvalidOperationException($"Engine:Scratch is {scratch}, and {Environment.UserName} may not write there. Name another folder.", exception);
        }
    }
}
