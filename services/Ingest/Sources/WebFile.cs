using System.Globalization;
using System.Net;
using Qualiz.Platform.Outbound;

namespace Qualiz.Ingest.Sources;

/// <summary>Brings one file from the web here: through the guard at every hop, within bounds of size and time, without any credentials but those of a connection.</summary>
/// <param name="connection">Signs what goes to its own host; null: nothing is signed.</param>
internal sealed class WebFile(IConfiguration configuration, OutboundGuard guard, WebConnection? connection = null)
{
    private const int MaxRedirects = 5;
    private static readonly TimeSpan Connecting = TimeSpan.FromSeconds(15);

    /// <summary>How long a server may be silent.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    /// <param name="most">Bytes after which it is enough; null: the whole file, and one that is larger than allowed is refused.</param>
    public async Task<FoundFile> FetchAsync(string url, string scratch, long? most, CancellationToken ct)
    {
        var limit = configuration.GetValue("Ingest:Web:MaxBytes", 4L << 30);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(ct);
        time.CancelAfter(configuration.GetValue("Ingest:Web:Timeout", TimeSpan.FromMinutes(30)));
        var address = connection is null ? Check(url) : Below(connection, url);
        try
        {
            using var client = new HttpClient(Handler()) { Timeout = Timeout.InfiniteTimeSpan };
            using var response = await SendAsync(client, address, time.Token);
            var path = Path.Combine(scratch, "web");
            var bytes = await SaveAsync(response, path, most, limit, address, time.Token);
            // Neither the name nor the id holds what stands behind a question mark: it may be a secret.
            return new FoundFile(connection is null ? address.GetLeftPart(UriPartial.Path) : $"{connection.Name}/{address.AbsolutePath[connection.Address.AbsolutePath.Length..]}", Name(address, response), path, bytes);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new IngestException("sourceUnavailable", $"{address.Host} took too long.", "from.url") { Transient = true };
        }
        catch (HttpRequestException error) when (error.InnerException is OutboundRefusedException refused)
        {
            throw new IngestException("addressRefused", refused.Message, "from.url");
        }
        catch (Exception error) when (error is HttpRequestException or IOException and not FileNotFoundException)
        {
            throw new IngestException("sourceUnavailable", $"{address.Host} cannot be read: {(error.InnerException ?? error).Message.TrimEnd('.')}.", "from.url") { Transient = true };
        }
    }

    private SocketsHttpHandler Handler()
    {
        var handler = guard.CreateHandler();
        handler.AutomaticDecompression = DecompressionMethods.All;
        handler.ConnectTimeout = Connecting;
        handler.MaxResponseHeadersLength = 64;
        return handler;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpClient client, Uri address, CancellationToken ct)
    {
        for (var hops = 0; ; hops++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.UserAgent.ParseAdd("qualiz");
            connection?.Sign(request);
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(ct);
            silence.CancelAfter(Silence);
            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308))
            {
                if (response.IsSuccessStatusCode)
                    return response;
                using (response)
                {
                    throw Denied(response.StatusCode, address) ?? new IngestException("sourceUnavailable", string.Create(CultureInfo.InvariantCulture, $"{address.Host} answers {(int)response.StatusCode} {response.StatusCode}."), "from.url")
                    {
                        Transient = response.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)response.StatusCode >= 500,
                    };
                }
            }
            using (response)
            {
                if (hops == MaxRedirects)
                    throw new IngestException("sourceUnavailable", $"{address.Host} leads on more than {MaxRedirects} times.", "from.url");
                if (response.Headers.Location is not { } location)
                    throw new IngestException("sourceUnavailable", $"{address.Host} leads on, but not where to.", "from.url");
                var next = Check(new Uri(address, location).AbsoluteUri);
                if (address.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps)
                    throw new IngestException("addressRefused", $"{address.Host} leads from an encrypted address to one that is not.", "from.url");
                address = next;
            }
        }
    }

    private IngestException? Denied(HttpStatusCode status, Uri address)
    {
        if (connection is null)
        {
            return status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
                ? new IngestException("sourceUnavailable", $"{address.Host} wants credentials ({(int)status}); a connection of type http carries them.", "from.url")
                : null;
        }
        if (connection.Refusal(status, address) is not { } message)
            return null;
        return !connection.Covers(address) ? new IngestException("sourceUnavailable", message, "from.url")
            : status == HttpStatusCode.Unauthorized ? new IngestException("connectionInvalid", message, "from.connection")
            : new IngestException("accessRefused", message, "from.url");
    }

    private static async Task<long> SaveAsync(HttpResponseMessage response, string path, long? most, long limit, Uri address, CancellationToken ct)
    {
        await using var source = await response.Content.ReadAsStreamAsync(ct);
        await using var target = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var buffer = new byte[1 << 16];
        var total = 0L;
        while (true)
        {
            silence.CancelAfter(Silence);
            var read = await source.ReadAsync(buffer, silence.Token);
            if (read == 0)
                return total;
            await target.WriteAsync(buffer.AsMemory(0, read), ct);
            total += read;
            if (total >= most)
                return total;
            // What comes packed counts as it is unpacked.
            if (total > limit)
                throw new IngestException("fileTooLarge", string.Create(CultureInfo.InvariantCulture, $"The file at {address.Host} is larger than {limit >> 20} MB (Ingest:Web:MaxBytes)."), "from.url");
        }
    }

    private static Uri Below(WebConnection connection, string url)
    {
        try
        {
            return connection.Resolve(url);
        }
        catch (ArgumentException error)
        {
            throw new IngestException("configInvalid", $"{connection.Name}: {error.Message}.", "from.url");
        }
    }

    private static Uri Check(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
            throw new IngestException("configInvalid", "The address is no http or https address.", "from.url");
        if (address.UserInfo.Length > 0)
            throw new IngestException("configInvalid", "The address holds a user or a password; such things do not belong in a pipeline file.", "from.url");
        return address;
    }

    // A name for people, and its ending tells the format.
    private static string Name(Uri address, HttpResponseMessage response)
    {
        var name = Uri.UnescapeDataString(address.Segments[^1]).Trim('/');
        name = new string([.. name.Select(c => char.IsControl(c) || c is '/' or '\\' ? '_' : c).Take(100)]);
        if (name.Length == 0)
            name = address.Host;
        if (Path.HasExtension(name))
            return name;
        return name + response.Content.Headers.ContentType?.MediaType switch
        {
            "text/csv" => ".csv",
            "text/tab-separated-values" => ".tsv",
            "application/json" => ".json",
            "application/x-ndjson" or "application/jsonl" => ".jsonl",
            _ => "",
        };
    }
}
