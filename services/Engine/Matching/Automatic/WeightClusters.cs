using System.Buffers;

namespace Qualiz.Engine.Matching.Automatic;

/// <summary>
/// Makes clusters of weighted pairs: of the two clusters with the highest average weight between their rows (all pairs of them, absent ones too) one is made, until no average is above zero (average-link
/// agglomeration; R. R. Sokal, C. D. Michener, 1958). Weights are evidence for or against; each counts at most <see cref="Most"/>, so that one certain pair does not outvote many doubtful ones.
/// </summary>
internal static class WeightClusters
{
    public const float Most = 12;

    public static int[] AverageLink(int count, Func<int, int, float> weight) => AverageLink([.. Enumerable.Repeat(1, count)], weight, out _);

    /// <param name="sizes">How many rows there are at each place.</param>
    /// <param name="weight">The evidence for the rows of two places on average: above zero for the same, negative infinity for what never comes into one cluster.</param>
    /// <param name="weakest">By cluster: the least of the averages by which it grew; the greatest number there is where it did not.</param>
    /// <returns>By place, the number of its cluster: its first member's place.</returns>
    public static int[] AverageLink(int[] sizes, Func<int, int, float> weight, out float[] weakest)
    {
        var count = sizes.Length;
        var least = weakest = new float[count];
        Array.Fill(least, float.MaxValue);
        if (count == 2)
        {
            var only = Math.Clamp(weight(0, 1), -Most, Most);
            if (only <= 0)
                return [0, 1];
            least[0] = only;
            return [0, 0];
        }
        var sums = ArrayPool<float>.Shared.Rent(count * count);
        var size = (int[])sizes.Clone();
        var cluster = new int[count];
        var best = new int[count];
        try
        {
            for (var i = 0; i < count; i++)
            {
                cluster[i] = i;
                for (var j = 0; j < i; j++)
                    sums[(i * count) + j] = sums[(j * count) + i] = weight(j, i) is var evidence && float.IsNegativeInfinity(evidence) ? evidence : Math.Clamp(evidence, -Most, Most) * size[i] * size[j];
            }
            var alive = Enumerable.Range(0, count).ToList();
            foreach (var i in alive)
                best[i] = Best(i);
            while (true)
            {
                var (a, average) = (-1, 0f);
                foreach (var i in alive)
                {
                    if (best[i] >= 0 && Average(i, best[i]) > average)
                        (a, average) = (i, Average(i, best[i]));
                }
                if (a < 0)
                    return Named();
                var b = best[a];
                if (b < a)
                    (a, b) = (b, a);
                least[a] = Math.Min(average, Math.Min(least[a], least[b]));
                alive.Remove(b);
                for (var i = 0; i < count; i++)
                {
                    sums[(a * count) + i] += sums[(b * count) + i];
                    sums[(i * count) + a] = sums[(a * count) + i];
                    if (cluster[i] == b)
                        cluster[i] = a;
                }
                size[a] += size[b];
                best[a] = Best(a);
                foreach (var i in alive)
                {
                    if (i != a && (best[i] == a || best[i] == b || best[i] < 0 || Average(i, a) > Average(i, best[i])))
                        best[i] = Best(i);
                }
            }

            float Average(int i, int j) => sums[(i * count) + j] / ((float)size[i] * size[j]);

            int Best(int i)
            {
                var (at, most) = (-1, float.NegativeInfinity);
                foreach (var j in alive)
                {
                    if (j != i && Average(i, j) > most)
                        (at, most) = (j, Average(i, j));
                }
                return at;
            }

            int[] Named()
            {
                var first = new int[count];
                Array.Fill(first, -1);
                for (var i = 0; i < count; i++)
                {
                    if (first[cluster[i]] < 0)
                        first[cluster[i]] = i;
                    cluster[i] = first[cluster[i]];
                }
                return cluster;
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(sums);
        }
    }
}
