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
        await server.RunAsync("start", folder, server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture));
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            server.RunAsync("stop", folder).Wait();
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // The server's last files may still be closing; it is a temporary folder.
            }
        };
        return server;
    }

    public Task StopAsync() => RunAsync("stop", Folder);

    public Task StartAgainAsync() => RunAsync("start", Folder, Port.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(_script, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Files instead of pipes would be needed if the server kept them open; the scripts let go of them.
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await process.WaitForExitAsync(time.Token);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{_script} {string.Join(' ', arguments)} failed ({process.ExitCode}): {await error}{await output}");
        return await output;
    }

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
