using System.Globalization;
using System.Text;

namespace Qualiz.Engine.Kernels.Profiling;

/// <summary>
/// The form of a text: a run of capitals is <c>A</c>, one of other letters <c>a</c>, each digit <c>9</c>; other signs stand for themselves. Only the
/// beginning of a long text counts.
/// </summary>
internal static class CharacterMask
{
    private const int Characters = 80;

    /// <summary>The bytes that the longest mask takes.</summary>
    public const int LongestBytes = 4 * Characters;

    private const byte Upper = (byte)'A';
    private const byte Other = (byte)'a';

    /// <param name="target">Of <see cref="LongestBytes"/>.</param>
    /// <returns>The mask's length.</returns>
    public static int Write(ReadOnlySpan<byte> text, Span<byte> target)
    {
        var length = 0;
        byte run = 0;
        var characters = 0;
        for (var i = 0; i < text.Length && characters < Characters; characters++)
        {
            var c = text[i];
            if (c < 0x80)
            {
                i++;
                var kind = (uint)(c - 'a') <= 25 ? Other : (uint)(c - 'A') <= 25 ? Upper : (byte)0;
                if (kind != 0 && kind == run)
                    continue;
                run = kind;
                target[length++] = kind != 0 ? kind : (uint)(c - '0') <= 9 ? (byte)'9' : c;
                continue;
            }
            Rune.DecodeFromUtf8(text[i..], out var rune, out var used);
            var letters = Rune.GetUnicodeCategory(rune) switch
            {
                UnicodeCategory.UppercaseLetter => Upper,
                UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.OtherLetter => Other,
                _ => (byte)0,
            };
            if (letters == 0)
            {
                text.Slice(i, used).CopyTo(target[length..]);
                length += used;
            }
            else if (letters != run)
            {
                target[length++] = letters;
            }
            run = letters;
            i += used;
        }
        return length;
    }
}
