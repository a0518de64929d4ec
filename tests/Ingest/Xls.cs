using System.Buffers.Binary;
using System.Text;

namespace Qualiz.Ingest.Tests;

/// <summary>Writes workbooks as Excel did up to 2003.</summary>
internal static class Xls
{
    private const int Sector = 512;
    private const uint EndOfChain = 0xFFFFFFFE, Free = 0xFFFFFFFF;

    /// <param name="Rows">Null is no cell; text, bool, double, <see cref="Error"/>.</param>
    public sealed record Sheet(string Name, params object?[][] Rows)
    {
        /// <summary>0: cells; 2: a chart.</summary>
        public byte Type { get; init; }
    }

    /// <summary>What a formula came to (<paramref name="Formula"/>), or what somebody has written.</summary>
    public sealed record Error(byte Code, bool Formula = true);

    public static byte[] Write(params Sheet[] sheets) => Write(sheets, encrypted: false);

    /// <param name="pad">At least so many bytes; a workbook of less than 4096 lies among the small files.</param>
    public static byte[] Write(Sheet[] sheets, bool encrypted = false, int pad = 4096)
    {
        var book = new MemoryStream();
        Begin(book, 0x05);
        if (encrypted)
            Record(book, 0x2f, new byte[6]);
        Record(book, 0x42, U16(1200));
        Record(book, 0xe0, new byte[20]);
        var places = new List<long>();
        foreach (var sheet in sheets)
        {
            places.Add(book.Position + 4);
            Record(book, 0x85, [0, 0, 0, 0, 0, sheet.Type, (byte)sheet.Name.Length, 0, .. Encoding.Latin1.GetBytes(sheet.Name)]);
        }
        Record(book, 0x0a, []);
        foreach (var (sheet, place) in sheets.Zip(places))
        {
            var start = (int)book.Position;
            book.Position = place;
            book.Write(U32((uint)start));
            book.Position = book.Length;
            Content(book, sheet);
        }
        book.SetLength(Math.Max(book.Length, pad));
        return Container(book.ToArray());
    }

    private static void Content(MemoryStream book, Sheet sheet)
    {
        Begin(book, 0x10);
        Record(book, 0x200, [.. U32(0), .. U32((uint)sheet.Rows.Length), .. U16(0), .. U16(sheet.Rows.Select(row => row.Length).DefaultIfEmpty(0).Max()), .. U16(0)]);
        for (var row = 0; row < sheet.Rows.Length; row++)
        {
            for (var column = 0; column < sheet.Rows[row].Length; column++)
            {
                byte[] head = [.. U16(row), .. U16(column), .. U16(0)];
                switch (sheet.Rows[row][column])
                {
                    case string text:
                        Record(book, 0x204, [.. head, .. U16(text.Length), 1, .. Encoding.Unicode.GetBytes(text)]);
                        break;
                    case double number:
                        var value = new byte[8];
                        BinaryPrimitives.WriteDoubleLittleEndian(value, number);
                        Record(book, 0x203, [.. head, .. value]);
                        break;
                    case bool truth:
                        Record(book, 0x205, [.. head, (byte)(truth ? 1 : 0), 0]);
                        break;
                    case Error { Formula: false } error:
                        Record(book, 0x205, [.. head, error.Code, 1]);
                        break;
                    case Error error:
                        Record(book, 0x06, [.. head, 2, 0, error.Code, 0, 0, 0, 0xff, 0xff, .. new byte[8]]);
                        break;
                }
            }
        }
        // A chart on the sheet, with the values that it was drawn of.
        Begin(book, 0x20);
        Record(book, 0x205, [.. U16(0), .. U16(0), .. U16(0), 0x2a, 1]);
        Record(book, 0x0a, []);
        Record(book, 0x0a, []);
    }

    private static void Begin(MemoryStream book, byte type) => Record(book, 0x809, [.. U16(0x600), .. U16(type), .. new byte[12]]);

    private static void Record(MemoryStream book, int type, byte[] data)
    {
        book.Write(U16(type));
        book.Write(U16(data.Length));
        book.Write(data);
    }

    /// <summary>The table of sectors, then its own table where it is long, the directory, the table of small sectors, the workbook.</summary>
    private static byte[] Container(byte[] book)
    {
        var mini = book.Length < 4096;
        var content = (book.Length + Sector - 1) / Sector;
        int tables = 0, more = 0, all = 0;
        for (var known = -1; known != tables;)
        {
            known = tables;
            more = (Math.Max(0, tables - 109) + 126) / 127;
            all = tables + more + 1 + (mini ? 1 : 0) + content;
            tables = (all + 127) / 128;
        }
        var directory = (uint)(tables + more);
        var first = directory + (mini ? 2u : 1u);
        var file = new MemoryStream();
        file.Write([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, .. new byte[16], .. U16(0x3e), .. U16(3), .. U16(0xfffe), .. U16(9), .. U16(6), .. new byte[10]]);
        foreach (var number in (uint[])[(uint)tables, directory, 0, 4096, mini ? directory + 1 : EndOfChain, mini ? 1u : 0, more > 0 ? (uint)tables : EndOfChain, (uint)more])
            file.Write(U32(number));
        for (var i = 0; i < 109; i++)
            file.Write(U32(i < tables ? (uint)i : Free));
        for (var i = 0; i < tables * 128; i++)
        {
            file.Write(U32(
                i < tables ? 0xFFFFFFFD : i < directory ? 0xFFFFFFFC : i < first || i == all - 1 ? EndOfChain : i < all ? (uint)i + 1 : Free));
        }
        for (var i = 0; i < more; i++)
        {
            for (var at = 0; at < 127; at++)
                file.Write(U32(109 + (i * 127) + at is var table && table < tables ? (uint)table : Free));
            file.Write(U32(i + 1 < more ? (uint)(tables + i + 1) : EndOfChain));
        }
        Entry(file, "Root Entry", 5, mini ? first : EndOfChain, mini ? content * Sector : 0);
        Entry(file, "Workbook", 2, mini ? 0 : first, book.Length);
        file.Write(new byte[2 * 128]);
        if (mini)
        {
            var small = (book.Length + 63) / 64;
            for (var i = 0; i < 128; i++)
                file.Write(U32(i == small - 1 ? EndOfChain : i < small ? (uint)i + 1 : Free));
        }
        file.Write(book);
        file.Write(new byte[(content * Sector) - book.Length]);
        return file.ToArray();
    }

    private static void Entry(MemoryStream file, string name, byte type, uint first, int bytes)
    {
        var entry = new byte[128];
        Encoding.Unicode.GetBytes(name).CopyTo(entry, 0);
        entry[64] = (byte)((name.Length + 1) * 2);
        entry[66] = type;
        entry[67] = 1;
        U32(Free).CopyTo(entry, 68);
        U32(Free).CopyTo(entry, 72);
        U32(type == 5 ? 1 : Free).CopyTo(entry, 76);
        U32(first).CopyTo(entry, 116);
        U32((uint)bytes).CopyTo(entry, 120);
        file.Write(entry);
    }

    private static byte[] U16(int value) => [(byte)value, (byte)(value >> 8)];

    private static byte[] U32(uint value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];
}
