namespace Qualiz.Engine.Clustering;

/// <summary>By what values are taken for spellings of one.</summary>
public enum ClusterMethod
{
    /// <summary>The same words, whatever their order, case, accents and punctuation.</summary>
    Fingerprint,

    /// <summary>The same pairs of neighbouring letters, whatever their order and number: also without blanks, and with letters doubled.</summary>
    Ngram,

    /// <summary>Words that sound alike in English.</summary>
    Phonetic,

    /// <summary>A letter or two wrong, missing, too many or swapped with the next.</summary>
    Nearest,
}

public sealed record ClusteredValue(string Value, long Rows);

/// <summary>Values of a column that are probably one.</summary>
/// <param name="Suggested">What to write for all of them: the most frequent one.</param>
/// <param name="Values">Most rows first.</param>
public sealed record ValueCluster(string Suggested, long Rows, IReadOnlyList<ClusteredValue> Values);

/// <summary>The values of a column that are probably spellings of others.</summary>
/// <param name="Distinct">Different values of the column.</param>
/// <param name="Found">How many clusters there are, of which <paramref name="Clusters"/> are those with the most rows to change.</param>
/// <param name="Limits">What was left out, as sentences for people; mostly nothing.</param>
public sealed record ValueClusters(string Column, ClusterMethod Method, long Distinct, int Found, IReadOnlyList<ValueCluster> Clusters, IReadOnlyList<string> Limits);
