using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Qualiz.TestKit;

/// <summary>A private server of this test process, run by a script of <c>infra/local</c>; it stops when the process is gone, however it went.</summary>
internal sealed class LocalServer
{
    private static int s_servers;
    private readonly string _script;

    private LocalServer(string script, string folder, int port)
    {
        _script = script;
        Folder = folder;
        Port = port;
    }

    public string Folder { get; }
    public int Port { get; }

    public static async Task<LocalServer> StartAsync(string script)
    {
        var name = Path.GetFileNameWithoutExtension(script);
        var folder = Path.Combine(Path.GetTempPath(), $"qualiz-test-{name}-{Environment.ProcessId}-{Interlocked.Increment(ref s_servers)}");
        var server = new LocalServer(Path.Combine(Repository(), "infra", "local", script), folder, FreePort());
        server.StopWithThisProcess();
        await server.StartAgainAsync();
        return server;
    }

    public Task StopAsync() => RunAsync("stop", Folder);

    public Task StartAgainAsync() => RunAsync("start", Folder, Id(Port));

    public async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(_script, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
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
        using var process = Process.Start(start)!;
        process.WaitForExit();
    }

    private static string Id(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
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
