using System.Globalization;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>A value that slipped into the column beside: where one column is empty, another ends or begins with one of its values.</summary>
internal static class Shifts
{
    private const int FewestRows = 3;

    public static void Find(CodedTable table, Evidence evidence)
    {
        for (var empty = 0; empty < table.Columns.Count; empty++)
        {
            var lost = table.Columns[empty];
            if (lost.Counts[0] < FewestRows || lost.Counts[0] > 0.4 * table.Rows)
                continue;
            var known = Enumerable.Range(1, lost.Values.Length - 1).Where(value => lost.Counts[value] >= 2).Select(value => lost.Values[value]).ToHashSet(StringComparer.Ordinal);
            for (var index = 0; index < table.Columns.Count; index++)
            {
                if (index != empty && known.Count > 0)
                    Find(table, evidence, empty, index, known);
            }
        }
    }

    private static void Find(CodedTable table, Evidence evidence, int empty, int index, HashSet<string> known)
    {
        var lost = table.Columns[empty];
        var column = table.Columns[index];
        var rows = new List<(int Row, string Left, string Lost)>();
        foreach (var row in lost.RowsOf(0))
        {
            if (Split(column.Values[column.Codes[row]], known) is var (rest, found))
                rows.Add((row, rest, found));
        }
        // In other rows such an ending is rare, or it is how the column is written.
        var others = 0;
        for (var value = 1; value < column.Values.Length; value++)
            others += Split(column.Values[value], known) is null ? 0 : column.Counts[value];
        others -= rows.Count;
        var shareOfEmpty = (double)rows.Count / lost.Counts[0];
        var shareOfOthers = (double)others / Math.Max(1, table.Rows - lost.Counts[0]);
        if (rows.Count < FewestRows || shareOfEmpty < 5 * shareOfOthers)
            return;
        var confidence = 1 - (shareOfOthers / shareOfEmpty);
        foreach (var (row, rest, found) in rows)
        {
            var reason = string.Create(CultureInfo.InvariantCulture, $"{found} belongs into {lost.Name}, which is empty here");
            evidence.Add(Detector.Shift, row, index, confidence, rest, CellKind.Error, reason);
            evidence.Add(Detector.Shift, row, empty, confidence, found, CellKind.Missing, $"stands in {column.Name}");
        }
    }

    private static (string Left, string Found)? Split(string text, HashSet<string> known)
    {
        var last = text.LastIndexOf(' ');
        if (last > 0 && known.Contains(text[(last + 1)..]))
            return (text[..last].TrimEnd(',', ' '), text[(last + 1)..]);
        return null;
    }
}
