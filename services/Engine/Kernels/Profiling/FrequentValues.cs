namespace Qualiz.Engine.Kernels.Profiling;

/// <summary>
/// Misra and Gries' counters in the form that takes the median off all of them at once when there is no room: a value in more than <see cref="Missed"/>
/// rows is here for certain, with at most that many rows too few. What shares its bucket of hashes with hardly any rows so far is not even counted.
/// </summary>
internal sealed class FrequentValues(bool isText, int most)
{
    private const int BucketBits = 14;

    /// <summary>A bucket that holds less than this part of the rows so far holds no frequent value; an even one holds a quarter of it.</summary>
    private const int Part = 1 << (BucketBits - 2);

    private readonly long[] _buckets = new long[1 << BucketBits];
    private long _seen;
    private long _lost;
    private ValueTable _table = Table(isText, most);
    private ValueTable _spare = Table(isText, most);

    /// <summary>The rows that any value may have beyond what its counter says.</summary>
    public long Missed => _lost + (_seen / Part) + 1;

    public ValueTable Values => _table;

    public void Add(ulong hash, in Cell cell, long rows)
    {
        _seen += rows;
        ref var bucket = ref _buckets[hash >> (64 - BucketBits)];
        bucket += rows;
        if (bucket * Part >= _seen)
            Count(hash, cell, rows);
    }

    public void Add(FrequentValues other)
    {
        // What the other has lost, it has lost; what is lost by adding comes on top.
        _lost += other._lost;
        _seen += other._seen;
        other._table.Each(Count);
    }

    private void Count(ulong hash, in Cell cell, long rows)
    {
        if (_table.TryAdd(hash, ValueSample.Cut(cell), rows))
            return;
        var counts = new long[_table.Count];
        while (true)
        {
            Shrink(counts, ref rows);
            if (rows <= 0 || _table.TryAdd(hash, ValueSample.Cut(cell), rows))
                return;
        }
    }

    private static ValueTable Table(bool isText, int most) => new(isText, most, most * ValueSample.LongestText);

    private void Shrink(long[] counts, ref long rows)
    {
        var n = 0;
        foreach (ref readonly var entry in _table.Entries)
        {
            if (entry.Rows > 0)
                counts[n++] = entry.Rows;
        }
        Array.Sort(counts, 0, n);
        var off = counts[n / 2];
        var kept = _spare;
        kept.Clear();
        _table.Each((ulong hash, in Cell cell, long have) =>
        {
            if (have > off)
                kept.TryAdd(hash, cell, have - off);
        });
        (_table, _spare) = (kept, _table);
        _lost += off;
        rows -= off;
    }
}
