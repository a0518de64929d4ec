using System.Globalization;

namespace Qualiz.Engine.Matching;

/// <summary>
/// How many of the pairs that are the same blocks bring together. Columns bring the same pair independently of each other, more or less, so how many pairs only one of them brings tells how many none does: at least
/// (k - 1) / k q1 (q1 - 1) / (2 (q2 + 1)) of k columns, with q1 pairs that one of them brings and q2 that two do (A. Chao, "Estimating the Population Size for Capture-Recapture Data with Unequal Catchability", Biometrics 43,
/// 1987, in the form without bias of her later papers). Pairs that share little are harder to find by any column, so the share that is found is rather less than this.
/// </summary>
/// <param name="Found">Pairs that are the same among those that blocks bring.</param>
/// <param name="Missed">About so many others.</param>
internal readonly record struct BlockingEstimate(double Found, double Missed)
{
    public double Completeness => Found + Missed == 0 ? 1 : Found / (Found + Missed);

    /// <summary>For people.</summary>
    public string Told => string.Create(CultureInfo.InvariantCulture, $"blocks bring together about {Completeness:0.0%} of the pairs that are the same: about {Missed:N0} share no block");

    /// <param name="times">By number of columns (or blocks), how many pairs that are the same are brought by so many of them; of none there are none.</param>
    /// <returns>Null: with fewer than two columns nothing can be told.</returns>
    public static BlockingEstimate? Of(IReadOnlyDictionary<int, long> times, int columns)
    {
        if (columns < 2)
            return null;
        var (once, twice) = ((double)times.GetValueOrDefault(1), (double)times.GetValueOrDefault(2));
        return new BlockingEstimate(times.Where(entry => entry.Key > 0).Sum(entry => entry.Value), (columns - 1.0) / columns * once * Math.Max(once - 1, 0) / (2 * (twice + 1)));
    }
}
