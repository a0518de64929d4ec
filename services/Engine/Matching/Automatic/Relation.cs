namespace Qualiz.Engine.Matching.Automatic;

/// <summary>
/// A reason why two things agree without being one: people of a household share a surname, an address and a telephone number, songs of an album all but the title. Each column is shared by such pairs with a
/// probability of its own; a shared column is as alike as it is in pairs that are the same, any other one as chance makes it. So what several columns say together, which the model takes for independent
/// evidence, is held against what this reason explains (a latent class beside the same and the different; P. F. Lazarsfeld, N. W. Henry, "Latent Structure Analysis", 1968).
/// </summary>
/// <param name="Shares">By column, how likely it is shared.</param>
/// <param name="Weight">log2 of how many such pairs there are for one that has nothing in common but by chance.</param>
internal sealed record Relation(double[] Shares, double Weight)
{
    /// <summary>How much likelier than by chance a column looks like this, where <paramref name="weight"/> says it for pairs that are the same, in bits.</summary>
    public double Of(int column, double weight) => FellegiSunter.Rounded(Math.Log2(1 - Shares[column] + (Shares[column] * double.Exp2(weight))));
}

/// <summary>Pairs that may be the same, with how much likelier each of their columns is for the same than by chance.</summary>
/// <param name="Columns">How many columns a pair has.</param>
/// <param name="Ratios">Those of a pair side by side; NaN where a side is empty.</param>
/// <param name="Odds">By pair: those of being the same, chance alone against it.</param>
/// <param name="Prior">The share of same pairs among all.</param>
/// <param name="Sampled">How many pairs each of these stands for.</param>
internal sealed record RelatedPairs(int Columns, double[] Ratios, double[] Odds, double Prior, double AllPairs, double Sampled, ParallelOptions Threads)
{
    private const int Rounds = 20;

    /// <summary>Pairs that one thread takes at a time.</summary>
    private const int Portion = 1 << 12;

    /// <summary>So that odds of very many equal columns stay numbers.</summary>
    public const double MostOdds = 1e250;

    /// <summary>
    /// A column that is shared less often than this is another one's, and is from then on: its values are alike by chance. It is not less, as in the beginning the same is still mixed with these pairs; and
    /// it is kept, or else the same that changed in several columns would be taken for related in the end.
    /// </summary>
    private const double Unshared = 0.35;
    private const double Shared = 0.6;

    /// <summary>Where learning begins hardly matters, so few columns are tried to begin with as the one that is not shared.</summary>
    private const int MostTried = 2;

    /// <summary>One column that is sometimes wrong is what the same looks like; several that are unlike together are other things.</summary>
    private const int FewestUnshared = 2;

    /// <summary>Rarer than this beside the same, pairs that share some columns are taken for the same that changed in the others: people who moved.</summary>
    private const double LeastShare = 0.25;

    /// <summary>Learns reasons beside those that are known, one at a time, as long as they explain the pairs better.</summary>
    /// <param name="telling">Columns that tell the same from the different.</param>
    public IReadOnlyList<Relation> Learn(IReadOnlyList<Relation> first, int most, IReadOnlyList<int> telling)
    {
        var known = first.ToList();
        var (likelihood, _) = Refine(known);
        while (known.Count < most)
        {
            var (best, better) = (likelihood + (0.5 * (Columns + 1) * Math.Log(Math.Max(Odds.Length, 1) * Sampled)), (List<Relation>?)null);
            foreach (var start in Starts(telling))
            {
                var more = known.Append(start).ToList();
                var (reached, same) = Refine(more);
                if (reached > best && IsReason(more[^1], telling, same))
                    (best, better) = (reached, more);
            }
            if (better is null)
                break;
            better[^1] = better[^1] with { Shares = Array.ConvertAll(better[^1].Shares, share => share < Unshared ? 0 : share) };
            (known, likelihood) = (better, Refine(better).Likelihood);
        }
        return known;
    }

    /// <summary>
    /// The relation that explains the pairs best, as if it did not share the columns that it shares the least: where pairs that are the same were learnt together with such that are related, neither shows what it
    /// shares and what it does not.
    /// </summary>
    /// <returns>Null: there are too few columns.</returns>
    public IReadOnlyList<Relation>? Supposed(IReadOnlyList<int> telling)
    {
        if (telling.Count <= FewestUnshared)
            return null;
        var best = Starts(telling).Select(start => new List<Relation> { start }).MaxBy(one => Refine(one).Likelihood)![0];
        var least = telling.OrderBy(c => best.Shares[c]).ThenBy(c => c).Take(FewestUnshared).ToHashSet();
        return [best with { Shares = [.. best.Shares.Select((share, c) => least.Contains(c) ? 0 : share)] }];
    }

    /// <summary>The relations once more.</summary>
    public IReadOnlyList<Relation> Refined(IReadOnlyList<Relation> relations)
    {
        var refined = relations.ToList();
        Refine(refined);
        return refined;
    }

    private IEnumerable<Relation> Starts(IReadOnlyList<int> telling) => telling.Take(MostTried).Select(column =>
        new Relation([.. Enumerable.Range(0, Columns).Select(c => c == column ? 0.02 : 0.5)], Math.Log2(Math.Max(Odds.Length, 1) * Sampled / 4 / AllPairs)));

    /// <summary>The relations once more, without those that turn out to be none.</summary>
    public IReadOnlyList<Relation> Settle(IReadOnlyList<Relation> relations, IReadOnlyList<int> telling)
    {
        var settled = relations.ToList();
        var (_, same) = Refine(settled);
        return [.. settled.Where(relation => IsReason(relation, telling, same))];
    }

    private bool IsReason(Relation relation, IReadOnlyList<int> telling, double same) =>
        telling.Count(c => relation.Shares[c] < Unshared) >= FewestUnshared && telling.Any(c => relation.Shares[c] > Shared) && double.Exp2(relation.Weight) * AllPairs > LeastShare * same;

    /// <returns>The log-likelihood of the pairs, and how many of all are the same.</returns>
    private (double Likelihood, double Same) Refine(List<Relation> relations)
    {
        var (likelihood, same) = (0.0, 0.0);
        for (var round = 0; round < Rounds; round++)
        {
            (likelihood, same) = (-(Prior + relations.Sum(relation => double.Exp2(relation.Weight))) * AllPairs, 0);
            // Portions are summed up in their order, so that the sums do not depend on threads.
            var portions = new Sums[(Odds.Length + Portion - 1) / Portion];
            Parallel.For(0, portions.Length, Threads, i => portions[i] = Sum(relations, i * Portion, Math.Min(Odds.Length, (i + 1) * Portion)));
            var sums = new Sums(relations.Count, Columns);
            foreach (var portion in portions)
                sums.Add(portion);
            likelihood += sums.Likelihood * Sampled;
            same += sums.Same * Sampled;
            for (var k = 0; k < relations.Count; k++)
            {
                var (total, shared, filled) = (sums.All[k], sums.Shared[k], sums.Filled[k]);
                var shares = relations[k].Shares;
                relations[k] = new Relation([.. shared.Select((sum, c) => shares[c] == 0 ? 0 : (sum + 0.5) / (filled[c] + 1))], FellegiSunter.Rounded(Math.Log2((total + 0.5) * Sampled / AllPairs)));
            }
        }
        return (likelihood, same);
    }

    private Sums Sum(List<Relation> relations, int from, int to)
    {
        var sums = new Sums(relations.Count, Columns);
        var odds = new double[relations.Count];
        for (var i = from; i < to; i++)
        {
            var ratios = Ratios.AsSpan(i * Columns, Columns);
            var all = 1 + Odds[i];
            for (var k = 0; k < odds.Length; k++)
            {
                odds[k] = double.Exp2(relations[k].Weight);
                var shares = relations[k].Shares;
                for (var c = 0; c < ratios.Length; c++)
                {
                    if (!double.IsNaN(ratios[c]))
                        odds[k] *= 1 - shares[c] + (shares[c] * ratios[c]);
                }
                odds[k] = Math.Min(odds[k], MostOdds);
                all += odds[k];
            }
            sums.Likelihood += Math.Log(all);
            sums.Same += Odds[i] / all;
            for (var k = 0; k < odds.Length; k++)
            {
                var part = odds[k] / all;
                if (part < 1e-6)
                    continue;
                sums.All[k] += part;
                var shares = relations[k].Shares;
                for (var c = 0; c < ratios.Length; c++)
                {
                    if (double.IsNaN(ratios[c]))
                        continue;
                    var shared = shares[c] * ratios[c];
                    sums.Filled[k][c] += part;
                    sums.Shared[k][c] += part * shared / (shared + 1 - shares[c]);
                }
            }
        }
        return sums;
    }

    /// <summary>What pairs add up to: by relation how many there are, and by column how many share it and how many have it.</summary>
    private sealed class Sums(int relations, int columns)
    {
        public double Likelihood { get; set; }
        public double Same { get; set; }
        public double[] All { get; } = new double[relations];
        public double[][] Shared { get; } = [.. Enumerable.Range(0, relations).Select(_ => new double[columns])];
        public double[][] Filled { get; } = [.. Enumerable.Range(0, relations).Select(_ => new double[columns])];

        public void Add(Sums other)
        {
            Likelihood += other.Likelihood;
            Same += other.Same;
            for (var k = 0; k < All.Length; k++)
            {
                All[k] += other.All[k];
                for (var c = 0; c < Shared[k].Length; c++)
                {
                    Shared[k][c] += other.Shared[k][c];
                    Filled[k][c] += other.Filled[k][c];
                }
            }
        }
    }
}
