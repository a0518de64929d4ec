using System.Globalization;
using System.Text;
using Qualiz.Engine.Kernels.Text;

namespace Qualiz.Engine.Kernels.Codes;

/// <summary>
/// Codes with their other spellings: ISO 3166-1 countries and ISO 4217 currencies. The tables beside this file are made from the public-domain data sets
/// country-codes and currency-codes; a line has the codes, the name, and further names with bars between. Of two entries of one name (the bolívar's VES, and VED, which
/// exists beside it) the first is meant.
/// </summary>
internal sealed class CodeTable
{
    public static readonly Lazy<CodeTable> Countries = new(() => new CodeTable("countries.tsv", ["alpha2", "alpha3", "numeric", "name"], [0, 1, 2, 3]));
    public static readonly Lazy<CodeTable> Currencies = new(() => new CodeTable("currencies.tsv", ["code", "numeric", "minor", "name"], [0, 1, 3]));

    private readonly Dictionary<string, string[]> _entries = new(StringComparer.Ordinal);
    private readonly string[] _forms;

    private CodeTable(string resource, string[] forms, int[] keys)
    {
        _forms = forms;
        using var stream = typeof(CodeTable).Assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var names = new List<(string Name, string[] Fields)>();
        while (reader.ReadLine() is { } line)
        {
            var fields = line.Split('\t');
            foreach (var key in keys)
                _entries.TryAdd(Fold(fields[key]), fields);
            names.AddRange(fields[4].Split('|', StringSplitOptions.RemoveEmptyEntries).Select(name => (name, fields)));
        }
        // Codes and names come before other spellings.
        foreach (var (name, fields) in names)
            _entries.TryAdd(Fold(name), fields);
    }

    /// <summary>The entry's form (<c>alpha2</c>, <c>name</c>...), or null when the text is none of its spellings. Case, accents and signs do not matter.</summary>
    public string? Find(string text, string form)
    {
        var folded = Fold(text);
        if (!_entries.TryGetValue(folded, out var fields))
        {
            // 8 and 08 are meant as 008.
            if (folded.Length is 0 or > 2 || !folded.All(char.IsAsciiDigit) || !_entries.TryGetValue(folded.PadLeft(3, '0'), out fields))
                return null;
        }
        return fields[Array.IndexOf(_forms, form)];
    }

    public bool HasForm(string form) => Array.IndexOf(_forms, form) >= 0;

    /// <summary>Whether the text is exactly one of the codes of this form.</summary>
    public bool IsCode(string text, string form) => Find(text, form) == text;

    private static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var c in Texts.Normal(text, NormalizationForm.FormD))
        {
            var category = CharUnicodeInfo.GetUnicodeCategory(c);
            if (category == UnicodeCategory.NonSpacingMark || c is '.' or ',' or '\'' or '’' or '(' or ')')
                continue;
            folded.Append(c is '-' or '_' or '\u00a0' ? ' ' : char.ToLowerInvariant(c));
        }
        return string.Join(' ', folded.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries)) is { Length: > 0 } words ? words : text.Trim();
    }
}
