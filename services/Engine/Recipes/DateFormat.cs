using System.Text;

namespace Qualiz.Engine.Recipes;

/// <summary>Date formats as people write them (<c>dd.MM.yyyy HH:mm</c>), translated to the engine's.</summary>
internal static class DateFormat
{
    private static readonly Dictionary<string, string> Words = new(StringComparer.Ordinal)
    {
        ["yyyy"] = "%Y",
        ["yy"] = "%y",
        ["MMMM"] = "%B",
        ["MMM"] = "%b",
        ["MM"] = "%m",
        ["M"] = "%-m",
        ["dd"] = "%d",
        ["d"] = "%-d",
        ["dddd"] = "%A",
        ["ddd"] = "%a",
        ["EEEE"] = "%A",
        ["EEE"] = "%a",
        ["HH"] = "%H",
        ["H"] = "%-H",
        ["hh"] = "%I",
        ["h"] = "%-I",
        ["mm"] = "%M",
        ["m"] = "%-M",
        ["ss"] = "%S",
        ["s"] = "%-S",
        ["fff"] = "%g",
        ["SSS"] = "%g",
        ["ffffff"] = "%f",
        ["SSSSSS"] = "%f",
        ["tt"] = "%p",
        ["a"] = "%p",
        ["zzz"] = "%z",
        ["XXX"] = "%z",
    };

    /// <summary>Null when the format holds a letter that means nothing.</summary>
    public static string? Translate(string format)
    {
        var result = new StringBuilder();
        for (var at = 0; at < format.Length;)
        {
            var c = format[at];
            if (c == '\'')
            {
                var end = format.IndexOf('\'', at + 1);
                if (end < 0)
                    return null;
                Literal(result, end == at + 1 ? "'" : format[(at + 1)..end]);
                at = end + 1;
            }
            else if (char.IsAsciiLetter(c) && c is not 'T' and not 'Z')
            {
                var end = at;
                while (end < format.Length && format[end] == c)
                    end++;
                if (!Words.TryGetValue(format[at..end], out var word))
                    return null;
                result.Append(word);
                at = end;
            }
            else
            {
                Literal(result, format.AsSpan(at, 1));
                at++;
            }
        }
        return result.Length > 0 ? result.ToString() : null;
    }

    public static bool HasFullYear(string format) => format.Contains("yyyy", StringComparison.Ordinal);

    private static void Literal(StringBuilder result, ReadOnlySpan<char> text) => result.Append(text.ToString().Replace("%", "%%", StringComparison.Ordinal));
}
