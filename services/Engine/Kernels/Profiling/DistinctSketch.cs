using System.Numerics;

namespace Qualiz.Engine.Kernels.Profiling;

/// <summary>
/// HyperLogLog with 2^14 registers and the improved raw estimator of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017):
/// a standard error of 0.8 %, without tables, for any number of values.
/// </summary>
internal sealed class DistinctSketch
{
    private const int Bits = 14;
    private const int Registers = 1 << Bits;
    private const int Longest = 64 - Bits;
    private readonly byte[] _registers = new byte[Registers];

    public void Add(ulong hash)
    {
        var rank = (byte)Math.Min(BitOperations.LeadingZeroCount(hash << Bits), Longest);
        ref var register = ref _registers[hash >> (64 - Bits)];
        if (rank >= register)
            register = (byte)(rank + 1);
    }

    public void Add(DistinctSketch other)
    {
        for (var i = 0; i < Registers; i++)
            _registers[i] = Math.Max(_registers[i], other._registers[i]);
    }

    public long Estimate()
    {
        var counts = new int[Longest + 2];
        foreach (var register in _registers)
            counts[register]++;
        var z = Registers * Tau(1 - ((double)counts[Longest + 1] / Registers));
        for (var k = Longest; k >= 1; k--)
            z = 0.5 * (z + counts[k]);
        z += Registers * Sigma((double)counts[0] / Registers);
        return double.IsInfinity(z) ? 0 : (long)Math.Round(Registers / (2 * Math.Log(2)) * Registers / z);
    }

    private static double Sigma(double x)
    {
        if (x >= 1)
            return double.PositiveInfinity;
        var (y, z) = (1.0, x);
        for (var before = double.NaN; z != before;)
        {
            x *= x;
            before = z;
            z += x * y;
            y += y;
        }
        return z;
    }

    private static double Tau(double x)
    {
        if (x is <= 0 or >= 1)
            return 0;
        var (y, z) = (1.0, 1 - x);
        for (var before = double.NaN; z != before;)
        {
            x = Math.Sqrt(x);
            before = z;
            y *= 0.5;
            z -= (1 - x) * (1 - x) * y;
        }
        return z / 3;
    }
}
