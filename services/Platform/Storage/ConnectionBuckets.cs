using Amazon.Runtime;
using Qualiz.Platform.Outbound;

namespace Qualiz.Platform.Storage;

/// <summary>Opens the bucket of a connection of type <c>s3</c>. Its address is a user's: every connection goes through the guard.</summary>
public static class ConnectionBuckets
{
    /// <param name="settings"><c>bucket</c>; <c>endpoint</c>, <c>region</c>, <c>prefix</c>, <c>accessKey</c>, <c>secretKey</c>.</param>
    /// <exception cref="ArgumentException">A setting is missing or wrong; the message names it.</exception>
    public static IObjectStore Open(IReadOnlyDictionary<string, string> settings, OutboundGuard guard)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var options = new S3StoreOptions
        {
            Bucket = settings.GetValueOrDefault("bucket") is { Length: > 0 } bucket ? bucket : throw new ArgumentException("The connection has no bucket."),
            Endpoint = settings.GetValueOrDefault("endpoint"),
            Region = settings.GetValueOrDefault("region") ?? "us-east-1",
            Prefix = settings.GetValueOrDefault("prefix"),
        };
        if (options.Endpoint is { Length: > 0 } endpoint && !(Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
            throw new ArgumentException("The connection's endpoint is no http or https address.");
        var config = S3ObjectStore.Configure(options);
        config.HttpClientFactory = new GuardedClients(guard);
        // Never this machine's own credentials: the address is somebody else's.
        AWSCredentials credentials = settings.GetValueOrDefault("accessKey") is { Length: > 0 } key
            ? new BasicAWSCredentials(key, settings.GetValueOrDefault("secretKey") ?? throw new ArgumentException("The connection has an access key but no secret key."))
            : new AnonymousAWSCredentials();
        return new S3ObjectStore(options, config, credentials);
    }

    private sealed class GuardedClients(OutboundGuard guard) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig)
        {
            var handler = guard.CreateHandler();
            // A user's address may lead nowhere; the kernel alone would try for minutes, and the client does so several times.
            handler.ConnectTimeout = TimeSpan.FromSeconds(15);
            handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
            return new HttpClient(handler);
        }
    }
}
