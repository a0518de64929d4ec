using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Text;

/// <summary>What kinds of bytes a text has: enough to know that most operations would leave it as it is.</summary>
[Flags]
internal enum Kinds
{
    None = 0,
    Upper = 1,
    Lower = 2,

    /// <summary>A blank.</summary>
    Blank = 4,

    /// <summary>A control character: tab, line end, NUL...</summary>
    Control = 8,

    /// <summary>Anything beyond ASCII.</summary>
    High = 16,
    Digit = 32,

    /// <summary>Any other ASCII sign.</summary>
    Sign = 64,

    /// <summary>Not a kind of byte: asked for by operations that must look at every text.</summary>
    Always = 128,
}

internal static unsafe class Glance
{
    /// <summary>Masks of the bytes that texts of 0 to 12 bytes take in a <see cref="DuckString"/>.</summary>
    private static readonly Vector128<byte>[] Inline =
        [.. Enumerable.Range(0, DuckString.InlineLength + 1).Select(length => Vector128.Create([.. Enumerable.Range(0, 16).Select(i => (byte)(i >= 4 && i < 4 + length ? 0xff : 0))]))];

    /// <summary>The kinds of bytes in a text of a vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Kinds At(DuckString* text, Kinds wanted)
    {
        var length = text->Length;
        return length <= DuckString.InlineLength
            ? Of(Vector128.Load((byte*)text), Inline[length], wanted)
            : Of(DuckString.Pointer(text), (int)length, wanted);
    }

    public static Kinds Of(ReadOnlySpan<byte> text, Kinds wanted)
    {
        fixed (byte* start = text)
        {
            if (text.Length >= 8)
                return Of(start, text.Length, wanted);
            var kinds = Kinds.None;
            foreach (var value in text)
                kinds |= Of(Vector128.CreateScalar(value), Vector128.CreateScalar((byte)0xff), wanted);
            return kinds;
        }
    }

    // At least 8 bytes. The last block overlaps the one before: the kinds do not depend on the order.
    private static Kinds Of(byte* start, int length, Kinds wanted)
    {
        if (length < 16)
            return Of(Vector128.Create(Unsafe.ReadUnaligned<ulong>(start), Unsafe.ReadUnaligned<ulong>(start + length - 8)).AsByte(), Vector128<byte>.AllBitsSet, wanted);
        var kinds = Kinds.None;
        var end = start + length - 16;
        for (var at = start; at < end; at += 16)
            kinds |= Of(Vector128.Load(at), Vector128<byte>.AllBitsSet, wanted);
        return kinds | Of(Vector128.Load(end), Vector128<byte>.AllBitsSet, wanted);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Kinds Of(Vector128<byte> bytes, Vector128<byte> mask, Kinds wanted)
    {
        var kinds = Kinds.None;
        if ((wanted & Kinds.High) != 0 && (bytes & mask).ExtractMostSignificantBits() != 0)
            kinds |= Kinds.High;
        if ((wanted & Kinds.Upper) != 0 && Any(Vector128.LessThan(bytes - Vector128.Create((byte)'A'), Vector128.Create((byte)26)) & mask))
            kinds |= Kinds.Upper;
        if ((wanted & Kinds.Lower) != 0 && Any(Vector128.LessThan(bytes - Vector128.Create((byte)'a'), Vector128.Create((byte)26)) & mask))
            kinds |= Kinds.Lower;
        if ((wanted & Kinds.Blank) != 0 && Any(Vector128.Equals(bytes, Vector128.Create((byte)' ')) & mask))
            kinds |= Kinds.Blank;
        if ((wanted & Kinds.Control) != 0 && Any((Vector128.LessThan(bytes, Vector128.Create((byte)' ')) | Vector128.Equals(bytes, Vector128.Create((byte)0x7f))) & mask))
            kinds |= Kinds.Control;
        if ((wanted & Kinds.Digit) != 0 && Any(Vector128.LessThan(bytes - Vector128.Create((byte)'0'), Vector128.Create((byte)10)) & mask))
            kinds |= Kinds.Digit;
        if ((wanted & Kinds.Sign) != 0 && Any(Signs(bytes) & mask))
            kinds |= Kinds.Sign;
        return kinds;
    }

    private static Vector128<byte> Signs(Vector128<byte> bytes)
    {
        var letter = Vector128.LessThan((bytes | Vector128.Create((byte)0x20)) - Vector128.Create((byte)'a'), Vector128.Create((byte)26));
        var digit = Vector128.LessThan(bytes - Vector128.Create((byte)'0'), Vector128.Create((byte)10));
        var shown = Vector128.LessThan(bytes - Vector128.Create((byte)'!'), Vector128.Create((byte)('~' - '!' + 1)));
        return shown & ~(letter | digit);
    }

    private static bool Any(Vector128<byte> hits) => hits != Vector128<byte>.Zero;

    /// <summary>False when the word is nowhere in the text. Three bytes of it are looked for at once, as most texts that have its ends have another middle.</summary>
    public static bool MayHold(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word)
    {
        var places = text.Length - word.Length + 1;
        if (places < 8 || word.Length < 3)
            return places > 0;
        ref var start = ref MemoryMarshal.GetReference(text);
        var (middle, end) = ((nuint)word.Length / 2, (nuint)word.Length - 1);
        var (first, second, third) = (Vector128.Create(word[0]), Vector128.Create(word[(int)middle]), Vector128.Create(word[(int)end]));
        if (places < 16)
            return Any(Vector128.Equals(Ends(ref start, 0, places), first) & Vector128.Equals(Ends(ref start, middle, places), second) & Vector128.Equals(Ends(ref start, end, places), third));
        var last = (nuint)places - 16;
        for (nuint at = 0; ; at = Math.Min(at + 16, last))
        {
            if (Any(Vector128.Equals(Vector128.LoadUnsafe(ref start, at), first)
                & Vector128.Equals(Vector128.LoadUnsafe(ref start, at + middle), second)
                & Vector128.Equals(Vector128.LoadUnsafe(ref start, at + end), third)))
                return true;
            if (at == last)
                return false;
        }
    }

    // The first 8 and the last 8 of 8 to 16 bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Ends(ref byte start, nuint at, int count)
    {
        ref var from = ref Unsafe.Add(ref start, at);
        return Vector128.Create(Unsafe.ReadUnaligned<ulong>(ref from), Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref from, count - 8))).AsByte();
    }

    /// <summary>The bit for a length in a set of lengths; all above 63 share one.</summary>
    public static ulong LengthBit(int length) => 1UL << Math.Min(length, 63);

    public static bool Has(this ulong lengths, int length) => (lengths & LengthBit(length)) != 0;
}
