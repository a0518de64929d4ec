using Qualiz.Engine.Kernels.Similarity;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>How alike two values of a column are: a similarity from 0 to 1, cut into a few levels that the model learns weights for.</summary>
internal static class ValueComparer
{
    /// <summary>Levels of likeness: 0 unlike to 4 equal.</summary>
    public const int Levels = 5;
    public const byte Missing = 7;
    public const byte Equal = Levels - 1;

    private const double High = 0.8;
    private const double Middle = 0.6;
    private const double Low = 0.4;

    /// <summary>Shorter numbers are others with one digit changed, longer ones may be the same with a slip.</summary>
    private const int ShortestCode = 5;

    /// <summary>A word that begins another one, or sounds like it, is this much alike.</summary>
    private const double Shortened = 0.7;
    private const double SoundsAlike = 0.6;
    private const int ShortestPrefix = 3;

    /// <param name="a">The number of a value, 0 for none.</param>
    public static byte Level(ValueColumn column, int a, int b)
    {
        if (a == 0 || b == 0)
            return Missing;
        if (a == b)
            return Equal;
        // Always in the same order, as not every similarity is symmetric.
        if (a > b)
            (a, b) = (b, a);
        // Nearly all pairs are unlike, and most of them are seen to be without looking at the texts.
        var unlike = column.Kind != ValueKind.Prose && IsUnlike(column, a, b);
        if (unlike && !HasWords(column, a, b))
            return 0;
        if (column.Known.Find(a, b, out var level))
            return level;
        level = LevelOf(unlike ? SoftCosine(column, a, b) : Similarity(column, a, b));
        column.Known.Add(a, b, level);
        return level;
    }

    /// <summary>Whether two values are certainly less than <see cref="Low"/> alike, their words apart.</summary>
    private static bool IsUnlike(ValueColumn column, int a, int b)
    {
        ref readonly var x = ref column.Shapes[a];
        ref readonly var y = ref column.Shapes[b];
        if (TextShape.Most(x, y, out var within) >= Low)
            return false;
        return column.Kind == ValueKind.Digits ? Math.Max(x.Length, y.Length) >= ShortestCode : !within && (x.Sound == 0 || x.Sound != y.Sound);
    }

    /// <summary>Whether the words of two values count beside their texts.</summary>
    private static bool HasWords(ValueColumn column, int a, int b) => column.Kind == ValueKind.Text && (column.Words.Length(a) != 1 || column.Words.Length(b) != 1);

    public static byte LevelOf(double similarity) => similarity switch
    {
        >= High => 3,
        >= Middle => 2,
        >= Low => 1,
        _ => 0,
    };

    /// <summary>Of two different values, the smaller one first.</summary>
    public static double Similarity(ValueColumn column, int a, int b) => column.Kind switch
    {
        ValueKind.Digits => OfDigits(column, a, b),
        ValueKind.Prose => Sets.Cosine(column.Words[a], column.WeightsOf(a), column.Words[b], column.WeightsOf(b)),
        _ => OfTexts(column, a, b),
    };

    private static double OfDigits(ValueColumn column, int a, int b)
    {
        var x = column.Texts[a];
        var y = column.Texts[b];
        // One digit wrong in a long code is a slip, in a short number another number.
        var edits = EditDistance.Osa(x, y);
        var longest = Math.Max(x.Length, y.Length);
        return longest >= ShortestCode ? 1 - ((double)edits / longest) : edits == 1 ? Low : 0;
    }

    private static double OfTexts(ValueColumn column, int a, int b)
    {
        var x = column.Texts[a];
        var y = column.Texts[b];
        var whole = OfWords(x, y);
        if (whole >= High || !HasWords(column, a, b))
            return whole;
        return Math.Max(whole, SoftCosine(column, a, b));
    }

    /// <summary>Two words, or texts as one word each.</summary>
    private static double OfWords(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var similarity = EditDistance.Similarity(a, b);
        if (similarity >= Shortened)
            return similarity;
        if (Math.Min(a.Length, b.Length) >= ShortestPrefix && a.CommonPrefixLength(b) == Math.Min(a.Length, b.Length))
            return Shortened;
        return similarity < SoundsAlike && !a.Contains(' ') && !b.Contains(' ') && Soundex.Code(a) is var code && code != 0 && code == Soundex.Code(b) ? SoundsAlike : similarity;
    }

    /// <summary>
    /// Cosine of the words' weights where words need not be equal: each word of one side meets its most similar one of the other that is free and at least <see cref="Middle"/> alike (W. W.
    /// Cohen, P. Ravikumar, S. E. Fienberg, "A Comparison of String Distance Metrics for Name-Matching Tasks", 2003, SoftTFIDF).
    /// </summary>
    private static double SoftCosine(ValueColumn column, int a, int b)
    {
        var words = column.Words[a];
        var others = column.Words[b];
        var weights = column.WeightsOf(a);
        var otherWeights = column.WeightsOf(b);
        var shapes = column.WordShapes;
        if (words.Length > 32 || others.Length > 32)
            return Sets.Cosine(words, weights, others, otherWeights);
        uint used = 0;
        var sum = 0.0;
        uint open = 0;
        for (var i = 0; i < words.Length; i++)
        {
            var j = others.BinarySearch(words[i]);
            if (j >= 0)
            {
                used |= 1u << j;
                sum += weights[i] * otherWeights[j];
            }
            else
                open |= 1u << i;
        }
        for (var i = 0; i < words.Length; i++)
        {
            if ((open & (1u << i)) == 0)
                continue;
            var (best, at) = (Middle, -1);
            for (var j = 0; j < others.Length; j++)
            {
                if ((used & (1u << j)) != 0)
                    continue;
                if (TextShape.Most(shapes[words[i]], shapes[others[j]], out var within) <= best && !within)
                    continue;
                var similarity = OfParts(column.WordTexts[words[i]], column.WordTexts[others[j]]);
                if (similarity > best)
                    (best, at) = (similarity, j);
            }
            if (at >= 0)
            {
                used |= 1u << at;
                sum += best * weights[i] * otherWeights[at];
            }
        }
        return sum;
    }

    /// <summary>Words of texts: an initial or another beginning stands for the word.</summary>
    private static double OfParts(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (char.IsAsciiDigit(a[0]) || char.IsAsciiDigit(b[0]))
            return 0;
        var shortest = Math.Min(a.Length, b.Length);
        if (a.CommonPrefixLength(b) == shortest)
            return shortest == 1 ? Shortened : 0.9;
        return EditDistance.Similarity(a, b);
    }
}
