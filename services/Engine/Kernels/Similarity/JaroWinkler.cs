namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>How alike two names are: shared letters near each other, and a common beginning counts more.</summary>
internal static class JaroWinkler
{
    private const double PrefixWeight = 0.1;
    private const int LongestPrefix = 4;
    private const double BoostFrom = 0.7;

    /// <summary>
    /// Jaro's similarity: (m/|a| + m/|b| + (m - t)/m) / 3, m letters in common that lie at most max(|a|, |b|)/2 - 1 apart, t half the number of those in another order;
    /// 1 for two empty texts, 0 when nothing is in common. M. A. Jaro, "Advances in Record-Linkage Methodology" (JASA 84, 1989).
    /// </summary>
    public static double Jaro(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (a.Length == 0 || b.Length == 0)
            return a.Length == b.Length ? 1 : 0;
        var window = Math.Max((Math.Max(a.Length, b.Length) / 2) - 1, 0);
        var inA = a.Length <= 256 ? stackalloc bool[a.Length] : new bool[a.Length];
        var inB = b.Length <= 256 ? stackalloc bool[b.Length] : new bool[b.Length];
        inA.Clear();
        inB.Clear();
        var common = 0;
        for (var i = 0; i < a.Length; i++)
        {
            var end = Math.Min(i + window + 1, b.Length);
            for (var j = Math.Max(i - window, 0); j < end; j++)
            {
                if (inB[j] || a[i] != b[j])
                    continue;
                inA[i] = inB[j] = true;
                common++;
                break;
            }
        }
        if (common == 0)
            return 0;
        var (moved, next) = (0, 0);
        for (var i = 0; i < a.Length; i++)
        {
            if (!inA[i])
                continue;
            while (!inB[next])
                next++;
            if (a[i] != b[next++])
                moved++;
        }
        return (((double)common / a.Length) + ((double)common / b.Length) + ((common - (moved / 2)) / (double)common)) / 3;
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
