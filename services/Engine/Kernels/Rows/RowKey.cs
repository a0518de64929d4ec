using System.Buffers.Binary;
using System.Buffers.Text;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Json;
using Qualiz.Engine.Kernels.DuckDb;
using ValueType = Qualiz.Engine.Kernels.DuckDb.ValueType;

namespace Qualiz.Engine.Kernels.Rows;

/// <summary>
/// <c>qz_row_key(names, values...)</c>: 16 hexadecimal digits, the XXH3 hash of the row's values that are not null, each as
/// <c>U+001E name U+001F text</c> (<c>U+001D text</c> where the name is null) in the order given. Texts, whole numbers, decimals (without trailing zeros), dates and booleans are taken as they are;
/// other types must be cast to text.
/// </summary>
internal static unsafe class RowKey
{
    // Room for any value that is no text.
    private const int LongestNumber = 56;

    [ThreadStatic]
    private static byte[]? _space;

    private static readonly Settings<byte[][]> Heads = new(ReadNames);

    /// <summary>The key of a row's content in the form that is hashed.</summary>
    public static string Of(ReadOnlySpan<byte> content) => XxHash3.HashToUInt64(content).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Hash(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Hash);

    private static byte[][] ReadNames(string json)
    {
        using var names = JsonDocument.Parse(json);
        return [.. names.RootElement.EnumerateArray().Select(name => Encoding.UTF8.GetBytes(name.GetString() is { } text ? $"\u001e{text}\u001f" : "\u001d"))];
    }

    private static void Hash(in Call call)
    {
        if (call.Rows == 0)
            return;
        var heads = Heads.Of(call.Column(0).Text(0));
        var columns = new Column[heads.Length];
        var kinds = new (ValueType Storage, int Scale)[heads.Length];
        for (var i = 0; i < heads.Length; i++)
        {
            columns[i] = call.Column(i + 1);
            kinds[i] = Kind(columns[i].Vector);
        }
        var result = new Result(call.Output);
        var fixedLength = heads.Sum(head => head.Length + LongestNumber);
        Span<byte> digits = stackalloc byte[16];
        for (var row = 0; row < call.Rows; row++)
        {
            var room = fixedLength;
            for (var i = 0; i < columns.Length; i++)
            {
                if (kinds[i].Storage == ValueType.Varchar && !columns[i].IsNull(row))
                    room += (int)columns[i].Texts[row].Length;
            }
            var content = Space(room);
            var length = 0;
            for (var i = 0; i < columns.Length; i++)
            {
                if (columns[i].IsNull(row))
                    continue;
                heads[i].CopyTo(content[length..]);
                length += heads[i].Length;
                length += Write(content[length..], columns[i], kinds[i], row);
            }
            Hex(XxHash3.HashToUInt64(content[..length]), digits);
            result.SetText(row, digits);
        }
    }

    private static Span<byte> Space(int length)
    {
        if (_space is null || _space.Length < length)
            _space = new byte[Math.Max(length, 1024)];
        return _space;
    }

    private static (ValueType Storage, int Scale) Kind(nint vector)
    {
        var type = Native.VectorType(vector);
        try
        {
            return Native.TypeId(type) switch
            {
                ValueType.Decimal => (Native.DecimalStorage(type), Native.DecimalScale(type)),
                var id => (id, -1),
            };
        }
        finally
        {
            Native.DestroyType(&type);
        }
    }

    private static int Write(Span<byte> target, Column column, (ValueType Storage, int Scale) kind, int row)
    {
        int written;
        switch (kind.Storage)
        {
            case ValueType.Varchar:
                var text = column.Text(row);
                text.CopyTo(target);
                return text.Length;
            case ValueType.Boolean:
                var word = ((byte*)column.Data)[row] != 0 ? "true"u8 : "false"u8;
                word.CopyTo(target);
                return word.Length;
            case ValueType.Date:
                return Date(((int*)column.Data)[row], target);
            case ValueType.SmallInt:
                written = Digits(((short*)column.Data)[row], target);
                break;
            case ValueType.Integer:
                written = Digits(((int*)column.Data)[row], target);
                break;
            case ValueType.BigInt:
                written = Digits(((long*)column.Data)[row], target);
                break;
            case ValueType.HugeInt:
                ((Int128*)column.Data)[row].TryFormat(target, out written, default, System.Globalization.CultureInfo.InvariantCulture);
                break;
            default:
                throw new NotSupportedException();
        }
        return kind.Scale > 0 ? Point(target, written, kind.Scale) : written;
    }

    private static int Digits(long value, Span<byte> target)
    {
        if (value is < 0 or > int.MaxValue)
        {
            Utf8Formatter.TryFormat(value, target, out var written);
            return written;
        }
        var rest = (uint)value;
        var length = rest < 10 ? 1 : rest < 100 ? 2 : rest < 1000 ? 3 : rest < 10_000 ? 4 : rest < 100_000 ? 5 : rest < 1_000_000 ? 6 : rest < 10_000_000 ? 7 : rest < 100_000_000 ? 8 : rest < 1_000_000_000 ? 9 : 10;
        for (var at = length - 1; at >= 0; at--)
        {
            (rest, var digit) = Math.DivRem(rest, 10);
            target[at] = (byte)('0' + digit);
        }
        return length;
    }

    /// <summary>Puts the decimal point in and takes trailing zeros away.</summary>
    private static int Point(Span<byte> digits, int length, int scale)
    {
        var sign = digits[0] == '-' ? 1 : 0;
        // At least one digit in front of the point.
        for (var missing = scale + 1 - (length - sign); missing > 0; missing--)
        {
            digits[sign..length].CopyTo(digits[(sign + 1)..]);
            digits[sign] = (byte)'0';
            length++;
        }
        var whole = length - scale;
        var end = length;
        while (end > whole && digits[end - 1] == '0')
            end--;
        if (end == whole)
            return whole;
        digits[whole..end].CopyTo(digits[(whole + 1)..]);
        digits[whole] = (byte)'.';
        return end + 1;
    }

    /// <summary>As DuckDB writes a date.</summary>
    private static int Date(int days, Span<byte> target)
    {
        if (days is int.MaxValue or -int.MaxValue)
        {
            var word = days > 0 ? "infinity"u8 : "-infinity"u8;
            word.CopyTo(target);
            return word.Length;
        }
        // Days to civil date by eras of 400 years (Howard Hinnant's algorithm), which has no bounds that matter here.
        var shifted = days + 719_468L;
        var era = shifted >= 0 ? shifted / 146_097 : (shifted - 146_096) / 146_097;
        var day = (uint)(shifted - (era * 146_097));
        var year = (day - (day / 1460) + (day / 36_524) - (day / 146_096)) / 365;
        var ofYear = day - ((365 * year) + (year / 4) - (year / 100));
        var shiftedMonth = ((5 * ofYear) + 2) / 153;
        var ofMonth = ofYear - (((153 * shiftedMonth) + 2) / 5) + 1;
        var month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
        var civil = year + (era * 400) + (month <= 2 ? 1 : 0);
        var before = civil <= 0;
        int at;
        if (civil is >= 1000 and <= 9999)
            at = Digits(civil, target);
        else
            Utf8Formatter.TryFormat(before ? 1 - civil : civil, target, out at, new System.Buffers.StandardFormat('D', 4));
        target[at++] = (byte)'-';
        target[at++] = (byte)('0' + (month / 10));
        target[at++] = (byte)('0' + (month % 10));
        target[at++] = (byte)'-';
        target[at++] = (byte)('0' + (ofMonth / 10));
        target[at++] = (byte)('0' + (ofMonth % 10));
        if (before)
        {
            " (BC)"u8.CopyTo(target[at..]);
            at += 5;
        }
        return at;
    }

    private static void Hex(ulong value, Span<byte> digits)
    {
        // Each nibble into a byte of its own, then all sixteen to digits at once.
        var bytes = Vector128.CreateScalar(BinaryPrimitives.ReverseEndianness(value)).AsByte();
        var high = Vector128.ShiftRightLogical(bytes.AsUInt16(), 4).AsByte() & Vector128.Create((byte)15);
        var low = bytes & Vector128.Create((byte)15);
        var nibbles = Vector128.Shuffle(high, Vector128.Create((byte)0, 255, 1, 255, 2, 255, 3, 255, 4, 255, 5, 255, 6, 255, 7, 255))
            | Vector128.Shuffle(low, Vector128.Create((byte)255, 0, 255, 1, 255, 2, 255, 3, 255, 4, 255, 5, 255, 6, 255, 7));
        Vector128.Shuffle(Vector128.Create("0123456789abcdef"u8), nibbles).CopyTo(digits);
    }
}
