using System.Numerics;
using Qualiz.Engine.Kernels.Profiling;

namespace Qualiz.Engine.Profiling;

/// <summary>
/// The finite values of a column in their order, one by one or in buckets. They are whole numbers here: units of a decimal, days, microseconds, and for
/// doubles their rank among all doubles.
/// </summary>
internal sealed class Distribution
{
    private const int Bins = 20;

    /// <summary>Quartiles of fewer rows say little about the rest.</summary>
    private const int FewRows = 20;
    private const double FarOut = 3;
    private static readonly double[] Shares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

    private readonly bool _isReal;
    private readonly ColumnSketch _sketch;
    private readonly List<(Int128 From, Int128 Middle, Int128 To, long Rows)> _buckets;
    private readonly long _rows;

    private Distribution(ProfiledColumn column, ColumnSketch sketch)
    {
        _isReal = column.Kind == ValueKind.Real;
        _sketch = sketch;
        _buckets = sketch.Exact is { } exact ? Exact(column, sketch, exact) : sketch.Moments is { } moments ? Moments(moments) : Numbers(column, sketch);
        _rows = _buckets.Sum(bucket => bucket.Rows);
    }

    public sealed record FarValues(Int128 From, Int128 To, long Rows, IReadOnlyList<Int128> Examples);

    public static Distribution? Of(ProfiledColumn column, ColumnSketch sketch)
    {
        var distribution = new Distribution(column, sketch);
        return distribution._rows == 0 ? null : distribution;
    }

    private Int128 Min => _buckets[0].From;

    private Int128 Max => _buckets[^1].To;

    public IReadOnlyList<(double Share, Int128 Value)> Quantiles() => [.. Shares.Select(share => (share, Quantile(share)))];

    /// <summary>Ranges of equal width; values that are few and near have one each.</summary>
    public IReadOnlyList<(Int128 From, Int128 To, long Rows)> Histogram()
    {
        if (Min == Max)
            return [(Min, Max, _rows)];
        var edges = Edges();
        var rows = new long[edges.Count - 1];
        var bin = 0;
        foreach (var bucket in _buckets)
        {
            while (bin < rows.Length - 1 && bucket.Middle >= edges[bin + 1])
                bin++;
            rows[bin] += bucket.Rows;
        }
        return [.. rows.Select((count, i) => (edges[i], edges[i + 1], count))];
    }

    public FarValues? Outliers()
    {
        if (_rows < FewRows)
            return null;
        var (min, low, median, high) = (Real(Min), Real(Quantile(0.25)), Real(Quantile(0.5)), Real(Quantile(0.75)));
        var logarithmic = min > 0 && !(_sketch.Moments is not null) && Skew(Math.Log(low), Math.Log(median), Math.Log(high)) < Skew(low, median, high);
        if (logarithmic)
            (low, high) = (Math.Log(low), Math.Log(high));
        var distance = high - low;
        if (!(distance > 0))
            return null;
        var (least, most) = (low - (FarOut * distance), high + (FarOut * distance));
        if (logarithmic)
            (least, most) = (Math.Exp(least), Math.Exp(most));
        var near = _buckets.Where(bucket => Real(bucket.To) >= least && Real(bucket.From) <= most).ToList();
        var far = _rows - near.Sum(bucket => bucket.Rows);
        if (far == 0 || near.Count == 0)
            return null;
        var (from, to) = (near[0].From, near[^1].To);
        var examples = _sketch.Smallest.Where(value => value < from && value >= Min).Concat(_sketch.Largest.Where(value => value > to && value <= Max))
            .OrderByDescending(value => Math.Max(Real(from) - Real(value), Real(value) - Real(to))).Take(5).ToList();
        return new FarValues(from, to, far, examples);
    }

    private static double Skew(double low, double median, double high) => high > low ? Math.Abs((high + low - (2 * median)) / (high - low)) : 0;

    private Int128 Quantile(double share)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(share * _rows));
        foreach (var bucket in _buckets)
        {
            rank -= bucket.Rows;
            if (rank <= 0)
                return bucket.Middle;
        }
        return Max;
    }

    private double Real(Int128 value) => _sketch.Real(value);

    private List<Int128> Edges()
    {
        if (_isReal)
        {
            var (min, max) = (Real(Min), Real(Max));
            return [.. Enumerable.Range(0, Bins + 1).Select(i => i == 0 ? Min : i == Bins ? Max : (Int128)ColumnSketch.Order((min * (1 - ((double)i / Bins))) + (max * ((double)i / Bins)))).Distinct()];
        }
        // The ends of 38 digits are further apart than 128 bits can say.
        var span = (BigInteger)Max - Min;
        if (span < Bins)
            return [.. Enumerable.Range(0, (int)span + 2).Select(i => Int128.Min(Min + i, Max))];
        return [.. Enumerable.Range(0, Bins + 1).Select(i => (Int128)(Min + (span * i / Bins)))];
    }

    private static List<(Int128 From, Int128 Middle, Int128 To, long Rows)> Exact(ProfiledColumn column, ColumnSketch sketch, ValueTable exact)
    {
        var values = new List<(Int128 Value, long Rows)>(exact.Count);
        foreach (ref readonly var entry in exact.Entries)
        {
            if (entry.Rows > 0 && sketch.Number(entry) is var value && IsFinite(column.Kind, value))
                values.Add((value, entry.Rows));
        }
        values.Sort((a, b) => a.Value.CompareTo(b.Value));
        return [.. values.Select(value => (value.Value, value.Value, value.Value, value.Rows))];
    }

    private static bool IsFinite(ValueKind kind, Int128 value) => kind switch
    {
        ValueKind.Real => double.IsFinite(ColumnSketch.Disorder((long)value)),
        ValueKind.Day => value != int.MaxValue && value != -int.MaxValue,
        ValueKind.Moment => value != long.MaxValue && value != -long.MaxValue,
        _ => true,
    };

    private static List<(Int128 From, Int128 Middle, Int128 To, long Rows)> Moments(MomentSketch moments) =>
        [.. moments.Ranges().Select(range => ((Int128)range.From, ((Int128)range.From + range.To) / 2, (Int128)range.To, range.Rows))];

    private static List<(Int128 From, Int128 Middle, Int128 To, long Rows)> Numbers(ProfiledColumn column, ColumnSketch sketch)
    {
        var scale = Math.Pow(10, column.Scale);
        // The first and the last bucket end where the values do. (What is not finite is in no bucket.)
        return [.. sketch.Numbers!.Buckets().Select(bucket =>
        {
            if (column.Kind == ValueKind.Real)
                return (Clamp(ColumnSketch.Order(bucket.From)), Clamp(ColumnSketch.Order((bucket.From / 2) + (bucket.To / 2))), Clamp(ColumnSketch.Order(bucket.To)), bucket.Rows);
            var (from, to) = (Clamp((Int128)Math.Ceiling(bucket.From * scale)), Clamp((Int128)Math.Ceiling(bucket.To * scale) - 1));
            to = Int128.Max(from, to);
            return (from, (Int128)(from + (((BigInteger)to - from) / 2)), to, bucket.Rows);
        })];

        Int128 Clamp(Int128 value) => Int128.Clamp(value, sketch.Smallest[0], sketch.Largest[0]);
    }
}
