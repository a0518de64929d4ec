using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Qualiz.Platform.Storage;

/// <summary>
/// The store as an S3 bucket: AWS, MinIO, Ceph. Objects above one part go up in parts, streamed; a multipart upload becomes
/// visible when it is completed, so a key is whole or not there here too.
/// </summary>
internal sealed class S3ObjectStore : IObjectStore, IStoreProbe, IDisposable
{
    private const int PartBytes = 16 * 1024 * 1024;

    private readonly AmazonS3Client _client;
    private readonly string _bucket;
    private readonly string _prefix;

    public S3ObjectStore(S3StoreOptions options)
        : this(options, Configure(options), options.AccessKey is { Length: > 0 } ? new BasicAWSCredentials(options.AccessKey, options.SecretKey) : null)
    {
    }

    /// <param name="credentials">Null: what the environment or the machine's role gives.</param>
    internal S3ObjectStore(S3StoreOptions options, AmazonS3Config config, AWSCredentials? credentials)
    {
        _bucket = options.Bucket!;
        _prefix = options.Prefix is { Length: > 0 } prefix ? prefix.Trim('/') + "/" : "";
        _client = credentials is null ? new AmazonS3Client(config) : new AmazonS3Client(credentials, config);
    }

    internal static AmazonS3Config Configure(S3StoreOptions options)
    {
        var config = new AmazonS3Config
        {
            // Look-alikes know neither trailing checksums nor chunked signatures.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            ForcePathStyle = options.PathStyle,
            AuthenticationRegion = options.Region,
            MaxErrorRetry = 3,
            Timeout = TimeSpan.FromMinutes(5),
        };
        if (options.Endpoint is { Length: > 0 } endpoint)
            config.ServiceURL = endpoint;
        else
            config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(options.Region);
        return config;
    }

    public async Task<Stream> OpenReadAsync(string key, CancellationToken ct)
    {
        StoreKey.Check(key);
        var response = await Guard(key, () => _client.GetObjectAsync(_bucket, _prefix + key, ct));
        return new GuardedStream(response.ResponseStream, key, response);
    }

    public async Task<int> ReadAsync(string key, long from, Memory<byte> into, CancellationToken ct)
    {
        StoreKey.Check(key);
        if (into.IsEmpty)
            return 0;
        var request = new GetObjectRequest { BucketName = _bucket, Key = _prefix + key, ByteRange = new ByteRange(from, from + into.Length - 1) };
        GetObjectResponse response;
        try
        {
            response = await Guard(key, () => _client.GetObjectAsync(request, ct));
        }
        catch (StoreUnavailableException refused) when (refused.InnerException is AmazonS3Exception { StatusCode: HttpStatusCode.RequestedRangeNotSatisfiable })
        {
            return 0;
        }
        await using var stream = new GuardedStream(response.ResponseStream, key, response);
        // A look-alike that knows no ranges begins at the beginning.
        for (var skip = response.HttpStatusCode == HttpStatusCode.PartialContent ? 0 : from; skip > 0;)
        {
            if (await stream.ReadAsync(into[..(int)Math.Min(skip, into.Length)], ct) is > 0 and var read)
                skip -= read;
            else
                return 0;
        }
        return await stream.ReadAtLeastAsync(into, into.Length, throwOnEndOfStream: false, ct);
    }

    public async Task<string> GetLocalPathAsync(string key, string scratch, CancellationToken ct)
    {
        StoreKey.Check(key);
        var folder = Path.Combine(scratch, "store", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..16]);
        var path = Path.Combine(folder, Path.GetFileName(key));
        if (File.Exists(path))
            return path;
        Directory.CreateDirectory(folder);
        var unfinished = Path.Combine(folder, StoreKey.Unfinished + Guid.CreateVersion7().ToString("N"));
        await using (var source = await OpenReadAsync(key, ct))
        await using (var target = new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write, FileShare.None, 128 * 1024, FileOptions.Asynchronous))
            await source.CopyToAsync(target, ct);
        File.Move(unfinished, path, overwrite: true);
        return path;
    }

    public Task RemoveUnfinishedAsync(string prefix, DateTimeOffset before, CancellationToken ct) => Task.CompletedTask;

    public async Task<StoredObject> PutFileAsync(string key, string path, CancellationToken ct)
    {
        StoredObject stored;
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 128 * 1024, FileOptions.Asynchronous | FileOptions.SequentialScan))
            stored = await PutAsync(key, file, ct);
        File.Delete(path);
        return stored;
    }

    public async Task<StoredObject> PutAsync(string key, Stream content, CancellationToken ct)
    {
        StoreKey.Check(key);
        var known = content.CanSeek ? content.Length - content.Position : PartBytes;
        var buffer = new byte[Math.Clamp(known + 1, 1, PartBytes)];
        var read = await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        long bytes = read;
        if (read < buffer.Length)
        {
            await Guard(key, () => _client.PutObjectAsync(new PutObjectRequest
            {
                BucketName = _bucket,
                Key = _prefix + key,
                InputStream = new MemoryStream(buffer, 0, read, writable: false),
                UseChunkEncoding = false,
                AutoCloseStream = true,
            }, ct));
        }
        else
        {
            bytes = await PutPartsAsync(key, buffer, content, ct);
        }

        return new StoredObject(key, bytes, DateTimeOffset.UtcNow);
    }

    public string GetStagingPath(string key, string scratch)
    {
        StoreKey.Check(key);
        var folder = Path.Combine(scratch, "staging");
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, $"{Guid.CreateVersion7():N}{Path.GetExtension(key)}");
    }

    public async Task<bool> ExistsAsync(string key, CancellationToken ct)
    {
        StoreKey.Check(key);
        try
        {
            await Guard(key, () => _client.GetObjectMetadataAsync(_bucket, _prefix + key, ct));
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        StoreKey.CheckPrefix(prefix);
        var request = new ListObjectsV2Request { BucketName = _bucket, Prefix = _prefix + prefix };
        ListObjectsV2Response page;
        do
        {
            page = await Guard(prefix, () => _client.ListObjectsV2Async(request, ct));
            foreach (var found in page.S3Objects ?? [])
                yield return new StoredObject(found.Key[_prefix.Length..], found.Size ?? 0, found.LastModified ?? DateTimeOffset.UnixEpoch, Version(found));
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
    }

    // Not the ETag alone: gateways to file systems list the same one for every file that did not come through them, and a connection may name another bucket by now.
    // One that is weak (W/) says nothing of the bytes.
    private static string? Version(S3Object found) =>
        found is { ETag: ['"', _, ..] tag, LastModified: { } written } ? string.Create(CultureInfo.InvariantCulture, $"{tag.Trim('"')} {written.ToUniversalTime():yyyy-MM-ddTHH:mm:ss.fff}") : null;

    public async Task DeleteAsync(string key, CancellationToken ct)
    {
        StoreKey.Check(key);
        await Guard(key, () => _client.DeleteObjectAsync(_bucket, _prefix + key, ct));
    }

    public Task ProbeAsync(CancellationToken ct) =>
        Guard("", () => _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _bucket, Prefix = _prefix, MaxKeys = 1 }, ct));

    public void Dispose() => _client.Dispose();

    private async Task<long> PutPartsAsync(string key, byte[] buffer, Stream content, CancellationToken ct)
    {
        var name = _prefix + key;
        var upload = await Guard(key, () => _client.InitiateMultipartUploadAsync(_bucket, name, ct));
        try
        {
            var parts = new List<PartETag>();
            long bytes = 0;
            var filled = buffer.Length;
            while (filled > 0)
            {
                var size = filled;
                var number = parts.Count + 1;
                var part = await Guard(key, () => _client.UploadPartAsync(new UploadPartRequest
                {
                    BucketName = _bucket,
                    Key = name,
                    UploadId = upload.UploadId,
                    PartNumber = number,
                    PartSize = size,
                    InputStream = new MemoryStream(buffer, 0, size, writable: false),
                    UseChunkEncoding = false,
                }, ct));
                parts.Add(new PartETag(number, part.ETag));
                bytes += size;
                if (buffer.Length < PartBytes)
                    buffer = new byte[PartBytes];
                filled = await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
            }

            await Guard(key, () => _client.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest
            {
                BucketName = _bucket,
                Key = name,
                UploadId = upload.UploadId,
                PartETags = parts,
            }, ct));
            return bytes;
        }
        catch
        {
            try
            {
                await _client.AbortMultipartUploadAsync(_bucket, name, upload.UploadId, CancellationToken.None);
            }
            catch (Exception exception) when (exception is AmazonServiceException or AmazonClientException or HttpRequestException)
            {
                // Best effort: the bucket's own rule for incomplete uploads removes what is left.
            }

            throw;
        }
    }

    private async Task<T> Guard<T>(string key, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (AmazonS3Exception exception) when (exception.StatusCode == HttpStatusCode.NotFound && exception.ErrorCode != "NoSuchBucket" && exception.ErrorCode != "NoSuchUpload")
        {
            throw new FileNotFoundException($"The store has no {key}.", key);
        }
        catch (Exception exception) when (exception is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException)
        {
            throw new StoreUnavailableException($"The store (bucket {_bucket}) cannot do this with {key}: {exception.Message}", exception);
        }
    }

    /// <summary>A connection cut while an object is read is the store's failure, not the reader's.</summary>
    private sealed class GuardedStream(Stream inner, string key, IDisposable owner) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            try
            {
                return inner.Read(buffer, offset, count);
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException or AmazonClientException)
            {
                throw Cut(exception);
            }
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await inner.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException or AmazonClientException)
            {
                throw Cut(exception);
            }
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
                owner.Dispose();
            }

            base.Dispose(disposing);
        }

        private StoreUnavailableException Cut(Exception exception) => new($"The store broke off while {key} was read: {exception.Message}", exception);
    }
}
