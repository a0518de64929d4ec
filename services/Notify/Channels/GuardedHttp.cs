using Qualiz.Platform.Outbound;

namespace Qualiz.Notify.Channels;

/// <summary>An HTTP client that connects only where the outbound guard lets it, follows no redirect, and waits half a minute.</summary>
internal sealed class GuardedHttp(OutboundGuard guard) : IDisposable
{
    private readonly HttpClient _client = Create(guard);

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct) => _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);

    public void Dispose() => _client.Dispose();

    private static HttpClient Create(OutboundGuard guard)
    {
        var handler = guard.CreateHandler();
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(1);
        handler.ConnectTimeout = TimeSpan.FromSeconds(10);
        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30), MaxResponseContentBufferSize = 64 * 1024 };
    }
}
