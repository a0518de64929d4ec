using System.IO.Compression;

namespace Qualiz.Ingest.Conversion;

/// <summary>A file that is no text, by its first bytes: what it is, and what to do about it.</summary>
internal sealed record FileKind(string Name, string Advice = "")
{
    public static readonly FileKind OpenXml = new("an Excel file");

    /// <summary>Microsoft's older container: Excel up to 2003, but also Word and others.</summary>
    public static readonly FileKind Compound = new("an old Office file");

    private static readonly (byte[] Magic, FileKind Kind)[] Kinds =
    [
        ("%PDF-"u8.ToArray(), new("a PDF")),
        ("Obj\u0001"u8.ToArray(), new("an Avro file", "; export it as Parquet")),
        ("ORC"u8.ToArray(), new("an ORC file", "; export it as Parquet")),
        ("SQLite format 3\0"u8.ToArray(), new("an SQLite database", "; export its tables as CSV")),
        ([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], Compound),
        ([0x28, 0xb5, 0x2f, 0xfd], new("packed with zstd", "; pack it with gzip or not at all")),
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], new("packed with xz", "; pack it with gzip or not at all")),
        ("BZh"u8.ToArray(), new("packed with bzip2", "; pack it with gzip or not at all")),
        ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], new("a 7z archive", "; unpack it")),
        ("Rar!"u8.ToArray(), new("a RAR archive", "; unpack it")),
        ([0x89, 0x50, 0x4e, 0x47], new("a picture")),
        ([0xff, 0xd8, 0xff], new("a picture")),
        ([0x7f, 0x45, 0x4c, 0x46], new("a program")),
    ];

    /// <returns>Null for what may be text, or Parquet.</returns>
    public static FileKind? Of(string path)
    {
        using var stream = File.OpenRead(path);
        Span<byte> head = stackalloc byte[512];
        head = head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        if (head.StartsWith("PK\u0003\u0004"u8) || head.StartsWith("PK\u0005\u0006"u8))
            return Zip(stream);
        foreach (var (magic, kind) in Kinds)
        {
            // Three letters may begin a text; a text has no NULs.
            if (head.StartsWith(magic) && (magic.Length > 3 || head.Contains((byte)0)))
                return kind;
        }
        return null;
    }

    private static FileKind Zip(FileStream stream)
    {
        try
        {
            stream.Position = 0;
            using var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            if (archive.Entries.Any(entry => entry.FullName.StartsWith("xl/", StringComparison.Ordinal)))
                return OpenXml;
            if (archive.GetEntry("mimetype") is not null || archive.GetEntry("content.xml") is not null)
                return new FileKind("an OpenDocument file", "; save it as xlsx or CSV");
        }
        catch (InvalidDataException)
        {
            return new FileKind("a damaged ZIP archive");
        }
        return new FileKind("a ZIP archive", "; unpack it, or pack the file with gzip");
    }
}
