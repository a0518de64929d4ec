namespace Qualiz.Engine.Matching;

/// <summary>Two groups of rows that are similar: the sum of their pairs' probabilities.</summary>
internal readonly record struct LinkedPair(int A, int B, double Sum);

/// <param name="Group">The group that stands for the cluster: its smallest.</param>
/// <param name="Weakest">The least of the averages by which it grew.</param>
internal readonly record struct Cluster(int Group, double Weakest);

/// <summary>
/// Joins groups as long as the average over all pairs of their rows is high enough, the most similar first. Unlike connected components, a chain
/// of small differences does not make one thing of its two ends: pairs that are not similar count as zero.
/// </summary>
internal static class AverageLink
{
    /// <param name="sizes">How many rows each group has.</param>
    /// <returns>By group, the cluster it ended in; groups that stayed alone are not listed.</returns>
    public static Dictionary<int, Cluster> Join(IReadOnlyDictionary<int, long> sizes, IEnumerable<LinkedPair> pairs, double accept)
    {
        var neighbours = new Dictionary<int, Dictionary<int, double>>();
        foreach (var (a, b, sum) in pairs)
        {
            if (a == b)
                continue;
            Add(a, b, sum);
            Add(b, a, sum);
        }
        var size = sizes.ToDictionary();
        var version = new Dictionary<int, int>();
        var weakest = new Dictionary<int, double>();
        var members = new Dictionary<int, List<int>>();
        // The most similar first; then by number, so that the result does not depend on the order of the pairs.
        var queue = new PriorityQueue<(int A, int B, int VersionA, int VersionB), (double, int, int)>();
        foreach (var (a, others) in neighbours)
        {
            foreach (var b in others.Keys.Where(b => a < b))
                Enqueue(a, b);
        }
        while (queue.TryDequeue(out var next, out var priority))
        {
            var (a, b) = (next.A, next.B);
            if (next.VersionA != version.GetValueOrDefault(a) || next.VersionB != version.GetValueOrDefault(b))
                continue;
            var average = -priority.Item1;
            weakest[a] = Math.Min(average, Math.Min(weakest.GetValueOrDefault(a, 1), weakest.GetValueOrDefault(b, 1)));
            weakest.Remove(b);
            var all = members.TryGetValue(a, out var list) ? list : members[a] = [a];
            all.AddRange(members.Remove(b, out var absorbed) ? absorbed : [b]);
            size[a] += size[b];
            version[a] = version.GetValueOrDefault(a) + 1;
            version[b] = int.MinValue;
            neighbours.Remove(b, out var others);
            neighbours[a].Remove(b);
            foreach (var (c, sum) in others!)
            {
                if (c == a)
                    continue;
                neighbours[c].Remove(b);
                Add(a, c, sum);
                neighbours[c][a] = neighbours[a][c];
            }
            foreach (var c in neighbours[a].Keys)
                Enqueue(Math.Min(a, c), Math.Max(a, c));
        }
        return members.SelectMany(entry => entry.Value.Select(group => (group, new Cluster(entry.Key, weakest[entry.Key])))).ToDictionary(entry => entry.group, entry => entry.Item2);

        void Add(int from, int to, double sum)
        {
            var list = neighbours.TryGetValue(from, out var found) ? found : neighbours[from] = [];
            list[to] = list.GetValueOrDefault(to) + sum;
        }

        void Enqueue(int a, int b)
        {
            var average = neighbours[a][b] / ((double)size[a] * size[b]);
            if (average >= accept)
                queue.Enqueue((a, b, version.GetValueOrDefault(a), version.GetValueOrDefault(b)), (-average, a, b));
        }
    }
}
