using System.Numerics;

namespace Qualiz.Engine.Kernels.Profiling;

/// <summary>
/// How numbers are distributed, and their exact sum and sum of squares: both are kept per power of two as whole numbers, so that they depend neither on the
/// order of the rows nor on how they were shared out. The buckets split each power of two into equal parts, 1024 of them as long as the numbers
/// span few powers.
/// </summary>
internal sealed class NumberSketch
{
    private const int MantissaBits = 52;
    private const int FinestBits = 10;
    private const int MostBuckets = 1 << 17;

    // The unit of the smallest numbers is 2^-1074.
    private const int Unit = 1074;
    private readonly Power?[] _powers = new Power?[4096];
    private int _bits = FinestBits;
    private int _used;

    private sealed class Power(int buckets)
    {
        public long[] Rows = new long[buckets];
        public UInt128 Sum;

        // Of one row each: words with their carry, which is faster than 128 bits.
        public ulong Sum0;
        public ulong Sum1;
        public ulong Squares0;
        public ulong Squares1;
        public ulong Squares2;

        // Of many rows at a time.
        public UInt128 SquaresLow;
        public UInt128 SquaresHigh;

        public BigInteger Total => (BigInteger)Sum + ((BigInteger)Sum1 << 64) + Sum0;

        public BigInteger TotalOfSquares => ((BigInteger)SquaresHigh << 64) + SquaresLow + ((BigInteger)Squares2 << 128) + ((BigInteger)Squares1 << 64) + Squares0;
    }

    /// <summary>Finite numbers.</summary>
    public long Count { get; private set; }

    /// <summary>Infinities and what is no number.</summary>
    public long NonFinite { get; private set; }

    public void Add(double value, long rows)
    {
        var bits = (ulong)BitConverter.DoubleToInt64Bits(value == 0 ? 0 : value);
        var top = (int)(bits >> MantissaBits);
        if ((top & 0x7ff) == 0x7ff)
        {
            NonFinite += rows;
            return;
        }
        Count += rows;
        var power = _powers[top] ?? Create(top);
        var mantissa = bits & ((1UL << MantissaBits) - 1);
        power.Rows[(int)(mantissa >> (MantissaBits - _bits))] += rows;
        if ((top & 0x7ff) != 0)
            mantissa |= 1UL << MantissaBits;
        var high = Math.BigMul(mantissa, mantissa, out var low);
        if (rows == 1)
        {
            power.Sum0 += mantissa;
            power.Sum1 += power.Sum0 < mantissa ? 1UL : 0;
            power.Squares0 += low;
            high += power.Squares0 < low ? 1UL : 0;
            power.Squares1 += high;
            power.Squares2 += power.Squares1 < high ? 1UL : 0;
        }
        else
        {
            power.Sum += (UInt128)mantissa * (ulong)rows;
            power.SquaresLow += (UInt128)low * (ulong)rows;
            power.SquaresHigh += (UInt128)high * (ulong)rows;
        }
    }

    public void Add(NumberSketch other)
    {
        while (_bits > other._bits)
            Fold();
        while (other._bits > _bits)
            other.Fold();
        for (var top = 0; top < _powers.Length; top++)
        {
            if (other._powers[top] is not { } theirs)
                continue;
            // Making room may fold this one once more.
            var mine = _powers[top] ?? Create(top);
            while (other._bits > _bits)
                other.Fold();
            for (var i = 0; i < mine.Rows.Length; i++)
                mine.Rows[i] += theirs.Rows[i];
            mine.Sum += theirs.Sum + new UInt128(theirs.Sum1, theirs.Sum0);
            mine.SquaresLow += theirs.SquaresLow + theirs.Squares0;
            mine.SquaresHigh += theirs.SquaresHigh + new UInt128(theirs.Squares2, theirs.Squares1);
        }
        Count += other.Count;
        NonFinite += other.NonFinite;
    }

    /// <summary>The buckets that have rows, in the order of their numbers: from, up to (of negative numbers the greater one is the end), rows.</summary>
    public IEnumerable<(double From, double To, long Rows)> Buckets()
    {
        for (var top = _powers.Length - 1; top >= 2048; top--)
        {
            if (_powers[top] is not { } power)
                continue;
            for (var i = power.Rows.Length - 1; i >= 0; i--)
            {
                if (power.Rows[i] > 0)
                    yield return (-Edge(top & 0x7ff, i + 1), -Edge(top & 0x7ff, i), power.Rows[i]);
            }
        }
        for (var top = 0; top < 2047; top++)
        {
            if (_powers[top] is not { } power)
                continue;
            for (var i = 0; i < power.Rows.Length; i++)
            {
                if (power.Rows[i] > 0)
                    yield return (Edge(top, i), Edge(top, i + 1), power.Rows[i]);
            }
        }
    }

    /// <summary>The mean of the finite numbers, rounded once.</summary>
    public double? Mean() => Count == 0 ? null : Ratio(Sum(), Count, -Unit);

    /// <summary>Of a sample: over n - 1.</summary>
    public double? StandardDeviation()
    {
        if (Count < 2)
            return null;
        var squares = BigInteger.Zero;
        for (var top = 0; top < _powers.Length; top++)
        {
            if (_powers[top] is { } power)
                squares += power.TotalOfSquares << (2 * (Math.Max(top & 0x7ff, 1) - 1));
        }
        var sum = Sum();
        var (mantissa, exponent) = Scaled((squares * Count) - (sum * sum), (BigInteger)Count * (Count - 1));
        exponent -= 2 * Unit;
        return (exponent & 1) == 0
            ? Math.ScaleB(Math.Sqrt(mantissa), exponent / 2)
            : Math.ScaleB(Math.Sqrt(2 * mantissa), (exponent - 1) / 2);
    }

    private BigInteger Sum()
    {
        var sum = BigInteger.Zero;
        for (var top = 0; top < _powers.Length; top++)
        {
            if (_powers[top] is not { } power)
                continue;
            var part = power.Total << (Math.Max(top & 0x7ff, 1) - 1);
            sum += top < 2048 ? part : -part;
        }
        return sum;
    }

    private static double Ratio(BigInteger a, BigInteger b, int exponent)
    {
        var (mantissa, own) = Scaled(a, b);
        return Math.ScaleB(mantissa, own + exponent);
    }

    /// <summary>a / b = mantissa * 2^exponent, with 64 bits or more divided.</summary>
    private static (double Mantissa, int Exponent) Scaled(BigInteger a, BigInteger b)
    {
        var shift = (int)(64 - ((long)BigInteger.Abs(a).GetBitLength() - (long)b.GetBitLength()));
        return shift >= 0 ? ((double)((a << shift) / b), -shift) : ((double)(a / (b << -shift)), -shift);
    }

    private double Edge(int power, int bucket) =>
        BitConverter.Int64BitsToDouble(((long)power << MantissaBits) + ((long)bucket << (MantissaBits - _bits)));

    private Power Create(int top)
    {
        _used++;
        while (_used << _bits > MostBuckets)
            Fold();
        return _powers[top] = new Power(1 << _bits);
    }

    private void Fold()
    {
        _bits--;
        foreach (var power in _powers)
        {
            if (power is null)
                continue;
            var half = new long[1 << _bits];
            for (var i = 0; i < half.Length; i++)
                half[i] = power.Rows[2 * i] + power.Rows[(2 * i) + 1];
            power.Rows = half;
        }
    }
}
