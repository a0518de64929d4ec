namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>How alike two names of people are.</summary>
internal static class NameSimilarity
{
    private const double Nickname = 0.95;
    private const double Initial = 0.85;

    private static readonly Lazy<Dictionary<string, HashSet<int>>.AlternateLookup<ReadOnlySpan<char>>> Groups = new(Read);

    /// <summary>
    /// <see cref="WordSimilarity.MongeElkan"/> over the names' words, of which two are as alike as <see cref="JaroWinkler"/> says, at least 0.95 where one is the other's usual short form (English), and at least 0.85
    /// where one is the other's first letter.
    /// </summary>
    public static unsafe double Names(ReadOnlySpan<char> a, ReadOnlySpan<char> b) => WordSimilarity.MongeElkan(a, b, &Words);

    /// <summary>Two words in lower case.</summary>
    public static double Words(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (a.SequenceEqual(b))
            return 1;
        var initial = a.Length > 0 && b.Length > 0 && a[0] == b[0] && (a.Length == 1 || b.Length == 1) ? Initial : 0;
        return Math.Max(JaroWinkler.Similarity(a, b), Math.Max(initial, AreOne(a, b) ? Nickname : 0));
    }

    private static bool AreOne(ReadOnlySpan<char> a, ReadOnlySpan<char> b) => Groups.Value.TryGetValue(a, out var x) && Groups.Value.TryGetValue(b, out var y) && x.Overlaps(y);

    private static Dictionary<string, HashSet<int>>.AlternateLookup<ReadOnlySpan<char>> Read()
    {
        using var stream = typeof(NameSimilarity).Assembly.GetManifestResourceStream("nicknames.tsv")!;
        using var reader = new StreamReader(stream);
        var groups = new Dictionary<string, HashSet<int>>(StringComparer.Ordinal);
        for (var line = 0; reader.ReadLine() is { } names; line++)
        {
            foreach (var name in names.Split('\t'))
            {
                if (!groups.TryGetValue(name, out var of))
                    groups[name] = of = [];
                of.Add(line);
            }
        }
        return groups.GetAlternateLookup<ReadOnlySpan<char>>();
    }
}
