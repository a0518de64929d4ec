using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Kernels.Similarity;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>
/// How often each letter is in a text, and how it sounds: enough to see of most pairs of texts that they are far from each other. An edit changes the letters of a text by one at most, so the letters that one has and
/// the other has not are the least number of edits between them (I. Bartolini, P. Ciaccia, M. Patella, "String Matching with Metric Trees Using an Approximate Distance", 2002, the bag distance). Letters
/// that share a counter only make it less.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)] // 24 bytes: there are millions.
internal readonly struct TextShape
{
    private const int Counters = 16;
    private readonly Vector128<byte> _letters;

    private TextShape(Vector128<byte> letters, int length, int sound) => (_letters, Length, Sound) = (letters, length, sound);

    public int Length { get; }

    /// <summary>The Soundex code of a single word; 0 for several, and where there is none.</summary>
    public int Sound { get; }

    public static TextShape[] Of(TextList texts)
    {
        var shapes = new TextShape[texts.Count];
        for (var i = 0; i < shapes.Length; i++)
            shapes[i] = Of(texts[i]);
        return shapes;
    }

    public static TextShape Of(ReadOnlySpan<char> text)
    {
        Span<byte> counts = stackalloc byte[Counters];
        counts.Clear();
        // Longer texts would need larger counters: of them only the length is known.
        if (text.Length <= byte.MaxValue)
        {
            foreach (var letter in text)
                counts[letter & (Counters - 1)]++;
        }
        return new TextShape(Vector128.Create<byte>(counts), text.Length, text.Contains(' ') ? 0 : Soundex.Code(text));
    }

    /// <summary>At most this alike are the texts, as <see cref="EditDistance.Similarity"/> counts.</summary>
    /// <param name="within">The letters of one of them are all in the other, so that it may be its beginning.</param>
    public static double Most(in TextShape a, in TextShape b, out bool within)
    {
        var longest = Math.Max(a.Length, b.Length);
        if (longest > byte.MaxValue)
        {
            within = true;
            return 1 - ((double)Math.Abs(a.Length - b.Length) / longest);
        }
        var more = Vector128.Sum(Vector128.SubtractSaturate(a._letters, b._letters));
        var less = Vector128.Sum(Vector128.SubtractSaturate(b._letters, a._letters));
        within = more == 0 || less == 0;
        return longest == 0 ? 1 : 1 - ((double)Math.Max(more, less) / longest);
    }
}
