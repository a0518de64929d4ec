using Qualiz.Platform.Storage;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Storage;

/// <summary>The S3 server of this class's tests.</summary>
public sealed class S3Fixture : IAsyncLifetime
{
    private S3Server _server = null!;

    public async Task InitializeAsync() => _server = await S3Server.StartAsync();

    internal S3ObjectStore Connect(string prefix, int? port = null) => new(new S3StoreOptions
    {
        Endpoint = (port is { } other ? S3Server.At(other) : _server.Address).ToString(),
        Bucket = S3Server.Bucket,
        Prefix = prefix,
        AccessKey = S3Server.Key,
        SecretKey = S3Server.Key,
    });

    public Task DisposeAsync() => _server.StopAsync();
}
