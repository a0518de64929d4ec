using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Clustering;

/// <summary>
/// Finds the values of a text column that are probably spellings of one another, so that a person can approve to write them in one way (the rule <c>replace</c> of a cleanse step does it).
/// </summary>
public static class ValueClusterer
{
    /// <summary>Different values that are looked at, the most frequent ones.</summary>
    public const int MostValues = 2_000_000;

    private const long MemoryBytes = 512L << 20;

    /// <param name="scratch">An existing folder of this call alone.</param>
    /// <param name="most">Clusters to give, those with the most rows to change.</param>
    /// <exception cref="EngineException">A file is not what it claims to be.</exception>
    public static async Task<ValueClusters> FindAsync(LocalDataset dataset, string column, ClusterMethod method, int most, string scratch, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        using var session = EngineSession.Open(new EngineOptions
        {
            MemoryBytes = MemoryBytes,
            Threads = Math.Max(1, Environment.ProcessorCount / 2),
            Scratch = scratch,
            Paths = [.. dataset.Paths],
            PreserveOrder = false,
        });
        var value = Sql.Identifier(column);
        await session.ExecuteAsync(
            $"CREATE TEMP TABLE values_found AS SELECT CAST({value} AS VARCHAR) AS v, count(*) AS n FROM {DatasetFiles.Relation(dataset, [column])} WHERE {value} IS NOT NULL GROUP BY 1", ct).ConfigureAwait(false);
        var distinct = await session.ScalarAsync<long>("SELECT count(*) FROM values_found", ct).ConfigureAwait(false);
        var values = new List<ClusteredValue>((int)Math.Min(distinct, MostValues));
        await foreach (var found in session.StreamAsync(
            $"SELECT v, n FROM values_found ORDER BY n DESC, v LIMIT {MostValues}", row => new ClusteredValue(row.GetString(0), row.GetInt64(1)), ct).ConfigureAwait(false))
        {
            values.Add(found);
        }
        var limits = new List<string>();
        if (distinct > MostValues)
            limits.Add($"The column has {distinct:N0} different values, of which the {MostValues:N0} most frequent were looked at.");
        var clusters = Find(values, method, limits, ct);
        return new ValueClusters(column, method, distinct, clusters.Count, [.. clusters.Take(most)], limits);
    }

    /// <param name="values">Different ones.</param>
    /// <param name="limits">Gets what was left out.</param>
    /// <returns>Those with the most rows to change first.</returns>
    public static IReadOnlyList<ValueCluster> Find(IEnumerable<ClusteredValue> values, ClusterMethod method, ICollection<string> limits, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(limits);
        // In an order of their own: nothing depends on how the rows lie.
        ClusteredValue[] ordered = [.. values.OrderByDescending(value => value.Rows).ThenBy(value => value.Value, StringComparer.Ordinal)];
        var groups = method == ClusterMethod.Nearest ? ByDistance(ordered, limits, ct) : ByKey(ordered, method, ct);
        return
        [
            .. groups.Select(group => new ValueCluster(group[0].Value, group.Sum(value => value.Rows), group))
                .OrderByDescending(cluster => cluster.Rows - cluster.Values[0].Rows).ThenBy(cluster => cluster.Suggested, StringComparer.Ordinal),
        ];
    }

    private static IEnumerable<List<ClusteredValue>> ByKey(ClusteredValue[] values, ClusterMethod method, CancellationToken ct)
    {
        var keys = new string?[values.Length];
        Parallel.For(0, values.Length, new ParallelOptions { CancellationToken = ct }, i => keys[i] = ClusterKeys.Of(method, values[i].Value));
        var groups = new Dictionary<string, List<ClusteredValue>>(StringComparer.Ordinal);
        for (var i = 0; i < values.Length; i++)
        {
            if (keys[i] is not { } key)
                continue;
            if (!groups.TryGetValue(key, out var group))
                groups[key] = group = [];
            group.Add(values[i]);
        }
        return groups.Values.Where(group => group.Count > 1);
    }

    /// <summary>
    /// The most frequent value takes those near it, then the next one that is free: nobody is taken for a spelling of what is only near by way of others. Values whose digits differ are different.
    /// </summary>
    private static List<List<ClusteredValue>> ByDistance(ClusteredValue[] values, ICollection<string> limits, CancellationToken ct)
    {
        // What is the same but for case, accents and punctuation is one text, in the order of its most frequent value.
        var folded = values.Select((value, i) => (Text: ClusterKeys.Fold(value.Value), Index: i)).Where(value => value.Text.Length > 0)
            .GroupBy(value => value.Text, value => value.Index, StringComparer.Ordinal).Select(group => (Text: group.Key, Values: group.ToArray())).ToArray();
        var nearest = new NearestValues([.. folded.Select(text => text.Text)]);
        var near = new List<int>?[folded.Length];
        foreach (var (a, b) in nearest.Pairs(ct))
        {
            if (!SameDigits(folded[a].Text, folded[b].Text))
                continue;
            (near[a] ??= []).Add(b);
            (near[b] ??= []).Add(a);
        }
        if (nearest.Skipped > 0)
            limits.Add($"{nearest.Skipped:N0} parts of values stand in so many of them that these were not compared by them alone.");
        var taken = new bool[folded.Length];
        var groups = new List<List<ClusteredValue>>();
        for (var i = 0; i < folded.Length; i++)
        {
            if (taken[i])
                continue;
            taken[i] = true;
            var members = folded[i].Values.ToList();
            foreach (var other in near[i] ?? [])
            {
                if (taken[other])
                    continue;
                taken[other] = true;
                members.AddRange(folded[other].Values);
            }
            if (members.Count > 1)
                groups.Add([.. members.Order().Select(member => values[member])]);
        }
        return groups;
    }

    private static bool SameDigits(string a, string b) => a.Where(char.IsDigit).SequenceEqual(b.Where(char.IsDigit));
}
