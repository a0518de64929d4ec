using System.Globalization;

namespace Qualiz.TestKit;

/// <summary>A private S3 server (s3rver from npm, run by infra/local/s3.sh) with an empty bucket.</summary>
public sealed class S3Server
{
    private readonly LocalServer _local;

    private S3Server(LocalServer local) => _local = local;

    public const string Bucket = "qualiz";

    /// <summary>Access key and secret key.</summary>
    public const string Key = "S3RVER";

    public Uri Address => At(_local.Port);

    public static Uri At(int port) => new($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}");

    public static async Task<S3Server> StartAsync() => new(await LocalServer.StartAsync("s3.sh"));

    /// <summary>The file in which the server keeps an object.</summary>
    public string FileOf(string key) => Path.Combine(_local.Folder, "data", Bucket, $"{key}._S3rver_object");

    public Task StopAsync() => _local.StopAsync();

    /// <summary>kill -9.</summary>
    public Task KillAsync() => _local.KillAsync("pid");

    public Task StartAgainAsync() => _local.StartAgainAsync();
}
