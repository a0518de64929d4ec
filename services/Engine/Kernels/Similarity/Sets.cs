using System.Numerics;

namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>How much two sets of numbered things (words, q-grams) have in common. Sets are ascending and hold nothing twice.</summary>
internal static class Sets
{
    /// <summary>|a ∩ b|.</summary>
    public static int Common<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b)
        where T : unmanaged, IBinaryInteger<T>
    {
        var (i, j, common) = (0, 0, 0);
        while (i < a.Length && j < b.Length)
        {
            var (x, y) = (a[i], b[j]);
            common += x == y ? 1 : 0;
            i += x <= y ? 1 : 0;
            j += y <= x ? 1 : 0;
        }
        return common;
    }

    /// <summary>|a ∩ b| / |a ∪ b| (P. Jaccard, 1901); 1 for two empty sets.</summary>
    public static double Jaccard<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b)
        where T : unmanaged, IBinaryInteger<T>
    {
        var common = Common(a, b);
        var all = a.Length + b.Length - common;
        return all == 0 ? 1 : (double)common / all;
    }

    /// <summary>Cosine of two sparse vectors: the weights belong to the things of the sets and have the length 1 as a vector (G. Salton, A. Wong, C. S. Yang, 1975).</summary>
    public static double Cosine(ReadOnlySpan<int> a, ReadOnlySpan<float> weightsA, ReadOnlySpan<int> b, ReadOnlySpan<float> weightsB)
    {
        var (i, j, sum) = (0, 0, 0.0);
        while (i < a.Length && j < b.Length)
        {
            if (a[i] == b[j])
                sum += (double)weightsA[i++] * weightsB[j++];
            else if (a[i] < b[j])
                i++;
            else
                j++;
        }
        return sum;
    }
}
