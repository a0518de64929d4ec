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

    // What is copied in whole blocks hangs over.
    private const int Overhang = 64;

    [ThreadStatic]
    private static Space? _space;

    private static readonly Settings<Heads> Known = new(json => new Heads(json));

    /// <summary>The key of a row's content in the form that is hashed.</summary>
    public static string Of(ReadOnlySpan<byte> content) => XxHash3.HashToUInt64(content).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Hash(nint info, nint chunk, nint output) => KernelLibrary.Guard(info, chunk, output, &Hash);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Hash(in Call call)
    {
        if (call.Rows == 0)
            return;
        var heads = Known.Of(call.Column(0).Text(0));
        var parts = heads.Count <= 64 ? stackalloc Part[heads.Count] : new Part[heads.Count];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = new Part(call.Column(i + 1), heads, i);
        // Everything but the texts has room in this, so only they are asked for their length.
        var room = heads.Length + (heads.Count * LongestNumber) + Overhang;
        var space = _space ??= new Space();
        space.Grow(space.Start, room);
        var result = new Result(call.Output);
        Span<byte> digits = stackalloc byte[16];
        for (var row = 0; row < call.Rows; row++)
        {
            call.ThrowIfStopped();
            var at = space.Start;
            foreach (ref readonly var part in parts)
            {
                if (part.IsNull(row))
                    continue;
                at = part.Head(at);
                if (part.Storage != ValueType.Varchar)
                {
                    at += part.Write(new Span<byte>(at, LongestNumber), row);
                    continue;
                }
                var text = (DuckString*)part.Data + row;
                if (text->Length > space.End - at - room)
                    at = space.Grow(at, (int)text->Length + room);
                at = DuckString.Copy(text, at);
            }
            Hex(XxHash3.HashToUInt64(new ReadOnlySpan<byte>(space.Start, (int)(at - space.Start))), digits);
            result.SetText(row, digits);
        }
        GC.KeepAlive(heads);
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

    private static int Digits(long value, Span<byte> target)
    {
        if (value is < 0 or > uint.MaxValue)
        {
            Utf8Formatter.TryFormat(value, target, out var written);
            return written;
        }
        var rest = (uint)value;
        var length = rest < 10 ? 1 : rest < 100 ? 2 : rest < 1000 ? 3 : rest < 10_000 ? 4 : rest < 100_000 ? 5 : rest < 1_000_000 ? 6 : rest < 10_000_000 ? 7 : rest < 100_000_000 ? 8 : rest < 1_000_000_000 ? 9 : 10;
        ref var start = ref MemoryMarshal.GetReference(target[..length]);
        var at = length;
        while (rest >= 100)
        {
            (rest, var pair) = Math.DivRem(rest, 100);
            at -= 2;
            Pair(ref Unsafe.Add(ref start, at), pair);
        }
        if (rest >= 10)
            Pair(ref start, rest);
        else
            start = (byte)('0' + rest);
        return length;
    }

    private static void Pair(ref byte target, uint value) =>
        Unsafe.WriteUnaligned(ref target, Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref MemoryMarshal.GetReference(Pairs), value * 2)));

    private static ReadOnlySpan<byte> Pairs =>
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"u8;

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

    /// <summary>What stands before each value. The bytes lie still, each padded to whole blocks.</summary>
    private sealed class Heads
    {
        private const int Block = 16;
        private readonly byte[] _bytes;
        private readonly (int Start, int Length)[] _heads;

        public Heads(string json)
        {
            using var names = JsonDocument.Parse(json);
            var heads = names.RootElement.EnumerateArray().Select(name => Encoding.UTF8.GetBytes(name.GetString() is { } text ? $"\u001e{text}\u001f" : "\u001d")).ToList();
            _heads = new (int, int)[heads.Count];
            _bytes = GC.AllocateArray<byte>(heads.Sum(head => head.Length + Block), pinned: true);
            var at = 0;
            for (var i = 0; i < heads.Count; i++)
            {
                heads[i].CopyTo(_bytes, at);
                _heads[i] = (at, heads[i].Length);
                Length += heads[i].Length;
                at += (heads[i].Length + Block - 1) / Block * Block;
            }
        }

        public int Count => _heads.Length;

        /// <summary>Of all of them together.</summary>
        public int Length { get; }

        public byte* Start(int of) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes)) + _heads[of].Start;

        public int LengthOf(int of) => _heads[of].Length;
    }

    /// <summary>A value's place in the content: its head and where it comes from.</summary>
    private readonly struct Part
    {
        private readonly Column _column;
        private readonly byte* _head;
        private readonly int _headLength;
        private readonly int _scale;

        public Part(Column column, Heads heads, int of)
        {
            _column = column;
            _head = heads.Start(of);
            _headLength = heads.LengthOf(of);
            (Storage, _scale) = Kind(column.Vector);
        }

        public ValueType Storage { get; }

        public void* Data => _column.Data;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool IsNull(int row) => _column.IsNull(row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public byte* Head(byte* target)
        {
            for (var at = 0; at < _headLength; at += 16)
                Vector128.Load(_head + at).Store(target + at);
            return target + _headLength;
        }

        public int Write(Span<byte> target, int row)
        {
            int written;
            switch (Storage)
            {
                case ValueType.Boolean:
                    var word = ((byte*)Data)[row] != 0 ? "true"u8 : "false"u8;
                    word.CopyTo(target);
                    return word.Length;
                case ValueType.Date:
                    return Date(((int*)Data)[row], target);
                case ValueType.SmallInt:
                    written = Digits(((short*)Data)[row], target);
                    break;
                case ValueType.Integer:
                    written = Digits(((int*)Data)[row], target);
                    break;
                case ValueType.BigInt:
                    written = Digits(((long*)Data)[row], target);
                    break;
                case ValueType.HugeInt:
                    ((Int128*)Data)[row].TryFormat(target, out written, default, System.Globalization.CultureInfo.InvariantCulture);
                    break;
                default:
                    throw new NotSupportedException();
            }
            return _scale > 0 ? Point(target, written, _scale) : written;
        }
    }

    /// <summary>Where a row's content is put together, row after row.</summary>
    private sealed class Space
    {
        private byte[] _bytes = GC.AllocateUninitializedArray<byte>(4096, pinned: true);

        public byte* Start => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes));

        public byte* End => Start + _bytes.Length;

        /// <summary>Makes room for more behind <paramref name="at"/>; the answer is where that lies now.</summary>
        public byte* Grow(byte* at, int more)
        {
            var used = (int)(at - Start);
            if (_bytes.Length - used < more)
            {
                var larger = GC.AllocateUninitializedArray<byte>(Math.Max(_bytes.Length * 2, used + more), pinned: true);
                _bytes.AsSpan(0, used).CopyTo(larger);
                _bytes = larger;
            }
            return Start + used;
        }
    }
}
