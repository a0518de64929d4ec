using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>How alike two texts are by their words. Words are parted by blanks; whoever wants case, accents and signs not to count takes them away before.</summary>
internal static class WordSimilarity
{
    /// <summary>Words or groups of letters that are held beside each other without the heap.</summary>
    private const int Few = 128;

    /// <summary>What of a text counts beyond it; longer texts are compared by their beginnings.</summary>
    private const int MostWords = 512;

    /// <summary>Jaccard's index of the two sets of words (<see cref="Sets.Jaccard{T}"/>); 1 for two texts without words.</summary>
    public static double Words(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        Span<ulong> x = stackalloc ulong[Few];
        Span<ulong> y = stackalloc ulong[Few];
        return Sets.Jaccard<ulong>(Hashed(a, x), Hashed(b, y));
    }

    /// <summary>
    /// Jaccard's index of the two sets of trigrams as PostgreSQL's <c>pg_trgm</c> takes them: three letters side by side, each word with two blanks before and one behind it
    /// (documentation of PostgreSQL, "pg_trgm"); 1 for two texts without words.
    /// </summary>
    public static double Trigrams(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        Span<ulong> x = stackalloc ulong[Few];
        Span<ulong> y = stackalloc ulong[Few];
        return Sets.Jaccard<ulong>(Grams(a, x), Grams(b, y));
    }

    /// <summary>
    /// Each word meets the one of the other side that is most like it by <paramref name="like"/>; the mean of that over the words, and of both directions (A. E. Monge, C. P. Elkan, "The Field
    /// Matching Problem: Algorithms and Applications", KDD 1996, whose mean is that of one direction only). 1 for two texts without words, 0 where one has none.
    /// </summary>
    public static unsafe double MongeElkan(ReadOnlySpan<char> a, ReadOnlySpan<char> b, delegate*<ReadOnlySpan<char>, ReadOnlySpan<char>, double> like)
    {
        Span<Range> x = stackalloc Range[Few];
        Span<Range> y = stackalloc Range[Few];
        x = x[..Split(a, x)];
        y = y[..Split(b, y)];
        return x.Length == 0 || y.Length == 0 ? x.Length == y.Length ? 1 : 0 : (Mean(a, x, b, y, like) + Mean(b, y, a, x, like)) / 2;
    }

    private static unsafe double Mean(ReadOnlySpan<char> a, ReadOnlySpan<Range> words, ReadOnlySpan<char> b, ReadOnlySpan<Range> others, delegate*<ReadOnlySpan<char>, ReadOnlySpan<char>, double> like)
    {
        var sum = 0.0;
        foreach (var word in words)
        {
            var best = 0.0;
            foreach (var other in others)
                best = Math.Max(best, like(a[word], b[other]));
            sum += best;
        }
        return sum / words.Length;
    }

    /// <summary>The places of the words, at most as many as there is room for.</summary>
    private static int Split(ReadOnlySpan<char> text, Span<Range> words)
    {
        var count = 0;
        foreach (var word in text.Split(' '))
        {
            if (word.Start.Value == word.End.Value)
                continue;
            if (count == words.Length)
                break;
            words[count++] = word;
        }
        return count;
    }

    private static ReadOnlySpan<ulong> Hashed(ReadOnlySpan<char> text, Span<ulong> room)
    {
        var set = new NumberSet(room);
        foreach (var word in text.Split(' '))
        {
            if (word.Start.Value != word.End.Value && !set.Add(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(text[word]))))
                break;
        }
        return set.Sorted();
    }

    private static ReadOnlySpan<ulong> Grams(ReadOnlySpan<char> text, Span<ulong> room)
    {
        var set = new NumberSet(room);
        foreach (var word in text.Split(' '))
        {
            var letters = text[word];
            if (letters.Length == 0)
                continue;
            var (first, second) = (' ', ' ');
            for (var i = 0; i <= letters.Length; i++)
            {
                var third = i < letters.Length ? letters[i] : ' ';
                if (!set.Add(((ulong)first << 32) | ((ulong)second << 16) | third))
                    return set.Sorted();
                (first, second) = (second, third);
            }
        }
        return set.Sorted();
    }

    /// <summary>Numbers that become a set.</summary>
    private ref struct NumberSet(Span<ulong> room)
    {
        private Span<ulong> _numbers = room;
        private int _count;

        /// <summary>False: no more are taken.</summary>
        public bool Add(ulong number)
        {
            if (_count == MostWords)
                return false;
            if (_count == _numbers.Length)
            {
                var more = new ulong[Math.Min(2 * _count, MostWords)];
                _numbers.CopyTo(more);
                _numbers = more;
            }
            _numbers[_count++] = number;
            return true;
        }

        public readonly ReadOnlySpan<ulong> Sorted()
        {
            var numbers = _numbers[.._count];
            numbers.Sort();
            var kept = 0;
            for (var i = 0; i < numbers.Length; i++)
            {
                if (i == 0 || numbers[i] != numbers[i - 1])
                    numbers[kept++] = numbers[i];
            }
            return numbers[..kept];
        }
    }
}
