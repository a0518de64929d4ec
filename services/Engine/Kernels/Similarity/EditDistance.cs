namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>How many typing errors lie between two texts.</summary>
internal static class EditDistance
{
    private const int Word = 64;
    private const int Ascii = 128;

    [ThreadStatic]
    private static ulong[]? _positions;

    /// <summary>
    /// Optimal string alignment distance (restricted Damerau-Levenshtein): the least number of insertions, deletions, substitutions and swaps of neighbours, no part being
    /// edited twice, so that OSA("CA", "ABC") is 3. Computed 64 cells at a time after H. Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit
    /// Distances" (Nordic Journal of Computing 10, 2003), when the shorter text has at most 64 characters; cell by cell otherwise.
    /// </summary>
    public static int Osa(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (a.Length > b.Length)
            return Osa(b, a);
        var same = a.CommonPrefixLength(b);
        a = a[same..];
        b = b[same..];
        while (a.Length > 0 && a[^1] == b[^1])
        {
            a = a[..^1];
            b = b[..^1];
        }
        return a.Length == 0 ? b.Length : a.Length <= Word ? BitParallel(a, b) : ByCells(a, b);
    }

    /// <summary>1 - <see cref="Osa"/> / length of the longer text; 1 for two empty texts.</summary>
    public static double Similarity(ReadOnlySpan<char> a, ReadOnlySpan<char> b) =>
        Math.Max(a.Length, b.Length) is var longest && longest == 0 ? 1 : 1 - ((double)Osa(a, b) / longest);

    private static int BitParallel(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        // All zero between two calls: to take back what was set is far less than to clear it.
        var ascii = _positions ??= new ulong[Ascii];
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] < Ascii)
                ascii[pattern[i]] |= 1UL << i;
        }
        var (plus, minus, diagonal, before) = (ulong.MaxValue, 0UL, 0UL, 0UL);
        var last = 1UL << (pattern.Length - 1);
        var score = pattern.Length;
        foreach (var letter in text)
        {
            var equal = letter < Ascii ? ascii[letter] : Positions(pattern, letter);
            var swapped = ((~diagonal & equal) << 1) & before;
            diagonal = (((equal & plus) + plus) ^ plus) | equal | minus | swapped;
            var across = minus | ~(diagonal | plus);
            var down = diagonal & plus;
            if ((across & last) != 0)
                score++;
            if ((down & last) != 0)
                score--;
            across = (across << 1) | 1;
            down <<= 1;
            plus = down | ~(diagonal | across);
            minus = across & diagonal;
            before = equal;
        }
        foreach (var letter in pattern)
        {
            if (letter < Ascii)
                ascii[letter] = 0;
        }
        return score;
    }

    private static ulong Positions(ReadOnlySpan<char> pattern, char letter)
    {
        var bits = 0UL;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == letter)
                bits |= 1UL << i;
        }
        return bits;
    }

    private static int ByCells(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var (two, one, now) = (new int[b.Length + 1], new int[b.Length + 1], new int[b.Length + 1]);
        for (var j = 0; j <= b.Length; j++)
            one[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            now[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                now[j] = Math.Min(Math.Min(one[j], now[j - 1]) + 1, one[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    now[j] = Math.Min(now[j], two[j - 2] + 1);
            }
            (two, one, now) = (one, now, two);
        }
        return one[b.Length];
    }
}
