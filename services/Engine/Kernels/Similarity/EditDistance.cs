using System.Buffers;

namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>How many typing errors lie between two texts.</summary>
internal static class EditDistance
{
    /// <summary>
    /// Optimal string alignment distance (restricted Damerau-Levenshtein): the least number of insertions, deletions, substitutions and swaps of neighbours, no part being
    /// edited twice, so that OSA("CA", "ABC") is 3. Computed 64 cells at a time after H. Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit
    /// Distances" (Nordic Journal of Computing 10, 2003), when the shorter text has at most 64 characters; cell by cell otherwise.
    /// </summary>
    public static int Osa(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        Trim(ref a, ref b);
        if (a.Length == 0)
            return b.Length;
        // Each letter of the text is a step, so the longer one is the pattern where it fits.
        return b.Length <= LetterPositions.Most ? OsaOfBits(b, a) : a.Length <= LetterPositions.Most ? OsaOfBits(a, b) : OsaByCells(a, b);
    }

    /// <summary>
    /// Levenshtein's distance: the least number of insertions, deletions and substitutions (V. I. Levenshtein, 1965). Computed 64 cells at a time after G. Myers, "A Fast Bit-Vector Algorithm for
    /// Approximate String Matching Based on Dynamic Programming" (JACM 46, 1999) in the form of H. Hyyrö (2003), longer patterns in several words, each handing its last difference on to the next one.
    /// </summary>
    public static int Levenshtein(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        Trim(ref a, ref b);
        if (a.Length == 0)
            return b.Length;
        return b.Length <= LetterPositions.Most ? LevenshteinOfBits(b, a) : a.Length <= LetterPositions.Most ? LevenshteinOfBits(a, b) : LevenshteinOfWords(a, b);
    }

    /// <summary>1 - <see cref="Osa"/> / length of the longer text; 1 for two empty texts.</summary>
    public static double Similarity(ReadOnlySpan<char> a, ReadOnlySpan<char> b) =>
        Math.Max(a.Length, b.Length) is var longest && longest == 0 ? 1 : 1 - ((double)Osa(a, b) / longest);

    /// <summary>What both begin and end with needs no edits; <paramref name="a"/> is the shorter one afterwards.</summary>
    private static void Trim(ref ReadOnlySpan<char> a, ref ReadOnlySpan<char> b)
    {
        if (a.Length > b.Length)
        {
            var longer = a;
            a = b;
            b = longer;
        }
        var same = a.CommonPrefixLength(b);
        a = a[same..];
        b = b[same..];
        var (i, j) = (a.Length, b.Length);
        while (i > 0 && a[i - 1] == b[j - 1])
            (i, j) = (i - 1, j - 1);
        a = a[..i];
        b = b[..j];
    }

    private static int OsaOfBits(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        var positions = new LetterPositions(pattern);
        var (plus, minus, diagonal, before) = (ulong.MaxValue, 0UL, 0UL, 0UL);
        var last = pattern.Length - 1;
        var score = pattern.Length;
        foreach (var letter in text)
        {
            var equal = positions[letter];
            var swapped = ((~diagonal & equal) << 1) & before;
            diagonal = (((equal & plus) + plus) ^ plus) | equal | minus | swapped;
            var across = minus | ~(diagonal | plus);
            var down = diagonal & plus;
            score += (int)((across >> last) & 1) - (int)((down >> last) & 1);
            across = (across << 1) | 1;
            down <<= 1;
            plus = down | ~(diagonal | across);
            minus = across & diagonal;
            before = equal;
        }
        positions.TakeBack();
        return score;
    }

    private static int LevenshteinOfBits(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        var positions = new LetterPositions(pattern);
        var (plus, minus) = (ulong.MaxValue, 0UL);
        var last = pattern.Length - 1;
        var score = pattern.Length;
        foreach (var letter in text)
        {
            var equal = positions[letter];
            var diagonal = (((equal & plus) + plus) ^ plus) | equal | minus;
            var across = minus | ~(diagonal | plus);
            var down = diagonal & plus;
            score += (int)((across >> last) & 1) - (int)((down >> last) & 1);
            across = (across << 1) | 1;
            down <<= 1;
            plus = down | ~(diagonal | across);
            minus = across & diagonal;
        }
        positions.TakeBack();
        return score;
    }

    /// <summary>A pattern of several words: one word after the other goes along the whole text, and leaves by letter how its last row differs from the one before it.</summary>
    private static int LevenshteinOfWords(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        // By letter of the text: 1, 0 or -1 from cell to cell, in the last row of the word before; the first row grows by one with each letter.
        var steps = ArrayPool<sbyte>.Shared.Rent(text.Length);
        steps.AsSpan(0, text.Length).Fill(1);
        var score = pattern.Length;
        for (var start = 0; start < pattern.Length; start += LetterPositions.Most)
        {
            var word = pattern.Slice(start, Math.Min(LetterPositions.Most, pattern.Length - start));
            var isLast = start + word.Length == pattern.Length;
            var positions = new LetterPositions(word);
            var (plus, minus) = (ulong.MaxValue, 0UL);
            var last = word.Length - 1;
            for (var j = 0; j < text.Length; j++)
            {
                var equal = positions[text[j]];
                var (up, less) = (steps[j] > 0 ? 1UL : 0UL, steps[j] < 0 ? 1UL : 0UL);
                var vertical = equal | minus;
                equal |= less;
                var diagonal = (((equal & plus) + plus) ^ plus) | equal;
                var across = minus | ~(diagonal | plus);
                var down = diagonal & plus;
                var step = (int)((across >> last) & 1) - (int)((down >> last) & 1);
                steps[j] = (sbyte)step;
                score += isLast ? step : 0;
                across = (across << 1) | up;
                down = (down << 1) | less;
                plus = down | ~(vertical | across);
                minus = across & vertical;
            }
            positions.TakeBack();
        }
        ArrayPool<sbyte>.Shared.Return(steps);
        return score;
    }

    private static int OsaByCells(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
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
