using System.Globalization;
using System.Text;
using Qualiz.Engine.Kernels.Similarity;

namespace Qualiz.Engine.Clustering;

/// <summary>Keys that spellings of one value have in common; null where a value has nothing to make one of.</summary>
/// <remarks>
/// Fingerprint and n-gram fingerprint are those of OpenRefine, "Clustering in depth" (https://openrefine.org/docs/technical-reference/clustering-in-depth), with the words' order
/// settled by ordinal comparison.
/// </remarks>
internal static class ClusterKeys
{
    private const int Gram = 2;

    public static string? Of(ClusterMethod method, string value) => method switch
    {
        ClusterMethod.Fingerprint => Fingerprint(value),
        ClusterMethod.Ngram => Ngram(value),
        ClusterMethod.Phonetic => Phonetic(value),
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, "has no key"),
    };

    /// <summary>Lower case, no accents, no punctuation; blanks are one blank each.</summary>
    public static string Fold(string value)
    {
        var folded = new StringBuilder(value.Length);
        foreach (var letter in value.Normalize(NormalizationForm.FormKD))
        {
            if (char.IsLetterOrDigit(letter) || char.IsSurrogate(letter))
                folded.Append(char.ToLowerInvariant(letter));
            else if (char.IsWhiteSpace(letter) && folded.Length > 0 && folded[^1] != ' ')
                folded.Append(' ');
            // In scripts that write vowels as marks these are part of the word; accents are not.
            else if (letter is (< '\u0300' or > '\u036f') && char.GetUnicodeCategory(letter) is UnicodeCategory.SpacingCombiningMark or UnicodeCategory.NonSpacingMark)
                folded.Append(letter);
        }
        return folded.ToString().TrimEnd();
    }

    private static string? Fingerprint(string value) => Joined(Words(value));

    private static string? Ngram(string value)
    {
        var letters = Fold(value).Replace(" ", "", StringComparison.Ordinal);
        return letters.Length <= Gram
            ? (letters.Length == 0 ? null : letters)
            : Joined(Enumerable.Range(0, letters.Length - Gram + 1).Select(at => letters.Substring(at, Gram)), "");
    }

    /// <summary>Soundex of each word; what has no letters of English stands for itself.</summary>
    private static string? Phonetic(string value) =>
        Joined(Words(value).Select(word => word.All(char.IsAsciiLetter) ? Soundex.Text(Soundex.Code(word)) : word));

    private static string[] Words(string value) => Fold(value).Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string? Joined(IEnumerable<string> parts, string between = " ")
    {
        var sorted = new SortedSet<string>(parts, StringComparer.Ordinal);
        return sorted.Count == 0 ? null : string.Join(between, sorted);
    }
}
