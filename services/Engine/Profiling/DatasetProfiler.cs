using System.Numerics;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Profiling;
using Qualiz.Engine.Profiling.Dependencies;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Profiling;

/// <summary>
/// Profiles a dataset in one pass over its rows with bounded memory, whatever is in it. Single columns are looked at again only where the pass leaves a
/// question that has an exact answer: whether a column with very many values repeats one, and how often the frequent ones of such a column occur.
/// </summary>
public static class DatasetProfiler
{
    /// <summary>Less would be all chance in so few rows.</summary>
    private const double LeastCorrelation = 0.5;
    private const int MostMissing = 50;

    /// <summary>HyperLogLog is off by more than this once in many thousand columns.</summary>
    private const double EstimateMargin = 0.04;

    private const long DefaultMemoryBytes = 512L << 20;

    /// <param name="scratch">An existing folder of this profile alone.</param>
    /// <param name="dependencies">What columns say of one another is found too.</param>
    /// <exception cref="EngineException">A file is not what it claims to be.</exception>
    public static async Task<DatasetProfile> ProfileAsync(LocalDataset dataset, string scratch, bool dependencies, CancellationToken ct)
    {
        var options = new EngineOptions { MemoryBytes = DefaultMemoryBytes, Threads = Environment.ProcessorCount, Scratch = scratch };
        var profile = await ProfileAsync(dataset, options, ct).ConfigureAwait(false);
        return dependencies ? profile with { Dependencies = await DependencyFinder.FindAsync(dataset, options, ct).ConfigureAwait(false) } : profile;
    }

    /// <param name="options">Memory, threads and scratch folder.</param>
    /// <exception cref="EngineException">A file is not what it claims to be.</exception>
    public static async Task<DatasetProfile> ProfileAsync(LocalDataset dataset, EngineOptions options, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(options);
        var columns = dataset.Schema.Columns.Where(column => !column.Hidden).Select(column => new ProfiledColumn(column)).ToList();
        if (columns.Count == 0)
            return new DatasetProfile { Rows = dataset.Dataset.Rows, Columns = [] };
        using var session = EngineSession.Open(options with { Paths = [.. dataset.Paths], PreserveOrder = false });
        using var profile = new RowProfile([.. columns.Select(column => (column.Kind, column.Scale))], Limits(columns.Count));
        var rows = await session.ScalarAsync<long>(
            $"SELECT coalesce(CAST(sum(qz_profile(CAST({Sql.Literal(profile.Number)} AS INTEGER), {string.Join(", ", columns.Select(column => column.Expression))})) AS BIGINT), 0) "
            + $"FROM {DatasetFiles.Relation(dataset, [.. columns.Select(column => column.Name)])}",
            ct).ConfigureAwait(false);
        var seen = profile.Take();
        var facts = new List<ColumnFacts>();
        for (var i = 0; i < columns.Count; i++)
            facts.Add(new ColumnFacts(columns[i], seen.Columns[i]));
        foreach (var column in facts.Where(column => column.MayBeUnique))
        {
            if (!await RepeatsAsync(session, dataset, [column.Column], ct).ConfigureAwait(false))
                column.ProveUnique();
        }
        foreach (var column in facts.Where(column => !column.Column.Masked))
            await column.CountFrequentAsync(session, dataset, rows, ct).ConfigureAwait(false);
        var profiles = new List<ColumnProfile>();
        foreach (var column in facts)
            profiles.Add(await column.DescribeAsync(session, columns.Count, ct).ConfigureAwait(false));
        return new DatasetProfile
        {
            Rows = rows,
            Columns = profiles,
            Keys = await KeysAsync(session, dataset, facts, rows, ct).ConfigureAwait(false),
            MissingTogether = Missing(columns, seen, rows),
        };
    }

    // What many columns share, so that a wide table takes no more memory than a narrow one.
    private static SketchLimits Limits(int columns)
    {
        var values = Math.Clamp((int)BitOperations.RoundUpToPowerOf2((uint)((1 << 20) / columns) + 1) / 2, 4096, 65536);
        return columns <= 64 ? new SketchLimits(values, values * 64, 4096, 6144, 4096) : new SketchLimits(values, values * 64, 1024, 6144, 1024);
    }

    private static async Task<IReadOnlyList<IReadOnlyList<string>>> KeysAsync(
        EngineSession session, LocalDataset dataset, List<ColumnFacts> columns, long rows, CancellationToken ct)
    {
        const int MostPairs = 6;
        if (rows < 2)
            return [];
        var single = columns.Where(column => column is { Unique: true, Sketch.Nulls: 0 }).ToList();
        if (single.Count > 0)
            return [.. single.Select(column => (IReadOnlyList<string>)[column.Column.Name])];
        // Two columns tell rows apart only when they have as many combinations as there are rows.
        var whole = columns.Where(column => column.Sketch.Nulls == 0 && column.Distinct > 1 && column.Column.CanBeKey).ToList();
        var pairs = whole.SelectMany((a, i) => whole.Skip(i + 1).Select(b => (A: a, B: b, Combinations: (double)a.Distinct * b.Distinct)))
            .Where(pair => pair.Combinations * (1 + EstimateMargin) >= rows)
            .OrderByDescending(pair => pair.Combinations).ThenBy(pair => pair.A.Column.Name, StringComparer.Ordinal).ThenBy(pair => pair.B.Column.Name, StringComparer.Ordinal)
            .Take(MostPairs);
        var keys = new List<IReadOnlyList<string>>();
        foreach (var (a, b, _) in pairs)
        {
            if (!await RepeatsAsync(session, dataset, [a.Column, b.Column], ct).ConfigureAwait(false))
                keys.Add([a.Column.Name, b.Column.Name]);
        }
        return keys;
    }

    /// <summary>Whether two rows have the same values. Where no two hashes are the same, no two values are.</summary>
    private static async Task<bool> RepeatsAsync(EngineSession session, LocalDataset dataset, IReadOnlyList<ProfiledColumn> columns, CancellationToken ct)
    {
        const int Glance = 50_000;
        var names = columns.Select(column => column.Name).ToList();
        var from = $"SELECT hash({string.Join(", ", columns.Select(column => column.Expression))}) AS h FROM {DatasetFiles.Relation(dataset, names)} WHERE {Sql.Identifier(names[0])} IS NOT NULL";
        // Most columns that repeat a value do so early.
        return await Any($"{from} LIMIT {Glance}").ConfigureAwait(false) || await Any(from).ConfigureAwait(false);

        async Task<bool> Any(string hashes) =>
            await session.ScalarAsync<bool>($"SELECT EXISTS (SELECT 1 FROM ({hashes}) GROUP BY h HAVING count(*) > 1)", ct).ConfigureAwait(false);
    }

    private static IReadOnlyList<MissingTogether> Missing(List<ProfiledColumn> columns, RowProfile.Part seen, long rows)
    {
        var pairs = new List<MissingTogether>();
        for (var a = 0; a < columns.Count; a++)
        {
            for (var b = a + 1; b < columns.Count; b++)
            {
                double x = seen.Columns[a].Nulls, y = seen.Columns[b].Nulls;
                if (x == 0 || y == 0 || x == rows || y == rows || seen.Together(a, b) is not { } both)
                    continue;
                var correlation = ((rows * (double)both) - (x * y)) / Math.Sqrt(x * (rows - x) * y * (rows - y));
                if (Math.Abs(correlation) >= LeastCorrelation)
                    pairs.Add(new MissingTogether([columns[a].Name, columns[b].Name], both, Math.Clamp(correlation, -1, 1)));
            }
        }
        return [.. pairs.OrderByDescending(pair => Math.Abs(pair.Correlation)).ThenByDescending(pair => pair.Rows).Take(MostMissing)];
    }
}
