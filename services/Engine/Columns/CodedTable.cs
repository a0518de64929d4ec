using System.Data.Common;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Columns;

/// <summary>
/// A table in memory, column by column: each cell is the number of its value in the column's dictionary. Values are numbered in their own order and not in that
/// of the rows, so that nothing that is computed from it depends on how the rows lie.
/// </summary>
public sealed class CodedTable
{
    internal CodedTable(int rows, IReadOnlyList<CodedColumn> columns)
    {
        Rows = rows;
        Columns = columns;
    }

    public int Rows { get; }

    public IReadOnlyList<CodedColumn> Columns { get; }

    /// <param name="rows">A row's cells in the order of <paramref name="columns"/>; null and the empty text are both no value.</param>
    public static CodedTable Of(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string?>> rows)
    {
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(rows);
        var builder = new Builder(columns);
        foreach (var row in rows)
            builder.Add(i => row[i]);
        return builder.Build();
    }

    /// <param name="query">Gives the columns, all of them as text, in the order of the rows that results are to be numbered by; what it gives behind them is for <paramref name="row"/>.</param>
    /// <param name="row">Sees each row, e.g. to keep what it is known by.</param>
    internal static async Task<CodedTable> ReadAsync(EngineSession session, string query, IReadOnlyList<string> columns, Action<DbDataReader> row, CancellationToken ct)
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

    /// <param name="query">Gives the columns, all of them as text, in the order of the rows that results are to be numbered by.</param>
    public static Task<CodedTable> ReadAsync(EngineSession session, string query, IReadOnlyList<string> columns, CancellationToken ct) => ReadAsync(session, query, columns, _ => { }, ct);

    private sealed class Builder(IReadOnlyList<string> names)
    {
        private readonly TextNumbers[] _values = [.. names.Select(_ => new TextNumbers())];
        private readonly List<int>[] _codes = [.. names.Select(_ => new List<int>())];
        private int _rows;

        public void Add(Func<int, string?> cell)
        {
            for (var i = 0; i < names.Count; i++)
                _codes[i].Add(_values[i].Of(cell(i)));
            _rows++;
        }

        public CodedTable Build()
        {
            var columns = new CodedColumn[names.Count];
            Parallel.For(0, columns.Length, i =>
            {
                var codes = _codes[i].ToArray();
                _codes[i] = [];
                columns[i] = CodedColumn.Of(names[i], _values[i], codes);
            });
            return new CodedTable(_rows, columns);
        }
    }
}

/// <summary>One column of a <see cref="CodedTable"/>.</summary>
public sealed class CodedColumn
{
    private string[]? _values;
    private IntLists? _rows;

    private CodedColumn(string name, int[] codes, TextList texts, int[] counts)
    {
        Name = name;
        Codes = codes;
        Texts = texts;
        Counts = counts;
    }

    public string Name { get; }

    /// <summary>The number of each row's value; 0 is no value.</summary>
    public int[] Codes { get; }

    /// <summary>The distinct values in ordinal order; the first is the empty text.</summary>
    public string[] Values => _values ??= Texts.ToStrings();

    /// <summary>The same without an object for each.</summary>
    internal TextList Texts { get; }

    /// <summary>In how many rows each value stands.</summary>
    public int[] Counts { get; }

    /// <summary>Rows that have a value.</summary>
    public int Filled => Codes.Length - Counts[0];

    /// <summary>The rows with that value.</summary>
    public ReadOnlySpan<int> RowsOf(int code) => (_rows ??= IntLists.Rows(Codes, Texts.Count))[code];

    /// <param name="values">The values so far; taken over.</param>
    /// <param name="codes">By row, the number of its value among these; taken over.</param>
    internal static CodedColumn Of(string name, TextNumbers values, int[] codes)
    {
        // The empty text is the first in any order, so 0 stays the number of no value.
        var texts = values.Sorted(out var renumbered);
        var counts = new int[texts.Count];
        for (var row = 0; row < codes.Length; row++)
            counts[codes[row] = renumbered[codes[row]]]++;
        return new CodedColumn(name, codes, texts, counts);
    }

    /// <summary>The column with other values: those that become equal are one.</summary>
    internal CodedColumn Mapped(Func<int, ReadOnlySpan<char>> text)
    {
        var values = new TextNumbers();
        var numbers = new int[Texts.Count];
        for (var value = 1; value < numbers.Length; value++)
            numbers[value] = values.Of(text(value));
        return Of(Name, values, Array.ConvertAll(Codes, code => numbers[code]));
    }

    /// <summary>The column with the values of another one where it has none.</summary>
    internal CodedColumn FilledFrom(CodedColumn other)
    {
        var values = new TextNumbers();
        var (own, others) = (new int[Texts.Count], new int[other.Texts.Count]);
        for (var value = 1; value < own.Length; value++)
            own[value] = values.Of(Texts[value]);
        for (var value = 1; value < others.Length; value++)
            others[value] = values.Of(other.Texts[value]);
        var codes = new int[Codes.Length];
        for (var row = 0; row < codes.Length; row++)
            codes[row] = Codes[row] > 0 ? own[Codes[row]] : others[other.Codes[row]];
        return Of(Name, values, codes);
    }

    /// <summary>The column with its rows in another order.</summary>
    /// <param name="rows">By place, the row that lies there then.</param>
    internal CodedColumn Ordered(int[] rows) => new(Name, Array.ConvertAll(rows, row => Codes[row]), Texts, Counts);
}
