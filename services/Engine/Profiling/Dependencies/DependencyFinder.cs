using System.Collections.Concurrent;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Profiling;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Profiling.Dependencies;

/// <summary>
/// Finds columns that say what stands in another one, up to errors, and the rows that contradict. A sample refutes nearly all of the very many candidates (as in HyFD and Pyro), level by level with the
/// smallest left sides first and their groups divided from one level to the next (TANE); what is left is counted over all rows, by the engine, which spills.
/// <para>
/// What counts as a dependency: two rows with the same left side must agree on the right nine times in ten (with one wrong cell in twenty they do), and disagree five times less often than any two rows do. Being about
/// pairs the measure does not take a left side with hardly any repetition, nor a right side that is nearly always the same, for a dependency: the faults of the majority's share (g3) that Parciak et al. measure; it is
/// Piatetsky-Shapiro and Matheus' tau with pairs drawn without putting back, near to mu+ there.
/// </para>
/// <para>
/// Sources: Huhtala, Kärkkäinen, Porkka, Toivonen, "TANE: an efficient algorithm for discovering functional and approximate dependencies" (1999); Papenbrock, Naumann, "A hybrid approach to functional dependency
/// discovery" (SIGMOD 2016); Kruse, Naumann, "Efficient discovery of approximate dependencies" (VLDB 2018); Parciak, Weytjens, Hens, Neven, Peeters, Vansummeren, "Measuring approximate functional dependencies: a comparative
/// study" (ICDE 2024).
/// </para>
/// </summary>
public static class DependencyFinder
{
    /// <summary>Different rows that candidates are tried on.</summary>
    private const int SampleRows = 32_768;

    private const int MostLeft = 3;

    /// <summary>Of each level; beyond, a wide table's left sides of so many columns are not tried.</summary>
    private const long MostLeftSides = 20_000;

    /// <summary>Dependencies that are counted over all rows, the clearest first.</summary>
    private const int MostCounted = 200;
    private const int MostExamples = 5;
    private const int MostValues = 4;

    private const double Agreement = 0.9;

    /// <summary>Of the disagreement of any two rows.</summary>
    private const double Disagreement = 0.2;

    /// <summary>A further column on the left must settle at least half of what was open without it.</summary>
    private const double Settled = 0.5;

    /// <summary>Most rows must share their left side with another; else it is a key that some rows repeat.</summary>
    private const double Shared = 0.5;

    /// <summary>
    /// Where chance alone would have made so many rows contradict, a fifth of it is less probable than one in a hundred million (Poisson), and about a million candidates are tried.
    /// </summary>
    private const double LeastExpected = 30;

    private const string View = "dependency_rows";

    /// <exception cref="EngineException">A file is not what it claims to be.</exception>
    public static async Task<IReadOnlyList<ColumnDependency>> FindAsync(LocalDataset dataset, EngineOptions options, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(options);
        var columns = dataset.Schema.Columns.Where(column => !column.Hidden).Select(column => new ProfiledColumn(column)).Where(column => column.Kind != ValueKind.Opaque).ToList();
        if (columns.Count < 2 || dataset.Dataset.Rows < LeastExpected)
            return [];
        using var session = EngineSession.Open(options with { Paths = [.. dataset.Paths], PreserveOrder = false });
        // A text of blanks is no value.
        var relation = $"(SELECT {string.Join(", ", columns.Select(column => $"{(column.Kind == ValueKind.Text ? $"nullif(trim({column.Expression}), '')" : column.Expression)} AS {Sql.Identifier(column.Name)}"))} "
            + $"FROM {DatasetFiles.Relation(dataset, [.. columns.Select(column => column.Name)])})";
        await session.ExecuteAsync($"CREATE TEMP VIEW {View} AS SELECT * FROM {relation}", ct).ConfigureAwait(false);
        var names = columns.Select(column => column.Name).ToList();
        var sample = await SampleTable.DrawAsync(session, View, names, SampleRows, ct).ConfigureAwait(false);
        var candidates = new Search(sample, columns, Math.Max(1, options.Threads)).Find(ct);
        var usual = new Dictionary<int, double>();
        var found = new List<ColumnDependency>();
        foreach (var candidate in candidates.OrderBy(candidate => candidate.Open).ThenBy(candidate => candidate.Left.Length).ThenBy(candidate => candidate.Right)
            .ThenBy(candidate => string.Join(',', candidate.Left.Select(column => names[column])), StringComparer.Ordinal).Take(MostCounted))
        {
            if (!usual.TryGetValue(candidate.Right, out var any))
                usual[candidate.Right] = any = await AnyTwoAsync(session, names[candidate.Right], ct).ConfigureAwait(false);
            if (await CountAsync(session, [.. candidate.Left.Select(column => columns[column])], columns[candidate.Right], any, ct).ConfigureAwait(false) is { } dependency)
                found.Add(dependency);
        }
        return [.. found.OrderBy(dependency => dependency.Left.Count).ThenByDescending(dependency => dependency.Confidence).ThenByDescending(dependency => dependency.Rows)
            .ThenBy(dependency => string.Join('\n', dependency.Left), StringComparer.Ordinal).ThenBy(dependency => dependency.Right, StringComparer.Ordinal)];
    }

    /// <summary>How often any two rows agree in a column.</summary>
    private static async Task<double> AnyTwoAsync(EngineSession session, string column, CancellationToken ct) =>
        await session.ScalarAsync<double?>(
            $"SELECT CAST(sum(c * (c - 1)) AS DOUBLE) / nullif(CAST(sum(c) * (sum(c) - 1) AS DOUBLE), 0) FROM (SELECT CAST(count(*) AS HUGEINT) AS c FROM {View} WHERE {Sql.Identifier(column)} IS NOT NULL GROUP BY hash({Sql.Identifier(column)}))", ct)
            .ConfigureAwait(false) ?? 1;

    private static async Task<ColumnDependency?> CountAsync(EngineSession session, IReadOnlyList<ProfiledColumn> left, ProfiledColumn right, double usual, CancellationToken ct)
    {
        var lefts = left.Select(column => Sql.Identifier(column.Name)).ToList();
        var value = Sql.Identifier(right.Name);
        var filled = string.Join(" AND ", lefts.Append(value).Select(column => $"{column} IS NOT NULL"));
        // Hashes of 64 bits: that two of some million values have the same is less probable than one in a million. Sums of whole numbers do not depend on their order.
        var counted = (await session.QueryAsync(
            $"""
            SELECT count(*) FILTER (n > 1), coalesce(sum(n) FILTER (n > 1), 0)::BIGINT, coalesce(sum(n - m) FILTER (n > 1), 0)::BIGINT, count(*) FILTER (m < n),
                coalesce(sum(s * 1000000 // (n - 1)) FILTER (n > 1), 0)::DOUBLE / 1000000, coalesce(sum(n), 0)::BIGINT
            FROM (
                SELECT sum(c) AS n, max(c) AS m, sum(c * (c - 1)) AS s
                FROM (SELECT l, CAST(count(*) AS HUGEINT) AS c FROM (SELECT hash({string.Join(", ", lefts)}) AS l, hash({value}) AS r FROM {View} WHERE {filled}) GROUP BY l, r)
                GROUP BY l)
            """,
            row => (Groups: row.GetInt64(0), Rows: row.GetInt64(1), Violations: row.GetInt64(2), Violating: row.GetInt64(3), Agree: row.GetDouble(4), All: row.GetInt64(5)), ct).ConfigureAwait(false)).Single();
        if (counted.Rows == 0 || counted.Rows < Shared * counted.All)
            return null;
        var open = 1 - (counted.Agree / counted.Rows);
        if (open > 1 - Agreement || open > Disagreement * (1 - usual) || (counted.Rows - counted.Groups) * (1 - usual) < LeastExpected)
            return null;
        var examples = counted.Violations == 0 || right.Masked || left.Any(column => column.Masked) ? [] : await ExamplesAsync(session, left, right, filled, ct).ConfigureAwait(false);
        return new ColumnDependency(
            [.. left.Select(column => column.Name)], right.Name, counted.Rows, counted.Groups, counted.Violations, counted.Violating,
            Math.Round((double)(counted.Rows - counted.Violations) / counted.Rows, 6), examples);
    }

    private static async Task<IReadOnlyList<DependencyViolation>> ExamplesAsync(EngineSession session, IReadOnlyList<ProfiledColumn> left, ProfiledColumn right, string filled, CancellationToken ct)
    {
        var lefts = Sql.Identifiers(left.Select(column => column.Name));
        var groups = await session.QueryAsync(
            $"""
            WITH counts AS (SELECT {lefts}, {right.Wire} AS qz_value, count(*) AS qz_rows FROM {View} WHERE {filled} GROUP BY ALL),
                mixed AS (SELECT {lefts}, sum(qz_rows)::BIGINT AS qz_all, max(qz_rows) AS qz_most FROM counts GROUP BY ALL HAVING max(qz_rows) < sum(qz_rows))
            SELECT {string.Join(", ", left.Select(column => column.Wire))}, qz_all, qz_values
            FROM (
                SELECT {lefts}, qz_all, qz_most, list(qz_value || chr(31) || qz_rows ORDER BY qz_rows DESC, qz_value)[:{MostValues}] AS qz_values
                FROM (SELECT * FROM mixed ORDER BY qz_all - qz_most DESC, qz_all DESC, {lefts} LIMIT {MostExamples}) JOIN counts USING ({lefts}) GROUP BY ALL)
            ORDER BY qz_all - qz_most DESC, qz_all DESC, {lefts}
            """,
            row => new DependencyViolation(
                [.. left.Select((_, i) => ProfiledColumn.Show(row.GetString(i)))], row.GetInt64(left.Count), [.. row.GetFieldValue<List<string>>(left.Count + 1).Select(Counted)]), ct).ConfigureAwait(false);
        return groups;

        static ValueCount Counted(string text)
        {
            var at = text.LastIndexOf('\u001f');
            return new ValueCount(ProfiledColumn.Show(text[..at]), long.Parse(text.AsSpan(at + 1), System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    /// <param name="Open">How often two rows of a group disagree, in the sample.</param>
    private sealed record Candidate(int[] Left, int Right, double Open);

    /// <summary>A left side in the search.</summary>
    /// <param name="Open">By column, the share that its best part leaves open; negative: it needs no more columns, or it is no longer looked for.</param>
    private sealed record Node(int[] Left, RowGroups Groups, double[] Open);

    /// <summary>Tries candidates on the sample.</summary>
    private sealed class Search
    {
        private readonly SampleTable _sample;
        private readonly int _threads;
        private readonly int[] _lefts;
        private readonly double[] _usual;
        private readonly long[] _filled;

        public Search(SampleTable sample, List<ProfiledColumn> columns, int threads)
        {
            _sample = sample;
            _threads = threads;
            _filled = [.. sample.Codes.Select(codes => codes.Select((code, row) => code == SampleTable.None ? 0L : sample.Weights[row]).Sum())];
            var whole = RowGroups.All(sample);
            var work = new GroupWork(sample);
            _usual = [.. Enumerable.Range(0, columns.Count).Select(column => work.Agreement(whole, column, 0).Agreement)];
            // What is measured says nothing about the rest.
            _lefts = [.. Enumerable.Range(0, columns.Count).Where(column => (columns[column].CanBeKey || columns[column].Kind == ValueKind.Bool) && sample.Distinct[column] > 1)];
        }

        public List<Candidate> Find(CancellationToken ct)
        {
            var found = new List<Candidate>();
            var level = Expand([new Node([], RowGroups.All(_sample), [.. _usual.Select((usual, column) => _sample.Distinct[column] < 2 ? -1 : 1 - usual)])], keep: MostLeft > 1, found, ct);
            for (var size = 2; size <= MostLeft; size++)
            {
                if (Sides(level) > MostLeftSides)
                    break;
                level = Expand(level, keep: size < MostLeft, found, ct);
            }
            return found;
        }

        private long Sides(List<Node> level) => level.Sum(node => (long)_lefts.Count(column => column > node.Left[^1]));

        /// <summary>Each left side with each of the columns behind its last.</summary>
        private List<Node> Expand(List<Node> level, bool keep, List<Candidate> found, CancellationToken ct)
        {
            var parts = level.SelectMany(node => _lefts.Where(column => node.Left.Length == 0 || column > node.Left[^1]).Select(column => (Node: node, Column: column))).ToList();
            var byLeft = level.ToDictionary(node => Key(node.Left));
            var next = new Node?[parts.Count];
            var results = new ConcurrentBag<Candidate>();
            Parallel.For(0, parts.Count, new ParallelOptions { MaxDegreeOfParallelism = _threads, CancellationToken = ct }, () => new GroupWork(_sample), (i, _, work) =>
            {
                next[i] = Try(parts[i].Node, parts[i].Column, byLeft, work, keep, results);
                return work;
            }, _ => { });
            found.AddRange(results);
            return [.. next.OfType<Node>()];
        }

        private Node? Try(Node node, int column, Dictionary<string, Node> byLeft, GroupWork work, bool keep, ConcurrentBag<Candidate> found)
        {
            int[] left = [.. node.Left, column];
            var open = (double[])node.Open.Clone();
            // What is known of the parts; a part that was given up gives up the whole.
            for (var out_ = 0; out_ < left.Length - 1; out_++)
            {
                if (!byLeft.TryGetValue(Key([.. left.Where((_, i) => i != out_)]), out var part))
                    return null;
                for (var right = 0; right < open.Length; right++)
                    open[right] = Math.Min(open[right], part.Open[right]);
            }
            // A column that the others determine adds nothing to them.
            if (left.Any(one => open[one] < 0 && left.Length > 1))
                return null;
            var groups = work.Divide(node.Groups, column);
            var shared = groups.Rows.Sum(row => (long)_sample.Weights[row]);
            // Of rows that have one other each to share their left side with, the sample has both as often as it has any row; half of that leaves room for chance.
            if (shared < Shared / 2 * _sample.Share * left.Min(one => _filled[one]))
                return null;
            for (var right = 0; right < open.Length; right++)
            {
                if (open[right] < 0 || left.Contains(right))
                    continue;
                var limit = Math.Min(1 - Agreement, Disagreement * (1 - _usual[right]));
                if (left.Length > 1)
                    limit = Math.Min(limit, Settled * open[right]);
                var (rows, agreement) = work.Agreement(groups, right, 1 - limit);
                // Three standard errors of as many pairs.
                if (rows > 0 && 1 - agreement <= limit + (3 * Math.Sqrt(Math.Max(limit, 0.01) * 2 / rows)))
                {
                    found.Add(new Candidate(left, right, Math.Round(1 - agreement, 9)));
                    open[right] = -1;
                }
                else
                {
                    open[right] = Math.Min(open[right], 1 - agreement);
                }
            }
            return keep ? new Node(left, groups, open) : null;
        }

        private static string Key(int[] left) => string.Join(',', left);
    }
}
