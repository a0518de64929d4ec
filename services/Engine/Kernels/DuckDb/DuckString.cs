using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Qualiz.Engine.Kernels.DuckDb;

/// <summary>duckdb_string_t: the length, then up to 12 bytes in place, else 4 bytes of prefix and a pointer.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct DuckString
{
    public const int InlineLength = 12;

    [FieldOffset(0)]
    public uint Length;

    [FieldOffset(4)]
    private byte _inline;

    [FieldOffset(8)]
    private byte* _pointer;

    public readonly bool IsInline => Length <= InlineLength;

    /// <summary>The text in place; it lives as long as the vector does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> Span(DuckString* text) =>
        new(text->Length <= InlineLength ? &text->_inline : text->_pointer, (int)text->Length);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Pointer(DuckString* text) => text->Length <= InlineLength ? &text->_inline : text->_pointer;

    /// <summary>Copies the text; up to 16 bytes behind it are overwritten with anything.</summary>
    /// <returns>Behind the text.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Copy(DuckString* text, byte* target)
    {
        var length = text->Length;
        if (length <= InlineLength)
        {
            Unsafe.WriteUnaligned(target, Unsafe.ReadUnaligned<ulong>(&text->_inline));
            Unsafe.WriteUnaligned(target + 8, Unsafe.ReadUnaligned<uint>(&text->_inline + 8));
        }
        else if (length is >= 16 and <= 32)
        {
            var first = Vector128.Load(text->_pointer);
            var last = Vector128.Load(text->_pointer + length - 16);
            first.Store(target);
            last.Store(target + length - 16);
        }
        else
        {
            Unsafe.CopyBlockUnaligned(target, text->_pointer, length);
        }
        return target + length;
    }

    /// <summary>Makes it a text of more than 12 bytes that lies elsewhere, in memory that lives as long as the vector does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetPointer(DuckString* target, byte* text, int length)
    {
        target->Length = (uint)length;
        Unsafe.WriteUnaligned(&target->_inline, Unsafe.ReadUnaligned<uint>(text));
        target->_pointer = text;
    }

    /// <summary>Writes a text of at most 12 bytes in place; what is behind it must be zero.</summary>
    public static void SetInline(DuckString* target, ReadOnlySpan<byte> text)
    {
        *(ulong*)target = 0;
        *((ulong*)target + 1) = 0;
        target->Length = (uint)text.Length;
        text.CopyTo(new Span<byte>(&target->_inline, InlineLength));
    }
}
