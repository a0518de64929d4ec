using System.Buffers;
using System.Numerics;

namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>How alike two names are: shared letters near each other, and a common beginning counts more.</summary>
internal static class JaroWinkler
{
    private const double PrefixWeight = 0.1;
    private const int LongestPrefix = 4;
    private const double BoostFrom = 0.7;
    private const int Ascii = 128;
    private const int MostWords = 4;

    /// <summary>Where each letter stands in b, in words; all zero between two uses.</summary>
    [ThreadStatic]
    private static ulong[]? _positions;

    /// <summary>
    /// Jaro's similarity: (m/|a| + m/|b| + (m - t)/m) / 3, m letters in common that lie at most max(|a|, |b|)/2 - 1 apart, t half the number of those in another order;
    /// 1 for two empty texts, 0 when nothing is in common. M. A. Jaro, "Advances in Record-Linkage Methodology" (JASA 84, 1989). Where a letter of a has its partner in b is looked up in bits when it has at most 256
    /// characters, and letter by letter otherwise.
    /// </summary>
    public static double Jaro(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (a.Length == 0 || b.Length == 0)
            return a.Length == b.Length ? 1 : 0;
        var window = Math.Max((Math.Max(a.Length, b.Length) / 2) - 1, 0);
        // What both begin with meets itself.
        var same = a.CommonPrefixLength(b);
        var x = a[same..];
        var y = b[same..];
        var (common, moved) = x.Length == 0 || y.Length == 0 ? (0, 0)
            : Math.Max(x.Length, y.Length) <= LetterPositions.Most ? OfBits(x, y, window)
            : y.Length <= MostWords * LetterPositions.Most ? OfWords(x, y, window) : ByLetters(x, y, window);
        common += same;
        return common == 0 ? 0 : (((double)common / a.Length) + ((double)common / b.Length) + ((common - (moved / 2)) / (double)common)) / 3;
    }

    private static (int Common, int Moved) OfBits(ReadOnlySpan<char> a, ReadOnlySpan<char> b, int window)
    {
        var positions = new LetterPositions(b);
        var (inA, inB) = (0UL, 0UL);
        // Bits of b that a letter of a may meet: they grow to window + 1 before they move on.
        var near = window >= LetterPositions.Most - 1 ? ulong.MaxValue : (1UL << (window + 1)) - 1;
        for (var i = 0; i < a.Length; i++)
        {
            var found = positions[a[i]] & near & ~inB;
            inB |= found & (0 - found);
            inA |= (found == 0 ? 0UL : 1UL) << i;
            near = (near << 1) | (i < window ? 1UL : 0UL);
        }
        positions.TakeBack();
        var common = BitOperations.PopCount(inA);
        var moved = 0;
        for (; inA != 0; inA &= inA - 1, inB &= inB - 1)
            moved += a[BitOperations.TrailingZeroCount(inA)] == b[BitOperations.TrailingZeroCount(inB)] ? 0 : 1;
        return (common, moved);
    }

    /// <summary>The same where b takes several words.</summary>
    private static (int Common, int Moved) OfWords(ReadOnlySpan<char> a, ReadOnlySpan<char> b, int window)
    {
        var positions = _positions ??= new ulong[Ascii * MostWords];
        Span<ulong> inB = stackalloc ulong[MostWords];
        inB.Clear();
        for (var j = 0; j < b.Length; j++)
        {
            if (b[j] < Ascii)
                positions[(b[j] * MostWords) + (j / LetterPositions.Most)] |= 1UL << j;
        }
        var met = ArrayPool<char>.Shared.Rent(a.Length);
        var common = 0;
        for (var i = 0; i < a.Length; i++)
        {
            var start = Math.Max(i - window, 0);
            var end = Math.Min(i + window, b.Length - 1);
            for (var (word, last) = (start / LetterPositions.Most, end / LetterPositions.Most); word <= last; word++)
            {
                var found = (a[i] < Ascii ? positions[(a[i] * MostWords) + word] : Look(a[i], b, word)) & ~inB[word];
                if (word == start / LetterPositions.Most)
                    found &= ulong.MaxValue << start;
                if (word == last)
                    found &= ulong.MaxValue >> (LetterPositions.Most - 1 - (end % LetterPositions.Most));
                if (found == 0)
                    continue;
                inB[word] |= found & (0 - found);
                met[common++] = a[i];
                break;
            }
        }
        foreach (var letter in b)
        {
            if (letter < Ascii)
                positions.AsSpan(letter * MostWords, MostWords).Clear();
        }
        var (moved, next) = (0, 0);
        for (var word = 0; word < MostWords; word++)
        {
            for (var bits = inB[word]; bits != 0; bits &= bits - 1)
                moved += met[next++] == b[(word * LetterPositions.Most) + BitOperations.TrailingZeroCount(bits)] ? 0 : 1;
        }
        ArrayPool<char>.Shared.Return(met);
        return (common, moved);

        static ulong Look(char letter, ReadOnlySpan<char> text, int word)
        {
            var bits = 0UL;
            for (var j = word * LetterPositions.Most; j < Math.Min(text.Length, (word + 1) * LetterPositions.Most); j++)
                bits |= text[j] == letter ? 1UL << j : 0;
            return bits;
        }
    }

    /// <summary>The same letter by letter.</summary>
    private static (int Common, int Moved) ByLetters(ReadOnlySpan<char> a, ReadOnlySpan<char> b, int window)
    {
        var (inB, met) = (new bool[b.Length], new char[a.Length]);
        var common = 0;
        for (var i = 0; i < a.Length; i++)
        {
            var end = Math.Min(i + window + 1, b.Length);
            for (var j = Math.Max(i - window, 0); j < end; j++)
            {
                if (inB[j] || a[i] != b[j])
                    continue;
                inB[j] = true;
                met[common++] = a[i];
                break;
            }
        }
        var (moved, next) = (0, 0);
        for (var j = 0; j < b.Length; j++)
        {
            if (inB[j])
                moved += met[next++] == b[j] ? 0 : 1;
        }
        return (common, moved);
    }

    /// <summary>
    /// Jaro's similarity j raised by 0.1 (1 - j) for each of up to four letters that both begin with, from j above 0.7 on. W. E. Winkler, "String Comparator Metrics and Enhanced
    /// Decision Rules in the Fellegi-Sunter Model of Record Linkage" (1990).
    /// </summary>
    public static double Similarity(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var jaro = Jaro(a, b);
        return jaro > BoostFrom ? jaro + (PrefixWeight * Math.Min(a.CommonPrefixLength(b), LongestPrefix) * (1 - jaro)) : jaro;
    }
}
