using System.Text.Json;
using Qualiz.Platform.Storage;

namespace Qualiz.Deliver.Files;

/// <summary>What a file beside the delivered one says of it.</summary>
internal sealed record Receipt(Guid RunId, string Step, Guid PipelineId, long Fence, long Rows, long Bytes, string Sha256);

/// <summary>The receipt of one target, and the turn to write there where that can be had.</summary>
internal abstract class Receipts : IDisposable
{
    public abstract Task<Receipt?> ReadAsync(CancellationToken ct);

    public abstract Task WriteAsync(Receipt receipt, CancellationToken ct);

    public virtual void Dispose() => GC.SuppressFinalize(this);

    protected static Receipt? Parse(ReadOnlySpan<byte> content)
    {
        try
        {
            return content.IsEmpty ? null : JsonSerializer.Deserialize<Receipt>(content, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            // Cut off while it was written: the file is written again.
            return null;
        }
    }

    protected static byte[] Bytes(Receipt receipt) => JsonSerializer.SerializeToUtf8Bytes(receipt, JsonSerializerOptions.Web);
}

/// <summary>In a folder: the receipt is locked while its owner works, so that two executions come one after the other.</summary>
internal sealed class LockedReceipt : Receipts
{
    private readonly FileStream _file;

    private LockedReceipt(FileStream file) => _file = file;

    public static async Task<LockedReceipt> OpenAsync(string path, TimeSpan patience, CancellationToken ct)
    {
        if (new FileInfo(path).LinkTarget is not null)
            throw new DeliveryException("fileName", "The file must not lead through a link.", "to.file");
        var until = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new LockedReceipt(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(until) < patience)
            {
                await Task.Delay(50, ct).ConfigureAwait(false);
            }
            catch (IOException exception) when (exception is not DirectoryNotFoundException)
            {
                throw new DeliveryException("targetBusy", "Another execution writes this file, or its folder cannot be written.", "to.file", transient: true);
            }
            catch (UnauthorizedAccessException)
            {
                throw new DeliveryException("accessRefused", "Qualiz may not write in this folder.", "to.file");
            }
        }
    }

    public override async Task<Receipt?> ReadAsync(CancellationToken ct)
    {
        _file.Position = 0;
        var content = new byte[Math.Min(_file.Length, 64 * 1024)];
        await _file.ReadExactlyAsync(content, ct).ConfigureAwait(false);
        return Parse(content);
    }

    public override async Task WriteAsync(Receipt receipt, CancellationToken ct)
    {
        _file.Position = 0;
        var content = Bytes(receipt);
        await _file.WriteAsync(content, ct).ConfigureAwait(false);
        _file.SetLength(content.Length);
        _file.Flush(flushToDisk: true);
    }

    public override void Dispose()
    {
        _file.Dispose();
        base.Dispose();
    }
}

/// <summary>In the object store: no lock, but a whole receipt or none.</summary>
internal sealed class StoredReceipt(IObjectStore store, string key) : Receipts
{
    public override async Task<Receipt?> ReadAsync(CancellationToken ct)
    {
        if (!await store.ExistsAsync(key, ct).ConfigureAwait(false))
            return null;
        await using var content = await store.OpenReadAsync(key, ct).ConfigureAwait(false);
        using var memory = new MemoryStream();
        await content.CopyToAsync(memory, ct).ConfigureAwait(false);
        return Parse(memory.ToArray());
    }

    public override async Task WriteAsync(Receipt receipt, CancellationToken ct)
    {
        using var content = new MemoryStream(Bytes(receipt));
        await store.PutAsync(key, content, ct).ConfigureAwait(false);
    }
}
