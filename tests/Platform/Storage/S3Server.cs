using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Qualiz.Platform.Storage;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Storage;

/// <summary>A private S3 server (s3rver from npm) for the tests of this class.</summary>
public sealed class S3Server : IAsyncLifetime
{
    private readonly string _data = Directory.CreateTempSubdirectory("qualiz-s3-").FullName;
    private Process? _server;
    private int _port;

    public async Task InitializeAsync()
    {
        var folder = Path.Combine(LocalServer.Repository(), "tests", "Platform", "s3");
        var program = Path.Combine(folder, "node_modules", "s3rver", "bin", "s3rver.js");
        if (!File.Exists(program))
        {
            var (code, output) = await RunAsync("npm", ["ci", "--no-audit", "--no-fund"], folder);
            if (code != 0)
                throw new InvalidOperationException($"The S3 server of the tests could not be installed (npm ci in tests/Platform/s3): {output}");
        }

        _port = LocalServer.FreePort();
        var start = new ProcessStartInfo("node", [program, "--directory", _data, "--address", "127.0.0.1", "--port", _port.ToString(CultureInfo.InvariantCulture), "--silent", "--no-vhost-buckets", "--configure-bucket", "qualiz"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _server = Process.Start(start)!;
        await TestHost.UntilAsync(async () =>
        {
            if (_server.HasExited)
                throw new InvalidOperationException($"s3rver ended: {await _server.StandardError.ReadToEndAsync()}");
            using var socket = new TcpClient();
            try
            {
                await socket.ConnectAsync("127.0.0.1", _port);
                return null;
            }
            catch (SocketException)
            {
                return "a listening s3rver";
            }
        });
    }

    internal S3ObjectStore Connect(string prefix, int? port = null) => new(new S3StoreOptions
    {
        Endpoint = $"http://127.0.0.1:{(port ?? _port).ToString(CultureInfo.InvariantCulture)}",
        Bucket = "qualiz",
        Prefix = prefix,
        AccessKey = "S3RVER",
        SecretKey = "S3RVER",
    });

    public Task DisposeAsync()
    {
        _server?.Kill(entireProcessTree: true);
        _server?.Dispose();
        Directory.Delete(_data, recursive: true);
        return Task.CompletedTask;
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, string[] arguments, string folder)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, await error + await output);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return (-1, exception.Message);
        }
    }
}
