namespace Qualiz.Engine.Kernels.Profiling;

/// <summary>
/// How days or moments are distributed: buckets as wide as the smallest power of two for which all fit, at multiples of it, so that they follow from the
/// smallest and the greatest value alone.
/// </summary>
internal sealed class MomentSketch
{
    public const int Buckets = 1 << 13;
    private readonly long[] _rows = new long[Buckets];
    private long _low;
    private long _high;
    private int _shift;

    public long Count { get; private set; }

    public void Add(long value, long rows)
    {
        Reach(value, value);
        _rows[(value >> _shift) & (Buckets - 1)] += rows;
        Count += rows;
    }

    public void Add(MomentSketch other)
    {
        if (other.Count == 0)
            return;
        Reach(other._low, other._high);
        foreach (var (from, _, rows) in other.Ranges().ToList())
            _rows[(Math.Clamp(from, _low, _high) >> _shift) & (Buckets - 1)] += rows;
        Count += other.Count;
    }

    /// <summary>The buckets that have rows in the order of their values: the first and the last value of each.</summary>
    public IEnumerable<(long From, long To, long Rows)> Ranges()
    {
        if (Count == 0)
            yield break;
        for (var bucket = _low >> _shift; bucket <= _high >> _shift; bucket++)
        {
            if (_rows[bucket & (Buckets - 1)] is > 0 and var rows)
                yield return (Math.Max(_low, bucket << _shift), Math.Min(_high, (bucket << _shift) + ((1L << _shift) - 1)), rows);
        }
    }

    private void Reach(long low, long high)
    {
        if (Count == 0)
        {
            (_low, _high, _shift) = (low, high, 0);
        }
        else
        {
            if (low >= _low && high <= _high)
                return;
            low = Math.Min(low, _low);
            high = Math.Max(high, _high);
        }
        var shift = _shift;
        while ((Int128)(high >> shift) - (low >> shift) >= Buckets)
            shift++;
        if (shift > _shift)
        {
            // Places are buckets modulo their number, so they change with the width.
            var old = Ranges().ToList();
            Array.Clear(_rows);
            foreach (var (from, _, rows) in old)
                _rows[(from >> shift) & (Buckets - 1)] += rows;
        }
        (_low, _high, _shift) = (low, high, shift);
    }
}
