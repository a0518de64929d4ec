using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>A built service as a process of its own, in a process group of its own, always on the same port.</summary>
internal sealed partial class ServiceProcess(string name, string assembly, IReadOnlyDictionary<string, string> settings, string logs, string pids)
{
    private readonly Lock _starting = new();
    private Process? _process;

    public string Name => name;
    public Uri Address { get; } = new($"http://127.0.0.1:{LocalServer.FreePort()}");
    public int Id => _process?.Id ?? throw new InvalidOperationException($"{name} was not started.");
    public string Log => Path.Combine(logs, $"{name}.log");
    public bool IsAlive => _process is { HasExited: false };

    /// <summary>It gave itself up to be started anew (Platform's BusHearing), as anybody who runs services must do.</summary>
    public bool GaveItselfUp => _process is { HasExited: true, ExitCode: 1 } && File.ReadLines(Log).TakeLast(100).Any(line => line.Contains("it ends, to be started anew", StringComparison.Ordinal));

    /// <summary>It ended in another way. Asked in one go: the supervision may start it anew in the meantime.</summary>
    public bool IsGone
    {
        get
        {
            lock (_starting)
                return !IsAlive && !GaveItselfUp;
        }
    }

    /// <summary>Does nothing when it runs: a test and the supervision may both want it.</summary>
    public void Start()
    {
        lock (_starting)
        {
            if (!IsAlive)
                Launch();
        }
    }

    private void Launch()
    {
        // The shell becomes setsid, and that the service: the process's id is the service's.
        var start = new ProcessStartInfo("bash", ["-c", "exec setsid dotnet \"$1\" >>\"$2\" 2>&1 </dev/null", name, Builds.Assembly(assembly), Log]);
        foreach (var (key, value) in settings)
            start.Environment[key] = value;
        start.Environment["URLS"] = Address.ToString();
        _process?.Dispose();
        _process = Process.Start(start)!;
        lock (typeof(ServiceProcess))
            File.AppendAllText(pids, $"{Id.ToString(CultureInfo.InvariantCulture)}\n");
    }

    /// <summary>kill -9; returns when it is gone.</summary>
    public async Task KillAsync()
    {
        Signal(Id, SigKill);
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await _process!.WaitForExitAsync(time.Token);
    }

    /// <summary>Its engine workers: children that were started with that argument.</summary>
    public IReadOnlyList<int> EngineWorkers() => Processes.ChildrenOf(Id, "engine-worker");

    public void Pause() => Signal(Id, SigStop);

    public void Continue() => Signal(Id, SigCont);

    public static void Kill(int pid) => Signal(pid, SigKill);

    private const int SigKill = 9;
    private const int SigCont = 18;
    private const int SigStop = 19;

    private static void Signal(int pid, int signal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(pid, 1);
        _ = SendSignal(pid, signal);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);
}
