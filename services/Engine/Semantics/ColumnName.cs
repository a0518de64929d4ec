using System.Text.RegularExpressions;

namespace Qualiz.Engine.Semantics;

/// <summary>The words of a column's name: weak evidence of what is in the column, which counts only beside the values.</summary>
internal sealed partial class ColumnName
{
    private readonly string _joined;
    private readonly HashSet<string> _words;

    public ColumnName(string name)
    {
        // What stands in parentheses is a unit or a type.
        var plain = Parentheses().Replace(name, " ");
        _words = [.. Words().Matches(plain).Select(word => word.Value.ToLowerInvariant())];
        _joined = string.Concat(plain.Where(char.IsLetterOrDigit)).ToLowerInvariant();
    }

    /// <summary>Short words must stand alone, at the beginning or at the end; words of five letters and more may be part of a longer one.</summary>
    public bool Has(params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (_words.Contains(word) || (word.Length >= 5 && _joined.Contains(word, StringComparison.Ordinal))
                || (word.Length >= 3 && (_joined.StartsWith(word, StringComparison.Ordinal) || _joined.EndsWith(word, StringComparison.Ordinal))))
                return true;
        }
        return false;
    }

    public bool HasWord(params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (_words.Contains(word))
                return true;
        }
        return false;
    }

    [GeneratedRegex(@"\([^)]*\)")]
    private static partial Regex Parentheses();

    [GeneratedRegex(@"\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\p{Lo}+")]
    private static partial Regex Words();
}
