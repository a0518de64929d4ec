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
    private const long PerCell = 9;
    private const long PerValue = 70;
    private const long PerLetter = 4;
    private const long PerColumn = 3L << 20;
    private const long PerPair = 32;

    /// <summary>Fewer pairs for each row than this would leave most duplicates out.</summary>
    private const long LeastPairsPerRow = 2;
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
            await WriteAsync([], [], ct).ConfigureAwait(false);
            return;
        }
        var sources = await ReadSourcesAsync(groups.Count, ct).ConfigureAwait(false);
        var matcher = await MatchAsync(columns, sources, new AutoMatchOptions(_session.Options.Threads) { MostKept = pairs, Scratch = _session.Options.Scratch }, ct).ConfigureAwait(false);
        var keyed = Enumerable.Range(0, groups.Count).Select(groups.Find).ToArray();
        var entities = matcher.Entities(_match.Accept, _match.Review, keyed, [.. groups.Forbidden]);
        _columns = matcher.Fields;
        Blocks = [.. Enumerable.Range(0, matcher.Candidates.Reports.Count + 1).Select(matcher.Candidates.Name)];
        Compared = matcher.Compared();
        Found = matcher.Found();
        Warn(matcher);
        await WriteAsync(Joined(entities, keyed), entities.Pairs, ct).ConfigureAwait(false);
    }

    /// <summary>By row, the input it came with.</summary>
    private async Task<int[]> ReadSourcesAsync(int rows, CancellationToken ct)
    {
        var sources = new int[rows];
        await foreach (var (row, input) in _session.StreamAsync(
            $"SELECT CAST({_inputs.RowNumber.Column} AS BIGINT), CAST({Sql.Identifier(_inputs.InputColumn)} AS INTEGER) FROM {Matcher.RowTable}", reader => ((int)reader.GetInt64(0), reader.GetInt32(1)), ct).ConfigureAwait(false))
            sources[row] = input;
        return sources;
    }

    private async Task<AutoMatcher> MatchAsync(IReadOnlyList<string> columns, int[] sources, AutoMatchOptions options, CancellationToken ct)
    {
        // Two inputs without duplicates of their own are linked; in anything else duplicates are looked for in all rows. Remembered rows are of any input.
        if (sources.Distinct().Count() == 2 && !sources.Contains(Matcher.InputOfRemembered))
        {
            var coded = new List<CodedColumn>();
            foreach (var column in columns)
                coded.Add(await ReadAsync(column, sources.Length, ct).ConfigureAwait(false));
            var table = new CodedTable(sources.Length, coded);
            var first = sources.Min();
            var linked = await OnOwnThread(() => AutoMatcher.Run(table, [.. sources.Select(source => source == first ? 0 : 1)], options, ct), ct).ConfigureAwait(false);
            return linked.Form == MatchForm.OneToOne ? linked : await OnOwnThread(() => AutoMatcher.Run(table, new int[sources.Length], options, ct), ct).ConfigureAwait(false);
        }
        // Column by column, so that no other one lies there as it came.
        var values = new List<ValueColumn>();
        foreach (var column in columns)
            values.Add(ValueColumn.Of(await ReadAsync(column, sources.Length, ct).ConfigureAwait(false)));
        return await OnOwnThread(() => AutoMatcher.Run(RecordTable.Of(values, new int[sources.Length], ct), options, ct), ct).ConfigureAwait(false);
    }

    /// <summary>A column of all rows, by their numbers.</summary>
    private async Task<CodedColumn> ReadAsync(string column, int rows, CancellationToken ct)
    {
        var numbers = new List<int>(rows);
        var table = await CodedTable.ReadAsync(
            _session, $"SELECT CAST({Sql.Identifier(column)} AS VARCHAR), CAST({_inputs.RowNumber.Column} AS BIGINT) FROM {Matcher.RowTable}", [column], reader => numbers.Add((int)reader.GetInt64(1)), ct).ConfigureAwait(false);
        var places = new int[rows];
        for (var place = 0; place < rows; place++)
            places[numbers[place]] = place;
        return table.Columns[0].Ordered(places);
    }

    private static Task<AutoMatcher> OnOwnThread(Func<AutoMatcher> match, CancellationToken ct) => Task.Factory.StartNew(match, ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);

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
        if (matcher.Candidates.IsLetGo)
            _warnings.Add(string.Create(CultureInfo.InvariantCulture, $"Of {matcher.Candidates.Compared:N0} pairs that were compared the {_memory / 1e6:N0} MB that the step may use hold {matcher.Candidates.Count:N0}, so the less likely ones were let go; some of them may be the same."));
        if (!matcher.Candidates.IsLimited)
            return;
        var largest = matcher.Candidates.Reports.Where(report => report.Dropped > 0).OrderByDescending(report => report.Dropped).Take(MostNamed).Select(report => $"{report.Column} by {report.By}");
        _warnings.Add(string.Create(CultureInfo.InvariantCulture,
            $"There are more pairs of rows with something in common than may be compared: {matcher.Candidates.Compared:N0} were; {matcher.Dropped:N0} that share only what is frequent ({string.Join(", ", largest)}) were not."));
    }

    /// <summary>By group of rows that keys made: the cluster it is in, where it is not alone.</summary>
    private static IEnumerable<(int Label, int Cluster, double Weakest)> Joined(AutoEntities entities, int[] keyed)
    {
        // A cluster is called after its first group.
        var first = new int[entities.Of.Length];
        Array.Fill(first, int.MaxValue);
        var several = new HashSet<int>();
        for (var place = 0; place < first.Length; place++)
        {
            ref var known = ref first[entities.Of[place]];
            var label = keyed[entities.Rows[place]];
            if (known != int.MaxValue && known != label)
                several.Add(entities.Of[place]);
            known = Math.Min(known, label);
        }
        var told = new HashSet<int>();
        for (var place = 0; place < first.Length; place++)
        {
            var (cluster, label) = (entities.Of[place], keyed[entities.Rows[place]]);
            if (several.Contains(cluster) && told.Add(label))
                yield return (label, first[cluster], entities.Weakest.GetValueOrDefault(cluster, 1));
        }
    }

    private async Task WriteAsync(IEnumerable<(int Label, int Cluster, double Weakest)> clusters, IEnumerable<AutoPair> pairs, CancellationToken ct)
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
            var line = lines.CreateRow().AppendValue((long)pair.A).AppendValue((long)pair.B).AppendValue(pair.Block is { } block ? numbers[block] : (ushort?)null)
                .AppendValue(FellegiSunter.Probability(pair.Weight)).AppendValue(pair.Weight).AppendValue(pair.Prior);
            foreach (var field in pair.Fields)
                line.AppendValue((short)field.Level).AppendValue(field.Similarity).AppendValue(field.Weight).AppendValue(field.Rareness);
            line.EndRow();
            Pairs++;
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
