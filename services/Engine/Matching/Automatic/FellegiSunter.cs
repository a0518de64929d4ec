using Qualiz.Engine.Columns;

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
    private const double Hopeless = -17;
    private const double MostBits = 40;

    /// <summary>From so many rows on what is usual does not count beside what is learnt.</summary>
    public const double Enough = 200;

    /// <summary>With hardly any rows, what is usual counts as much as so many pairs that are the same, and so many that are not, would.</summary>
    private const double UsualSame = 30;
    private const double UsualRandom = 100;

    // By level, what two records of one thing, and of two, show in most tables: values of one are mostly equal or nearly so, chance makes few alike.
    private static readonly double[] UsualM = [0.05, 0.05, 0.05, 0.15, 0.7];
    private static readonly double[] UsualU = [0.9, 0.05, 0.03, 0.015, 0.005];

    private readonly int _rows;
    private readonly double _firstPrior;

    /// <summary>How much what is usual counts, from 1 in a table of hardly any rows to 0: in such a table a pair that is the same is a good part of all pairs, so it would be taken for chance, and the two rows
    /// that are the most alike, however different, for what the same looks like.</summary>
    private readonly double _usual;

    private FellegiSunter(int columns, int rows, double allPairs)
    {
        _rows = rows;
        M = [.. Enumerable.Range(0, columns).Select(_ => (double[])[.. UsualM])];
        U = [.. Enumerable.Range(0, columns).Select(_ => new double[ValueComparer.Levels])];
        Weights = [.. Enumerable.Range(0, columns).Select(_ => new double[ValueComparer.Levels])];
        Chance = [.. Enumerable.Repeat(1.0, columns)];
        Prior = _firstPrior = Math.Min(0.1 * rows / allPairs, 0.1);
        AllPairs = allPairs;
        _usual = Math.Max(0, 1 - (rows / Enough));
    }

    /// <summary>How many pairs of rows there are.</summary>
    public double AllPairs { get; }

    /// <summary>By column and level.</summary>
    public double[][] M { get; }
    public double[][] U { get; }

    /// <summary>By column and level, log2(m/u), never falling with the level; for equal values log2(m / <see cref="Chance"/>), from which the value's own log2 of its frequency is taken.</summary>
    public double[][] Weights { get; }

    /// <summary>By column: the share of equal pairs that are equal by chance.</summary>
    public double[] Chance { get; }

    /// <summary>The share of same pairs among all.</summary>
    public double Prior { get; private set; }

    public double PriorWeight => Rounded(Math.Log2(Prior / (1 - Prior)));

    public static double Probability(double weight) => 1 / (1 + double.Exp2(-weight));

    /// <summary>The evidence that a probability stands for.</summary>
    public static double Bits(double probability) => Rounded(Math.Log2(Math.Max(probability, 1e-12) / Math.Max(1 - probability, 1e-12)));

    /// <summary>Weights are whole numbers of 1/4096 bits: so their sums are exact, in whatever order they are added.</summary>
    public static double Rounded(double weight) => Math.Round(weight * 4096) / 4096;

    private FellegiSunter(FellegiSunter other)
    {
        (_rows, AllPairs, _firstPrior, _usual, Prior) = (other._rows, other.AllPairs, other._firstPrior, other._usual, other.Prior);
        (M, U, Weights, Chance) = (Copy(other.M), other.U, Copy(other.Weights), [.. other.Chance]);

        static double[][] Copy(double[][] levels) => Array.ConvertAll(levels, values => (double[])[.. values]);
    }

    /// <summary>The same, to learn from here on its own.</summary>
    public FellegiSunter Copy() => new(this);

    /// <summary>What is known before any pair is looked at but random ones.</summary>
    /// <param name="random">Patterns among random pairs.</param>
    public static FellegiSunter Start(PatternCounts random, int rows, double allPairs)
    {
        var model = new FellegiSunter(random.Columns, rows, allPairs);
        model.LearnU(random);
        model.Weigh();
        return model;
    }

    /// <summary>Learns from the candidates by expectation-maximisation, until the share of same pairs changes no more.</summary>
    public void Learn(PairEvidence pairs, int rounds = Rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            var before = Prior;
            var (same, free) = Posteriors(pairs);
            Learn(pairs, same, free);
            if (round > 5 && Math.Abs(Prior - before) < Settled * before)
                break;
        }
    }

    /// <summary>Learns from patterns alone, where pairs are too many to be held.</summary>
    /// <param name="rareness">By pattern: how rare its equal values are, as the sum of log2 of one over their frequencies.</param>
    /// <param name="equalPairs">By column: how many pairs of all are equal.</param>
    public void Learn(PatternCounts patterns, double[] rareness, double[] equalPairs)
    {
        var same = new double[patterns.Counts.Length];
        for (var round = 0; round < Rounds; round++)
        {
            var before = Prior;
            for (var i = 0; i < same.Length; i++)
                same[i] = patterns.Counts[i] * Probability(Math.Min(Weight(patterns.Pattern(i)) + PriorWeight + rareness[i], MostBits));
            LearnM(patterns, same);
            LearnChance(patterns, same, equalPairs);
            Weigh();
            if (round > 5 && Math.Abs(Prior - before) < Settled * before)
                break;
        }
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
        var (same, free) = (new double[pairs.Patterns.Counts.Length], new double[pairs.Patterns.Counts.Length]);
        var weights = new double[same.Length];
        // Pairs of which hardly one in a hundred thousand is the same change nothing, and they are most.
        var active = new List<int>();
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = Weight(pairs.Patterns.Pattern(i)) + PriorWeight;
            if (weights[i] + pairs.MostRareness[i] > Hopeless)
                active.Add(i);
        }
        var sums = new double[_rows];
        foreach (var pattern in active)
        {
            foreach (var i in pairs.ByPattern[pattern])
            {
                var odds = Odds(i, pattern);
                sums[pairs.A[i]] += odds;
                sums[pairs.B[i]] += odds;
            }
        }
        foreach (var pattern in active)
        {
            foreach (var i in pairs.ByPattern[pattern])
            {
                var odds = Odds(i, pattern);
                free[pattern] += pairs.Each * odds / (1 + odds);
                same[pattern] += pairs.Each * odds / (1 + Math.Max(sums[pairs.A[i]], sums[pairs.B[i]]));
            }
        }
        return (same, free);

        double Odds(int i, int pattern) => Math.Min(double.Exp2(weights[pattern] + pairs.Rareness[i] - (pairs.Against is { } against ? against[i] : 0)), 1e12);
    }

    /// <summary>How well a column tells the same from the different: the divergence of m from u, in bits (S. Kullback, R. A. Leibler, 1951).</summary>
    public double Telling(int column) => M[column].Select((m, level) => m * Math.Log2(m / U[column][level])).Sum();

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
        Prior = Math.Clamp((((same.Sum() + 0.5) / AllPairs) + (_usual * _firstPrior)) / (1 + _usual), 1e-12, 0.5);
        // A little of what is usual, so that no level is impossible.
        double[] usual = [0.5, 0.5, 0.5, 0.5, 1];
        for (var c = 0; c < sums.Length; c++)
        {
            var more = UsualSame * _usual;
            var total = sums[c].Sum() + usual.Sum() + more;
            for (var level = 0; level < usual.Length; level++)
                M[c][level] = (sums[c][level] + usual[level] + (more * UsualM[level])) / total;
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
            // Pairs that were drawn several times were seen once.
            var seen = _usual > 0 ? Math.Min(1, AllPairs / Math.Max(1, sums[c].Sum())) : 1;
            var more = UsualRandom * _usual;
            var total = (sums[c].Sum() * seen) + (0.5 * ValueComparer.Levels) + more;
            for (var level = 0; level < ValueComparer.Levels; level++)
                U[c][level] = ((sums[c][level] * seen) + 0.5 + (more * UsualU[level])) / total;
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
                    Weights[c][at++] = Rounded(Math.Log2(block.M / block.U));
            }
            Weights[c][ValueComparer.Equal] = Rounded(Math.Log2(M[c][ValueComparer.Equal] / Chance[c]));
        }
    }
}

/// <summary>What is known of the candidates.</summary>
internal sealed class PairEvidence
{
    /// <param name="pattern">By pair: the number of its pattern.</param>
    /// <param name="rareness">By pair: how rare its equal values are, as the sum of log2 of one over their frequencies.</param>
    /// <param name="equalPairs">By column: how many pairs of all are equal, where some of them may be equal because they are the same; null: frequencies leave these out already.</param>
    public PairEvidence(int[] a, int[] b, PatternCounts patterns, int[] pattern, float[] rareness, double[]? equalPairs)
    {
        (A, B, Patterns, Pattern, Rareness, EqualPairs) = (a, b, patterns, pattern, rareness, equalPairs);
        ByPattern = IntLists.Rows(pattern, patterns.Counts.Length);
        MostRareness = new float[patterns.Counts.Length];
        for (var i = 0; i < pattern.Length; i++)
            MostRareness[pattern[i]] = Math.Max(MostRareness[pattern[i]], rareness[i]);
    }

    /// <summary>What is known of some of the pairs.</summary>
    /// <param name="each">How many pairs each of them stands for.</param>
    public PairEvidence Only(int[] pairs, int each) =>
        new(Array.ConvertAll(pairs, i => A[i]), Array.ConvertAll(pairs, i => B[i]), Patterns, Array.ConvertAll(pairs, i => Pattern[i]), Array.ConvertAll(pairs, i => Rareness[i]), EqualPairs) { Each = each };

    public int[] A { get; }
    public int[] B { get; }
    public PatternCounts Patterns { get; }
    public int[] Pattern { get; }
    public float[] Rareness { get; }
    public double[]? EqualPairs { get; }

    /// <summary>How many pairs each of these stands for.</summary>
    public int Each { get; private init; } = 1;

    /// <summary>By pair: log2 of how much likelier it is than by chance that the pair looks like this without being the same; null: of none.</summary>
    public float[]? Against { get; set; }

    /// <summary>By pattern, its pairs.</summary>
    public IntLists ByPattern { get; }

    public float[] MostRareness { get; }
}

/// <summary>Patterns of levels, and how often each was seen.</summary>
internal sealed class PatternCounts
{
    /// <summary>Pairs that one thread takes at a time.</summary>
    private const int Portion = 1 << 15;
    public const int LevelBits = 3;

    private readonly byte[] _patterns;

    private PatternCounts(int columns, byte[] patterns, double[] counts)
    {
        Columns = columns;
        _patterns = patterns;
        Counts = counts;
    }

    public int Columns { get; }
    public double[] Counts { get; }

    public ReadOnlySpan<byte> Pattern(int i) => _patterns.AsSpan(i * Columns, Columns);

    /// <param name="patterns">Their levels, side by side.</param>
    public static PatternCounts Of(int columns, byte[] patterns, double[] counts) => new(columns, patterns, counts);

    /// <param name="key">Of a pair: its levels, of which each takes <see cref="LevelBits"/> and the first the highest.</param>
    /// <param name="pattern">By pair, the number of its pattern.</param>
    public static PatternCounts Of(int columns, int pairs, Func<int, UInt128> key, ParallelOptions parallel, out int[] pattern)
    {
        // Patterns are numbered as they come at first, which depends on the threads, and by what they are in the end.
        var numbers = new Dictionary<UInt128, int>();
        var numbered = new int[pairs];
        Parallel.For(0, (pairs + Portion - 1) / Portion, parallel, portion =>
        {
            var own = new Dictionary<UInt128, int>();
            var end = (int)Math.Min(pairs, (portion + 1L) * Portion);
            for (var i = portion * Portion; i < end; i++)
            {
                var levels = key(i);
                if (!own.TryGetValue(levels, out var number))
                {
                    lock (numbers)
                    {
                        if (!numbers.TryGetValue(levels, out number))
                            numbers[levels] = number = numbers.Count;
                    }
                    own[levels] = number;
                }
                numbered[i] = number;
            }
        });
        var keys = numbers.Keys.Order().ToArray();
        var renumbered = new int[keys.Length];
        for (var i = 0; i < keys.Length; i++)
            renumbered[numbers[keys[i]]] = i;
        var counts = new double[keys.Length];
        for (var i = 0; i < numbered.Length; i++)
            counts[numbered[i] = renumbered[numbered[i]]]++;
        var patterns = new byte[keys.Length * columns];
        for (var i = 0; i < keys.Length; i++)
        {
            var levels = keys[i];
            for (var c = columns - 1; c >= 0; c--)
            {
                patterns[(i * columns) + c] = (byte)(levels & ((1 << LevelBits) - 1));
                levels >>= LevelBits;
            }
        }
        pattern = numbered;
        return new PatternCounts(columns, patterns, counts);
    }
}
