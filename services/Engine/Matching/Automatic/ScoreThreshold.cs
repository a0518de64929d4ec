namespace Qualiz.Engine.Matching.Automatic;

/// <summary>
/// Where to part the same from the different. The model's own border is even odds, but columns that depend on each other make it too sure of itself. Pairs that are the same and pairs that are not make
/// two hills in the distribution of scores all the same, so the border is the valley that is next to where it should be. A valley is deep: where it hardly gets lower upwards, the model's border is right, and
/// what lies above it is the same.
/// </summary>
internal static class ScoreThreshold
{
    /// <summary>Even odds.</summary>
    public const double Even = 0;

    /// <summary>Odds of 0.95: a link takes its partner away from others, so it has to be surer.</summary>
    public const double Sure = 4.25;

    private const double Bandwidth = 2;
    private const double Step = 0.25;
    private const double Below = 2;

    /// <summary>The bottom of a valley is at most this part of what it is at the border where it should be.</summary>
    private const double Bottom = 0.5;

    /// <param name="scores">log2 of the odds of pairs.</param>
    /// <param name="start">Where the border should be.</param>
    public static double Valley(IReadOnlyList<float> scores, double start)
    {
        if (scores.Count == 0)
            return start;
        var lowest = start - Below - (4 * Bandwidth);
        var highest = (double)scores.Max();
        var bins = new double[Math.Max(1, (int)((highest - lowest) / Step) + 2)];
        foreach (var score in scores)
        {
            if (score >= lowest)
                bins[(int)((score - lowest) / Step)]++;
        }
        var reach = (int)(4 * Bandwidth / Step);
        double Density(double at)
        {
            var (sum, middle) = (0.0, (int)((at - lowest) / Step));
            for (var i = Math.Max(0, middle - reach); i < Math.Min(bins.Length, middle + reach + 1); i++)
                sum += bins[i] * Math.Exp(-0.5 * Math.Pow((i - middle) * Step / Bandwidth, 2));
            return sum;
        }
        // Downhill, to the first place from which it goes up again; a slope that never rises has no valley.
        var at = start;
        if (Density(at - Step) < Density(at))
        {
            while (at > start - Below && Density(at - Step) < Density(at))
                at -= Step;
            return at;
        }
        while (at < highest && Density(at + Step) <= Density(at))
            at += Step;
        return at >= highest - Bandwidth || Density(at) > Bottom * Density(start) ? start : at;
    }
}
