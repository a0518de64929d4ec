using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace Qualiz.Cli;

/// <summary>The HTTP API of a running instance.</summary>
internal sealed class QualizClient : IDisposable
{
    private readonly HttpClient _http;

    public QualizClient(Uri address, HttpMessageHandler? handler = null)
    {
        Address = address;
        _http = handler is null ? new HttpClient() : new HttpClient(handler);
        _http.BaseAddress = address;
        // Uploads and the event stream take as long as they take; every other request sets its own limit.
        _http.Timeout = Timeout.InfiniteTimeSpan;
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("qualiz-cli", "1"));
    }

    public Uri Address { get; }

    /// <param name="limit">How long the answer may take; 100 s when it is not said.</param>
    public Task<JsonElement> GetAsync(string path, CancellationToken ct, TimeSpan? limit = null) => SendAsync(HttpMethod.Get, path, null, null, ct, limit);

    public Task DeleteAsync(string path, CancellationToken ct) => SendAsync(HttpMethod.Delete, path, null, null, ct);

    public Task<JsonElement> PostAsync<T>(string path, T body, CancellationToken ct, string? idempotencyKey = null) =>
        SendAsync(HttpMethod.Post, path, Json(body), request =>
        {
            if (idempotencyKey is not null)
            {
                request.Headers.Add("Idempotency-Key", idempotencyKey);
            }
        }, ct);

    /// <summary>A change of the version that has this ETag.</summary>
    public Task<JsonElement> PostChangeAsync<T>(string path, T body, string etag, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, path, Json(body), request => request.Headers.IfMatch.Add(EntityTagHeaderValue.Parse(etag)), ct);

    /// <summary>Creates it, or replaces whatever is there now; tried again when somebody else changed it in between.</summary>
    public Task<JsonElement> PutAsync<T>(string path, T body, CancellationToken ct) => ReplaceAsync(path, () => Json(body), ct);

    /// <inheritdoc cref="PutAsync{T}"/>
    public Task<JsonElement> PutTextAsync(string path, string text, string mediaType, CancellationToken ct) =>
        ReplaceAsync(path, () => new StringContent(text, Encoding.UTF8, mediaType), ct);

    private async Task<JsonElement> ReplaceAsync(string path, Func<HttpContent> content, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var current = await ETagAsync(path, ct);
            try
            {
                return await ChangeAsync(HttpMethod.Put, path, content(), current, ct);
            }
            catch (ProblemException changed) when (changed.Status == HttpStatusCode.PreconditionFailed && attempt < 5)
            {
                // Somebody else was faster; theirs is a version of its own and stays.
            }
        }
    }

    /// <summary>Null: there is no such thing yet.</summary>
    private async Task<EntityTagHeaderValue?> ETagAsync(string path, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            using var response = await OpenAsync(request, ct);
            return response.Headers.ETag;
        }
        catch (ProblemException missing) when (missing.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>What is there, and the tag that a change of it names.</summary>
    public async Task<(string Text, EntityTagHeaderValue? Tag)> GetTaggedAsync(string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await OpenAsync(request, ct);
        return (await response.Content.ReadAsStringAsync(ct), response.Headers.ETag);
    }

    /// <summary>Changes exactly what was seen; null: only if there is nothing yet.</summary>
    /// <exception cref="ProblemException">412: somebody has changed it since.</exception>
    public Task<JsonElement> ChangeAsync(HttpMethod method, string path, HttpContent content, EntityTagHeaderValue? seen, CancellationToken ct) =>
        SendAsync(method, path, content, request =>
        {
            if (seen is null)
            {
                request.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Any);
            }
            else
            {
                request.Headers.IfMatch.Add(seen);
            }
        }, ct);

    public Task<JsonElement> PostTextAsync(string path, string text, string mediaType, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, path, new StringContent(text, Encoding.UTF8, mediaType), null, ct);

    public Task<JsonElement> PostContentAsync(string path, HttpContent content, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, path, content, null, ct, Timeout.InfiniteTimeSpan);

    /// <summary>All items of a list, page by page, at most <paramref name="limit"/>.</summary>
    public async IAsyncEnumerable<JsonElement> ListAsync(string path, int limit, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        string? cursor = null;
        var left = limit;
        do
        {
            var query = $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit={Math.Min(left, 100)}" +
                (cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}");
            var page = await GetAsync(query, ct);
            foreach (var item in page.List("items"))
            {
                yield return item;
                if (--left == 0)
                {
                    yield break;
                }
            }
            cursor = page.Text("next");
        }
        while (cursor is not null);
    }

    public async Task DownloadAsync(string path, Stream target, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await OpenAsync(request, ct);
        await response.Content.CopyToAsync(target, ct);
    }

    /// <summary>Saves an answer to a file; under its final name it is whole, and what was there before stays until then.</summary>
    public async Task SaveAsync(string path, string target, CancellationToken ct)
    {
        var partial = target + ".partial";
        try
        {
            await using (var file = File.Create(partial))
            {
                await DownloadAsync(path, file, ct);
            }
            File.Move(partial, target, overwrite: true);
        }
        catch
        {
            if (File.Exists(partial))
            {
                File.Delete(partial);
            }
            throw;
        }
    }

    /// <summary>Server-sent events from the one after <paramref name="after"/> until the server ends the stream.</summary>
    public async IAsyncEnumerable<SseItem<string>> EventsAsync(
        string path, string? after, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (after is not null)
        {
            request.Headers.Add("Last-Event-ID", after);
        }
        using var response = await OpenAsync(request, ct);
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(ct))
        {
            yield return item;
        }
    }

    private async Task<JsonElement> SendAsync(
        HttpMethod method, string path, HttpContent? content, Action<HttpRequestMessage>? prepare, CancellationToken ct, TimeSpan? limit = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        prepare?.Invoke(request);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(ct);
        bound.CancelAfter(limit ?? TimeSpan.FromSeconds(100));
        try
        {
            using var response = await OpenAsync(request, bound.Token);
            var body = await response.Content.ReadAsStringAsync(bound.Token);
            return body.Length == 0 ? default : JsonDocument.Parse(body).RootElement.Clone();
        }
        catch (OperationCanceledException inner) when (!ct.IsCancellationRequested)
        {
            throw new UnreachableException($"{Address} did not answer in time", inner);
        }
    }

    private async Task<HttpResponseMessage> OpenAsync(HttpRequestMessage request, CancellationToken ct)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        }
        catch (HttpRequestException inner)
        {
            throw new UnreachableException($"no connection to {Address}: {inner.InnerException?.Message ?? inner.Message}", inner);
        }
        if (response.IsSuccessStatusCode)
        {
            return response;
        }
        using (response)
        {
            throw ProblemException.From(response.StatusCode, await response.Content.ReadAsStringAsync(ct));
        }
    }

    public static StringContent Json<T>(T body) => new(JsonSerializer.Serialize(body, ApiJson.Options), Encoding.UTF8, "application/json");

    public void Dispose() => _http.Dispose();
}
