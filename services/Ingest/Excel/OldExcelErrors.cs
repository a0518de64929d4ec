using System.Buffers.Binary;
using Qualiz.Ingest.Sources;

namespace Qualiz.Ingest.Excel;

/// <summary>The same of workbooks as Excel wrote them up to 2003 ([MS-XLS]): records, each with its number and its size before it.</summary>
internal static class OldExcelErrors
{
    private const int HeaderBytes = 4;
    private const ushort EndOfPart = 0x0a, BeginOfPart = 0x809, Password = 0x2f, Sheet = 0x85, Formula = 0x06, BoolOrError = 0x205;

    /// <param name="sheet">Among those that hold cells, counted from 0.</param>
    /// <returns>Row and column of the sheet, both counted from 0.</returns>
    public static IEnumerable<(int Row, int Column, string Text)> In(SourceFile file, int sheet)
    {
        var container = new CompoundFile(File.ReadAllBytes(file.Path));
        var book = container.Read("Workbook") ?? container.Read("Book") ?? throw new InvalidDataException("There is no workbook in it.");
        return InSheet(book, Start(file, book, sheet));
    }

    private static int Start(SourceFile file, byte[] book, int sheet)
    {
        foreach (var (type, data) in Records(book, 0))
        {
            // Also without a password that anyone has to know: that is how workbooks are kept from being changed.
            if (type == Password)
                throw new IngestException("fileUnreadable", $"{file.Name} is encrypted, as an old Excel file that is protected against changes is; save it as xlsx.");
            if (type == EndOfPart)
                break;
            const int Cells = 0;
            if (type == Sheet && data.Span[5] == Cells && sheet-- == 0)
                return BinaryPrimitives.ReadInt32LittleEndian(data.Span);
        }
        throw new InvalidDataException("The sheet has no place in the workbook.");
    }

    private static IEnumerable<(int Row, int Column, string Text)> InSheet(byte[] book, int start)
    {
        // A chart that lies on the sheet has records of its own between.
        var depth = 0;
        foreach (var (type, data) in Records(book, start))
        {
            if (type == BeginOfPart)
                depth++;
            else if (type == EndOfPart && --depth <= 0)
                yield break;
            else if (depth == 1 && type is Formula or BoolOrError && Error(type, data.Span) is { } code)
                yield return (BinaryPrimitives.ReadUInt16LittleEndian(data.Span), BinaryPrimitives.ReadUInt16LittleEndian(data.Span[2..]), ExcelErrors.Name(code));
        }
    }

    // Row, column and format, two bytes each; then the value. Of a formula it is a number, unless its last two bytes are all ones.
    private static byte? Error(ushort type, ReadOnlySpan<byte> data) => type == BoolOrError
        ? data[7] == 1 ? data[6] : null
        : data[12] == 0xff && data[13] == 0xff && data[6] == 2 ? data[8] : null;

    private static IEnumerable<(ushort Type, ReadOnlyMemory<byte> Data)> Records(byte[] book, int at)
    {
        while (at + HeaderBytes <= book.Length)
        {
            var size = BinaryPrimitives.ReadUInt16LittleEndian(book.AsSpan(at + 2));
            yield return (BinaryPrimitives.ReadUInt16LittleEndian(book.AsSpan(at)), book.AsMemory(at + HeaderBytes, size));
            at += HeaderBytes + size;
        }
    }
}
