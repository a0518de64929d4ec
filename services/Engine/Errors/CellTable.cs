using System.Data.Common;
using System.Runtime.InteropServices;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Errors;

/// <summary>
/// A table in memory, column by column: each cell is the number of its value in the column's dictionary. Values are numbered in their own order and not in that
/// of the rows, so that nothing that is computed from it depends on how the rows lie.
/// </summary>
public sealed class CellTable
{
    private CellTable(int rows, IReadOnlyList<CellColumn> columns)
    {
        Rows = rows;
        Columns = columns;
    }

    public int Rows { get; }

    public IReadOnlyList<CellColumn> Columns { get; }

    /// <param name="rows">A row's cells in the order of <paramref name="columns"/>; null and the empty text are both no value.</param>
    public static CellTable Of(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string?>> rows)
    {
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(rows);
        var builder = new Builder(columns);
        foreach (var row in rows)
            builder.Add(i => row[i]);
        return builder.Build();
    }

    /// <param name="query">Gives the columns, all of them as text, in the order of the rows that findings are to be numbered by.</param>
    /// <param name="row">Sees each row, e.g. to keep what it is known by.</param>
    internal static async Task<CellTable> ReadAsync(EngineSession session, string query, IReadOnlyList<string> columns, Action<DbDataReader> row, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(columns);
        var builder = new Builder(columns);
        await foreach (var reader in session.StreamAsync(query, reader => reader, ct).ConfigureAwait(false))
        {
            builder.Add(i => reader.IsDBNull(i) ? null : reader.GetString(i));
            row(reader);
        }
        return builder.Build();
    }

    /// <param name="query">Gives the columns, all of them as text, in the order of the rows that findings are to be numbered by.</param>
    public static Task<CellTable> ReadAsync(EngineSession session, string query, IReadOnlyList<string> columns, CancellationToken ct) => ReadAsync(session, query, columns, _ => { }, ct);

    private sealed class Builder(IReadOnlyList<string> names)
    {
        private readonly Dictionary<string, int>[] _values = [.. names.Select(_ => new Dictionary<string, int>(StringComparer.Ordinal) { [""] = 0 })];
        private readonly List<int>[] _codes = [.. names.Select(_ => new List<int>())];
        private int _rows;

        public void Add(Func<int, string?> cell)
        {
            for (var i = 0; i < names.Count; i++)
            {
                var values = _values[i];
                ref var code = ref CollectionsMarshal.GetValueRefOrAddDefault(values, cell(i) ?? "", out var exists);
                if (!exists)
                    code = values.Count - 1;
                _codes[i].Add(code);
            }
            _rows++;
        }

        public CellTable Build() => new(_rows, [.. names.Select(Column)]);

        private CellColumn Column(string name, int index)
        {
            // The empty text is the first in any order, so 0 stays the number of no value.
            var values = _values[index].Keys.Order(StringComparer.Ordinal).ToArray();
            var renumbered = new int[values.Length];
            for (var i = 0; i < values.Length; i++)
                renumbered[_values[index][values[i]]] = i;
            var codes = _codes[index].ToArray();
            var counts = new int[values.Length];
            for (var row = 0; row < codes.Length; row++)
                counts[codes[row] = renumbered[codes[row]]]++;
            return new CellColumn(name, codes, values, counts);
        }
    }
}

/// <summary>One column of a <see cref="CellTable"/>.</summary>
public sealed class CellColumn
{
    private int[]? _starts;
    private int[]? _rows;

    internal CellColumn(string name, int[] codes, string[] values, int[] counts)
    {
        Name = name;
        Codes = codes;
        Values = values;
        Counts = counts;
    }

    public string Name { get; }

    /// <summary>The number of each row's value; 0 is no value.</summary>
    public int[] Codes { get; }

    /// <summary>The distinct values in ordinal order; the first is the empty text.</summary>
    public string[] Values { get; }

    /// <summary>In how many rows each value stands.</summary>
    public int[] Counts { get; }

    /// <summary>Rows that have a value.</summary>
    public int Filled => Codes.Length - Counts[0];

    /// <summary>The rows with that value.</summary>
    public ReadOnlySpan<int> RowsOf(int code)
    {
        if (_rows is null)
        {
            var starts = new int[Values.Length + 1];
            for (var i = 0; i < Counts.Length; i++)
                starts[i + 1] = starts[i] + Counts[i];
            var next = starts.ToArray();
            var rows = new int[Codes.Length];
            for (var row = 0; row < Codes.Length; row++)
                rows[next[Codes[row]]++] = row;
            (_starts, _rows) = (starts, rows);
        }
        return _rows.AsSpan(_starts![code], Counts[code]);
    }
}
