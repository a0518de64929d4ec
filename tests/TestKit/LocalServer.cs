using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Qualiz.TestKit;

/// <summary>A private server of this test process, run by a script of <c>infra/local</c>; it stops when the process is gone, however it went.</summary>
internal sealed class LocalServer
{
    private static readonly HashSet<int> s_ports = [];
    private static int s_servers;
    private readonly string _script;
    private readonly IReadOnlyDictionary<string, string> _settings;

    private LocalServer(string script, string folder, int port, IReadOnlyDictionary<string, string> settings)
    {
        _script = script;
        _settings = settings;
        Folder = folder;
        Port = port;
    }

    public string Folder { get; }
    public int Port { get; }

    /// <param name="settings">Environment variables of the script.</param>
    public static async Task<LocalServer> StartAsync(string script, IReadOnlyDictionary<string, string>? settings = null)
    {
        var name = Path.GetFileNameWithoutExtension(script);
        var folder = Path.Combine(Path.GetTempPath(), $"qualiz-test-{name}-{Environment.ProcessId}-{Interlocked.Increment(ref s_servers)}");
        var server = new LocalServer(Path.Combine(Repository(), "infra", "local", script), folder, FreePort(), settings ?? new Dictionary<string, string>());
        server.StopWithThisProcess();
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>A server that the test runner has started for all suites; it ends with the runner, not with this process.</summary>
    public static LocalServer At(string script, string folder, int port) =>
        new(Path.Combine(Repository(), "infra", "local", script), folder, port, new Dictionary<string, string>());

    public Task StopAsync() => RunAsync("stop", Folder);

    public Task StartAgainAsync() => RunAsync("start", Folder, Id(Port));

    /// <summary>
    /// kill -9 of the server's main process, whose id is the first line of <paramref name="pidFile"/>, and of all that it has
    /// started. Returns when they are gone: as long as nobody has buried them, they would pass for running.
    /// </summary>
    public async Task KillAsync(string pidFile)
    {
        const string Kill = """
            main=$(head -n 1 "$1"); pids=$main; new=$main
            while new=$(for pid in $new; do cat "/proc/$pid/task/$pid/children" 2>/dev/null; done | tr '\n' ' '); [ -n "${new// /}" ]; do pids="$pids $new"; done
            kill -KILL $pids 2>/dev/null
            for pid in $pids; do while [ -e "/proc/$pid" ]; do sleep 0.05; done; done
            """;
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", Kill, "kill", Path.Combine(Folder, pidFile)]))!;
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await process.WaitForExitAsync(time.Token);
    }

    public async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(_script, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in _settings)
            start.Environment[name] = value;
        StandsApart(start);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await process.WaitForExitAsync(time.Token);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{_script} {string.Join(' ', arguments)} failed ({process.ExitCode}): {await error}{await output}");
        return await output;
    }

    /// <summary>A process of its own, because this one may be killed: stops the server and removes its folder when this one is gone.</summary>
    private void StopWithThisProcess()
    {
        const string Watch = """
            while kill -0 "$1" 2>/dev/null; do sleep 0.5; done
            "$2" stop "$3"
            rm -rf "$3"
            """;
        var start = new ProcessStartInfo("setsid", ["bash", "-c", $"({Watch}) >/dev/null 2>&1 </dev/null &", "watch", Id(Environment.ProcessId), _script, Folder]);
        StandsApart(start);
        using var process = Process.Start(start)!;
        process.WaitForExit();
    }

    /// <summary>The test runner's mark is for what a test leaves behind by mistake; the server and its watcher end by themselves.</summary>
    private static void StandsApart(ProcessStartInfo start) => start.Environment.Remove("QUALIZ_TEST_RUN");

    private static string Id(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>
    /// Below the ports that the system gives to outgoing connections: a server that is killed and started again must not find
    /// one of those on its port. Never the same one twice.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                lock (s_ports)
                {
                    if (s_ports.Add(port))
                        return port;
                }
            }
            catch (SocketException)
            {
                // Taken: try another one.
            }
        }
    }

    /// <summary>The folder that holds Qualiz.sln, above the tests' binaries.</summary>
    public static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Qualiz.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No Qualiz.sln above {AppContext.BaseDirectory}.");
    }
}
