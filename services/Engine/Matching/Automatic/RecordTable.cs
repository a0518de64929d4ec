using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>A column as it came: texts by row, null where there is none.</summary>
internal sealed record RawColumn(string Name, string?[] Values);

/// <summary>
/// Rows in an order that follows from their content alone, so that nothing later depends on how they came: not on their order, not on partitions. Rows of one source lie
/// together.
/// </summary>
internal sealed class RecordTable
{
    private RecordTable(IReadOnlyList<ValueColumn> columns, int[] rows, int[] starts)
    {
        Columns = columns;
        Rows = rows;
        Starts = starts;
    }

    public IReadOnlyList<ValueColumn> Columns { get; }

    /// <summary>By place in this table: the number of the row as it came.</summary>
    public int[] Rows { get; }

    /// <summary>Where each source begins, and where the last one ends.</summary>
    public int[] Starts { get; }

    public int Count => Rows.Length;
    public int Sources => Starts.Length - 1;

    /// <param name="source">The source of each row, from 0 on.</param>
    public static RecordTable Of(IReadOnlyList<RawColumn> columns, int[] source, CancellationToken ct)
    {
        var rows = new int[source.Length];
        var hashes = new (int Source, UInt128 Content)[source.Length];
        Parallel.For(0, rows.Length, new ParallelOptions { CancellationToken = ct }, row =>
        {
            rows[row] = row;
            var hash = new XxHash128();
            foreach (var column in columns)
            {
                hash.Append(column.Values[row] is null ? "\u0001\0"u8 : "\u0002\0"u8);
                hash.Append(MemoryMarshal.AsBytes(column.Values[row].AsSpan()));
            }
            hashes[row] = (source[row], hash.GetCurrentHashAsUInt128());
        });
        Array.Sort(hashes, rows);
        var sources = source.Length == 0 ? 1 : source.Max() + 1;
        var starts = new int[sources + 1];
        foreach (var one in source)
            starts[one + 1]++;
        for (var i = 1; i <= sources; i++)
            starts[i] += starts[i - 1];
        var coded = new ValueColumn[columns.Count];
        for (var i = 0; i < coded.Length; i++)
        {
            ct.ThrowIfCancellationRequested();
            coded[i] = ValueColumn.Of(columns[i], rows, starts);
        }
        return new RecordTable(coded, rows, starts);
    }
}
