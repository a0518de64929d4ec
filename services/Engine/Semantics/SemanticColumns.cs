using System.Text;
using Qualiz.Engine.Kernels.Profiling;
using Qualiz.Engine.Profiling;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Semantics;

/// <summary>Finds the semantic type of a column that has been profiled.</summary>
internal static class SemanticColumns
{
    /// <summary>So many different values show what a column is; in a very wide table, where they are looked at in hundreds of columns, fewer do.</summary>
    private const int MostValues = 1000;
    private const int FewestValues = 200;
    private const int OfAllColumns = 100_000;

    /// <param name="columns">Of the table.</param>
    public static SemanticType? Of(ProfiledColumn column, ColumnSketch sketch, long distinct, int columns)
    {
        if (sketch.Values == 0 || column.Kind == ValueKind.Opaque)
            return null;
        var personal = new ColumnName(column.Name).Has("birth", "dob", "born") ? "personal" : null;
        return column.Kind switch
        {
            ValueKind.Bool => new SemanticType(SemanticTypes.Boolean, 1, 1, null),
            ValueKind.Day => new SemanticType(SemanticTypes.Date, 1, 1, personal),
            ValueKind.Moment => new SemanticType(column.TypeName == ColumnType.Time.ToString() ? SemanticTypes.Time : SemanticTypes.Timestamp, 1, 1, personal),
            _ => SemanticDetector.Detect(Sample(column, sketch, distinct, Math.Clamp(OfAllColumns / columns, FewestValues, MostValues))),
        };
    }

    private static ColumnSample Sample(ProfiledColumn column, ColumnSketch sketch, long distinct, int most)
    {
        var table = sketch.Exact ?? sketch.Sample!.Take();
        var entries = new List<ValueTable.Entry>(table.Count);
        foreach (ref readonly var entry in table.Entries)
        {
            if (entry.Rows > 0)
                entries.Add(entry);
        }
        // By their hashes they are as good as drawn by lot, and the same whatever the order of the rows.
        entries.Sort((a, b) => a.Hash.CompareTo(b.Hash));
        // What fills many rows is looked at in any case.
        var chosen = entries.Count <= most ? entries
            : [.. entries.Take(most).Concat(entries.Skip(most).Where(entry => entry.Rows * 100 >= sketch.Values))];
        var values = new List<string>(chosen.Count);
        var rows = new List<long>(chosen.Count);
        foreach (var entry in chosen)
        {
            var text = table.IsText ? Encoding.UTF8.GetString(table.Text(entry)).Trim().Trim('\'', '"').Trim() : column.Plain(sketch.Number(entry));
            if (text.Length == 0)
                continue;
            values.Add(text);
            rows.Add(entry.Rows);
        }
        var whole = column.Kind == ValueKind.Whole || (column.Kind >= ValueKind.Decimal16 && column.Scale == 0);
        return new ColumnSample(column.Name, column.IsText, whole, values, rows, sketch.Values - sketch.Blank, distinct);
    }
}
