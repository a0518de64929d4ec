using CsCheck;
using Qualiz.Engine.Kernels.Similarity;

namespace Qualiz.Engine.Tests.Kernels;

public sealed class SimilarityTests
{
    private static readonly Gen<string> Word = Gen.Char["abcdeéß12 "].Array[0, 90].Select(letters => new string(letters));

    [Theory]
    [InlineData("CA", "ABC", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("Saturday", "Sunday", 3)]
    [InlineData("teh", "the", 1)]
    [InlineData("Robert", "Rob", 3)]
    [InlineData("", "abc", 3)]
    [InlineData("", "", 0)]
    [InlineData("naïve", "naive", 1)]
    public void Typing_errors_are_counted_with_swaps(string a, string b, int expected) => EditDistance.Osa(a, b).ShouldBe(expected);

    [Fact]
    public void The_bit_vectors_count_what_the_recurrence_counts() =>
        Gen.Select(Word, Word).Sample((a, b) => EditDistance.Osa(a, b) == Recurrence(a, b) && EditDistance.Osa(b, a) == EditDistance.Osa(a, b), iter: 2_000);

    // The usual examples: kitten/sitting of V. I. Levenshtein's distance in textbooks, and a swap, which counts twice in it.
    [Theory]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("Saturday", "Sunday", 3)]
    [InlineData("intention", "execution", 5)]
    [InlineData("teh", "the", 2)]
    [InlineData("CA", "ABC", 3)]
    [InlineData("", "", 0)]
    [InlineData("naïve", "naive", 1)]
    public void Levenshtein_counts_a_swap_twice(string a, string b, int expected) => EditDistance.Levenshtein(a, b).ShouldBe(expected);

    [Fact]
    public void Levenshteins_bit_vectors_count_what_the_recurrence_counts() =>
        Gen.Select(LongWord, LongWord).Sample((a, b) => EditDistance.Levenshtein(a, b) == Recurrence(a, b, swaps: false) && EditDistance.Levenshtein(b, a) == EditDistance.Levenshtein(a, b), iter: 3_000);

    [Fact]
    public void Letters_in_common_are_found_by_bits_as_letter_by_letter() =>
        Gen.OneOf(Gen.Select(Word, Word), Gen.Select(LongWord, LongWord), Gen.Select(Word, LongWord)).Sample((a, b) => JaroWinkler.Jaro(a, b) == PlainJaro(a, b), iter: 5_000);

    private static readonly Gen<string> LongWord = Gen.Char["abcdeéß1 "].Array[0, 300].Select(letters => new string(letters));

    private static double PlainJaro(string a, string b)
    {
        if (a.Length == 0 || b.Length == 0)
            return a.Length == b.Length ? 1 : 0;
        var window = Math.Max((Math.Max(a.Length, b.Length) / 2) - 1, 0);
        var (used, left) = (new bool[b.Length], new List<char>());
        for (var i = 0; i < a.Length; i++)
        {
            var at = Enumerable.Range(0, b.Length).FirstOrDefault(j => !used[j] && Math.Abs(i - j) <= window && a[i] == b[j], -1);
            if (at < 0)
                continue;
            used[at] = true;
            left.Add(a[i]);
        }
        var right = b.Where((_, j) => used[j]).ToList();
        double m = left.Count;
        var halves = left.Where((letter, i) => letter != right[i]).Count() / 2;
        return left.Count == 0 ? 0 : ((m / a.Length) + (m / b.Length) + ((m - halves) / m)) / 3;
    }

    // W. E. Winkler (1990), table of string comparator values for last and first names.
    [Theory]
    [InlineData("MARTHA", "MARHTA", 0.944, 0.961)]
    [InlineData("DWAYNE", "DUANE", 0.822, 0.840)]
    [InlineData("DIXON", "DICKSONX", 0.767, 0.813)]
    [InlineData("JONES", "JOHNSON", 0.790, 0.832)]
    [InlineData("ABROMS", "ABRAMS", 0.889, 0.922)]
    [InlineData("SHACKLEFORD", "SHACKELFORD", 0.970, 0.982)]
    [InlineData("", "", 1, 1)]
    [InlineData("A", "", 0, 0)]
    public void Names_are_as_alike_as_Jaro_and_Winkler_published(string a, string b, double jaro, double winkler)
    {
        JaroWinkler.Jaro(a, b).ShouldBe(jaro, 0.0005);
        JaroWinkler.Similarity(a, b).ShouldBe(winkler, 0.0005);
    }

    // The National Archives' page "Soundex System", and the usual examples for h and w.
    [Theory]
    [InlineData("Washington", "W252")]
    [InlineData("Lee", "L000")]
    [InlineData("Gutierrez", "G362")]
    [InlineData("Pfister", "P236")]
    [InlineData("Jackson", "J250")]
    [InlineData("Tymczak", "T522")]
    [InlineData("VanDeusen", "V532")]
    [InlineData("Ashcraft", "A261")]
    [InlineData("Robert", "R163")]
    [InlineData("Rupert", "R163")]
    [InlineData("12", "")]
    public void Names_that_sound_alike_have_one_code(string name, string code) => Soundex.Text(Soundex.Code(name)).ShouldBe(code);

    // L. Philips' own examples and those of the tests of Apache Commons Codec, all of whose 1,221 names gave the same codes here once.
    [Theory]
    [InlineData("Smith", "SM0", "XMT")]
    [InlineData("Schmidt", "XMT", "SMT")]
    [InlineData("Catherine", "K0RN", "KTRN")]
    [InlineData("Thomas", "TMS", "TMS")]
    [InlineData("Xavier", "SF", "SFR")]
    [InlineData("Bachelor", "PXLR", "PKLR")]
    [InlineData("Barlow", "PRL", "PRLF")]
    [InlineData("Angier", "ANJ", "ANJR")]
    [InlineData("benign", "PNN", "PNKN")]
    [InlineData("Caesar", "SSR", "SSR")]
    [InlineData("Knight", "NT", "NT")]
    [InlineData("Jose", "HS", "HS")]
    [InlineData("Filipowicz", "FLPT", "FLPF")]
    [InlineData("", "", "")]
    [InlineData("12", "", "")]
    public void Words_sound_as_double_metaphone_says(string word, string primary, string secondary)
    {
        var (one, other) = (new char[DoubleMetaphone.Longest], new char[DoubleMetaphone.Longest]);
        var (first, second) = DoubleMetaphone.Code(word, one, other);
        (new string(one, 0, first), new string(other, 0, second)).ShouldBe((primary, secondary));
    }

    [Fact]
    public void Sets_are_as_alike_as_what_they_have_in_common()
    {
        int[] a = [1, 2, 3, 5], b = [2, 3, 4];
        Sets.Common(a, b).ShouldBe(2);
        Sets.Jaccard(a, b).ShouldBe(0.4);
        Sets.Jaccard<int>([], []).ShouldBe(1);
        Sets.Cosine([1, 4], [0.6f, 0.8f], [4, 9], [0.8f, 0.6f]).ShouldBe(0.64, 1e-6);
    }

    private static int Recurrence(string a, string b, bool swaps = true)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                d[i, j] = i == 0 || j == 0 ? i + j : Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (swaps && i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
