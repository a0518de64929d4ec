using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Matching;

/// <summary>What matching did, beside its tables.</summary>
public sealed record MatchReport
{
    public required long Rows { get; init; }

    /// <summary>Rows by input, in their order.</summary>
    public required IReadOnlyList<long> Inputs { get; init; }
    public required IReadOnlyList<string> Compared { get; init; }

    /// <summary>What automatic matching found out of the data, for people.</summary>
    public IReadOnlyList<string> Found { get; init; } = [];
    public long Scored { get; init; }
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>
/// Finds the rows that are the same thing. Exact keys link whatever they link; similar rows are found by blocks, scored inside the engine, and
/// joined by average link. Rows, keys and pairs lie in tables of the session, which spill; beside them there are four bytes a row and the links
/// of one group at a time.
/// </summary>
public sealed class Matcher
{
    /// <summary>All pairs of a group up to this size are scored, whether or not they have a block in common.</summary>
    private const int MostCompleted = 200;

    /// <summary>Beside automatic matching the engine and the runtime get half of what is granted, and no more than this.</summary>
    private const long EngineBytes = 5L << 28;

    /// <summary>More than this is given back before the engine goes on.</summary>
    private const long MostLeft = 256L << 20;

    private readonly EngineSession _session;
    private readonly StackedInputs _inputs;
    private readonly MatchConfig _config;
    private IPairScorer _scorer = new WeightedScorer();
    private readonly List<string> _warnings = [];
    private readonly List<string> _found = [];
    private ComparePlan _plan = new([], []);
    private AutomaticTables? _automatic;
    private IReadOnlyList<PairField> _fields = [];
    private IReadOnlyList<string> _compared = [];

    private Matcher(EngineSession session, StackedInputs inputs, MatchConfig config)
    {
        _session = session;
        _inputs = inputs;
        _config = config;
    }

    // Tables of the session. Rows are known by their RowNumber in this one.
    internal const string RowTable = "match_rows";

    /// <summary>
    /// By row: r, keyed (the group that keys made), label (the group that takes part in clustering), cluster (its first row), input, and the hidden
    /// columns, so that who only asks for those need not look for the row.
    /// </summary>
    internal const string GroupTable = "match_groups";

    /// <summary>node, label and the compared values c0, c1, ...: rows of a group that are compared alike are one node.</summary>
    internal const string NodeTable = "match_nodes";

    /// <summary>a, b (nodes), block, s0, s1, ..., probability; from the review threshold up, within groups all of them.</summary>
    internal const string PairTable = "match_pairs";

    /// <summary>label, cluster, weakest: only where groups were joined.</summary>
    internal const string ClusterTable = "match_clusters";

    /// <summary>Looks over a configuration without reading rows.</summary>
    /// <exception cref="RecipeException">It does not fit the columns.</exception>
    public static void Check(MatchConfig config, IReadOnlyList<DatasetColumn> columns)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(columns);
        for (var i = 0; i < config.Keys.Count; i++)
        {
            for (var j = 0; j < config.Keys[i].Columns.Count; j++)
                Find(config.Keys[i].Columns[j], columns, $"keys[{Number(i)}].columns[{Number(j)}]");
        }
        if (config.Similarity is { } match)
        {
            for (var i = 0; i < match.Compare.Count; i++)
                Find(match.Compare[i].Column, columns, $"match.compare[{Number(i)}].column", comparable: true);
            for (var i = 0; i < match.Blocks.Count; i++)
            {
                Find(match.Blocks[i].Column, columns, $"match.blocks[{Number(i)}].column", comparable: true);
                for (var j = 0; j < match.Blocks[i].Also.Count; j++)
                    Find(match.Blocks[i].Also[j], columns, $"match.blocks[{Number(i)}].also[{Number(j)}]", comparable: true);
            }
        }
        for (var i = 0; i < config.Survivorship.Count; i++)
        {
            var rule = config.Survivorship[i];
            for (var j = 0; j < rule.Columns.Names.Count; j++)
                Find(rule.Columns.Names[j], columns, $"survivorship[{Number(i)}].columns[{Number(j)}]");
            if (rule.By is not null)
                Find(rule.By, columns, $"survivorship[{Number(i)}].by", comparable: true);
        }
    }

    /// <summary>Looks over the columns of a dataset of decisions.</summary>
    /// <exception cref="RecipeException">One is missing.</exception>
    public static void CheckDecisions(IReadOnlyList<DatasetColumn> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        Decisions.Check(columns);
    }

    /// <summary>What matching so many rows may hold beside the engine, which gets the rest of what is granted; nothing where the rows need more in any case.</summary>
    public static long Beside(SimilarityMatch? match, long rows, long granted)
    {
        var share = Math.Max(granted / 2, granted - EngineBytes);
        return match?.IsAutomatic() == true && AutomaticTables.LeastBytes(rows) <= share ? share : 0;
    }

    /// <exception cref="RecipeException">The configuration does not fit the columns.</exception>
    /// <exception cref="MatchException">The data cannot be matched.</exception>
    public static async Task<Matcher> RunAsync(EngineSession session, StackedInputs inputs, MatchConfig config, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(config);
        Check(config, inputs.Columns);
        var matcher = new Matcher(session, inputs, config);
        matcher.Report = await matcher.RunAsync(ct).ConfigureAwait(false);
        return matcher;
    }

    public MatchReport Report { get; private set; } = null!;
    internal EngineSession Session => _session;
    internal StackedInputs Inputs => _inputs;
    internal MatchConfig Config => _config;

    /// <summary>What brought pairs together, by their number in the pair table.</summary>
    internal IReadOnlyList<string> Blocks => _automatic?.Blocks ?? [.. _plan.Blocks.Select(Name)];

    /// <summary>Rows of the inputs; those that are remembered have higher numbers.</summary>
    internal long Rows { get; private set; }

    /// <summary>The column that numbers the rows of the row table from 0 on.</summary>
    internal string RowNumber => _inputs.RowNumber.Column;

    /// <summary>The evidence of a row of the pair table.</summary>
    internal string PairWeight => _automatic is not null ? "weight" : _scorer.Evidence(_fields) is { Count: > 0 } evidence ? string.Join(" + ", evidence.Select(one => one.Weight)) : "0";

    private async Task<MatchReport> RunAsync(CancellationToken ct)
    {
        await Do(_inputs.RowNumber.CreateTable(RowTable, $"FROM {_inputs.Relation()}"), ct).ConfigureAwait(false);
        var perInput = await _session.QueryAsync(
            $"SELECT CAST({Sql.Identifier(_inputs.InputColumn)} AS INTEGER), count(*) FROM {RowTable} GROUP BY 1", row => (Input: row.GetInt32(0), Rows: row.GetInt64(1)), ct).ConfigureAwait(false);
        var rows = perInput.Sum(input => input.Rows);
        Rows = rows;
        var groups = new UnionFind(rows + await RememberAsync(rows, ct).ConfigureAwait(false));
        var decisions = await Decisions.ReadAsync(_session, _inputs, _config.Decisions, groups, ct).ConfigureAwait(false);
        _warnings.AddRange(decisions.Warnings);
        foreach (var key in _config.Keys)
            await LinkAsync(groups, $"SELECT {RowNumber} AS r, {KeyOf(key)} AS k FROM {RowTable}", ct).ConfigureAwait(false);
        await WriteGroupsAsync("match_keyed", groups, ct).ConfigureAwait(false);
        long scored = 0;
        if (_config.Similarity is { } alone && alone.IsAutomatic())
        {
            await Do("CREATE TABLE match_labels AS SELECT * FROM match_keyed", ct).ConfigureAwait(false);
            _automatic = await AutomaticTables.MakeAsync(_session, _inputs, alone, groups, _config.MemoryBytes ?? _session.Options.MemoryBytes, ct).ConfigureAwait(false);
            _warnings.AddRange(_automatic.Warnings);
            scored = _automatic.Pairs;
            // What it held is the engine's again, which takes memory that the runtime does not know of.
            if (GC.GetTotalMemory(forceFullCollection: false) > MostLeft)
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        else if (_config.Similarity is { } match)
        {
            _plan = await AutoMatch.ChooseAsync(_session, match, _inputs.Columns, RowTable, ct).ConfigureAwait(false);
            _compared = Weighed();
            if (_plan.Compare.Count == 0)
                _warnings.Add("No column tells rows apart well enough to compare them by; name some under match.compare.");
        }
        if (_automatic is not null)
        {
            // Its tables are there.
        }
        else if (_plan.Compare.Count > 0)
            scored = await MatchAsync(_config.Similarity!, groups, ct).ConfigureAwait(false);
        else
            await NoPairsAsync(ct).ConfigureAwait(false);
        await Decisions.WriteApartAsync(_session, groups, ct).ConfigureAwait(false);
        await Do(
            $"""
            CREATE TABLE {GroupTable} AS
            SELECT r.{RowNumber} AS r, coalesce(k.label, r.{RowNumber}) AS keyed, coalesce(g.label, r.{RowNumber}) AS label, coalesce(c.cluster, g.label, r.{RowNumber}) AS cluster,
              CAST(r.{Sql.Identifier(_inputs.InputColumn)} AS INTEGER) AS input, r._source, r._row, r._key
            FROM {RowTable} r LEFT JOIN match_keyed k ON k.r = r.{RowNumber} LEFT JOIN match_labels g ON g.r = r.{RowNumber} LEFT JOIN {ClusterTable} c ON c.label = coalesce(g.label, r.{RowNumber})
            """, ct).ConfigureAwait(false);
        return new MatchReport
        {
            Rows = rows,
            Inputs = [.. perInput.OrderBy(input => input.Input).Aggregate(new long[perInput.Count == 0 ? 0 : perInput.Max(input => input.Input) + 1], (list, input) => { list[input.Input] = input.Rows; return list; })],
            Compared = _automatic?.Compared ?? _compared,
            Found = [.. decisions.Found, .. _found, .. _automatic?.Found ?? []],
            Scored = scored,
            Warnings = _warnings,
        };
    }

    /// <summary>
    /// Puts the rows of earlier runs beside those of the inputs, as far as these are partial: not what has come again, and nothing of a source that is here whole.
    /// </summary>
    /// <returns>How many.</returns>
    private async Task<long> RememberAsync(long rows, CancellationToken ct)
    {
        if (_config.Remembered is not { } remembered || _inputs.Whole is not { } whole)
            return 0;
        var columns = _inputs.Columns.Select(column => remembered.Schema.Find(column.Name) is not { } known
            ? $"CAST(NULL AS {DatasetFiles.TypeOf(column).DuckDb}) AS {Sql.Identifier(column.Name)}"
            : DatasetFiles.TypeOf(known) == DatasetFiles.TypeOf(column) ? Sql.Identifier(column.Name) : $"TRY_CAST({Sql.Identifier(column.Name)} AS {DatasetFiles.TypeOf(column).DuckDb}) AS {Sql.Identifier(column.Name)}");
        var number = _inputs.RowNumber.IsHidden ? $", row_number() OVER () - 1 + {rows.ToString(CultureInfo.InvariantCulture)} AS {RowNumber}" : "";
        static string Source(string of) => $"regexp_replace({of}._source, '@[^@]*$', '')";
        var input = Sql.Identifier(_inputs.InputColumn);
        return await Do(
            $"""
            INSERT INTO {RowTable} BY NAME
            SELECT {string.Concat(columns.Select(column => $"{column}, "))}_source, _row, _key, CAST({Number(InputOfRemembered)} AS USMALLINT) AS {input}{number}
            FROM {DatasetFiles.Relation(remembered)} m
            ANTI JOIN (SELECT {Source("r")} AS known, _key AS again FROM {RowTable} r) c ON c.again = m._key AND c.known = {Source("m")}
            ANTI JOIN (SELECT DISTINCT {Source("r")} AS known FROM {RowTable} r WHERE {input} IN ({string.Join(", ", whole.Select(Number).Prepend(Number(InputOfRemembered)))})) w ON w.known = {Source("m")}
            """, ct).ConfigureAwait(false);
    }

    /// <summary>No step has that many inputs.</summary>
    internal const int InputOfRemembered = ushort.MaxValue;

    /// <summary>Fields of a pair as the port <c>pairs</c> has them: a list of structs over the columns s0, s1, ... and t0, t1, ...</summary>
    internal string FieldList() => _automatic is not null ? _automatic.FieldList : _fields.Count == 0
        ? "CAST([] AS STRUCT(name VARCHAR, level BIGINT, similarity DOUBLE, weight DOUBLE, tf DOUBLE)[])"
        : $"[{string.Join(", ", _scorer.Evidence(_fields).Select(field => $"struct_pack(name := {Sql.Literal(field.Name)}, level := {field.Level}, similarity := {field.Similarity}, weight := {field.Weight}, tf := {field.Rareness})"))}]";

    private async Task<long> MatchAsync(SimilarityMatch match, UnionFind groups, CancellationToken ct)
    {
        await ValuesAsync(ct).ConfigureAwait(false);
        if (_plan.Compare.Any(comparison => comparison.Weight is null))
            await LearnAsync(match, groups, ct).ConfigureAwait(false);
        _fields = [.. _plan.Compare.Select((comparison, i) => new PairField(comparison.Column, $"s{Number(i)}", $"t{Number(i)}", comparison.Weight ?? 0))];
        // Rows that are compared alike are the same when what they have in common suffices by itself.
        var self = _scorer.Probability([.. _plan.Compare.Select((comparison, i) => new PairField(comparison.Column, $"(CASE WHEN c{Number(i)} IS NULL THEN NULL ELSE 1.0::DOUBLE END)", $"f{Number(i)}", comparison.Weight ?? 0))]);
        await LinkAsync(groups, $"SELECT r, CASE WHEN {self} >= {Sql.Literal(match.Accept)} THEN struct_pack({string.Join(", ", _plan.Compare.Select((_, i) => $"c{Number(i)} := c{Number(i)}"))}) END AS k FROM {Values}", ct).ConfigureAwait(false);
        await NodesAsync(groups, ct).ConfigureAwait(false);
        await BlockAsync(match, ct).ConfigureAwait(false);
        await TellBlocksAsync(match, ct).ConfigureAwait(false);

        var similarities = _plan.Compare.Select((comparison, i) => $"{Similarities.Of(comparison.By, $"x.c{Number(i)}", $"y.c{Number(i)}")} AS s{Number(i)}, least(x.f{Number(i)}, y.f{Number(i)}) AS t{Number(i)}").ToList();
        var kept = string.Concat(_plan.Compare.Select((_, i) => $", any_value(s{Number(i)}) AS s{Number(i)}, any_value(t{Number(i)}) AS t{Number(i)}"));
        var probability = _scorer.Probability(_fields);
        // Scored first, made distinct afterwards: only few pairs are left by then.
        await Do(
            $"""
            CREATE TABLE {PairTable} AS
            SELECT a, b, min(block) AS block, count(DISTINCT block) AS times{kept}, any_value(probability) AS probability
            FROM (
              SELECT *, {probability} AS probability
              FROM (
                SELECT x.node AS a, y.node AS b, p.block AS block, {string.Join(", ", similarities)}
                FROM match_blocks p JOIN match_blocks q ON p.block = q.block AND p.k = q.k AND p.node < q.node
                JOIN {NodeTable} x ON x.node = p.node JOIN {NodeTable} y ON y.node = q.node
                WHERE x.label <> y.label))
            WHERE probability >= {Sql.Literal(match.Review)}
            GROUP BY a, b
            """, ct).ConfigureAwait(false);
        var times = await _session.QueryAsync($"SELECT times, count(*) FROM {PairTable} WHERE probability >= {Sql.Literal(match.Accept)} GROUP BY times", row => (Times: (int)row.GetInt64(0), Pairs: row.GetInt64(1)), ct).ConfigureAwait(false);
        if (BlockingEstimate.Of(times.ToDictionary(line => line.Times, line => line.Pairs), _plan.Blocks.Count) is { } blocking)
            _found.Add(blocking.Told);
        await ClusterAsync(match, groups, similarities, probability, ct).ConfigureAwait(false);
        return await _session.ScalarAsync<long>($"SELECT count(*) FROM {PairTable}", ct).ConfigureAwait(false);
    }

    /// <summary>By row r: its values as they are compared, c0, c1, ..., and how rare each is, f0, f1, ...: log2 of one over how likely another row has it too, in whole numbers of 1/4096 bits.</summary>
    private async Task ValuesAsync(CancellationToken ct)
    {
        var numbers = Enumerable.Range(0, _plan.Compare.Count).Select(Number).ToList();
        await Do($"CREATE TABLE match_texts AS SELECT {RowNumber} AS r, {string.Join(", ", _plan.Compare.Select((comparison, i) => $"{Similarities.Value(comparison.By, Sql.Identifier(comparison.Column))} AS c{Number(i)}"))} FROM {RowTable}", ct).ConfigureAwait(false);
        var (rareness, joins) = ("", "");
        foreach (var (comparison, i) in _plan.Compare.Zip(numbers))
        {
            // Where a weight is given, it says what a value weighs, rare or not.
            if (_plan.Compare.All(one => one.Weight is not null))
            {
                rareness += $", CAST(NULL AS DOUBLE) AS f{i}";
                continue;
            }
            await Do($"CREATE TABLE match_often_{i} AS SELECT c{i} AS v, round(4096 * log2((SELECT count(c{i}) FROM match_texts) / greatest(count(*) - 1, 1))) / 4096 AS f FROM match_texts WHERE c{i} IS NOT NULL GROUP BY c{i}", ct).ConfigureAwait(false);
            rareness += $", o{i}.f AS f{i}";
            joins += $" LEFT JOIN match_often_{i} o{i} ON o{i}.v = t.c{i}";
        }
        await Do($"CREATE TABLE {Values} AS SELECT t.*{rareness} FROM match_texts t{joins}", ct).ConfigureAwait(false);
        await Do("DROP TABLE match_texts", ct).ConfigureAwait(false);
    }

    private const string Values = "match_values";

    /// <summary>Most rows stand for themselves: they are nodes as they are.</summary>
    private async Task NodesAsync(UnionFind groups, CancellationToken ct)
    {
        var names = string.Join(", ", _plan.Compare.Select((_, i) => $"c{Number(i)}, f{Number(i)}"));
        await WriteGroupsAsync("match_labels", groups, ct).ConfigureAwait(false);
        await Do(
            $"""
            CREATE OR REPLACE TABLE {NodeTable} AS
            SELECT v.r AS node, v.r AS label, {names} FROM {Values} v ANTI JOIN (SELECT r FROM match_labels UNION ALL SELECT label FROM match_labels) g ON g.r = v.r
            UNION ALL
            SELECT min(v.r), g.label, {names} FROM {Values} v JOIN (SELECT r, label FROM match_labels UNION ALL SELECT DISTINCT label, label FROM match_labels) g ON g.r = v.r GROUP BY g.label, {names}
            """, ct).ConfigureAwait(false);
    }

    /// <summary>Learns what the comparisons weigh. Where some of the weights are given, the others are what equal values weigh, in bits, and the mean is taken as if all had been given.</summary>
    private async Task LearnAsync(SimilarityMatch match, UnionFind groups, CancellationToken ct)
    {
        await NodesAsync(groups, ct).ConfigureAwait(false);
        await BlockAsync(match, ct).ConfigureAwait(false);
        var brought = await _session.ScalarAsync<long>($"SELECT coalesce(sum(n * (n - 1) // 2), 0)::BIGINT FROM match_block_sizes WHERE n <= {Number(match.MaxBlock)}", ct).ConfigureAwait(false);
        var learnt = await LearntScorer.LearnAsync(
            _session, [.. _plan.Compare.Select(comparison => comparison.By)], Values,
            $"""
            FROM (SELECT DISTINCT p.node AS a, q.node AS b FROM match_blocks p JOIN match_blocks q ON p.block = q.block AND p.k = q.k AND p.node < q.node) p
            JOIN {NodeTable} x ON x.node = p.a JOIN {NodeTable} y ON y.node = p.b AND y.label <> x.label
            """, brought, ct).ConfigureAwait(false);
        if (_plan.Compare.All(comparison => comparison.Weight is null))
        {
            _scorer = learnt;
            _compared = learnt.Compared(_plan.Compare);
            _found.Add(learnt.Found);
            return;
        }
        _plan = _plan with { Compare = [.. _plan.Compare.Select((comparison, i) => comparison with { Weight = comparison.Weight ?? learnt.EqualWeight(i) })] };
        _compared = Weighed();
    }

    private List<string> Weighed() => [.. _plan.Compare.Select(comparison => string.Create(CultureInfo.InvariantCulture, $"{comparison.Column} by {comparison.By} (weight {comparison.Weight:0.#})"))];

    private async Task BlockAsync(SimilarityMatch match, CancellationToken ct)
    {
        if (_plan.Blocks.Count == 0)
        {
            await Do("CREATE OR REPLACE TABLE match_blocks (node BIGINT, block USMALLINT, k VARCHAR)", ct).ConfigureAwait(false);
            await Do("CREATE OR REPLACE TABLE match_block_sizes (block USMALLINT, k VARCHAR, n BIGINT)", ct).ConfigureAwait(false);
            return;
        }
        var parts = _plan.Blocks.Select(BlockQuery);
        await Do($"CREATE TABLE match_all_blocks AS {string.Join(" UNION ALL ", parts)}", ct).ConfigureAwait(false);
        await Do("CREATE OR REPLACE TABLE match_block_sizes AS SELECT block, k, count(*) AS n FROM match_all_blocks GROUP BY block, k HAVING count(*) > 1", ct).ConfigureAwait(false);
        await Do(
            $"CREATE OR REPLACE TABLE match_blocks AS SELECT node, block, k FROM match_all_blocks SEMI JOIN (SELECT * FROM match_block_sizes WHERE n <= {Number(match.MaxBlock)}) s USING (block, k)", ct).ConfigureAwait(false);
        await Do("DROP TABLE match_all_blocks", ct).ConfigureAwait(false);
    }

    private async Task TellBlocksAsync(SimilarityMatch match, CancellationToken ct)
    {
        if (_plan.Blocks.Count == 0)
            _warnings.Add("There are no blocks, so no rows were compared; name some under match.blocks.");
        var cut = await _session.QueryAsync(
            $"SELECT CAST(block AS INTEGER), count(*), sum(n)::BIGINT, max(n) FROM match_block_sizes WHERE n > {Number(match.MaxBlock)} GROUP BY block ORDER BY block",
            row => (Block: _plan.Blocks[row.GetInt32(0)], Keys: row.GetInt64(1), Rows: row.GetInt64(2), Largest: row.GetInt64(3)), ct).ConfigureAwait(false);
        foreach (var (block, pairs) in await _session.QueryAsync(
            $"SELECT CAST(block AS INTEGER), sum(n * (n - 1) // 2)::BIGINT FROM match_block_sizes WHERE n <= {Number(match.MaxBlock)} GROUP BY block ORDER BY block", row => (_plan.Blocks[row.GetInt32(0)], row.GetInt64(1)), ct).ConfigureAwait(false))
            _found.Add(string.Create(CultureInfo.InvariantCulture, $"{Name(block)} brings {pairs:N0} pairs together"));
        foreach (var (block, keys, rows, largest) in cut)
        {
            _warnings.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{keys:N0} blocks of {Name(block)} have more than {match.MaxBlock:N0} rows (the largest {largest:N0}, {rows:N0} in all) and were not compared by them."));
        }
    }

    /// <summary>The rows of each block, as number of the way and key.</summary>
    private string BlockQuery(Block block, int i)
    {
        // A column that is not compared, or not as a text, may still find pairs.
        var at = block.Also.Count > 0 ? -1 : _plan.Compare.ToList().FindIndex(comparison => comparison.Column == block.Column && !Similarities.IsRead(comparison.By));
        var also = block.Also.Select((column, j) => (Name: $"a{Number(j)}", Value: Similarities.Normalised($"r.{Sql.Identifier(column)}"))).ToList();
        var (value, from) = at >= 0
            ? ($"c{Number(at)}", NodeTable)
            : ("v", $"(SELECT n.node, {Similarities.Normalised($"r.{Sql.Identifier(block.Column)}")} AS v{string.Concat(also.Select(one => $", {one.Value} AS {one.Name}"))} FROM {NodeTable} n JOIN {RowTable} r ON r.{RowNumber} = n.node)");
        var filled = string.Join(" AND ", also.Select(one => one.Name).Prepend(value).Select(name => $"{name} IS NOT NULL"));
        var key = string.Concat(also.Select(one => $" || chr(31) || {one.Name}"));
        var parted = also.Count == 0 ? "" : $"PARTITION BY {string.Join(", ", also.Select(one => one.Name))} ";
        var length = Number(block.Length);
        var number = $"CAST({Number(i)} AS USMALLINT) AS block";
        return block.By switch
        {
            BlockBy.Value => $"SELECT node, {number}, {value}{key} AS k FROM {from} WHERE {filled}",
            BlockBy.Prefix => $"SELECT node, {number}, left(replace({value}, ' ', ''), {length}){key} AS k FROM {from} WHERE {filled}",
            // Each value is in two stretches, so that any two of them that are at most so far from each other are in one.
            BlockBy.Sorted => $"""
                SELECT node, {number}, CAST((place // {length}) + stretch AS VARCHAR){key} AS k
                FROM (SELECT *, dense_rank() OVER ({parted}ORDER BY {value}) - 1 AS place FROM {from} WHERE {filled}), (VALUES (0), (1)) stretches(stretch)
                """,
            _ => $"SELECT DISTINCT node, block, word{key} AS k FROM (SELECT *, {number}, unnest(string_split({value}, ' ')) AS word FROM {from} WHERE {filled}) WHERE length(word) >= {length}",
        };
    }

    private async Task ClusterAsync(SimilarityMatch match, UnionFind groups, List<string> similarities, string probability, CancellationToken ct)
    {
        // What may become one entity at all: groups that an accepted pair ties together, directly or by others.
        var components = new UnionFind(groups.Count);
        await foreach (var (a, b) in _session.StreamAsync(
            $"SELECT DISTINCT x.label, y.label FROM {PairTable} p JOIN {NodeTable} x ON x.node = p.a JOIN {NodeTable} y ON y.node = p.b WHERE p.probability >= {Sql.Literal(match.Accept)}",
            row => ((int)row.GetInt64(0), (int)row.GetInt64(1)), ct).ConfigureAwait(false))
            components.Union(a, b);
        await WriteGroupsAsync("match_components", components, ct).ConfigureAwait(false);
        await Do(
            $"""
            CREATE TABLE match_component_nodes AS
            SELECT c.component, n.* FROM (SELECT r, label AS component FROM match_components UNION ALL SELECT DISTINCT label, label FROM match_components) c JOIN {NodeTable} n ON n.label = c.r
            """, ct).ConfigureAwait(false);
        // Pairs that no block brought together count too: an average over some of the pairs would be none.
        await Do(
            $"""
            INSERT INTO {PairTable}
            SELECT a, b, CAST(NULL AS USMALLINT), 0, {string.Join(", ", _fields.Select(field => $"{field.Similarity}, {field.Rareness}"))}, {probability}
            FROM (
              SELECT x.node AS a, y.node AS b, {string.Join(", ", similarities)}
              FROM match_component_nodes x JOIN match_component_nodes y ON x.component = y.component AND x.node < y.node
              WHERE x.label <> y.label
                AND x.component IN (SELECT component FROM match_component_nodes GROUP BY component HAVING count(*) <= {Number(MostCompleted)})
                AND NOT EXISTS (SELECT 1 FROM {PairTable} p WHERE p.a = x.node AND p.b = y.node))
            """, ct).ConfigureAwait(false);
        var large = await _session.QueryAsync(
            $"SELECT count(*), max(n) FROM (SELECT count(*) AS n FROM match_component_nodes GROUP BY component HAVING count(*) > {Number(MostCompleted)})",
            row => (Count: row.GetInt64(0), Largest: row.IsDBNull(1) ? 0 : row.GetInt64(1)), ct).ConfigureAwait(false);
        if (large[0].Count > 0)
            _warnings.Add(string.Create(CultureInfo.InvariantCulture, $"{large[0].Count:N0} groups of similar rows are larger than {MostCompleted} (the largest {large[0].Largest:N0}); pairs in them without a common block count as different."));

        await Do($"CREATE TABLE {ClusterTable} (label BIGINT, cluster BIGINT, weakest DOUBLE)", ct).ConfigureAwait(false);
        var joined = await JoinAsync(match, groups, ct).ConfigureAwait(false);
        using var appender = _session.Connection.CreateAppender(ClusterTable);
        foreach (var (label, cluster) in joined)
            appender.CreateRow().AppendValue((long)label).AppendValue((long)cluster.Group).AppendValue(cluster.Weakest).EndRow();
    }

    private async Task<List<KeyValuePair<int, Cluster>>> JoinAsync(SimilarityMatch match, UnionFind groups, CancellationToken ct)
    {
        var apart = groups.Forbidden.ToList();
        var joined = new List<KeyValuePair<int, Cluster>>();
        // One stream of two kinds of lines, by component: how many nodes a group has, and how similar two groups are.
        var sizes = new Dictionary<int, long>();
        var pairs = new List<LinkedPair>();
        long? current = null;
        await foreach (var (component, a, b, value) in _session.StreamAsync(
            $"""
            SELECT component, label, CAST(NULL AS BIGINT) AS other, CAST(count(*) AS DOUBLE) FROM match_component_nodes GROUP BY component, label
            UNION ALL
            SELECT x.component, least(x.label, y.label), greatest(x.label, y.label), sum(p.probability)
            FROM {PairTable} p JOIN match_component_nodes x ON x.node = p.a JOIN match_component_nodes y ON y.node = p.b AND y.component = x.component GROUP BY 1, 2, 3
            ORDER BY 1, 2, 3 NULLS FIRST
            """,
            row => (row.GetInt64(0), (int)row.GetInt64(1), row.IsDBNull(2) ? (int?)null : (int)row.GetInt64(2), row.GetDouble(3)), ct).ConfigureAwait(false))
        {
            if (current is not null && component != current)
                Finish();
            current = component;
            if (b is null)
                sizes[a] = (long)value;
            else
                pairs.Add(new LinkedPair(a, b.Value, value));
        }
        Finish();
        return joined;

        void Finish()
        {
            // No average is high enough for what people said is different.
            pairs.AddRange(apart.Where(pair => sizes.ContainsKey(pair.A) && sizes.ContainsKey(pair.B)).Select(pair => new LinkedPair(pair.A, pair.B, double.NegativeInfinity)));
            joined.AddRange(AverageLink.Join(sizes, pairs, match.Accept));
            sizes.Clear();
            pairs.Clear();
        }
    }

    private async Task NoPairsAsync(CancellationToken ct)
    {
        await Do("CREATE TABLE match_labels AS SELECT * FROM match_keyed", ct).ConfigureAwait(false);
        await Do($"CREATE TABLE {NodeTable} AS SELECT {RowNumber} AS node, {RowNumber} AS label FROM {RowTable} WHERE false", ct).ConfigureAwait(false);
        await Do($"CREATE TABLE {PairTable} (a BIGINT, b BIGINT, block USMALLINT, probability DOUBLE)", ct).ConfigureAwait(false);
        await Do($"CREATE TABLE {ClusterTable} (label BIGINT, cluster BIGINT, weakest DOUBLE)", ct).ConfigureAwait(false);
    }

    /// <summary>Unites rows with the same k.</summary>
    private async Task LinkAsync(UnionFind groups, string keyed, CancellationToken ct)
    {
        var some = groups.Forbidden.Any();
        // Where people hold rows apart, the order decides who goes with whom: then it is the order of content, not of rows.
        var order = some ? $" JOIN {RowTable} o ON o.{RowNumber} = x.r ORDER BY f.first, o._key, x.r" : "";
        var (group, parts) = (-1, new List<int>());
        await foreach (var (first, other) in _session.StreamAsync(
            $"WITH keyed AS ({keyed}) SELECT f.first, x.r FROM (SELECT k, min(r) AS first FROM keyed WHERE k IS NOT NULL GROUP BY k HAVING count(*) > 1) f JOIN keyed x ON x.k = f.k{(some ? "" : " AND x.r <> f.first")}{order}",
            row => ((int)row.GetInt64(0), (int)row.GetInt64(1)), ct).ConfigureAwait(false))
        {
            if (!some)
            {
                groups.Union(first, other);
                continue;
            }
            if (first != group)
                (group, parts) = (first, []);
            if (!parts.Exists(part => groups.Union(part, other)))
                parts.Add(other);
        }
    }

    /// <summary>Writes down who is in whose group; rows that stand for themselves are left out.</summary>
    private async Task WriteGroupsAsync(string table, UnionFind groups, CancellationToken ct)
    {
        await Do($"CREATE OR REPLACE TABLE {table} (r BIGINT, label BIGINT)", ct).ConfigureAwait(false);
        Append(table, Members());

        IEnumerable<long[]> Members()
        {
            for (var i = 0; i < groups.Count; i++)
            {
                if (groups.Find(i) is var label && label != i)
                    yield return [i, label];
            }
        }
    }

    private void Append(string table, IEnumerable<long[]> rows)
    {
        using var appender = _session.Connection.CreateAppender(table);
        foreach (var row in rows)
        {
            var line = appender.CreateRow();
            foreach (var value in row)
                line.AppendValue(value);
            line.EndRow();
        }
    }

    private static string KeyOf(KeySet key)
    {
        var parts = key.Columns.Select(column => Similarities.Key(Sql.Identifier(column), key.Ignore)).ToList();
        return parts.Count == 1 ? parts[0] : $"CASE WHEN {string.Join(" AND ", parts.Select(part => $"{part} IS NOT NULL"))} THEN struct_pack({string.Join(", ", parts.Select((part, i) => $"k{Number(i)} := {part}"))}) END";
    }

    private static void Find(string name, IReadOnlyList<DatasetColumn> columns, string path, bool comparable = false)
    {
        if (columns.FirstOrDefault(column => column.Name == name) is { } found)
        {
            if (comparable && DatasetFiles.TypeOf(found).IsNested)
                throw new RecipeException(RecipeException.ColumnType, $"Column \"{name}\" is {found.Type}, which cannot be compared.", path);
            return;
        }
        var names = columns.Select(column => column.Name).ToList();
        var nearest = NearestName.Find(name, names);
        var hint = nearest is not null ? $"did you mean \"{nearest}\"?" : names.Count <= 12 ? $"there are {string.Join(", ", names)}." : $"there are {names.Count} others.";
        throw new RecipeException(RecipeException.ColumnUnknown, $"Column \"{name}\" does not exist; {hint}", path) { Suggestion = nearest };
    }

    private static string Name(Block block)
    {
        var by = block.By switch
        {
            BlockBy.Value => "value",
            BlockBy.Prefix => "prefix",
            BlockBy.Sorted => "order",
            _ => "word",
        };
        return $"{string.Join(" and ", block.Also.Prepend(block.Column))} by {by}";
    }

    private Task<long> Do(string statement, CancellationToken ct) => _session.ExecuteAsync(statement, ct);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
