namespace Qualiz.Benchmarks.Quality;

/// <summary>
/// What anybody would write in half an hour: all words of a row in one bag, cosine by tf-idf, and every pair above a threshold is the same. Linking takes the best
/// partner of each row. The threshold is the one that scores best, which nobody knows who has no truth: a generous baseline.
/// </summary>
internal static class TfIdfBaseline
{
    public static (double F1, double Threshold) Best(MatchSet set)
    {
        var rows = set.Tables.SelectMany((table, side) => table.Rows.Select(row => (Side: side, Words: string.Join(' ', row).ToLowerInvariant()
            .Split([.. " \t\r\n.,;:/\\-_()'\"!?&#"], StringSplitOptions.RemoveEmptyEntries).CountBy(word => word).ToDictionary()))).ToList();
        var count = rows.SelectMany(row => row.Words.Keys).CountBy(word => word).ToDictionary();
        var index = new Dictionary<string, List<(int Row, double Weight)>>();
        var pairs = new List<(double Score, int A, int B)>();
        for (var b = 0; b < rows.Count; b++)
        {
            var weights = rows[b].Words.ToDictionary(word => word.Key, word => word.Value * Math.Log((double)rows.Count / count[word.Key]));
            var length = Math.Sqrt(weights.Values.Sum(weight => weight * weight));
            var scores = new Dictionary<int, double>();
            foreach (var (word, weight) in weights.Where(word => length > 0 && count[word.Key] <= 1000))
            {
                var postings = index.TryGetValue(word, out var known) ? known : index[word] = [];
                foreach (var (a, other) in postings)
                    scores[a] = scores.GetValueOrDefault(a) + (weight / length * other);
                postings.Add((b, weight / length));
            }
            pairs.AddRange(scores.Where(score => score.Value >= 0.2 && (set.Tables.Count == 1 || rows[score.Key].Side != rows[b].Side)).Select(score => (score.Value, score.Key, b)));
        }
        if (set.Tables.Count > 1)
        {
            var taken = new HashSet<int>();
            pairs = [.. pairs.OrderByDescending(pair => pair.Score).Where(pair => !taken.Contains(pair.A) && !taken.Contains(pair.B) && taken.Add(pair.A) && taken.Add(pair.B))];
        }
        return Enumerable.Range(4, 16).Select(step => (set.Score(pairs.Where(pair => pair.Score >= step * 0.05).Select(pair => (pair.A, pair.B))).F1, step * 0.05)).Max();
    }
}
