using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Qualiz.Cli.Tests;

/// <summary>An instance that answers as it is told, and a command line that talks to it.</summary>
internal sealed class InstanceStub : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Func<string, (int Status, string Body)> _answer;
    private readonly Task _serving;

    /// <param name="answer">To <c>GET /path?query</c>.</param>
    public InstanceStub(Func<string, (int Status, string Body)> answer)
    {
        _answer = answer;
        // Another process may take the port between its choice and its use.
        for (var attempt = 1; ; attempt++)
        {
            Address = $"http://127.0.0.1:{FreePort()}/";
            _listener.Prefixes.Add(Address);
            try
            {
                _listener.Start();
                break;
            }
            catch (HttpListenerException) when (attempt < 10)
            {
                _listener.Prefixes.Clear();
            }
        }
        _serving = ServeAsync();
    }

    public string Address { get; }

    /// <summary>What was asked, with the body and, if there is one, the version that is meant.</summary>
    public List<(string Request, string Body, string? IfMatch)> Requests { get; } = [];

    public async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.Root().Parse([.. args, "--url", Address, "--project", "demo"])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false });
        return (code, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
    }

    public void Dispose()
    {
        _listener.Close();
        _serving.Wait(TimeSpan.FromSeconds(10));
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            using var reader = new StreamReader(context.Request.InputStream);
            var request = $"{context.Request.HttpMethod} {context.Request.RawUrl!.Replace("/api/v1/projects/demo/", "", StringComparison.Ordinal)}";
            Requests.Add((request, await reader.ReadToEndAsync(), context.Request.Headers["If-Match"]));
            var (status, body) = _answer(request);
            context.Response.StatusCode = status;
            context.Response.ContentType = status < 400 ? "application/json" : "application/problem+json";
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
            context.Response.Close();
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
