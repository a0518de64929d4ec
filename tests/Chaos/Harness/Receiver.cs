using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>Somebody who is notified: keeps what arrives, by the key that tells one message from a copy of it.</summary>
internal sealed class Receiver : IDisposable
{
    private readonly HttpListener _listener = new();

    public Receiver()
    {
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        _ = Task.Run(ListenAsync);
    }

    public Uri Address { get; } = new($"http://127.0.0.1:{LocalServer.FreePort()}/");

    /// <summary>The run and the rows that each message told, by its key.</summary>
    public ConcurrentDictionary<string, (Guid Run, long Rows)> Messages { get; } = new();

    /// <summary>Keys under which something else came the second time.</summary>
    public ConcurrentBag<string> Contradictions { get; } = [];

    private async Task ListenAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                using var body = await JsonDocument.ParseAsync(context.Request.InputStream);
                var told = (body.RootElement.GetProperty("run").GetGuid(), long.Parse(body.RootElement.GetProperty("rows").GetString()!["rows ".Length..], System.Globalization.CultureInfo.InvariantCulture));
                var key = context.Request.Headers["Idempotency-Key"] ?? "none";
                if (Messages.GetOrAdd(key, told) != told)
                    Contradictions.Add(key);
                context.Response.StatusCode = 204;
                context.Response.Close();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or IOException or JsonException)
            {
                // The sender was killed in mid-sentence, or the test is over.
            }
        }
    }

    public void Dispose() => _listener.Close();
}
