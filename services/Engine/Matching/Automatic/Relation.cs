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
internal sealed record RelatedPairs(int Columns, double[] Ratios, double[] Odds, double Prior, double AllPairs, double Sampled)
{
    private const int Rounds = 20;

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
            foreach (var column in telling.Take(MostTried))
            {
                var start = Enumerable.Repeat(0.5, Columns).ToArray();
                start[column] = 0.02;
                var more = known.Append(new Relation(start, Math.Log2(Math.Max(Odds.Length, 1) * Sampled / 4 / AllPairs))).ToList();
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
        var odds = new double[relations.Count];
        var (likelihood, same) = (0.0, 0.0);
        for (var round = 0; round < Rounds; round++)
        {
            (likelihood, same) = (-(Prior + relations.Sum(relation => double.Exp2(relation.Weight))) * AllPairs, 0);
            var sums = relations.Select(_ => (All: 0.0, Shared: new double[Columns], Filled: new double[Columns])).ToArray();
            for (var i = 0; i < Odds.Length; i++)
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
                likelihood += Math.Log(all) * Sampled;
                same += Odds[i] / all * Sampled;
                for (var k = 0; k < odds.Length; k++)
                {
                    var part = odds[k] / all;
                    if (part < 1e-6)
                        continue;
                    sums[k].All += part;
                    var shares = relations[k].Shares;
                    for (var c = 0; c < ratios.Length; c++)
                    {
                        if (double.IsNaN(ratios[c]))
                            continue;
                        var shared = shares[c] * ratios[c];
                        sums[k].Filled[c] += part;
                        sums[k].Shared[c] += part * shared / (shared + 1 - shares[c]);
                    }
                }
            }
            for (var k = 0; k < odds.Length; k++)
            {
                var (total, shared, filled) = sums[k];
                var shares = relations[k].Shares;
                relations[k] = new Relation([.. shared.Select((sum, c) => shares[c] == 0 ? 0 : (sum + 0.5) / (filled[c] + 1))], FellegiSunter.Rounded(Math.Log2((total + 0.5) * Sampled / AllPairs)));
            }
        }
        return (likelihood, same);
    }
}
