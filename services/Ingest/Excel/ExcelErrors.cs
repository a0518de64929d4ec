using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml;
using Qualiz.Ingest.Sources;

namespace Qualiz.Ingest.Excel;

/// <summary>What a formula came to that has no value, as Excel shows it: <c>#N/A</c>.</summary>
internal sealed record ExcelError(string Text);

/// <summary>
/// The errors in the cells of a sheet. The library that reads workbooks gives them as cells without a value, and what was an error would silently be none at all;
/// so they are looked for in the sheet's own part of the workbook.
/// </summary>
internal static class ExcelErrors
{
    // They are held in memory; a sheet with more of them is no data.
    private const int Most = 1_000_000;

    private static readonly XmlReaderSettings Xml = new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, CloseInput = true };

    /// <param name="number">The sheet's, among those that hold cells, from 0 on.</param>
    /// <returns>By row and column of the sheet, both counted from 0.</returns>
    public static IReadOnlyDictionary<(int Row, int Column), ExcelError> Find(SourceFile file, bool openXml, string sheet, int number, CancellationToken ct)
    {
        var found = new Dictionary<(int Row, int Column), ExcelError>();
        var words = new Dictionary<string, ExcelError>(StringComparer.Ordinal);
        foreach (var (row, column, text) in openXml ? InPackage(file, sheet, ct) : OldExcelErrors.In(file, number))
        {
            ct.ThrowIfCancellationRequested();
            if (!words.TryGetValue(text, out var error))
                words[text] = error = new ExcelError(text);
            found[(row, column)] = error;
            if (found.Count > Most)
                throw new IngestException("fileUnreadable", string.Create(CultureInfo.InvariantCulture, $"The sheet {sheet} of {file.Name} has more than {Most:N0} cells that are errors."));
        }
        return found;
    }

    private static IEnumerable<(int Row, int Column, string Text)> InPackage(SourceFile file, string sheet, CancellationToken ct)
    {
        using var archive = ZipFile.OpenRead(file.Path);
        if (Part(archive, sheet) is not { } part)
            yield break;
        var binary = part.Name.EndsWith(".bin", StringComparison.OrdinalIgnoreCase);
        if (!binary && !MayHaveErrors(part, ct))
            yield break;
        foreach (var error in binary ? InRecords(part) : InXml(part))
            yield return error;
    }

    private static ZipArchiveEntry? Part(ZipArchive archive, string sheet)
    {
        var entries = archive.Entries.ToLookup(entry => entry.FullName.Replace('\\', '/').TrimStart('/'), StringComparer.OrdinalIgnoreCase);
        var id = entries["xl/workbook.xml"].FirstOrDefault() is { } book ? IdInXml(book, sheet)
            : entries["xl/workbook.bin"].FirstOrDefault() is { } records ? IdInRecords(records, sheet)
            : null;
        if (id is null || (entries["xl/_rels/workbook.xml.rels"].FirstOrDefault() ?? entries["xl/_rels/workbook.bin.rels"].FirstOrDefault()) is not { } relations)
            return null;
        using var reader = XmlReader.Create(relations.Open(), Xml);
        while (reader.Read())
        {
            if (reader is { NodeType: XmlNodeType.Element, LocalName: "Relationship" } && reader.GetAttribute("Id") == id && reader.GetAttribute("Target") is { } target)
                return entries[target.StartsWith('/') ? target[1..] : $"xl/{target}"].FirstOrDefault();
        }
        return null;
    }

    private static string? IdInXml(ZipArchiveEntry workbook, string sheet)
    {
        using var reader = XmlReader.Create(workbook.Open(), Xml);
        while (reader.Read())
        {
            if (reader is not { NodeType: XmlNodeType.Element, LocalName: "sheet" } || reader.GetAttribute("name") != sheet)
                continue;
            while (reader.MoveToNextAttribute())
            {
                if (reader is { LocalName: "id", Prefix.Length: > 0 })
                    return reader.Value;
            }
        }
        return null;
    }

    // Before a whole sheet is parsed a second time.
    private static bool MayHaveErrors(ZipArchiveEntry part, CancellationToken ct)
    {
        using var stream = part.Open();
        var buffer = new byte[1 << 16];
        const int Overlap = 4;
        for (var kept = 0; ;)
        {
            ct.ThrowIfCancellationRequested();
            var read = stream.ReadAtLeast(buffer.AsSpan(kept), buffer.Length - kept, throwOnEndOfStream: false);
            var text = buffer.AsSpan(0, kept + read);
            if (text.IndexOf("t=\"e\""u8) >= 0 || text.IndexOf("t='e'"u8) >= 0)
                return true;
            if (kept + read < buffer.Length)
                return false;
            kept = Overlap;
            text[^Overlap..].CopyTo(buffer);
        }
    }

    private static IEnumerable<(int Row, int Column, string Text)> InXml(ZipArchiveEntry part)
    {
        using var reader = XmlReader.Create(part.Open(), Xml);
        int row = -1, column = -1;
        while (reader.Read())
        {
            if (reader.NodeType != XmlNodeType.Element)
                continue;
            if (reader.LocalName == "row")
            {
                row = int.TryParse(reader.GetAttribute("r"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given - 1 : row + 1;
                column = -1;
            }
            else if (reader.LocalName == "c")
            {
                column = Column(reader.GetAttribute("r")) ?? column + 1;
                if (reader.GetAttribute("t") != "e" || reader.IsEmptyElement)
                    continue;
                using var cell = reader.ReadSubtree();
                if (cell.ReadToDescendant("v", reader.NamespaceURI) && cell.ReadElementContentAsString().Trim() is { Length: > 0 } text)
                    yield return (row, column, text);
            }
        }
    }

    // The letters of C7, as a number.
    private static int? Column(string? reference)
    {
        var column = 0;
        foreach (var letter in (reference ?? "").TakeWhile(char.IsAsciiLetter))
            column = (column * 26) + char.ToUpperInvariant(letter) - 'A' + 1;
        return column == 0 ? null : column - 1;
    }

    private static string? IdInRecords(ZipArchiveEntry workbook, string sheet)
    {
        const int BundledSheet = 156;
        foreach (var (type, data) in Records(workbook))
        {
            if (type != BundledSheet)
                continue;
            var id = Text(data, 8, out var end);
            if (Text(data, end, out _) == sheet)
                return id;
        }
        return null;

        static string Text(byte[] data, int at, out int end)
        {
            var length = 2 * BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(at));
            end = at + 4 + Math.Max(0, length);
            return Encoding.Unicode.GetString(data.AsSpan(at + 4, Math.Max(0, length)));
        }
    }

    private static IEnumerable<(int Row, int Column, string Text)> InRecords(ZipArchiveEntry part)
    {
        const int RowHeader = 0, CellError = 3, FormulaError = 11;
        var row = -1;
        foreach (var (type, data) in Records(part))
        {
            if (type == RowHeader)
                row = BinaryPrimitives.ReadInt32LittleEndian(data);
            else if (type is CellError or FormulaError)
                yield return (row, BinaryPrimitives.ReadInt32LittleEndian(data), Name(data[8]));
        }
    }

    // Type and size in seven bits a byte, the last without the eighth.
    private static IEnumerable<(int Type, byte[] Data)> Records(ZipArchiveEntry part)
    {
        using var stream = new BufferedStream(part.Open(), 1 << 16);
        while (stream.ReadByte() is >= 0 and var first)
        {
            var type = first < 0x80 ? first : (first & 0x7f) | (Byte(stream) << 7);
            var size = 0;
            for (var shift = 0; shift < 28; shift += 7)
            {
                var next = Byte(stream);
                size |= (next & 0x7f) << shift;
                if (next < 0x80)
                    break;
            }
            var data = new byte[size];
            stream.ReadExactly(data);
            yield return (type, data);
        }

        static int Byte(Stream stream) => stream.ReadByte() is >= 0 and var value ? value : throw new InvalidDataException("The part ends within a record.");
    }

    /// <summary>As Excel shows the error that a file names by its number.</summary>
    public static string Name(byte code) => code switch
    {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0f => "#VALUE!",
        0x17 => "#REF!",
        0x1d => "#NAME?",
        0x24 => "#NUM!",
        0x2a => "#N/A",
        0x2b => "#GETTING_DATA",
        _ => string.Create(CultureInfo.InvariantCulture, $"#ERROR {code}"),
    };
}
