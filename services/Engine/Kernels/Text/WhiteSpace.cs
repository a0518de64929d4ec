using System.Text;

namespace Qualiz.Engine.Kernels.Text;

/// <summary>Blank, tab, line ends, no-break and other spaces of Unicode, zero-width space, byte order mark.</summary>
internal static class WhiteSpace
{
    public static bool Is(Rune rune) => rune.Value switch
    {
        ' ' or '\t' or '\n' or '\v' or '\f' or '\r' => true,
        0x85 or 0xa0 or 0x1680 or (>= 0x2000 and <= 0x200b) or 0x2028 or 0x2029 or 0x202f or 0x205f or 0x3000 or 0xfeff => true,
        _ => false,
    };

    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        while (text.Length > 0)
        {
            if (text[0] is > (byte)' ' and < 0x80)
                break;
            Rune.DecodeFromUtf8(text, out var rune, out var used);
            if (!Is(rune))
                break;
            text = text[used..];
        }
        while (text.Length > 0)
        {
            if (text[^1] is > (byte)' ' and < 0x80)
                break;
            Rune.DecodeLastFromUtf8(text, out var rune, out var used);
            if (!Is(rune))
                break;
            text = text[..^used];
        }
        return text;
    }

    public static bool IsBlank(ReadOnlySpan<byte> text) => Trim(text).Length == 0;
}
