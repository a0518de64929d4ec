namespace Qualiz.Engine.Columns;

/// <summary>Lists of numbers by number, all of them in one array.</summary>
internal sealed class IntLists
{
    private readonly int[] _starts;

    public IntLists(int[] starts, int[] items)
    {
        _starts = starts;
        Items = items;
    }

    public int Count => _starts.Length - 1;

    /// <summary>All lists, one behind the other.</summary>
    public int[] Items { get; }

    public ReadOnlySpan<int> this[int list] => Items.AsSpan(_starts[list], _starts[list + 1] - _starts[list]);

    /// <summary>Where a list begins in <see cref="Items"/>.</summary>
    public int Start(int list) => _starts[list];

    public int Length(int list) => _starts[list + 1] - _starts[list];

    /// <summary>By code, the rows that have it, ascending.</summary>
    /// <param name="codes">By row.</param>
    public static IntLists Rows(int[] codes, int count)
    {
        var starts = new int[count + 1];
        foreach (var code in codes)
            starts[code + 1]++;
        var (items, next) = Room(starts);
        for (var row = 0; row < codes.Length; row++)
            items[next[codes[row]]++] = row;
        return new IntLists(starts, items);
    }

    /// <summary>By key, the rows that have a value with it, in the order of <paramref name="rows"/>; code 0 is no value and has none.</summary>
    /// <param name="codes">By row.</param>
    /// <param name="keys">By code.</param>
    /// <param name="count">How many keys there are.</param>
    /// <param name="rows">Those that count.</param>
    public static IntLists Rows(int[] codes, IntLists keys, int count, ReadOnlySpan<int> rows)
    {
        var starts = new int[count + 1];
        foreach (var row in rows)
        {
            if (codes[row] == 0)
                continue;
            foreach (var key in keys[codes[row]])
                starts[key + 1]++;
        }
        var (items, next) = Room(starts);
        foreach (var row in rows)
        {
            if (codes[row] == 0)
                continue;
            foreach (var key in keys[codes[row]])
                items[next[key]++] = row;
        }
        return new IntLists(starts, items);
    }

    private static (int[] Items, int[] Next) Room(int[] starts)
    {
        for (var i = 1; i < starts.Length; i++)
            starts[i] += starts[i - 1];
        return (new int[starts[^1]], starts.AsSpan(0, starts.Length - 1).ToArray());
    }
}

/// <summary>Makes <see cref="IntLists"/>, list by list.</summary>
internal sealed class IntListsBuilder
{
    private readonly List<int> _starts = [0];
    private readonly List<int> _items = [];

    public void Add(int item) => _items.Add(item);

    public void Add(ReadOnlySpan<int> items) => _items.AddRange(items);

    /// <summary>The list ends here.</summary>
    public void End() => _starts.Add(_items.Count);

    public IntLists Build() => new([.. _starts], [.. _items]);
}
