using System.Data.Common;
using System.Globalization;
using Qualiz.Engine.Columns;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Matching.Automatic;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Matching;

/// <summary>
/// Matches the rows of a session's table with nothing said about them, and leaves what it finds in tables of the session. The columns lie in memory meanwhile, coded; where they do not fit, fewer are
/// compared, or none.
/// </summary>
internal sealed class AutomaticTables
{
    /// <summary>The last of a pair's fields: what stands against the pair before its columns are looked at.</summary>
    public const string Prior = "(prior)";

    // What a row, a column's cell, a value and a pair take at the most busy moment, in bytes.
    private const long PerRow = 80;
    private const long PerCell = 20;
    private const long PerValue = 150;
    private const long PerLetter = 8;
    private const long PerColumn = 3L << 20;
    private const long PerPair = 48;

    /// <summary>Fewer pairs for each row than this would leave most duplicates out.</summary>
    private const long LeastPairsPerRow = 5;
    private const int FewestColumns = 2;
    private const int MostNamed = 3;

    private readonly EngineSession _session;
    private readonly StackedInputs _inputs;
    private readonly SimilarityMatch _match;
    private readonly long _memory;
    private readonly List<string> _warnings = [];
    private IReadOnlyList<string> _columns = [];

    private AutomaticTables(EngineSession session, StackedInputs inputs, SimilarityMatch match, long memory)
    {
        _session = session;
        _inputs = inputs;
        _match = match;
        _memory = memory;
    }

    /// <summary>What brought pairs together, by the numbers in the pair table.</summary>
    public IReadOnlyList<string> Blocks { get; private set; } = [];

    /// <summary>What was compared, and what was found out; no values.</summary>
    public IReadOnlyList<string> Compared { get; private set; } = [];
    public IReadOnlyList<string> Found { get; private set; } = [];
    public IReadOnlyList<string> Warnings => _warnings;
    public long Pairs { get; private set; }

    /// <summary>Fields of a pair as the port <c>pairs</c> has them; their weights add up to the pair's exactly.</summary>
    public string FieldList =>
        $"[{string.Concat(_columns.Select((name, i) => $"struct_pack(name := {Sql.Literal(name)}, level := CAST(l{Number(i)} AS BIGINT), similarity := s{Number(i)}, weight := w{Number(i)}, tf := t{Number(i)}), "))}"
        + $"struct_pack(name := {Sql.Literal(Prior)}, level := CAST(NULL AS BIGINT), similarity := CAST(NULL AS DOUBLE), weight := prior, tf := CAST(NULL AS DOUBLE))]";

    /// <param name="groups">Rows that keys tie together, by their number in <see cref="Matcher.RowTable"/>.</param>
    /// <param name="memory">Bytes it may hold beside the engine's own.</param>
    public static async Task<AutomaticTables> MakeAsync(EngineSession session, StackedInputs inputs, SimilarityMatch match, UnionFind groups, long memory, CancellationToken ct)
    {
        var tables = new AutomaticTables(session, inputs, match, memory);
        await tables.MakeAsync(groups, ct).ConfigureAwait(false);
        return tables;
    }

    /// <summary>What rows take at least, however small their values are.</summary>
    public static long LeastBytes(long rows) => (PerRow + (PerPair * LeastPairsPerRow) + (PerCell * FewestColumns)) * rows;

    private async Task MakeAsync(UnionFind groups, CancellationToken ct)
    {
        var (columns, pairs) = await ChooseAsync(groups.Count, ct).ConfigureAwait(false);
        if (columns.Count == 0)
        {
            await WriteAsync([], [], [], ct).ConfigureAwait(false);
            return;
        }
        var (rows, sources) = (new List<int>(groups.Count), new List<int>(groups.Count));
        var input = columns.Count;
        var cells = columns.Select(column => $"CAST({Sql.Identifier(column)} AS VARCHAR)");
        var table = await CodedTable.ReadAsync(
            _session, $"SELECT {string.Join(", ", cells)}, CAST({Sql.Identifier(_inputs.InputColumn)} AS INTEGER), CAST({_inputs.RowNumber.Column} AS BIGINT) FROM {Matcher.RowTable}", columns,
            reader =>
            {
                sources.Add(reader.GetInt32(input));
                rows.Add((int)reader.GetInt64(input + 1));
            }, ct).ConfigureAwait(false);
        var matcher = await Task.Factory.StartNew(() => Match(table, sources, pairs, ct), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        var keyed = rows.Select(groups.Find).ToArray();
        var entities = matcher.Entities(_match.Accept, _match.Review, keyed, [.. groups.Forbidden]);
        _columns = [.. matcher.Columns.Select(column => column.Name)];
        Blocks = [.. Enumerable.Range(0, matcher.Candidates.Reports.Count + 1).Select(matcher.Candidates.Name)];
        Compared = matcher.Compared();
        Found = matcher.Found();
        Warn(matcher);
        await WriteAsync(Joined(entities, keyed), entities.Pairs, rows, ct).ConfigureAwait(false);
    }

    private AutoMatcher Match(CodedTable table, List<int> sources, long pairs, CancellationToken ct)
    {
        var options = new AutoMatchOptions(_session.Options.Threads) { MostPairs = pairs };
        // Two inputs without duplicates of their own are linked; in anything else duplicates are looked for in all rows.
        if (sources.Distinct().Count() == 2)
        {
            var first = sources.Min();
            var linked = AutoMatcher.Run(table, [.. sources.Select(source => source == first ? 0 : 1)], options, ct);
            if (linked.Form == MatchForm.OneToOne)
                return linked;
        }
        return AutoMatcher.Run(table, new int[table.Rows], options, ct);
    }

    /// <summary>The columns that are compared, and how many pairs of rows may be.</summary>
    private async Task<(IReadOnlyList<string> Columns, long Pairs)> ChooseAsync(int rows, CancellationToken ct)
    {
        var columns = _inputs.Columns.Where(column => IsComparable(DatasetFiles.TypeOf(column))).ToList();
        if (columns.Count == 0)
        {
            _warnings.Add("There is no column whose values can be compared, so rows were not matched by similarity.");
            return ([], 0);
        }
        var facts = columns.Select(column => $"approx_count_distinct({Sql.Identifier(column.Name)}), coalesce(avg(length(CAST({Sql.Identifier(column.Name)} AS VARCHAR))), 0)");
        var sizes = (await _session.QueryAsync($"SELECT {string.Join(", ", facts)} FROM {Matcher.RowTable}", row => columns.Select((column, i) => Size(row, i, rows)).ToList(), ct).ConfigureAwait(false))[0];
        var chosen = columns.Select((column, i) => (column.Name, Bytes: sizes[i])).ToList();
        var left = new List<string>();
        var least = (PerRow + (PerPair * LeastPairsPerRow)) * rows;
        // The largest one first: it is mostly prose, which says less than names and numbers for what it takes.
        while (chosen.Sum(column => column.Bytes) + least > _memory && chosen.Count > FewestColumns)
        {
            var largest = chosen.MaxBy(column => column.Bytes);
            chosen.Remove(largest);
            left.Add(largest.Name);
        }
        var needed = chosen.Sum(column => column.Bytes) + least;
        if (needed > _memory)
        {
            _warnings.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"To match {rows:N0} rows by similarity takes about {needed / 1e6:N0} MB and the step may use {_memory / 1e6:N0} MB, so they were matched by keys and not by similarity. Give the engine more memory, or name what to compare under match.compare and match.blocks: that needs little."));
            return ([], 0);
        }
        if (left.Count > 0)
            _warnings.Add(string.Create(CultureInfo.InvariantCulture, $"The table is too large for the {_memory / 1e6:N0} MB that the step may use, so these columns were not compared: {string.Join(", ", left)}."));
        return ([.. chosen.Select(column => column.Name)], (_memory - chosen.Sum(column => column.Bytes) - (PerRow * rows)) / PerPair);
    }

    private static long Size(DbDataReader row, int column, int rows)
    {
        var (values, letters) = (row.GetInt64(2 * column), row.GetDouble((2 * column) + 1));
        return PerColumn + (PerCell * rows) + (long)(values * (PerValue + (PerLetter * letters)));
    }

    // Moments say when a row was written, not what it is about.
    private static bool IsComparable(ColumnType type) => !type.IsNested && type != ColumnType.Timestamp && type != ColumnType.TimestampTz;

    private void Warn(AutoMatcher matcher)
    {
        if (!matcher.Candidates.IsLimited)
            return;
        var largest = matcher.Candidates.Reports.Where(report => report.Dropped > 0).OrderByDescending(report => report.Dropped).Take(MostNamed).Select(report => $"{report.Column} by {report.By}");
        _warnings.Add(string.Create(CultureInfo.InvariantCulture,
            $"There are more pairs of rows with something in common than may be compared: {matcher.Candidates.Count:N0} were; {matcher.Dropped:N0} that share only what is frequent ({string.Join(", ", largest)}) were not."));
    }

    /// <summary>By group of rows that keys made: the cluster it is in, where it is not alone.</summary>
    private static IEnumerable<(int Label, int Cluster, double Weakest)> Joined(AutoEntities entities, int[] keyed)
    {
        // A cluster is called after its first group.
        var first = new Dictionary<int, int>();
        var several = new HashSet<int>();
        for (var place = 0; place < entities.Of.Length; place++)
        {
            var (cluster, label) = (entities.Of[place], keyed[entities.Rows[place]]);
            if (!first.TryGetValue(cluster, out var known))
                first[cluster] = label;
            else if (known != label)
            {
                several.Add(cluster);
                first[cluster] = Math.Min(known, label);
            }
        }
        var told = new HashSet<int>();
        for (var place = 0; place < entities.Of.Length; place++)
        {
            var (cluster, label) = (entities.Of[place], keyed[entities.Rows[place]]);
            if (several.Contains(cluster) && told.Add(label))
                yield return (label, first[cluster], entities.Weakest.GetValueOrDefault(cluster, 1));
        }
    }

    private async Task WriteAsync(IEnumerable<(int Label, int Cluster, double Weakest)> clusters, IEnumerable<AutoPair> pairs, List<int> rows, CancellationToken ct)
    {
        var fields = string.Concat(_columns.Select((_, i) => $", l{Number(i)} SMALLINT, s{Number(i)} DOUBLE, w{Number(i)} DOUBLE, t{Number(i)} DOUBLE"));
        await _session.ExecuteAsync($"CREATE TABLE {Matcher.PairTable} (a BIGINT, b BIGINT, block USMALLINT, probability DOUBLE, weight DOUBLE, prior DOUBLE{fields})", ct).ConfigureAwait(false);
        await _session.ExecuteAsync($"CREATE TABLE {Matcher.ClusterTable} (label BIGINT, cluster BIGINT, weakest DOUBLE)", ct).ConfigureAwait(false);
        using (var appender = _session.Connection.CreateAppender(Matcher.ClusterTable))
        {
            foreach (var (label, cluster, weakest) in clusters)
                appender.CreateRow().AppendValue((long)label).AppendValue((long)cluster).AppendValue(weakest).EndRow();
        }
        var numbers = Blocks.Select((name, i) => (name, i)).ToDictionary(block => block.name, block => (ushort)block.i);
        using var lines = _session.Connection.CreateAppender(Matcher.PairTable);
        foreach (var pair in pairs)
        {
            ct.ThrowIfCancellationRequested();
            var (a, b) = (rows[pair.A], rows[pair.B]);
            var line = lines.CreateRow().AppendValue((long)Math.Min(a, b)).AppendValue((long)Math.Max(a, b)).AppendValue(pair.Block is { } block ? numbers[block] : (ushort?)null)
                .AppendValue(FellegiSunter.Probability(pair.Weight)).AppendValue(pair.Weight).AppendValue(pair.Prior);
            foreach (var field in pair.Fields)
                line.AppendValue((short)field.Level).AppendValue(field.Similarity).AppendValue(field.Weight).AppendValue(field.Rareness);
            line.EndRow();
            Pairs++;
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
