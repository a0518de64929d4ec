using System.Buffers.Binary;
using System.Globalization;
using Qualiz.Platform.Storage;

namespace Qualiz.Ingest.Sources;

/// <summary>
/// What a look at the columns takes of an object that may be of any size: of text, packed or not, its beginning; of Parquet its first bytes and its footer,
/// in a file as long as the object with nothing between. A workbook is taken whole, up to a size: which of its parts say what its columns are stands at its
/// end, and a sheet cannot be read from its middle.
/// </summary>
internal static class ObjectOutline
{
    /// <summary>A look at the head of a file that lies elsewhere takes no more than this.</summary>
    public const int HeadBytes = 2 << 20;

    private const long MaxWorkbook = 32L << 20;
    private const int MaxFooter = 64 << 20;

    /// <summary>Magic and length of the footer, at the end of a Parquet file.</summary>
    private const int TailBytes = 8;

    /// <returns>The path of what was fetched.</returns>
    /// <exception cref="IngestException">It takes too much.</exception>
    public static async Task<string> FetchAsync(IObjectStore store, StoredObject item, string folder, CancellationToken ct)
    {
        var path = Path.Combine(Directory.CreateDirectory(folder).FullName, Path.GetFileName(item.Key));
        var magic = new byte[4];
        await store.ReadAsync(item.Key, 0, magic, ct);
        if (magic.AsSpan().SequenceEqual("PK\u0003\u0004"u8) || magic.AsSpan().SequenceEqual((ReadOnlySpan<byte>)[0xd0, 0xcf, 0x11, 0xe0]))
        {
            return item.Bytes <= MaxWorkbook
                ? await store.GetLocalPathAsync(item.Key, folder, ct)
                : throw new IngestException("fileTooLarge", string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(item.Key)} is a workbook of more than {MaxWorkbook >> 20} MB, which only a run reads."));
        }
        await using var target = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        if (magic.AsSpan().SequenceEqual("PAR1"u8))
        {
            var tail = new byte[TailBytes];
            await store.ReadAsync(item.Key, item.Bytes - TailBytes, tail, ct);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(tail);
            if (!tail.AsSpan(4).SequenceEqual("PAR1"u8) || length > Math.Min(item.Bytes - TailBytes, MaxFooter))
                throw new IngestException("fileUnreadable", $"{Path.GetFileName(item.Key)} begins like Parquet, but does not end so.");
            var footer = new byte[length + TailBytes];
            var at = item.Bytes - footer.Length;
            var read = await store.ReadAsync(item.Key, at, footer, ct);
            await target.WriteAsync(magic, ct);
            target.Position = at;
            await target.WriteAsync(footer.AsMemory(0, read), ct);
            return path;
        }
        var head = new byte[HeadBytes];
        await target.WriteAsync(head.AsMemory(0, await store.ReadAsync(item.Key, 0, head, ct)), ct);
        return path;
    }
}
