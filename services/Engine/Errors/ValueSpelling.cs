using System.Globalization;

namespace Qualiz.Engine.Errors;

/// <summary>Rare values of a column that are frequent ones with a letter too many, too few, wrong or swapped.</summary>
internal static class ValueSpelling
{
    /// <returns>The values that are more probably misspelt than not.</returns>
    public static IReadOnlySet<int> Find(CellColumn column, int index, Evidence evidence)
    {
        // Item i is value i + 1: the first stands for no value.
        var items = column.Values.Skip(1).Select((value, i) => (value, column.Counts[i + 1])).ToList();
        var found = Misspellings.Find(items, 0.03, several: true);
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
}
