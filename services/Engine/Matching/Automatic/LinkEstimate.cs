namespace Qualiz.Engine.Matching.Automatic;

/// <summary>
/// How good links would be that are made by a score, one to one, judged without labels. What scores rows reach with others that are not the same is seen from rows that are surely linked: had they no partner, they would be linked
/// to whoever is next, so their partners are forbidden and links are made anew (decoys; J. E. Elias, S. P. Gygi, "Target-decoy search strategy", 2007). From how often these reach a score follows how many of all links
/// from it on are wrong, how many rows have a partner at all, and from which score on links are expected to be the best.
/// </summary>
internal sealed class LinkEstimate
{
    private const int Rounds = 4;

    /// <summary>Of the links that are expected to be right, the best ones up to this part are sure.</summary>
    private const double Sure = 0.9;

    /// <summary>Where nearly all are wrong, nothing can be told from the few others.</summary>
    private const double MostWrong = 0.8;

    private readonly double[] _scores;
    private readonly double[] _wrong;
    private readonly int _rows;

    private LinkEstimate(double[] scores, double[] wrong, double same, int rows) => (_scores, _wrong, Same, _rows) = (scores, wrong, same, rows);

    /// <summary>How many rows are expected to have a partner.</summary>
    public double Same { get; }

    /// <param name="a">By pair, its row of the first source, which has <paramref name="border"/> of them.</param>
    /// <param name="b">By pair, its row of the second source.</param>
    /// <param name="scores">By pair.</param>
    /// <param name="pairs">Those that count.</param>
    /// <param name="rows">Of both sources.</param>
    public static LinkEstimate Of(int[] a, int[] b, float[] scores, int[] pairs, int border, int rows)
    {
        var order = (int[])pairs.Clone();
        Array.Sort(Array.ConvertAll(order, i => (-scores[i], i)), order);
        // The smaller source: each of its rows may have a partner.
        var small = border <= rows - border ? a : b;
        var fewest = Math.Min(border, rows - border);
        var partner = new int[rows];
        Array.Fill(partner, -1);
        var links = Link(_ => false);
        foreach (var i in links)
            (partner[a[i]], partner[b[i]]) = (b[i], a[i]);
        var reached = links.ConvertAll(i => (double)scores[i]).ToArray();
        var wrong = new double[reached.Length];
        var (same, best) = (0.0, links.Count);
        for (var round = 0; round < Rounds && links.Count > 0; round++)
        {
            var count = round == 0 ? links.Count : Math.Max(1, (int)(best * Sure));
            var sure = new bool[rows];
            foreach (var i in links.Take(count))
                sure[small[i]] = true;
            var decoys = Link(i => sure[small[i]] && partner[a[i]] == b[i]).FindAll(i => sure[small[i]]);
            same = 1;
            for (var (k, at) = (0, 0); k < reached.Length; k++)
            {
                while (at < decoys.Count && scores[decoys[at]] >= reached[k])
                    at++;
                wrong[k] = Math.Min(1, (at + 0.5) / count);
                if (wrong[k] <= MostWrong)
                    same = Math.Max(same, (k + 1 - (fewest * wrong[k])) / (1 - wrong[k]));
            }
            best = 1 + new LinkEstimate(reached, wrong, same, fewest).BestAt(same);
        }
        return new LinkEstimate(reached, wrong, same, fewest);

        List<int> Link(Func<int, bool> forbidden)
        {
            var taken = new bool[rows];
            var made = new List<int>();
            foreach (var i in order)
            {
                if (taken[a[i]] || taken[b[i]] || forbidden(i))
                    continue;
                taken[a[i]] = taken[b[i]] = true;
                made.Add(i);
            }
            return made;
        }
    }

    /// <summary>The F1 that links from a score on are expected to have.</summary>
    /// <param name="same">How many rows have a partner.</param>
    public double F1(double threshold, double same)
    {
        var count = Array.FindLastIndex(_scores, score => score >= threshold);
        return count < 0 ? 0 : Expected(count, same);
    }

    /// <summary>From which score on links are expected to have the best F1; the greatest number there is where there are no links.</summary>
    public double Threshold => _scores.Length == 0 ? double.MaxValue : _scores[BestAt(Same)];

    private int BestAt(double same)
    {
        var best = 0;
        for (var k = 1; k < _scores.Length; k++)
        {
            if (Expected(k, same) > Expected(best, same))
                best = k;
        }
        return best;
    }

    private double Expected(int k, double same) => 2 * Math.Min(k + 1 - (Math.Max(_rows - same, 0) * _wrong[k]), same) / (k + 1 + same);
}
