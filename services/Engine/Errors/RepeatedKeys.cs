using System.Globalization;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>
/// Columns in which most values stand once (numbers of things, addresses, names): a value that stands again and again there, while hardly any stands twice, and
/// whose rows have nothing else in common, was written over others.
/// </summary>
internal static class RepeatedKeys
{
    /// <summary>One value, or two, that stand often are placeholders.</summary>
    private const int FewestValues = 4;

    /// <summary>Values that stand once must be those of so many rows.</summary>
    private const double SingleRows = 0.15;

    /// <param name="misspelt">Values that are other values with a letter wrong: these are single for that reason.</param>
    public static void Find(CodedTable table, int index, IReadOnlySet<int> misspelt, Evidence evidence)
    {
        var column = table.Columns[index];
        var values = Enumerable.Range(1, column.Values.Length - 1).Where(value => !misspelt.Contains(value)).ToList();
        var once = values.Count(value => column.Counts[value] == 1);
        var twice = values.Count(value => column.Counts[value] == 2);
        if (once < 30 || once < SingleRows * table.Rows || once < 0.6 * values.Count)
            return;
        // Natural repetition falls off by a power of the number of times; from once and twice follows which.
        var power = Math.Log((once + 1.0) / (twice + 1.0)) / Math.Log(2);
        if (power < 2)
            return;
        var repeated = values.Where(value => column.Counts[value] > 2 && !HaveMoreInCommon(table, index, value)).ToList();
        if (AreRound(column, values, repeated))
            return;
        foreach (var group in repeated.GroupBy(value => column.Counts[value]))
        {
            var expected = once * Math.Pow(group.Key, 1 - power) / (power - 1);
            // More often than most values that are repeated so: what counts is that there are several.
            var observed = repeated.Count(value => column.Counts[value] >= Math.Min(group.Key, 20));
            if (observed < FewestValues)
                continue;
            var confidence = 1 - (expected / observed);
            foreach (var value in group)
            {
                // One of the rows has it by right.
                var share = (column.Counts[value] - 1.0) / column.Counts[value];
                evidence.AddValue(
                    Detector.Repetition, column, index, value, Math.Max(0, confidence) * share, null, CellKind.Error,
                    string.Create(CultureInfo.InvariantCulture, $"stands in {column.Counts[value]} rows that have nothing else in common, while {once} other values stand once"));
            }
        }
    }

    /// <summary>Round numbers are measured again and again.</summary>
    private static bool AreRound(CodedColumn column, List<int> values, List<int> repeated)
    {
        if (repeated.Count == 0 || !repeated.TrueForAll(value => double.TryParse(column.Values[value], NumberStyles.Float, CultureInfo.InvariantCulture, out _)))
            return false;
        return repeated.Average(Digits) < values.Where(value => column.Counts[value] == 1).Average(Digits) - 0.5;

        int Digits(int value)
        {
            var text = column.Values[value];
            var digits = text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;
            return digits.TrimEnd('0').Count(char.IsDigit);
        }
    }

    /// <summary>Whether the rows of a value agree in another column more than any rows do: then they are about one thing.</summary>
    private static bool HaveMoreInCommon(CodedTable table, int index, int value)
    {
        var rows = table.Columns[index].RowsOf(value);
        var counts = new Dictionary<int, int>();
        for (var other = 0; other < table.Columns.Count; other++)
        {
            if (other == index)
                continue;
            var column = table.Columns[other];
            var usual = 0.0;
            foreach (var count in column.Counts)
                usual += (double)count / table.Rows * count / table.Rows;
            if (usual > 0.5)
                continue;
            counts.Clear();
            foreach (var row in rows)
                counts[column.Codes[row]] = counts.GetValueOrDefault(column.Codes[row]) + 1;
            double pairs = (double)rows.Length * (rows.Length - 1);
            var same = counts.Values.Sum(count => (double)count * (count - 1)) / pairs;
            if (same > usual + (0.5 * (1 - usual)))
                return true;
        }
        return false;
    }
}
