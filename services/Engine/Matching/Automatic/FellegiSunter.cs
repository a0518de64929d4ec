namespace Qualiz.Engine.Matching.Automatic;

/// <summary>
/// The model of I. P. Fellegi and A. B. Sunter, "A Theory for Record Linkage" (1969): each column of a pair shows a level of likeness, with the probability m among pairs that are the same and u among
/// those that are not; its weight is log2(m/u), and the weights of a pair's columns add up. Nothing is labelled: u comes from random pairs, m and the share of same pairs by expectation-maximisation.
/// The share is one over all pairs of rows, of which those that were not found as candidates are taken for different: over the candidates alone the two kinds would change places.
/// </summary>
internal sealed class FellegiSunter
{
    private const int Rounds = 60;
    private const double Settled = 1e-5;

    private readonly int _rows;
    private readonly double _allPairs;

    private FellegiSunter(int columns, int rows, double allPairs)
    {
        _rows = rows;
        _allPairs = allPairs;
        M = [.. Enumerable.Range(0, columns).Select(_ => (double[])[0.05, 0.05, 0.05, 0.15, 0.7])];
        U = [.. Enumerable.Range(0, columns).Select(_ => new double[ValueComparer.Levels])];
        Weights = [.. Enumerable.Range(0, columns).Select(_ => new double[ValueComparer.Levels])];
        Chance = [.. Enumerable.Repeat(1.0, columns)];
        Prior = Math.Min(0.1 * rows / allPairs, 0.1);
    }

    /// <summary>By column and level.</summary>
    public double[][] M { get; }
    public double[][] U { get; }

    /// <summary>By column and level, log2(m/u), never falling with the level; for equal values log2(m / <see cref="Chance"/>), from which the value's own log2 of its frequency is taken.</summary>
    public double[][] Weights { get; }

    /// <summary>By column: the share of equal pairs that are equal by chance.</summary>
    public double[] Chance { get; }

    /// <summary>The share of same pairs among all.</summary>
    public double Prior { get; private set; }

    public double PriorWeight => Math.Log2(Prior / (1 - Prior));

    public static double Probability(double weight) => 1 / (1 + double.Exp2(-weight));

    /// <param name="pairs">The candidates.</param>
    /// <param name="random">Patterns among random pairs.</param>
    public static FellegiSunter Learn(PairEvidence pairs, PatternCounts random, int rows, double allPairs)
    {
        var model = new FellegiSunter(pairs.Patterns.Columns, rows, allPairs);
        model.LearnU(random);
        model.Weigh();
        for (var round = 0; round < Rounds; round++)
        {
            var before = model.Prior;
            var (same, free) = model.Posteriors(pairs);
            model.Learn(pairs, same, free);
            if (round > 5 && Math.Abs(model.Prior - before) < Settled * before)
                break;
        }
        return model;
    }

    /// <summary>Learns anew from pairs that were found to be the same.</summary>
    /// <param name="found">By candidate.</param>
    public void Learn(PairEvidence pairs, bool[] found)
    {
        var same = new double[pairs.Patterns.Counts.Length];
        for (var i = 0; i < found.Length; i++)
            same[pairs.Pattern[i]] += found[i] ? 1 : 0;
        Learn(pairs, same, same);
    }

    private void Learn(PairEvidence pairs, double[] same, double[] free)
    {
        LearnM(pairs.Patterns, same);
        if (pairs.EqualPairs is { } equal)
            LearnChance(pairs.Patterns, free, equal);
        Weigh();
    }

    /// <summary>The weight of a pattern of levels, without the rareness of equal values.</summary>
    public double Weight(ReadOnlySpan<byte> pattern)
    {
        var weight = 0.0;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != ValueComparer.Missing)
                weight += Weights[i][pattern[i]];
        }
        return weight;
    }

    /// <summary>
    /// By pattern: how many of its pairs are the same. A row is the same as few others, so what its pairs have together is held to one: else any large group that has something in common (all that
    /// lies in one city) would be taken for the same thing.
    /// </summary>
    private (double[] Same, double[] Free) Posteriors(PairEvidence pairs)
    {
        var weights = new double[pairs.Patterns.Counts.Length];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = Weight(pairs.Patterns.Pattern(i)) + PriorWeight;
        var sums = new double[_rows];
        var odds = new double[pairs.A.Length];
        Parallel.For(0, odds.Length, i => odds[i] = Math.Min(double.Exp2(weights[pairs.Pattern[i]] + pairs.Rareness[i]), 1e12));
        for (var i = 0; i < odds.Length; i++)
        {
            sums[pairs.A[i]] += odds[i];
            sums[pairs.B[i]] += odds[i];
        }
        var (same, free) = (new double[weights.Length], new double[weights.Length]);
        for (var i = 0; i < odds.Length; i++)
        {
            free[pairs.Pattern[i]] += odds[i] / (1 + odds[i]);
            var most = Math.Max(sums[pairs.A[i]], sums[pairs.B[i]]);
            same[pairs.Pattern[i]] += odds[i] / (1 + most);
        }
        return (same, free);
    }

    private void LearnM(PatternCounts patterns, double[] same)
    {
        var sums = Array.ConvertAll(M, levels => new double[levels.Length]);
        for (var i = 0; i < same.Length; i++)
        {
            var pattern = patterns.Pattern(i);
            for (var c = 0; c < pattern.Length; c++)
            {
                if (pattern[c] != ValueComparer.Missing)
                    sums[c][pattern[c]] += same[i];
            }
        }
        Prior = Math.Clamp((same.Sum() + 0.5) / _allPairs, 1e-12, 0.5);
        // A little of what is usual, so that no level is impossible.
        double[] usual = [0.5, 0.5, 0.5, 0.5, 1];
        for (var c = 0; c < sums.Length; c++)
        {
            var total = sums[c].Sum() + usual.Sum();
            for (var level = 0; level < usual.Length; level++)
                M[c][level] = (sums[c][level] + usual[level]) / total;
        }
    }

    private void LearnChance(PatternCounts patterns, double[] same, double[] equalPairs)
    {
        var sums = new double[Chance.Length];
        for (var i = 0; i < same.Length; i++)
        {
            var pattern = patterns.Pattern(i);
            for (var c = 0; c < pattern.Length; c++)
            {
                if (pattern[c] == ValueComparer.Equal)
                    sums[c] += same[i];
            }
        }
        for (var c = 0; c < sums.Length; c++)
            Chance[c] = Math.Max(equalPairs[c] - sums[c], 0.5) / Math.Max(equalPairs[c], 1);
    }

    private void LearnU(PatternCounts random)
    {
        var sums = Array.ConvertAll(U, levels => new double[levels.Length]);
        for (var i = 0; i < random.Counts.Length; i++)
        {
            var pattern = random.Pattern(i);
            for (var c = 0; c < pattern.Length; c++)
            {
                if (pattern[c] != ValueComparer.Missing)
                    sums[c][pattern[c]] += random.Counts[i];
            }
        }
        for (var c = 0; c < sums.Length; c++)
        {
            var total = sums[c].Sum() + (0.5 * ValueComparer.Levels);
            for (var level = 0; level < ValueComparer.Levels; level++)
                U[c][level] = (sums[c][level] + 0.5) / total;
        }
    }

    /// <summary>Weights from m and u; where they would fall with the level, neighbours are pooled (isotonic regression by pooling adjacent violators).</summary>
    private void Weigh()
    {
        for (var c = 0; c < M.Length; c++)
        {
            var blocks = new List<(double M, double U, int Levels)>();
            for (var level = 0; level < ValueComparer.Equal; level++)
            {
                blocks.Add((M[c][level], U[c][level], 1));
                while (blocks.Count > 1 && blocks[^2].M / blocks[^2].U > blocks[^1].M / blocks[^1].U)
                {
                    var (x, y) = (blocks[^2], blocks[^1]);
                    blocks.RemoveRange(blocks.Count - 2, 2);
                    blocks.Add((x.M + y.M, x.U + y.U, x.Levels + y.Levels));
                }
            }
            var at = 0;
            foreach (var block in blocks)
            {
                for (var i = 0; i < block.Levels; i++)
                    Weights[c][at++] = Math.Log2(block.M / block.U);
            }
            Weights[c][ValueComparer.Equal] = Math.Log2(M[c][ValueComparer.Equal] / Chance[c]);
        }
    }
}

/// <summary>What is known of the candidates.</summary>
/// <param name="Pattern">By pair: the number of its pattern.</param>
/// <param name="Rareness">By pair: how rare its equal values are, as the sum of log2 of one over their frequencies.</param>
/// <param name="EqualPairs">By column: how many pairs of all are equal, where some of them may be equal because they are the same; null: frequencies leave these out already.</param>
internal sealed record PairEvidence(int[] A, int[] B, PatternCounts Patterns, int[] Pattern, float[] Rareness, double[]? EqualPairs);

/// <summary>Patterns of levels, and how often each was seen.</summary>
internal sealed class PatternCounts
{
    private readonly byte[] _patterns;

    private PatternCounts(int columns, byte[] patterns, double[] counts)
    {
        Columns = columns;
        _patterns = patterns;
        Counts = counts;
        Total = counts.Sum();
    }

    public int Columns { get; }
    public double[] Counts { get; }
    public double Total { get; }

    public ReadOnlySpan<byte> Pattern(int i) => _patterns.AsSpan(i * Columns, Columns);

    /// <param name="levels">By column and pair.</param>
    /// <param name="pattern">Gets the number of each pair's pattern.</param>
    public static PatternCounts Of(byte[][] levels, int pairs, int[]? pattern = null)
    {
        var counts = new Dictionary<UInt128, double>();
        for (var i = 0; i < pairs; i++)
        {
            System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(counts, Key(levels, i), out _)++;
        }
        var keys = counts.Keys.Order().ToArray();
        if (pattern is not null)
        {
            var number = new Dictionary<UInt128, int>(keys.Length);
            for (var i = 0; i < keys.Length; i++)
                number[keys[i]] = i;
            for (var i = 0; i < pairs; i++)
                pattern[i] = number[Key(levels, i)];
        }
        var patterns = new byte[keys.Length * levels.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            var key = keys[i];
            for (var c = levels.Length - 1; c >= 0; c--)
            {
                patterns[(i * levels.Length) + c] = (byte)(key & 7);
                key >>= 3;
            }
        }
        return new PatternCounts(levels.Length, patterns, [.. keys.Select(key => counts[key])]);
    }

    private static UInt128 Key(byte[][] levels, int pair)
    {
        var key = UInt128.Zero;
        foreach (var column in levels)
            key = (key << 3) | column[pair];
        return key;
    }
}
