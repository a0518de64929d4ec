using System.IO.Hashing;
using System.Numerics;
using System.Runtime.CompilerServices;
using Qualiz.Engine.Kernels.DuckDb;

namespace Qualiz.Engine.Kernels.Profiling;

/// <summary>
/// A value in two words: a number of up to 128 bits, or a text as the engine holds it (length and beginning, then the rest or where it lies).
/// </summary>
internal readonly unsafe struct Cell(ulong low, ulong high, byte* text)
{
    public readonly ulong Low = low;
    public readonly ulong High = high;

    /// <summary>Of a text too long to be in place.</summary>
    public readonly byte* Text = text;

    public int TextLength => (int)(uint)Low;

    public static Cell Of(long value) => new((ulong)value, 0, null);

    public static Cell Of(Int128 value) => new((ulong)value, (ulong)(value >> 64), null);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Cell Of(DuckString* text)
    {
        var words = (ulong*)text;
        return text->IsInline ? new Cell(words[0], words[1], null) : new Cell(words[0], 0, DuckString.Pointer(text));
    }

    /// <summary>A text; its bytes stay where they are for as long as the cell is used.</summary>
    public static Cell Of(byte* text, int length)
    {
        if (length > DuckString.InlineLength)
            return new Cell((uint)length | ((ulong)Unsafe.ReadUnaligned<uint>(text) << 32), 0, text);
        var place = default(DuckString);
        DuckString.SetInline(&place, new ReadOnlySpan<byte>(text, length));
        return Of(&place);
    }

    public ulong Hash
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (Text is not null)
                return XxHash3.HashToUInt64(new ReadOnlySpan<byte>(Text, TextLength));
            // The last steps of MurmurHash3, between which the second word comes in: different numbers of 64 bits never meet.
            var hash = (Low ^ (Low >> 33)) * 0xff51afd7ed558ccd;
            hash = ((hash ^ (hash >> 33)) + BitOperations.RotateLeft(High * 0x9e3779b97f4a7c15, 31)) * 0xc4ceb9fe1a85ec53;
            return hash ^ (hash >> 33);
        }
    }
}
