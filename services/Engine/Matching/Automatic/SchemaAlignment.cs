using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>
/// Columns of two sources that mean the same under different names. A column that only the one source fills meets one that only the other fills, the likeliest first: by the words of their names
/// and by how many of their values they share.
/// </summary>
internal static class SchemaAlignment
{
    private const double Least = 0.25;
    private const int Looked = 5_000;

    public static IReadOnlyList<CodedColumn> Align(IReadOnlyList<CodedColumn> columns, int[] source)
    {
        if (source.Length == 0 || source.Max() != 1)
            return columns;
        var only = columns.Select(column => Filled(column, source)).ToArray();
        var pairs = new List<(double Likeness, int Left, int Right)>();
        for (var left = 0; left < columns.Count; left++)
        {
            for (var right = 0; right < columns.Count; right++)
            {
                if (only[left] == 1 && only[right] == 2 && Likeness(columns[left], columns[right]) is var likeness && likeness >= Least)
                    pairs.Add((likeness, left, right));
            }
        }
        var partner = new Dictionary<int, int>();
        foreach (var (_, left, right) in pairs.OrderByDescending(pair => pair.Likeness).ThenBy(pair => pair.Left).ThenBy(pair => pair.Right))
        {
            if (!partner.ContainsKey(left) && !partner.ContainsValue(right))
                partner[left] = right;
        }
        return
        [
            .. columns.Select((column, i) => (column, i)).Where(entry => !partner.ContainsValue(entry.i)).Select(entry => partner.TryGetValue(entry.i, out var right)
                ? entry.column.FilledFrom(columns[right])
                : entry.column),
        ];
    }

    /// <summary>1: only the first source fills it, 2: only the second, 3: both, 0: none.</summary>
    private static int Filled(CodedColumn column, int[] source)
    {
        var filled = 0;
        for (var row = 0; row < source.Length && filled != 3; row++)
        {
            if (!column.Texts[column.Codes[row]].IsWhiteSpace())
                filled |= 1 << source[row];
        }
        return filled;
    }

    private static double Likeness(CodedColumn a, CodedColumn b)
    {
        var (x, y) = (NameWords(a.Name), NameWords(b.Name));
        var names = (double)x.Intersect(y).Count() / Math.Max(1, x.Union(y).Count());
        var (values, others) = (Values(a), Values(b));
        var common = (double)values.Count(others.Contains) / Math.Max(1, Math.Min(values.Count, others.Count));
        return (names + common) / 2;
    }

    private static HashSet<string> Values(CodedColumn column)
    {
        var values = new HashSet<string>(StringComparer.Ordinal);
        for (var value = 1; value < column.Texts.Count && values.Count < Looked; value++)
        {
            if (ValueColumn.Normalise(new string(column.Texts[value])) is { Length: > 0 } normal)
                values.Add(normal);
        }
        return values;
    }

    /// <summary>The words of the last part of a name: startYear and http://x.org/y#start_year are both start, year.</summary>
    private static HashSet<string> NameWords(string name)
    {
        var last = name[(name.TrimEnd('/', '#').LastIndexOfAny(['/', '#']) + 1)..];
        var apart = string.Concat(last.Select((letter, i) => i > 0 && char.IsUpper(letter) && char.IsLower(last[i - 1]) ? $" {letter}" : $"{letter}"));
        return [.. ValueColumn.Normalise(apart).Split(' ', StringSplitOptions.RemoveEmptyEntries)];
    }
}
