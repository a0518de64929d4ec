using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Matching;

/// <summary>A port of a matching step: what to write, and what it holds.</summary>
public sealed record EntityPort(string Query, DatasetSchema Schema);

/// <summary>What the last run of an entity set left: which entity each of its members is in.</summary>
/// <param name="Ids">The port <see cref="EntityTables.Ids"/> of that run; null on the first.</param>
/// <param name="Run">This run's id, as it is written beside what it changes.</param>
public sealed record EntityMemory(LocalDataset? Ids, string Run)
{
    /// <summary>This run is about an earlier time than one before it (a backfill): that a row is not in it says nothing of how things are now.</summary>
    public bool IsEarlier { get; init; }

    /// <summary>The port <see cref="EntityTables.Rows"/> of that run, where inputs are partial: with these rows the new ones are matched.</summary>
    public LocalDataset? Rows { get; init; }
}

/// <summary>How far the joining of rows went. Holds no values.</summary>
/// <param name="Largest">Rows of the largest entity.</param>
/// <param name="Weakest">How probable it was on average where it was the least so; null where no likeness was needed.</param>
/// <param name="Cut">Pairs likely enough to be accepted whose rows are in different entities all the same.</param>
public sealed record EntityReport(long Largest, double? Weakest, long Cut);

/// <summary>
/// Entities made of the matched rows: ids, surviving values, and what changed since the last run (product.md 7). Everything is statements over the
/// matcher's tables.
/// </summary>
public sealed class EntityTables
{
    /// <summary>cluster, entity_id, created_run, changed_run, single (of one row alone), is_new.</summary>
    private const string Entities = "entity_list";

    /// <summary>What the last run left.</summary>
    private const string Before = "entity_before";

    /// <summary>Every row r with its cluster, source, key and number among the rows of equal content.</summary>
    private const string Now = "entity_now";

    /// <summary>Rows that an entity of the last run has, too: r, cluster, and the entity_id, since and present of then.</summary>
    private const string Met = "entity_met";

    /// <summary>What the last run left of rows that are not here now, and whether it is known that they have gone.</summary>
    private const string Absent = "entity_absent";
    private const string Overlap = "entity_overlap";

    /// <summary>origin (the hidden column _source) and source, which has no version.</summary>
    private const string Sources = "entity_sources";

    /// <summary>The clusters of several rows.</summary>
    private const string Joined = "entity_joined";

    /// <summary>The clusters that the ports are about: those with a row of the inputs, and those of remembered rows alone of which something has changed.</summary>
    private const string Told = "entity_told";

    /// <summary>Their rows, by cluster.</summary>
    private const string Merged = "entity_merged";

    /// <summary>A part of those rows: whole clusters.</summary>
    private const string Part = "entity_part";

    /// <summary>The entities of several rows.</summary>
    private const string Survivors = "entity_survivors";
    private const string ProvenanceTable = "entity_provenance";
    private const string ChangeTable = "entity_changes";

    /// <summary>What a row of a part takes while its survivors are chosen, generously: the row itself, and per column what is gathered of it.</summary>
    private const long BytesAtWork = 4_000;

    /// <summary>Above all row numbers.</summary>
    private const string Above = "4294967296";
    private static readonly string[] OwnColumns = ["entity_id", "size", "sources", "confidence", "state", "created_run", "changed_run"];

    private readonly Matcher _matcher;
    private readonly EngineSession _session;
    private readonly EntityMemory? _memory;
    private readonly string _run;

    private EntityTables(Matcher matcher, EntityMemory? memory, string run)
    {
        _matcher = matcher;
        _session = matcher.Session;
        _memory = memory;
        _run = Sql.Literal(run);
    }

    public EntityPort EntityRows { get; private set; } = null!;
    public EntityPort Members { get; private set; } = null!;
    public EntityPort Pairs { get; private set; } = null!;
    public EntityPort Provenance { get; private set; } = null!;
    public EntityPort Changes { get; private set; } = null!;

    /// <summary>For the next run, when the step has an entity set: source, key, ordinal, entity_id, since, created_run, changed_run, present.</summary>
    public EntityPort? Ids { get; private set; }

    /// <summary>For the next run, when the step has an entity set: the members' rows, as sensitive as they came.</summary>
    public EntityPort? Rows { get; private set; }

    /// <summary>By input: rows that stand for their entity, and rows that went into another one's.</summary>
    public IReadOnlyList<(long Out, long Merged)> Ledger { get; private set; } = [];

    public EntityReport Report { get; private set; } = null!;

    /// <summary>The columns of the port <c>entities</c> for these input columns.</summary>
    public static DatasetSchema EntitySchema(IReadOnlyList<DatasetColumn> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var own = OwnNames(columns);
        string[] types = ["text", "int64", "list(text)", "double", "text", "text", "text"];
        return new DatasetSchema
        {
            Columns =
            [
                .. own.Take(5).Select((name, i) => new DatasetColumn { Name = name, Type = types[i], Nullable = false }),
                .. columns.Select(column => column with { Nullable = true }),
                .. own.Skip(5).Select((name, i) => new DatasetColumn { Name = name, Type = types[i + 5], Nullable = false }),
                .. HiddenColumns.Columns,
            ],
        };
    }

    public static DatasetSchema MemberSchema { get; } = Schema([("entity_id", "text"), ("source", "text"), ("row", "int64"), ("score", "double"), ("linked_by", "text")], hidden: true);

    public static DatasetSchema PairSchema { get; } = Schema(
    [
        ("left_source", "text"), ("left_row", "int64"), ("right_source", "text"), ("right_row", "int64"), ("weight", "double"), ("probability", "double"), ("decision", "text"),
        ("decided_by", "text"), ("block", "text"), ("fields", "list(struct(name text, level int64, similarity double, weight double, tf double))"), ("left_key", "text"), ("right_key", "text"),
    ]);

    public static DatasetSchema ProvenanceSchema(IReadOnlyList<DatasetColumn> columns)
    {
        var tag = SensitivityTags.Strictest(columns);
        var schema = Schema([("entity_id", "text"), ("column", "text"), ("value", "text"), ("strategy", "text"), ("runner_up", "text")], hidden: true);
        return new DatasetSchema { Columns = [.. schema.Columns.Select(column => column.Name is "value" or "runner_up" ? column with { Sensitivity = tag } : column)] };
    }

    public static DatasetSchema ChangeSchema { get; } = Schema([("change", "text"), ("from", "text"), ("to", "text"), ("cause", "text")]);

    /// <param name="memory">Null: the step has no entity set, so its ids are of this run alone.</param>
    /// <param name="run">The run's id.</param>
    public static async Task<EntityTables> MakeAsync(Matcher matcher, EntityMemory? memory, string run, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(matcher);
        var tables = new EntityTables(matcher, memory, run);
        await tables.MakeAsync(ct).ConfigureAwait(false);
        return tables;
    }

    private async Task MakeAsync(CancellationToken ct)
    {
        await Do($"CREATE TABLE {Sources} AS SELECT _source AS origin, regexp_replace(_source, '@[^@]*$', '') AS source FROM (SELECT DISTINCT _source FROM {Matcher.GroupTable})", ct).ConfigureAwait(false);
        if (_memory is not null)
            await RecallAsync(_memory, ct).ConfigureAwait(false);
        // Most rows stand for themselves: of them nothing is gathered.
        await Do($"CREATE TABLE {Joined} AS SELECT DISTINCT cluster FROM {Matcher.GroupTable} WHERE cluster <> r", ct).ConfigureAwait(false);
        await Do(
            $"""
            CREATE TABLE entity_pairs AS
            SELECT p.*, x.cluster AS left_cluster, y.cluster AS right_cluster, d.a IS NOT NULL AS is_decided
            FROM {Matcher.PairTable} p JOIN {Matcher.GroupTable} x ON x.r = p.a JOIN {Matcher.GroupTable} y ON y.r = p.b LEFT JOIN {Decisions.ApartTable} d ON d.a = x.label AND d.b = y.label
            """, ct).ConfigureAwait(false);
        Report = (await _session.QueryAsync(
            $"""
            SELECT coalesce(l.size, 0), w.weakest, (SELECT count(*) FROM entity_pairs WHERE left_cluster <> right_cluster AND probability >= {Sql.Literal(_matcher.Config.Similarity?.Accept ?? 1)})
            FROM (SELECT max_by(cluster, size * {Above} - cluster) AS cluster, max(size) AS size FROM (SELECT cluster, count(*) AS size FROM {Matcher.GroupTable} GROUP BY cluster)) l
            LEFT JOIN (SELECT cluster, min(weakest) AS weakest FROM {Matcher.ClusterTable} GROUP BY cluster) w ON w.cluster = l.cluster
            """,
            row => new EntityReport(row.GetInt64(0), row.IsDBNull(1) ? null : row.GetDouble(1), row.GetInt64(2)), ct).ConfigureAwait(false))[0];
        await IdentifyAsync(ct).ConfigureAwait(false);
        await Do(
            $"""
            CREATE TABLE {Told} AS SELECT cluster FROM {Entities} WHERE cluster < {Inputs} OR is_new OR entity_id IN (SELECT "from" FROM {ChangeTable} UNION SELECT "to" FROM {ChangeTable})
            """, ct).ConfigureAwait(false);
        await SurviveAsync(ct).ConfigureAwait(false);
        Describe();
        var ledger = await _session.QueryAsync(
            $"SELECT input, count(*) FILTER (cluster = r), count(*) FILTER (cluster <> r) FROM {Matcher.GroupTable} WHERE r < {Inputs} GROUP BY input",
            row => (Input: row.GetInt32(0), Out: row.GetInt64(1), Merged: row.GetInt64(2)), ct).ConfigureAwait(false);
        Ledger = [.. Enumerable.Range(0, ledger.Count == 0 ? 0 : ledger.Max(line => line.Input) + 1)
            .Select(i => ledger.Where(line => line.Input == i).Select(line => (line.Out, line.Merged)).FirstOrDefault())];
    }

    /// <summary>Who was in which entity, who is here now, and of whom it is known that they have gone.</summary>
    private async Task RecallAsync(EntityMemory memory, CancellationToken ct)
    {
        // Rows of equal content are told apart by their number among them; only few are, so that not all have to be put in order.
        var keys = $"(SELECT g.r, g.cluster, s.source, g._key AS key FROM {Matcher.GroupTable} g JOIN {Sources} s ON s.origin = g._source)";
        await Do(
            $"""
            CREATE TABLE entity_ordinals AS
            SELECT r, row_number() OVER (PARTITION BY source, key ORDER BY r) AS ordinal
            FROM {keys} SEMI JOIN (SELECT hash(source, key) AS repeated FROM {keys} GROUP BY 1 HAVING count(*) > 1) ON repeated = hash(source, key)
            """, ct).ConfigureAwait(false);
        await Do($"CREATE VIEW {Now} AS SELECT k.r, k.cluster, k.source, k.key, coalesce(o.ordinal, 1) AS ordinal FROM {keys} k LEFT JOIN entity_ordinals o ON o.r = k.r", ct).ConfigureAwait(false);
        var before = memory.Ids is { } ids
            ? DatasetFiles.Relation(ids)
            : "(SELECT '' AS source, '' AS key, 0 AS ordinal, NULL AS entity_id, NULL AS since, '' AS created_run, '' AS changed_run, false AS present WHERE false)";
        // There are few runs and many ids: each takes a few bytes.
        await Do($"CREATE TYPE entity_run AS ENUM (SELECT run FROM (SELECT created_run AS run FROM {before} UNION SELECT changed_run FROM {before} UNION SELECT {_run}) ORDER BY run)", ct).ConfigureAwait(false);
        await Do(
            $"""
            CREATE TABLE {Before} AS
            SELECT source, key, CAST(ordinal AS BIGINT) AS ordinal, CAST(entity_id AS UUID) AS entity_id, CAST(since AS TIMESTAMPTZ) AS since,
              CAST(created_run AS entity_run) AS created_run, CAST(changed_run AS entity_run) AS changed_run, present
            FROM {before}
            """, ct).ConfigureAwait(false);
        await Do(
            $"""
            CREATE TABLE {Met} AS
            SELECT n.r, n.cluster, b.rowid AS b, b.entity_id, b.since, b.present FROM {Before} b JOIN {Now} n USING (source, key, ordinal)
            """, ct).ConfigureAwait(false);
        // Behind an incremental source most rows are elsewhere, not gone: only what came whole tells who is missing in it.
        var gone = memory.IsEarlier ? "false" : "true";
        if (!memory.IsEarlier && _matcher.Inputs.Whole is { } whole)
        {
            var inputs = string.Join(", ", whole.Select(i => i.ToString(CultureInfo.InvariantCulture)).Prepend("-1"));
            gone = $"source IN (SELECT s.source FROM {Matcher.GroupTable} g JOIN {Sources} s ON s.origin = g._source WHERE g.input IN ({inputs}))";
        }
        await Do($"CREATE TABLE {Absent} AS SELECT *, {gone} AS gone FROM (SELECT b.* FROM {Before} b ANTI JOIN {Met} m ON m.b = b.rowid)", ct).ConfigureAwait(false);
        if (gone != "true")
            await KeepTogetherAsync(ct).ConfigureAwait(false);
    }

    /// <summary>
    /// What ties the members of an entity together may be a row that is not here now, so an entity of which one is elsewhere does not fall apart: its
    /// members stay in one cluster.
    /// </summary>
    private async Task KeepTogetherAsync(CancellationToken ct)
    {
        await Do(
            $"""
            CREATE TABLE entity_kept AS
            SELECT DISTINCT m.entity_id, m.cluster FROM {Met} m
            SEMI JOIN (SELECT entity_id FROM {Met} GROUP BY entity_id HAVING min(cluster) <> max(cluster)) apart ON apart.entity_id = m.entity_id
            SEMI JOIN (SELECT entity_id FROM {Absent} WHERE present AND NOT gone) elsewhere ON elsewhere.entity_id = m.entity_id
            """, ct).ConfigureAwait(false);
        var together = new Dictionary<long, long>();
        long Find(long cluster)
        {
            while (together.GetValueOrDefault(cluster, cluster) is var next && next != cluster)
                cluster = next;
            return cluster;
        }
        // What people said is different does not stay together.
        var apart = await _session.QueryAsync(
            $"SELECT x.cluster, y.cluster FROM {Decisions.ApartTable} p JOIN {Matcher.GroupTable} x ON x.r = p.a JOIN {Matcher.GroupTable} y ON y.r = p.b",
            row => (A: row.GetInt64(0), B: row.GetInt64(1)), ct).ConfigureAwait(false);
        bool IsForbidden(long a, long b) => apart.Any(pair => Find(pair.A) == a && Find(pair.B) == b);
        (string Entity, long Cluster)? last = null;
        foreach (var line in await _session.QueryAsync(
            "SELECT CAST(entity_id AS VARCHAR), cluster FROM entity_kept ORDER BY 1, 2", row => (Entity: row.GetString(0), Cluster: row.GetInt64(1)), ct).ConfigureAwait(false))
        {
            if (last is { } before && before.Entity == line.Entity && (Find(before.Cluster), Find(line.Cluster)) is var (a, b) && a != b && !IsForbidden(a, b))
                together[Math.Max(a, b)] = Math.Min(a, b);
            last = line;
        }
        if (together.Count == 0)
            return;
        await Do("CREATE TABLE entity_together (cluster BIGINT, into_cluster BIGINT)", ct).ConfigureAwait(false);
        using (var appender = _session.Connection.CreateAppender("entity_together"))
        {
            foreach (var cluster in together.Keys)
                appender.CreateRow().AppendValue(cluster).AppendValue(Find(cluster)).EndRow();
        }
        foreach (var table in (string[])[Matcher.GroupTable, Matcher.ClusterTable, Met])
            await Do($"UPDATE {table} SET cluster = t.into_cluster FROM entity_together t WHERE t.cluster = {table}.cluster", ct).ConfigureAwait(false);
    }

    /// <summary>Gives every cluster its entity id, and says what became of the ids of the last run.</summary>
    private async Task IdentifyAsync(CancellationToken ct)
    {
        await Do($"CREATE TABLE {ChangeTable} (change VARCHAR, \"from\" UUID, \"to\" UUID, cause VARCHAR)", ct).ConfigureAwait(false);
        var clusters = $"(SELECT g.r AS cluster, j.cluster IS NULL AS single FROM {Matcher.GroupTable} g LEFT JOIN {Joined} j ON j.cluster = g.r WHERE g.r = g.cluster)";
        if (_memory is null)
        {
            await Do($"CREATE TABLE {Entities} AS SELECT cluster, single, uuidv7() AS entity_id, {_run} AS created_run, {_run} AS changed_run, false AS is_new FROM {clusters}", ct).ConfigureAwait(false);
            return;
        }
        await Do($"CREATE TABLE {Overlap} AS SELECT cluster, entity_id, min(since) AS since, min(r) AS first FROM {Met} GROUP BY cluster, entity_id", ct).ConfigureAwait(false);
        // Of an entity that fell apart, the part with the oldest member keeps the id; of several that became one, the oldest id lives.
        await Do(
            $"""
            CREATE TABLE {Entities} AS
            WITH won AS (SELECT entity_id, arg_min(cluster, CAST(epoch_us(since) AS HUGEINT) * {Above} + first) AS cluster FROM {Overlap} GROUP BY entity_id),
              kept AS (SELECT cluster, min(entity_id) AS entity_id FROM won GROUP BY cluster),
              runs AS (SELECT entity_id, min(created_run) AS created_run, max(changed_run) AS changed_run FROM {Before} GROUP BY entity_id)
            SELECT c.cluster, c.single, coalesce(k.entity_id, uuidv7()) AS entity_id, coalesce(r.created_run, CAST({_run} AS entity_run)) AS created_run,
              coalesce(r.changed_run, CAST({_run} AS entity_run)) AS changed_run, o.cluster IS NULL AS is_new
            FROM {clusters} c LEFT JOIN kept k ON k.cluster = c.cluster LEFT JOIN runs r ON r.entity_id = k.entity_id LEFT JOIN (SELECT DISTINCT cluster FROM {Overlap}) o ON o.cluster = c.cluster
            """, ct).ConfigureAwait(false);
        // New entities are not listed: there may be as many as rows.
        await Do(
            $"""
            INSERT INTO {ChangeTable}
            SELECT DISTINCT CASE WHEN lives.entity_id IS NOT NULL THEN 'split' ELSE 'merged' END, o.entity_id, e.entity_id, CASE WHEN lives.entity_id IS NOT NULL THEN 'no longer alike' ELSE 'match' END
              FROM {Overlap} o JOIN {Entities} e ON e.cluster = o.cluster LEFT JOIN {Entities} lives ON lives.entity_id = o.entity_id WHERE o.entity_id <> e.entity_id
            UNION ALL SELECT 'retired', a.entity_id, NULL, 'rows gone' FROM (SELECT entity_id FROM {Absent} WHERE present GROUP BY entity_id HAVING bool_and(gone)) a ANTI JOIN {Overlap} o ON o.entity_id = a.entity_id
            UNION ALL SELECT DISTINCT 'grew', e.entity_id, e.entity_id, 'new rows'
              FROM {Matcher.GroupTable} g JOIN {Entities} e ON e.cluster = g.cluster ANTI JOIN (SELECT r FROM {Met} WHERE present) m ON m.r = g.r WHERE NOT e.is_new
            UNION ALL SELECT DISTINCT 'shrank', e.entity_id, e.entity_id, 'rows gone' FROM {Absent} a JOIN {Entities} e ON e.entity_id = a.entity_id WHERE a.present AND a.gone
            """, ct).ConfigureAwait(false);
        await Do($"UPDATE {Entities} SET changed_run = {_run} WHERE changed_run <> {_run} AND entity_id IN (SELECT \"from\" FROM {ChangeTable} UNION SELECT \"to\" FROM {ChangeTable})", ct).ConfigureAwait(false);
        // Members that are not there this time keep their place, under the id that took over.
        var query = $"""
            SELECT n.source, n.key, n.ordinal, CAST(e.entity_id AS VARCHAR) AS entity_id, coalesce(m.since, CAST(now() AS TIMESTAMPTZ)) AS since,
              CAST(e.created_run AS VARCHAR) AS created_run, CAST(e.changed_run AS VARCHAR) AS changed_run, true AS present
            FROM {Now} n JOIN {Entities} e ON e.cluster = n.cluster LEFT JOIN {Met} m ON m.r = n.r
            UNION ALL
            SELECT a.source, a.key, a.ordinal, CAST(coalesce(c."to", a.entity_id) AS VARCHAR), a.since, CAST(a.created_run AS VARCHAR), CAST(a.changed_run AS VARCHAR), a.present AND NOT a.gone
            FROM {Absent} a LEFT JOIN (SELECT "from", min("to") AS "to" FROM {ChangeTable} WHERE change = 'merged' GROUP BY 1) c ON c."from" = a.entity_id
            """;
        Ids = new EntityPort(query, DatasetFiles.Describe(_session, query));
        Rows = new EntityPort(
            $"SELECT {string.Concat(_matcher.Inputs.Columns.Select(column => $"{Sql.Identifier(column.Name)}, "))}_source, _row, _key FROM {Matcher.RowTable}",
            new DatasetSchema { Columns = [.. _matcher.Inputs.Columns, .. HiddenColumns.Columns] });
    }

    /// <summary>
    /// Which value of which member lives on. What the engine gathers by entity is not spilled where it is text, so it never does so for more than a part of the
    /// entities at once.
    /// </summary>
    private async Task SurviveAsync(CancellationToken ct)
    {
        var (cluster, row) = (Internal("cluster"), Internal("r"));
        await Do(
            $"""
            CREATE TABLE {Merged} AS
            SELECT g.cluster AS {cluster}, g.r AS {row}, r.* FROM {Matcher.GroupTable} g SEMI JOIN {Joined} j ON j.cluster = g.cluster SEMI JOIN {Told} t ON t.cluster = g.cluster JOIN {Matcher.RowTable} r ON r.{_matcher.RowNumber} = g.r ORDER BY g.cluster, g.r
            """, ct).ConfigureAwait(false);
        await Do($"CREATE TABLE entity_weakest AS SELECT cluster, min(weakest) AS weakest FROM {Matcher.ClusterTable} GROUP BY cluster", ct).ConfigureAwait(false);
        await Do($"CREATE TABLE {ProvenanceTable} (entity_id UUID, \"column\" VARCHAR, value VARCHAR, strategy VARCHAR, runner_up VARCHAR, _source VARCHAR, _row BIGINT, _key VARCHAR)", ct).ConfigureAwait(false);
        // Where a row stands in the order of moments, the most recent first, or of sources.
        var orders = _matcher.Inputs.Columns.Select(column => OrderOf(Rule(column.Name))).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        var ranks = string.Concat(orders.Select((order, i) => $", row_number() OVER (ORDER BY {order}, m.{row}) AS {Rank(i)}"));
        var first = true;
        foreach (var (from, to) in await PartsAsync(ct).ConfigureAwait(false))
        {
            await Do(
                $"""
                CREATE OR REPLACE TEMP TABLE {Part} AS
                SELECT m.*, e.entity_id AS {Internal("entity")}{ranks}
                FROM (SELECT * FROM {Merged} WHERE {Within(cluster, from, to)}) m JOIN (SELECT cluster, entity_id FROM {Entities} WHERE NOT single AND {Within("cluster", from, to)}) e ON e.cluster = m.{cluster} JOIN {Sources} s ON s.origin = m._source
                """, ct).ConfigureAwait(false);
            await Do($"CREATE OR REPLACE TEMP TABLE entity_sizes AS SELECT p.{cluster} AS cluster, count(*) AS size, list_sort(list(DISTINCT s.source)) AS sources FROM {Part} p JOIN {Sources} s ON s.origin = p._source GROUP BY 1", ct).ConfigureAwait(false);
            var (values, joins, provenance) = ("", "", new List<string>());
            foreach (var (column, i) in _matcher.Inputs.Columns.Select((column, i) => (column, i)))
            {
                var best = $"entity_best_{i.ToString(CultureInfo.InvariantCulture)}";
                provenance.Add(await ChooseAsync(best, column, orders, ct).ConfigureAwait(false));
                values += $"{best}.v AS {Sql.Identifier(column.Name)}, ";
                joins += $" LEFT JOIN {best} ON {best}.cluster = p.{cluster}";
            }
            await Do(
                $"""
                {(first ? $"CREATE TABLE {Survivors} AS" : $"INSERT INTO {Survivors}")}
                SELECT p.{cluster}, z.size AS {Internal("size")}, z.sources AS {Internal("sources")}, coalesce(w.weakest, 1.0) AS {Internal("weakest")}, {values}p._source, p._row, p._key
                FROM {Part} p JOIN entity_sizes z ON z.cluster = p.{cluster} LEFT JOIN entity_weakest w ON w.cluster = p.{cluster}{joins}
                WHERE p.{row} = p.{cluster}
                """, ct).ConfigureAwait(false);
            first = false;
            // All at once: what is more than a few rows goes to the file straight away.
            if (provenance.Count > 0)
                await Do($"INSERT INTO {ProvenanceTable} {string.Join(" UNION ALL ", provenance)}", ct).ConfigureAwait(false);
        }
    }

    /// <summary>Chooses the surviving values of a column in a part; the answer is a query for where they come from.</summary>
    /// <param name="best">The table to make: cluster, v, k, runner_up.</param>
    private async Task<string> ChooseAsync(string best, DatasetColumn column, List<string> orders, CancellationToken ct)
    {
        var rule = Rule(column.Name);
        var type = DatasetFiles.TypeOf(column);
        var name = $"p.{Sql.Identifier(column.Name)}";
        // One number: the least wins, and tells the row, so that nothing depends on threads.
        var rank = OrderOf(rule) is { } order ? Rank(orders.IndexOf(order)) : Internal("r");
        var key = rule.Keep switch
        {
            Keep.Longest => $"min(n - length({RowJson.Text(type, "v")}) * {Above})",
            Keep.ValidFirst => $"min(CASE WHEN {Valid(rule, column.Name, RowJson.Text(type, "v"))} THEN n ELSE n + {Above} END)",
            Keep.MostFrequent => $"min(n) - count(*) * {Above}",
            _ => "min(n)",
        };
        // First by value, then the best two: so the runner-up is another value, not another row.
        await Do(
            $"""
            CREATE OR REPLACE TEMP TABLE {best} AS
            SELECT cluster, arg_min(v, k) AS v, min(k) AS k, CASE WHEN count(*) > 1 THEN arg_min({RowJson.Text(type, "v")}, k, 2)[2] END AS runner_up
            FROM (
              SELECT cluster, v, {key} AS k FROM (SELECT p.{Internal("cluster")} AS cluster, p.{rank} AS n, {name} AS v FROM {Part} p WHERE {name} IS NOT NULL) GROUP BY cluster, v)
            GROUP BY cluster
            """, ct).ConfigureAwait(false);
        var strategy = System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(rule.Keep.ToString()) + (rule.By is null ? "" : $" by {rule.By}");
        return $"""
            SELECT p.{Internal("entity")}, {Sql.Literal(column.Name)}, {RowJson.Text(type, "b.v")}, {Sql.Literal(strategy)}, b.runner_up, p._source, p._row, p._key
            FROM {best} b JOIN {Part} p ON p.{rank} = b.k & ({Above} - 1)
            """;
    }

    /// <summary>Ranges of clusters with about as many rows as fit into memory at once; whole clusters, however large.</summary>
    private async Task<List<(long From, long To)>> PartsAsync(CancellationToken ct)
    {
        const long Step = 4096;
        var most = Math.Clamp(_session.Options.MemoryBytes / BytesAtWork, 10_000, 1_000_000);
        var parts = new List<(long From, long To)>();
        var (from, rows) = (0L, 0L);
        await foreach (var (step, count) in _session.StreamAsync(
            $"SELECT cluster // {Step.ToString(CultureInfo.InvariantCulture)}, count(*) FROM {Matcher.GroupTable} SEMI JOIN {Joined} USING (cluster) GROUP BY 1 ORDER BY 1", row => (row.GetInt64(0), row.GetInt64(1)), ct).ConfigureAwait(false))
        {
            if (rows > 0 && rows + count > most)
            {
                parts.Add((from, step * Step));
                (from, rows) = (step * Step, 0);
            }
            rows += count;
        }
        parts.Add((from, long.MaxValue));
        return parts;
    }

    private static string Within(string cluster, long from, long to) =>
        string.Create(CultureInfo.InvariantCulture, $"{cluster} >= {from} AND {cluster} < {to}");

    /// <summary>A column that no data has.</summary>
    private string Internal(string name) => Sql.Identifier(_matcher.Inputs.Prefix + name);

    /// <summary>The order of the rows m and sources s, the one that wins first; null: that of the rows.</summary>
    private static string? OrderOf(SurvivorRule rule) => rule.Keep switch
    {
        Keep.MostRecent => $"m.{Sql.Identifier(rule.By!)} DESC NULLS LAST",
        Keep.MostTrusted => $"CASE s.source {string.Concat(rule.Sources.Select((source, i) => $"WHEN {Sql.Literal(source)} THEN {i.ToString(CultureInfo.InvariantCulture)} "))}ELSE {rule.Sources.Count.ToString(CultureInfo.InvariantCulture)} END",
        _ => null,
    };

    private string Rank(int i) => Internal($"rank{i.ToString(CultureInfo.InvariantCulture)}");

    private static string Valid(SurvivorRule rule, string column, string text)
    {
        var pattern = rule.Pattern
            ?? (column.Contains("mail", StringComparison.OrdinalIgnoreCase) ? @"\s*[^@\s]+@[^@\s]+\.[^@\s.]+\s*" : null);
        return pattern is null ? $"trim({text}) <> ''" : $"regexp_full_match({text}, {Sql.Literal(pattern)})";
    }

    private SurvivorRule Rule(string column)
    {
        var rules = _matcher.Config.Survivorship;
        return rules.FirstOrDefault(rule => rule.Columns.Names.Contains(column, StringComparer.Ordinal))
            ?? rules.FirstOrDefault(rule => rule.Columns.IsAll)
            ?? new SurvivorRule { Columns = Contracts.Values.ColumnSelection.All, Keep = Keep.MostFrequent };
    }

    private void Describe()
    {
        var columns = _matcher.Inputs.Columns;
        var own = OwnNames(columns).Select(Sql.Identifier).ToList();
        string EntityOf(string from, string cluster, string size, string sources, string confidence, string condition) =>
            $"""
            SELECT CAST(e.entity_id AS VARCHAR) AS {own[0]}, CAST({size} AS BIGINT) AS {own[1]}, {sources} AS {own[2]}, CAST({confidence} AS DOUBLE) AS {own[3]},
              CASE WHEN w.cluster IS NOT NULL THEN 'review' WHEN d.cluster IS NOT NULL THEN 'confirmed' ELSE 'auto' END AS {own[4]}{string.Concat(columns.Select(column => $", r.{Sql.Identifier(column.Name)}"))},
              CAST(e.created_run AS VARCHAR) AS {own[5]}, CAST(e.changed_run AS VARCHAR) AS {own[6]}, r._source, r._row, r._key
            FROM {from} r JOIN {Entities} e ON e.cluster = r.{cluster} JOIN {Sources} s ON s.origin = r._source
            LEFT JOIN (SELECT left_cluster AS cluster FROM entity_pairs WHERE left_cluster <> right_cluster AND probability >= {Review} AND NOT is_decided UNION SELECT right_cluster FROM entity_pairs WHERE left_cluster <> right_cluster AND probability >= {Review} AND NOT is_decided) w
              ON w.cluster = e.cluster
            LEFT JOIN (SELECT DISTINCT g.cluster FROM {Decisions.ConfirmedTable} c JOIN {Matcher.GroupTable} g ON g.r = c.r) d ON d.cluster = e.cluster
            WHERE {condition}
            """;
        EntityRows = new EntityPort(
            $"""
            {EntityOf(Matcher.RowTable, _matcher.RowNumber, "1", "[s.source]", "1", $"e.single AND e.cluster IN (SELECT cluster FROM {Told})")}
            UNION ALL
            {EntityOf(Survivors, Internal("cluster"), $"r.{Internal("size")}", $"r.{Internal("sources")}", $"r.{Internal("weakest")}", "NOT e.single")}
            """,
            EntitySchema(columns));
        Members = new EntityPort(
            $"""
            SELECT CAST(e.entity_id AS VARCHAR) AS entity_id, s.source, g._row AS "row", CAST(CASE WHEN e.single THEN 1 ELSE coalesce(m.score, 1) END AS DOUBLE) AS score,
              CASE WHEN e.single THEN NULL WHEN g.r IN (SELECT r FROM {Decisions.ConfirmedTable}) THEN 'steward' WHEN k.keyed IS NULL THEN 'model' ELSE 'key' END AS linked_by, g._source, g._row, g._key
            FROM {Matcher.GroupTable} g JOIN {Entities} e ON e.cluster = g.cluster JOIN {Sources} s ON s.origin = g._source
            LEFT JOIN (SELECT DISTINCT keyed FROM {Matcher.GroupTable} WHERE keyed <> r) k ON k.keyed = g.keyed
            LEFT JOIN (
              SELECT label, avg(probability) AS score FROM (
                SELECT x.label, p.probability FROM entity_pairs p JOIN {Matcher.GroupTable} x ON x.r = p.a WHERE left_cluster = right_cluster
                UNION ALL SELECT y.label, p.probability FROM entity_pairs p JOIN {Matcher.GroupTable} y ON y.r = p.b WHERE left_cluster = right_cluster)
              GROUP BY label) m ON m.label = g.label
            WHERE g.r < {Inputs}
            """,
            MemberSchema);
        var blocks = _matcher.Blocks.Count == 0
            ? "NULL"
            : $"CASE CAST(p.block AS INTEGER) {string.Join(" ", _matcher.Blocks.Select((block, i) => $"WHEN {i.ToString(CultureInfo.InvariantCulture)} THEN {Sql.Literal(block)}"))} END";
        Pairs = new EntityPort(
            $"""
            SELECT x._source AS left_source, x._row AS left_row, y._source AS right_source, y._row AS right_row, CAST({_matcher.PairWeight} AS DOUBLE) AS weight, CAST(probability AS DOUBLE) AS probability,
              CASE WHEN left_cluster = right_cluster THEN 'match' WHEN is_decided THEN 'different' ELSE 'review' END AS decision, CASE WHEN is_decided THEN 'steward' ELSE 'model' END AS decided_by,
              CAST({blocks} AS VARCHAR) AS block, {_matcher.FieldList()} AS fields, x._key AS left_key, y._key AS right_key
            FROM entity_pairs p JOIN {Matcher.GroupTable} x ON x.r = p.a JOIN {Matcher.GroupTable} y ON y.r = p.b
            WHERE (probability >= {Review} OR left_cluster = right_cluster) AND least(p.a, p.b) < {Inputs}
            """,
            PairSchema);
        Provenance = new EntityPort(
            $"SELECT CAST(entity_id AS VARCHAR) AS entity_id, \"column\", value, strategy, runner_up, _source, _row, _key FROM {ProvenanceTable}",
            ProvenanceSchema(columns));
        Changes = new EntityPort(
            $"""
            SELECT 'created' AS change, CAST(NULL AS VARCHAR) AS "from", CAST(entity_id AS VARCHAR) AS "to", 'new rows' AS cause FROM {Entities} WHERE is_new
            UNION ALL SELECT change, CAST("from" AS VARCHAR), CAST("to" AS VARCHAR), cause FROM {ChangeTable}
            """,
            ChangeSchema);
    }

    /// <summary>Rows of the inputs have lower numbers, remembered ones do not.</summary>
    private string Inputs => _matcher.Rows.ToString(CultureInfo.InvariantCulture);

    private string Review => Sql.Literal(_matcher.Config.Similarity?.Review ?? 1);

    /// <summary>The entity's own columns; one that the data has too is called entity_....</summary>
    private static string[] OwnNames(IReadOnlyList<DatasetColumn> columns) =>
    [
        .. OwnColumns.Select(name =>
        {
            while (columns.Any(column => string.Equals(column.Name, name, StringComparison.OrdinalIgnoreCase)))
                name = $"entity_{name}";
            return name;
        }),
    ];

    private static DatasetSchema Schema((string Name, string Type)[] columns, bool hidden = false) => new()
    {
        Columns = [.. columns.Select(column => new DatasetColumn { Name = column.Name, Type = column.Type }), .. hidden ? HiddenColumns.Columns : []],
    };

    private Task<long> Do(string statement, CancellationToken ct) => _session.ExecuteAsync(statement, ct);
}
