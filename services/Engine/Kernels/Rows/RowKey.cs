using System.Buffers.Text;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Qualiz.Engine.Kernels.DuckDb;
using Qualiz.Engine.Kernels.Text;
using ValueType = Qualiz.Engine.Kernels.DuckDb.ValueType;

namespace Qualiz.Engine.Kernels.Rows;

/// <summary>
/// <c>qz_row_key(names, values...)</c>: 16 hexadecimal digits, the XXH3 hash of the row's values that are not null, each as
/// <c>U+001E name U+001F text</c> (<c>U+001D text</c> where the name is null) in the order given. Texts, whole numbers, decimals (without trailing zeros), dates and booleans are taken as they are;
/// other types must be cast to text.
/// </summary>
internal static unsafe class RowKey
{
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
        var content = new TextBuffer();
        Span<byte> digits = stackalloc byte[16];
        for (var row = 0; row < call.Rows; row++)
        {
            content.Clear();
            for (var i = 0; i < heads.Length; i++)
            {
                if (columns[i].IsNull(row))
                    continue;
                content.Add(heads[i]);
                Add(content, columns[i], kinds[i], row);
            }
            Hex(XxHash3.HashToUInt64(content.Text), digits);
            result.SetText(row, digits);
        }
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

    private static void Add(TextBuffer content, Column column, (ValueType Storage, int Scale) kind, int row)
    {
        if (kind.Storage == ValueType.Varchar)
        {
            content.Add(column.Text(row));
            return;
        }
        var space = content.GetSpan(48);
        int written;
        switch (kind.Storage)
        {
            case ValueType.Boolean:
                content.Add(((byte*)column.Data)[row] != 0 ? "true"u8 : "false"u8);
                return;
            case ValueType.Date:
                written = Date(((int*)column.Data)[row], space);
                break;
            case ValueType.SmallInt:
                Utf8Formatter.TryFormat(((short*)column.Data)[row], space, out written);
                break;
            case ValueType.Integer:
                Utf8Formatter.TryFormat(((int*)column.Data)[row], space, out written);
                break;
            case ValueType.BigInt:
                Utf8Formatter.TryFormat(((long*)column.Data)[row], space, out written);
                break;
            case ValueType.HugeInt:
                ((Int128*)column.Data)[row].TryFormat(space, out written, default, System.Globalization.CultureInfo.InvariantCulture);
                break;
            default:
                throw new NotSupportedException();
        }
        if (kind.Scale > 0)
            written = Point(space, written, kind.Scale);
        content.Advance(written);
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
        var era = Math.DivRem(shifted, 146_097, out var day);
        if (day < 0)
        {
            era--;
            day += 146_097;
        }
        var year = (day - (day / 1460) + (day / 36_524) - (day / 146_096)) / 365;
        var ofYear = day - ((365 * year) + (year / 4) - (year / 100));
        var shiftedMonth = ((5 * ofYear) + 2) / 153;
        var ofMonth = (int)(ofYear - (((153 * shiftedMonth) + 2) / 5) + 1);
        var month = (int)(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9);
        var civil = year + (era * 400) + (month <= 2 ? 1 : 0);
        var before = civil <= 0;
        Utf8Formatter.TryFormat(before ? 1 - civil : civil, target, out var at, new System.Buffers.StandardFormat('D', 4));
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
        for (var i = 15; i >= 0; i--, value >>= 4)
            digits[i] = "0123456789abcdef"u8[(int)(value & 15)];
    }
}
