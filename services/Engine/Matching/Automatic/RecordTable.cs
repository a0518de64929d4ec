using System.IO.Hashing;
using System.Runtime.InteropServices;
using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>
/// Rows in an order that follows from their content alone, so that nothing later depends on how they came: not on their order, not on partitions. Rows of one source lie
/// together, and in it those that are equal in every column.
/// </summary>
internal sealed class RecordTable
{
    private RecordTable(IReadOnlyList<ValueColumn> columns, int[] rows, int[] starts, int[] likes)
    {
        Columns = columns;
        Rows = rows;
        Starts = starts;
        Likes = likes;
    }

    public IReadOnlyList<ValueColumn> Columns { get; }

    /// <summary>By place in this table: the number of the row as it came.</summary>
    public int[] Rows { get; }

    /// <summary>Where each source begins, and where the last one ends.</summary>
    public int[] Starts { get; }

    /// <summary>By place: the first place of the rows of its source that are equal to it in every column.</summary>
    public int[] Likes { get; }

    public int Count => Rows.Length;
    public int Sources => Starts.Length - 1;

    /// <param name="source">The source of each row, from 0 on.</param>
    public static RecordTable Of(CodedTable table, int[] source, CancellationToken ct)
    {
        var aligned = SchemaAlignment.Align(table.Columns, source);
        var columns = new ValueColumn[aligned.Count];
        Parallel.For(0, columns.Length, new ParallelOptions { CancellationToken = ct }, i => columns[i] = ValueColumn.Of(aligned[i]));
        return Of([.. columns], source, ct);
    }

    /// <param name="columns">Taken over: the list is empty afterwards.</param>
    /// <param name="source">The source of each row, from 0 on.</param>
    public static RecordTable Of(List<ValueColumn> columns, int[] source, CancellationToken ct)
    {
        var rows = new int[source.Length];
        var hashes = new (int Source, UInt128 Content)[source.Length];
        // Values are numbered by content, so what their numbers hash to follows from the content too.
        var codes = columns.ConvertAll(column => column.Codes).ToArray();
        Parallel.For(0, rows.Length, new ParallelOptions { CancellationToken = ct }, () => new int[codes.Length], (row, _, cells) =>
        {
            for (var i = 0; i < codes.Length; i++)
                cells[i] = codes[i][row];
            rows[row] = row;
            hashes[row] = (source[row], XxHash128.HashToUInt128(MemoryMarshal.AsBytes<int>(cells)));
            return cells;
        }, _ => { });
        Array.Sort(hashes, rows);
        codes = [];
        var likes = new int[rows.Length];
        for (var i = 1; i < likes.Length; i++)
            likes[i] = hashes[i] == hashes[i - 1] ? likes[i - 1] : i;
        var sources = source.Length == 0 ? 1 : source.Max() + 1;
        var starts = new int[sources + 1];
        foreach (var one in source)
            starts[one + 1]++;
        for (var i = 1; i <= sources; i++)
            starts[i] += starts[i - 1];
        var ordered = new List<ValueColumn>(columns.Count);
        while (columns.Count > 0)
        {
            ordered.Add(columns[0].Ordered(rows));
            columns.RemoveAt(0);
        }
        return new RecordTable(ordered, rows, starts, likes);
    }
}
