namespace Qualiz.Engine.Kernels.Profiling;

/// <summary>
/// The values with the smallest hashes, each with all its rows. A value among them at the end was among them from its first row on, so its number is exact,
/// and which values they are depends on nothing but the values.
/// </summary>
internal sealed class ValueSample(bool isText, int most)
{
    /// <summary>Longer texts are known by their beginning.</summary>
    public const int LongestText = 1024;

    private ulong _limit = ulong.MaxValue;
    private ValueTable _table = Table(isText, most);

    public void Add(ulong hash, in Cell cell, long rows)
    {
        if (hash > _limit)
            return;
        while (!_table.TryAdd(hash, Cut(cell), rows))
        {
            Shrink();
            if (hash > _limit)
                return;
        }
    }

    public void Add(ValueSample other)
    {
        if (other._limit < _limit)
        {
            _limit = other._limit;
            Keep();
        }
        other._table.Each(Add);
    }

    /// <summary>The values, at most as many as asked for.</summary>
    public ValueTable Take()
    {
        if (_table.Count > most)
            Shrink();
        return _table;
    }

    public static unsafe Cell Cut(in Cell cell) => cell.Text is not null && cell.TextLength > LongestText ? Cell.Of(cell.Text, LongestText) : cell;

    private static ValueTable Table(bool isText, int most) => new(isText, 2 * most, 2 * most * LongestText);

    private void Shrink()
    {
        var hashes = new List<ulong>(_table.Count);
        foreach (ref readonly var entry in _table.Entries)
        {
            if (entry.Rows > 0)
                hashes.Add(entry.Hash);
        }
        hashes.Sort();
        _limit = hashes[Math.Min(most, hashes.Count) - 1];
        Keep();
    }

    private void Keep()
    {
        var kept = Table(isText, most);
        _table.Each((ulong hash, in Cell cell, long rows) =>
        {
            if (hash <= _limit)
                kept.TryAdd(hash, cell, rows);
        });
        _table = kept;
    }
}
