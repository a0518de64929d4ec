using System.Text;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>
/// Columns that are made of others: where most rows' text is other columns' values with the same text between them (a name of street and type, a place of latitude and
/// longitude), that says of a row what it should be.
/// </summary>
internal sealed class Compositions
{
    /// <summary>So many rows must be made so.</summary>
    private const double Most = 0.6;

    private readonly Dictionary<int, string?[]> _expected = [];

    /// <returns>What the columns say the cell should be; null when they say nothing.</returns>
    public string? Expected(int row, int column) => _expected.TryGetValue(column, out var texts) ? texts[row] : null;

    /// <summary>Says of the cells that are what they should be that they are.</summary>
    public void Support(CodedTable table, Evidence evidence)
    {
        foreach (var (index, texts) in _expected)
        {
            var column = table.Columns[index];
            for (var row = 0; row < table.Rows; row++)
            {
                if (texts[row] == column.Values[column.Codes[row]])
                    evidence.Support(row, index);
            }
        }
    }

    public static Compositions Find(CodedTable table)
    {
        var found = new Compositions();
        for (var index = 0; index < table.Columns.Count; index++)
        {
            if (table.Columns[index].Filled >= 20 && table.Columns[index].Values.Length > 10)
                found.Find(table, index);
        }
        return found;
    }

    private void Find(CodedTable table, int index)
    {
        var column = table.Columns[index];
        var parts = new List<int>();
        for (var other = 0; other < table.Columns.Count; other++)
        {
            if (other != index && IsPart(table, column, table.Columns[other]))
                parts.Add(other);
        }
        if (parts.Count < 2)
            return;
        var patterns = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var row = 0; row < table.Rows; row++)
        {
            if (column.Codes[row] == 0)
                continue;
            var pattern = PatternOf(table, row, column.Values[column.Codes[row]], parts);
            patterns[pattern] = patterns.GetValueOrDefault(pattern) + 1;
        }
        var (best, rows) = patterns.OrderByDescending(pattern => pattern.Value).ThenBy(pattern => pattern.Key, StringComparer.Ordinal).First();
        if (rows < Most * column.Filled || best.Count(character => character >= Placeholder) < 2)
            return;
        _expected[index] = [.. Enumerable.Range(0, table.Rows).Select(row => Fill(table, row, best))];
    }

    // Placeholders are private characters, one for each column.
    private const char Placeholder = '\uE000';

    private static bool IsPart(CodedTable table, CodedColumn column, CodedColumn part)
    {
        if (part.Values.Length < 3)
            return false;
        var rows = 0;
        for (var row = 0; row < table.Rows; row++)
        {
            var text = part.Values[part.Codes[row]];
            if (text.Length > 0 && text.Length < column.Values[column.Codes[row]].Length && column.Values[column.Codes[row]].Contains(text, StringComparison.Ordinal))
                rows++;
        }
        return rows >= Most * column.Filled;
    }

    private static string PatternOf(CodedTable table, int row, string text, List<int> parts)
    {
        // The longest first, so that no short value takes a piece of a longer one.
        foreach (var part in parts.OrderByDescending(part => Text(table, row, part).Length).ThenBy(part => part))
        {
            var value = Text(table, row, part);
            var at = value.Length == 0 ? -1 : text.IndexOf(value, StringComparison.Ordinal);
            if (at >= 0)
                text = string.Concat(text.AsSpan(0, at), ((char)(Placeholder + part)).ToString(), text.AsSpan(at + value.Length));
        }
        return text;
    }

    private static string? Fill(CodedTable table, int row, string pattern)
    {
        var text = new StringBuilder();
        foreach (var character in pattern)
        {
            if (character < Placeholder)
            {
                text.Append(character);
                continue;
            }
            var value = Text(table, row, character - Placeholder);
            if (value.Length == 0)
                return null;
            text.Append(value);
        }
        return text.ToString();
    }

    private static string Text(CodedTable table, int row, int column) => table.Columns[column].Values[table.Columns[column].Codes[row]];
}
