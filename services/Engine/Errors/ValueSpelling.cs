using System.Globalization;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>Rare values of a column that are frequent ones with a letter too many, too few, wrong or swapped.</summary>
internal static class ValueSpelling
{
    /// <summary>From so many mistakes on it can be said what they put in.</summary>
    private const int FewestMistakes = 10;

    /// <returns>By column: the values that are more probably misspelt than not.</returns>
    public static IReadOnlyList<IReadOnlySet<int>> Find(CodedTable table, Evidence evidence)
    {
        var found = table.Columns.Select(column => Misspellings.Find(Items(column), 0.03, several: true)).ToList();
        var mistakes = Mistakes(table, found);
        var misspelt = new List<IReadOnlySet<int>>();
        for (var index = 0; index < table.Columns.Count; index++)
        {
            var column = table.Columns[index];
            if (mistakes.Count > 0 && column.Values.Any(value => value.Length is 1 or 2))
                found[index] = Misspellings.Find(Items(column), 0.03, several: true, mistakes: mistakes);
            misspelt.Add(Report(column, index, found[index], evidence));
        }
        return misspelt;
    }

    private static HashSet<int> Report(CodedColumn column, int index, Misspelling?[] found, Evidence evidence)
    {
        var misspelt = new HashSet<int>();
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i] is not { } misspelling)
                continue;
            if (misspelling.Confidence >= 0.5)
                misspelt.Add(i + 1);
            var right = column.Values[misspelling.Of + 1];
            evidence.AddValue(
                Detector.Misspelling, column, index, i + 1, misspelling.Confidence, right, CellKind.Error,
                string.Create(CultureInfo.InvariantCulture, $"like \"{right}\", which stands in {column.Counts[misspelling.Of + 1]} rows, this in {column.Counts[i + 1]}"));
        }
        return misspelt;
    }

    // Item i is value i + 1: the first stands for no value.
    private static List<(string Text, int Count)> Items(CodedColumn column) => [.. column.Values.Skip(1).Select((value, i) => (value, column.Counts[i + 1]))];

    /// <summary>The characters that at least half of the table's mistakes put in.</summary>
    private static HashSet<char> Mistakes(CodedTable table, List<Misspelling?[]> found)
    {
        var places = new Dictionary<char, int>();
        var all = 0;
        for (var index = 0; index < found.Count; index++)
        {
            for (var i = 0; i < found[index].Length; i++)
            {
                if (found[index][i] is not { Confidence: >= 0.8 } misspelling)
                    continue;
                all += table.Columns[index].Counts[i + 1];
                if (misspelling.Edit.Foreign is { } character)
                    places[character] = places.GetValueOrDefault(character) + table.Columns[index].Counts[i + 1];
            }
        }
        return all < FewestMistakes ? [] : [.. places.Where(place => place.Value >= 0.5 * all).Select(place => place.Key)];
    }
}
