using System.Buffers;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using System.Text.Unicode;

namespace Qualiz.Ingest.Sources;

/// <summary>A source file as UTF-8 text on this machine: itself where it is that already, else a copy in scratch.</summary>
/// <param name="Start">Where the text begins, behind a byte order mark.</param>
/// <param name="Sure">False when the encoding was guessed from the beginning only.</param>
internal sealed record TextFile(string Path, long Start, string Encoding, bool Staged, bool Sure)
{
    private const int HeadBytes = 1 << 18;

    /// <summary>How much larger than packed a packed file may be: text seldom packs better than 50 to 1, a bomb 1000 to 1.</summary>
    public const int MaxExpansion = 100;

    static TextFile() => System.Text.Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public static bool IsGzip(string path)
    {
        using var stream = File.OpenRead(path);
        return stream.ReadByte() == 0x1f && stream.ReadByte() == 0x8b;
    }

    public static async Task<TextFile> PrepareAsync(string path, string encoding, string staging, CancellationToken ct)
    {
        var gzip = IsGzip(path);
        var head = await HeadAsync(path, gzip, ct);
        var sure = true;
        var (name, mark) = FindMark(head);
        if (encoding == "auto")
        {
            if (name is null)
            {
                sure = false;
                name = GuessWide(head) ?? (IsUtf8(head) ? "utf-8" : EncodingGuess.Guess(head));
            }
        }
        else
        {
            // A mark says more than a setting where they are of one family; else the setting holds and the mark is text.
            var given = encoding switch { "utf-16" => "utf-16le", "utf-32" => "utf-32le", _ => encoding };
            if (name is null || (name != given && !(encoding is "utf-16" or "utf-32" && name.StartsWith(encoding, StringComparison.Ordinal))))
                (name, mark) = (given, 0);
        }
        if (name == "utf-8" && !gzip)
            return new TextFile(path, mark, name, false, sure);
        await StageAsync(path, gzip, name, mark, staging, ct);
        return new TextFile(staging, 0, name, true, sure);
    }

    /// <summary>
    /// XXH128 of the content, to tell versions of a file apart. No cryptographic hash: it protects nothing (who may change the file may change
    /// anything in it), and SHA-256 takes a tenth of the whole step.
    /// </summary>
    public static Task<string> HashAsync(string path, CancellationToken ct) =>
        // On a thread of its own and in large pieces: beside the survey of a large file it is meant to cost next to nothing.
        Task.Factory.StartNew(
            () =>
            {
                using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.SequentialScan);
                var hash = new XxHash128();
                var buffer = ArrayPool<byte>.Shared.Rent(1 << 18);
                try
                {
                    for (var at = 0L; RandomAccess.Read(file, buffer, at) is > 0 and var read; at += read)
                    {
                        ct.ThrowIfCancellationRequested();
                        hash.Append(buffer.AsSpan(0, read));
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
                return Convert.ToHexStringLower(hash.GetCurrentHash());
            },
            ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public static byte[] ReadHead(string path, long start, int bytes = HeadBytes)
    {
        using var stream = File.OpenRead(path);
        stream.Position = start;
        var head = new byte[Math.Min(bytes, Math.Max(0, stream.Length - start))];
        return head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
    }

    /// <summary>True when the bytes, which may end within a character, are UTF-8.</summary>
    public static bool IsUtf8(ReadOnlySpan<byte> head)
    {
        for (var cut = 0; cut <= 3 && cut <= head.Length; cut++)
        {
            if (Utf8.IsValid(head[..^cut]))
                return true;
        }
        return false;
    }

    private static async Task<byte[]> HeadAsync(string path, bool gzip, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        await using var stream = gzip ? (Stream)new GZipStream(file, CompressionMode.Decompress) : file;
        var head = new byte[HeadBytes];
        try
        {
            return head[..await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, ct)];
        }
        catch (InvalidDataException)
        {
            throw Damaged(path);
        }
    }

    private static (string? Name, int Length) FindMark(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0xef, 0xbb, 0xbf]))
            return ("utf-8", 3);
        if (head.StartsWith((ReadOnlySpan<byte>)[0xff, 0xfe, 0, 0]))
            return ("utf-32le", 4);
        if (head.StartsWith((ReadOnlySpan<byte>)[0, 0, 0xfe, 0xff]))
            return ("utf-32be", 4);
        if (head.StartsWith((ReadOnlySpan<byte>)[0xff, 0xfe]))
            return ("utf-16le", 2);
        return head.StartsWith((ReadOnlySpan<byte>)[0xfe, 0xff]) ? ("utf-16be", 2) : (null, 0);
    }

    // Text in western letters has a NUL in every second byte then, or three in four.
    private static string? GuessWide(ReadOnlySpan<byte> head)
    {
        var fours = Math.Min(head.Length, 4096) / 4;
        int little = 0, big = 0;
        for (var i = 0; i < fours; i++)
        {
            little += head[4 * i] != 0 && head[(4 * i) + 2] == 0 && head[(4 * i) + 3] == 0 ? 1 : 0;
            big += head[4 * i] == 0 && head[(4 * i) + 1] == 0 && head[(4 * i) + 3] != 0 ? 1 : 0;
        }
        if (fours >= 4 && (little > fours * 0.9 || big > fours * 0.9))
            return little > big ? "utf-32le" : "utf-32be";
        var pairs = Math.Min(head.Length, 4096) / 2;
        if (pairs < 4)
            return null;
        int even = 0, odd = 0;
        for (var i = 0; i < pairs; i++)
        {
            even += head[2 * i] == 0 ? 1 : 0;
            odd += head[(2 * i) + 1] == 0 ? 1 : 0;
        }
        return odd > pairs * 0.4 && even < pairs * 0.05 ? "utf-16le" : even > pairs * 0.4 && odd < pairs * 0.05 ? "utf-16be" : null;
    }

    private static async Task StageAsync(string path, bool gzip, string encoding, int mark, string staging, CancellationToken ct)
    {
        var limit = gzip ? Math.Max(64L << 20, new FileInfo(path).Length * MaxExpansion) : long.MaxValue;
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        await using var stream = gzip ? (Stream)new GZipStream(file, CompressionMode.Decompress) : file;
        await using var target = new FileStream(staging, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        var from = new byte[1 << 18];
        var decoder = encoding == "utf-8" ? null : Decoder(encoding);
        var chars = new char[from.Length + 4];
        var to = new byte[System.Text.Encoding.UTF8.GetMaxByteCount(chars.Length)];
        var encoder = System.Text.Encoding.UTF8.GetEncoder();
        var skip = mark;
        long total = 0;
        try
        {
            while (true)
            {
                var read = await stream.ReadAtLeastAsync(from, from.Length, throwOnEndOfStream: false, ct);
                total += read;
                if (total > limit)
                    throw new IngestException("fileExpands", $"{Name(path)} unpacks to more than {MaxExpansion} times its size and is refused.");
                var block = from.AsMemory(Math.Min(skip, read), read - Math.Min(skip, read));
                skip = 0;
                var last = read < from.Length;
                if (decoder is null)
                {
                    await target.WriteAsync(block, ct);
                }
                else
                {
                    var count = decoder.GetChars(block.Span, chars, last);
                    await target.WriteAsync(to.AsMemory(0, encoder.GetBytes(chars.AsSpan(0, count), to, last)), ct);
                }
                if (last)
                    return;
            }
        }
        catch (InvalidDataException)
        {
            throw Damaged(path);
        }
        catch (DecoderFallbackException)
        {
            throw new IngestException("encoding", $"{Name(path)} is not {encoding} throughout. Set format.encoding to what it is.", "format.encoding");
        }
    }

    private static Decoder Decoder(string encoding) => System.Text.Encoding
        .GetEncoding(
            encoding switch { "utf-16le" => "utf-16", "utf-16be" => "utf-16BE", "utf-32le" => "utf-32", "utf-32be" => "utf-32BE", "latin-1" => "iso-8859-1", _ => encoding },
            EncoderFallback.ExceptionFallback,
            DecoderFallback.ExceptionFallback)
        .GetDecoder();

    private static IngestException Damaged(string path) => new("fileUnreadable", $"{Name(path)} is packed (gzip) and damaged.");

    private static string Name(string path) => System.IO.Path.GetFileName(path);
}
