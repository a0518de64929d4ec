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
}

/// <summary>
/// Entities made of the matched rows: ids, surviving values, and what changed since the last run (product.md 7). Everything is statements over the
/// matcher's tables.
/// </summary>
public sealed class EntityTables
{
    private const string Entities = "entity_list";
    private const string Before = "entity_before";
    private const string Now = "entity_now";

    /// <summary>origin (the hidden column _source) and source, which has no version.</summary>
    private const string Sources = "entity_sources";

    /// <summary>The rows of entities of several, with their cluster and row number in internal columns.</summary>
    private const string Merged = "entity_merged";
    private const string ChangeTable = "entity_changes";
    private const string SourceId = "regexp_replace(_source, '@[^@]*$', '')";
    private static readonly string[] OwnColumns = ["entity_id", "size", "sources", "confidence", "state", "created_run", "changed_run"];

    private readonly Matcher _matcher;
    private readonly EngineSession _session;
    private readonly EntityMemory? _memory;
    private readonly string _run;

    /// <summary>Of a member b that is not here now: whether it is known that it has gone.</summary>
    private string _isGone = "true";

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

    /// <summary>By input: rows that stand for their entity, and rows that went into another one's.</summary>
    public IReadOnlyList<(long Out, long Merged)> Ledger { get; private set; } = [];

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
        ("decided_by", "text"), ("block", "text"), ("fields", "list(struct(name text, level int64, similarity double, weight double, tf double))"),
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
        var (cluster, row) = (Sql.Identifier($"{_matcher.Inputs.Prefix}cluster"), Sql.Identifier($"{_matcher.Inputs.Prefix}r"));
        await Do($"CREATE TEMP TABLE {Sources} AS SELECT _source AS origin, {SourceId} AS source FROM (SELECT DISTINCT _source FROM {Matcher.RowTable})", ct).ConfigureAwait(false);
        await RecallAsync(ct).ConfigureAwait(false);
        // Most rows stand for themselves: of them nothing is gathered.
        await Do($"CREATE TEMP TABLE entity_joined AS SELECT DISTINCT cluster FROM {Matcher.GroupTable} WHERE cluster <> r", ct).ConfigureAwait(false);
        await Do(
            $"CREATE TEMP TABLE {Merged} AS SELECT g.cluster AS {cluster}, g.r AS {row}, r.* FROM {Matcher.GroupTable} g JOIN {Matcher.RowTable} r ON r.{_matcher.RowNumber} = g.r SEMI JOIN entity_joined j ON j.cluster = g.cluster", ct).ConfigureAwait(false);
        await Do(
            $"""
            CREATE TEMP TABLE entity_clusters AS
            SELECT m.cluster, m.size, m.sources, m.first, coalesce(w.weakest, 1.0) AS confidence
            FROM (SELECT {cluster} AS cluster, count(*) AS size, list_sort(list(DISTINCT s.source)) AS sources, min({row}) AS first FROM {Merged} JOIN {Sources} s ON s.origin = _source GROUP BY 1) m
              LEFT JOIN (SELECT cluster, min(weakest) AS weakest FROM {Matcher.ClusterTable} GROUP BY cluster) w ON w.cluster = m.cluster
            UNION ALL
            SELECT g.cluster, 1, [s.source], g.r, 1.0
            FROM {Matcher.GroupTable} g ANTI JOIN entity_joined j ON j.cluster = g.cluster JOIN {Matcher.RowTable} r ON r.{_matcher.RowNumber} = g.r JOIN {Sources} s ON s.origin = r._source
            """, ct).ConfigureAwait(false);
        // Pairs between entities: somebody should look.
        await Do(
            $"""
            CREATE TEMP TABLE entity_pairs AS
            SELECT p.*, x.cluster AS left_cluster, y.cluster AS right_cluster
            FROM {Matcher.PairTable} p JOIN {Matcher.GroupTable} x ON x.r = p.a JOIN {Matcher.GroupTable} y ON y.r = p.b
            """, ct).ConfigureAwait(false);
        await IdentifyAsync(ct).ConfigureAwait(false);
        var survivors = await SurviveAsync(ct).ConfigureAwait(false);
        Describe(survivors);
        var input = Sql.Identifier(_matcher.Inputs.InputColumn);
        var ledger = await _session.QueryAsync(
            $"""
            SELECT CAST(r.{input} AS INTEGER), count(*) FILTER (e.first IS NOT NULL), count(*) FILTER (e.first IS NULL)
            FROM {Matcher.RowTable} r LEFT JOIN entity_clusters e ON e.first = r.{_matcher.RowNumber} GROUP BY 1
            """,
            row => (Input: row.GetInt32(0), Out: row.GetInt64(1), Merged: row.GetInt64(2)), ct).ConfigureAwait(false);
        Ledger = [.. Enumerable.Range(0, ledger.Count == 0 ? 0 : ledger.Max(line => line.Input) + 1)
            .Select(i => ledger.Where(line => line.Input == i).Select(line => (line.Out, line.Merged)).FirstOrDefault())];
    }

    /// <summary>Who was in which entity, who is here now, and of whom it is known that they have gone.</summary>
    private async Task RecallAsync(CancellationToken ct)
    {
        if (_memory is null)
            return;
        // Rows of equal content are told apart by their number among them; only few are, so that not all have to be put in order.
        await Do(
            $"CREATE TEMP TABLE entity_keys AS SELECT g.cluster, g.r, s.source, r._key AS key FROM {Matcher.GroupTable} g JOIN {Matcher.RowTable} r ON r.{_matcher.RowNumber} = g.r JOIN {Sources} s ON s.origin = r._source", ct).ConfigureAwait(false);
        await Do("CREATE TEMP TABLE entity_repeated AS SELECT hash(source, key) AS repeated FROM entity_keys GROUP BY 1 HAVING count(*) > 1", ct).ConfigureAwait(false);
        await Do(
            $"""
            CREATE TEMP TABLE {Now} AS
            SELECT cluster, r, source, key, 1::BIGINT AS ordinal FROM entity_keys ANTI JOIN entity_repeated ON repeated = hash(source, key)
            UNION ALL
            SELECT cluster, r, source, key, row_number() OVER (PARTITION BY source, key ORDER BY r) FROM entity_keys SEMI JOIN entity_repeated ON repeated = hash(source, key)
            """, ct).ConfigureAwait(false);
        await Do("DROP TABLE entity_keys", ct).ConfigureAwait(false);
        await Do(
            _memory.Ids is { } ids
                ? $"CREATE TEMP TABLE {Before} AS SELECT source, key, ordinal, entity_id, since, created_run, changed_run, present FROM {DatasetFiles.Relation(ids)}"
                : $"CREATE TEMP TABLE {Before} (source VARCHAR, key VARCHAR, ordinal BIGINT, entity_id VARCHAR, since TIMESTAMPTZ, created_run VARCHAR, changed_run VARCHAR, present BOOLEAN)", ct).ConfigureAwait(false);
        // Behind an incremental source most rows are elsewhere, not gone: only what came whole tells who is missing in it.
        if (_memory.IsEarlier)
        {
            _isGone = "false";
        }
        else if (_matcher.Inputs.Whole is { } whole)
        {
            var inputs = string.Join(", ", whole.Select(i => i.ToString(CultureInfo.InvariantCulture)).Prepend("-1"));
            await Do($"CREATE TEMP TABLE entity_whole AS SELECT DISTINCT {SourceId} AS source FROM {Matcher.RowTable} WHERE CAST({Sql.Identifier(_matcher.Inputs.InputColumn)} AS INTEGER) IN ({inputs})", ct).ConfigureAwait(false);
            _isGone = "b.source IN (SELECT source FROM entity_whole)";
        }
        if (_isGone != "true")
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
            CREATE TEMP TABLE entity_kept AS
            WITH apart AS (
                SELECT b.entity_id, n.cluster FROM {Now} n JOIN {Before} b USING (source, key, ordinal)
                QUALIFY min(n.cluster) OVER (PARTITION BY b.entity_id) <> max(n.cluster) OVER (PARTITION BY b.entity_id))
            SELECT DISTINCT entity_id, cluster FROM apart WHERE entity_id IN (
              SELECT b.entity_id FROM {Before} b WHERE b.present AND NOT ({_isGone}) AND NOT EXISTS (SELECT 1 FROM {Now} n WHERE n.source = b.source AND n.key = b.key AND n.ordinal = b.ordinal))
            """, ct).ConfigureAwait(false);
        var together = new Dictionary<long, long>();
        long Find(long cluster)
        {
            while (together.GetValueOrDefault(cluster, cluster) is var next && next != cluster)
                cluster = next;
            return cluster;
        }
        (string Entity, long Cluster)? last = null;
        foreach (var line in await _session.QueryAsync("SELECT entity_id, cluster FROM entity_kept ORDER BY 1, 2", row => (Entity: row.GetString(0), Cluster: row.GetInt64(1)), ct).ConfigureAwait(false))
        {
            if (last is { } before && before.Entity == line.Entity && (Find(before.Cluster), Find(line.Cluster)) is var (a, b) && a != b)
                together[Math.Max(a, b)] = Math.Min(a, b);
            last = line;
        }
        if (together.Count == 0)
            return;
        await Do("CREATE TEMP TABLE entity_together (cluster BIGINT, into_cluster BIGINT)", ct).ConfigureAwait(false);
        using (var appender = _session.Connection.CreateAppender("entity_together"))
        {
            foreach (var cluster in together.Keys)
                appender.CreateRow().AppendValue(cluster).AppendValue(Find(cluster)).EndRow();
        }
        foreach (var table in (string[])[Matcher.GroupTable, Matcher.ClusterTable, Now])
            await Do($"UPDATE {table} SET cluster = t.into_cluster FROM entity_together t WHERE t.cluster = {table}.cluster", ct).ConfigureAwait(false);
    }

    /// <summary>Gives every cluster its entity id, and says what became of the ids of the last run.</summary>
    private async Task IdentifyAsync(CancellationToken ct)
    {
        await Do($"CREATE TEMP TABLE {ChangeTable} (change VARCHAR, \"from\" VARCHAR, \"to\" VARCHAR, cause VARCHAR)", ct).ConfigureAwait(false);
        if (_memory is null)
        {
            await Do($"CREATE TEMP TABLE {Entities} AS SELECT *, CAST(uuidv7() AS VARCHAR) AS entity_id, {_run} AS created_run, {_run} AS changed_run FROM entity_clusters", ct).ConfigureAwait(false);
            return;
        }
        await Do(
            $"""
            CREATE TEMP TABLE entity_overlap AS
            SELECT n.cluster, b.entity_id, min(b.since) AS since, min(n.r) AS first FROM {Now} n JOIN {Before} b USING (source, key, ordinal) GROUP BY n.cluster, b.entity_id
            """, ct).ConfigureAwait(false);
        // Of an entity that fell apart, the part with the oldest member keeps the id; of several that became one, the oldest id lives.
        await Do(
            $"""
            CREATE TEMP TABLE {Entities} AS
            WITH won AS (SELECT entity_id, arg_min(cluster, row(since, first)) AS cluster FROM entity_overlap GROUP BY entity_id),
              kept AS (SELECT cluster, min(entity_id) AS entity_id FROM won GROUP BY cluster),
              runs AS (SELECT entity_id, min(created_run) AS created_run, max(changed_run) AS changed_run FROM {Before} GROUP BY entity_id)
            SELECT c.*, coalesce(k.entity_id, CAST(uuidv7() AS VARCHAR)) AS entity_id, coalesce(r.created_run, {_run}) AS created_run, coalesce(r.changed_run, {_run}) AS changed_run
            FROM entity_clusters c LEFT JOIN kept k USING (cluster) LEFT JOIN runs r ON r.entity_id = k.entity_id
            """, ct).ConfigureAwait(false);
        await Do(
            $"""
            INSERT INTO {ChangeTable}
            WITH gone AS (SELECT b.entity_id FROM {Before} b WHERE b.present GROUP BY b.entity_id HAVING bool_and({_isGone})),
              met AS (SELECT o.entity_id AS was, e.entity_id AS is_now, o.entity_id IN (SELECT entity_id FROM {Entities}) AS lives FROM entity_overlap o JOIN {Entities} e USING (cluster))
            SELECT 'created', NULL, entity_id, 'new rows' FROM {Entities} WHERE cluster NOT IN (SELECT cluster FROM entity_overlap)
            UNION ALL SELECT DISTINCT CASE WHEN lives THEN 'split' ELSE 'merged' END, was, is_now, CASE WHEN lives THEN 'no longer alike' ELSE 'match' END FROM met WHERE was <> is_now
            UNION ALL SELECT 'retired', entity_id, NULL, 'rows gone' FROM gone WHERE entity_id NOT IN (SELECT entity_id FROM entity_overlap)
            UNION ALL SELECT DISTINCT 'grew', e.entity_id, e.entity_id, 'new rows' FROM {Now} n JOIN {Entities} e USING (cluster)
              WHERE e.cluster IN (SELECT cluster FROM entity_overlap) AND NOT EXISTS (SELECT 1 FROM {Before} b WHERE b.source = n.source AND b.key = n.key AND b.ordinal = n.ordinal AND b.present)
            UNION ALL SELECT DISTINCT 'shrank', b.entity_id, b.entity_id, 'rows gone' FROM {Before} b
              WHERE b.present AND {_isGone} AND b.entity_id IN (SELECT entity_id FROM {Entities}) AND NOT EXISTS (SELECT 1 FROM {Now} n WHERE b.source = n.source AND b.key = n.key AND b.ordinal = n.ordinal)
            """, ct).ConfigureAwait(false);
        await Do($"UPDATE {Entities} SET changed_run = {_run} WHERE changed_run <> {_run} AND entity_id IN (SELECT \"from\" FROM {ChangeTable} UNION SELECT \"to\" FROM {ChangeTable})", ct).ConfigureAwait(false);
        // Members that are not there this time keep their place, under the id that took over.
        var query = $"""
            SELECT n.source, n.key, n.ordinal, e.entity_id, coalesce(b.since, CAST(now() AS TIMESTAMPTZ)) AS since, e.created_run, e.changed_run, true AS present
            FROM {Now} n JOIN {Entities} e USING (cluster) LEFT JOIN {Before} b USING (source, key, ordinal)
            UNION ALL
            SELECT b.source, b.key, b.ordinal, coalesce(m."to", b.entity_id), b.since, b.created_run, b.changed_run, b.present AND NOT ({_isGone})
            FROM {Before} b LEFT JOIN (SELECT "from", min("to") AS "to" FROM {ChangeTable} WHERE change = 'merged' GROUP BY 1) m ON m."from" = b.entity_id
            WHERE NOT EXISTS (SELECT 1 FROM {Now} n WHERE b.source = n.source AND b.key = n.key AND b.ordinal = n.ordinal)
            """;
        Ids = new EntityPort(query, DatasetFiles.Describe(_session, query));
    }

    /// <summary>Which value of which member lives on: one pass per column over the entities of several rows. The answer is the tables, by column.</summary>
    private async Task<IReadOnlyDictionary<string, string>> SurviveAsync(CancellationToken ct)
    {
        var columns = _matcher.Inputs.Columns;
        var prefix = _matcher.Inputs.Prefix;
        await Do("CREATE TEMP TABLE entity_provenance (cluster BIGINT, \"column\" VARCHAR, value VARCHAR, r BIGINT, strategy VARCHAR, runner_up VARCHAR)", ct).ConfigureAwait(false);
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < columns.Count; i++)
        {
            var column = columns[i];
            var rule = Rule(column.Name);
            var name = Sql.Identifier(column.Name);
            var type = DatasetFiles.TypeOf(column);
            var text = RowJson.Text(type, name);
            // The greater key wins; the last part settles what the strategy leaves open, so that nothing depends on threads.
            var key = rule.Keep switch
            {
                Keep.MostFrequent => "row(count(*), max(-r))",
                _ => $"max({KeyOfRow(rule, column)})",
            };
            var table = $"entity_value_{i.ToString(CultureInfo.InvariantCulture)}";
            // First by value, then the best two: so the runner-up is another value, not another row.
            var by = rule.By is null ? "NULL" : Sql.Identifier(rule.By);
            await Do(
                $"""
                CREATE TEMP TABLE {table} AS
                SELECT cluster, arg_max(v, best) AS v, arg_max(r, best) AS r, arg_max(t, best, 2)[2] AS runner_up
                FROM (
                  SELECT cluster, v, {key} AS best, arg_max(r, {KeyOfRow(rule, column)}) AS r, any_value(t) AS t
                  FROM (SELECT {Sql.Identifier($"{prefix}cluster")} AS cluster, {Sql.Identifier($"{prefix}r")} AS r, {name} AS v, {by} AS seen, {text} AS t FROM {Merged} WHERE {name} IS NOT NULL)
                  GROUP BY cluster, v)
                GROUP BY cluster
                """, ct).ConfigureAwait(false);
            var strategy = System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(rule.Keep.ToString()) + (rule.By is null ? "" : $" by {rule.By}");
            await Do($"INSERT INTO entity_provenance SELECT cluster, {Sql.Literal(column.Name)}, {RowJson.Text(type, "v")}, r, {Sql.Literal(strategy)}, runner_up FROM {table}", ct).ConfigureAwait(false);
            result[column.Name] = table;
        }
        await Do($"DROP TABLE {Merged}", ct).ConfigureAwait(false);
        return result;
    }

    /// <summary>Over a member's value v, its text t, row number r and moment seen.</summary>
    private static string KeyOfRow(SurvivorRule rule, DatasetColumn column) => rule.Keep switch
    {
        Keep.MostRecent => "row(seen IS NOT NULL, seen, -r)",
        Keep.Longest => "row(length(t), -r)",
        Keep.ValidFirst => $"row({Valid(rule, column)}, -r)",
        _ => "row(-r)",
    };

    private static string Valid(SurvivorRule rule, DatasetColumn column)
    {
        var pattern = rule.Pattern
            ?? (column.Name.Contains("mail", StringComparison.OrdinalIgnoreCase) ? @"\s*[^@\s]+@[^@\s]+\.[^@\s.]+\s*" : null);
        return pattern is null ? "trim(t) <> ''" : $"regexp_full_match(t, {Sql.Literal(pattern)})";
    }

    private SurvivorRule Rule(string column)
    {
        var rules = _matcher.Config.Survivorship;
        return rules.FirstOrDefault(rule => rule.Columns.Names.Contains(column, StringComparer.Ordinal))
            ?? rules.FirstOrDefault(rule => rule.Columns.IsAll)
            ?? new SurvivorRule { Columns = Contracts.Values.ColumnSelection.All, Keep = Keep.MostFrequent };
    }

    private void Describe(IReadOnlyDictionary<string, string> survivors)
    {
        var columns = _matcher.Inputs.Columns;
        var own = OwnNames(columns);
        var values = columns.Select(column => $"CASE WHEN e.size = 1 THEN r.{Sql.Identifier(column.Name)} ELSE {survivors[column.Name]}.v END AS {Sql.Identifier(column.Name)}");
        var joins = string.Concat(columns.Select(column => $" LEFT JOIN {survivors[column.Name]} ON {survivors[column.Name]}.cluster = e.cluster"));
        EntityRows = new EntityPort(
            $"""
            SELECT e.entity_id AS {Sql.Identifier(own[0])}, e.size AS {Sql.Identifier(own[1])}, e.sources AS {Sql.Identifier(own[2])}, e.confidence AS {Sql.Identifier(own[3])},
              CASE WHEN w.cluster IS NULL THEN 'auto' ELSE 'review' END AS {Sql.Identifier(own[4])}{string.Concat(values.Select(value => $", {value}"))},
              e.created_run AS {Sql.Identifier(own[5])}, e.changed_run AS {Sql.Identifier(own[6])}, r._source, r._row, r._key
            FROM {Entities} e JOIN {Matcher.RowTable} r ON r.{_matcher.RowNumber} = e.first
            LEFT JOIN (SELECT left_cluster AS cluster FROM entity_pairs WHERE left_cluster <> right_cluster AND probability >= {Review} UNION SELECT right_cluster FROM entity_pairs WHERE left_cluster <> right_cluster AND probability >= {Review}) w
              ON w.cluster = e.cluster{joins}
            """,
            EntitySchema(columns));
        Members = new EntityPort(
            $"""
            SELECT e.entity_id, {SourceId} AS source, r._row AS "row", CAST(CASE WHEN e.size = 1 THEN 1 ELSE coalesce(s.score, 1) END AS DOUBLE) AS score,
              CASE WHEN e.size = 1 THEN NULL WHEN count(*) OVER (PARTITION BY g.keyed) > 1 THEN 'key' ELSE 'model' END AS linked_by, r._source, r._row, r._key
            FROM {Matcher.GroupTable} g JOIN {Matcher.RowTable} r ON r.{_matcher.RowNumber} = g.r JOIN {Entities} e ON e.cluster = g.cluster
            LEFT JOIN (
              SELECT label, avg(probability) AS score FROM (
                SELECT x.label, p.probability FROM entity_pairs p JOIN {Matcher.GroupTable} x ON x.r = p.a WHERE left_cluster = right_cluster
                UNION ALL SELECT y.label, p.probability FROM entity_pairs p JOIN {Matcher.GroupTable} y ON y.r = p.b WHERE left_cluster = right_cluster)
              GROUP BY label) s ON s.label = g.label
            """,
            MemberSchema);
        var blocks = _matcher.Blocks.Count == 0
            ? "NULL"
            : $"CASE CAST(p.block AS INTEGER) {string.Join(" ", _matcher.Blocks.Select((block, i) => $"WHEN {i.ToString(CultureInfo.InvariantCulture)} THEN {Sql.Literal($"{block.Column} by {Matcher.Word(block.By)}")}"))} END";
        Pairs = new EntityPort(
            $"""
            SELECT x._source AS left_source, x._row AS left_row, y._source AS right_source, y._row AS right_row, CAST({_matcher.PairWeight} AS DOUBLE) AS weight, CAST(probability AS DOUBLE) AS probability,
              CASE WHEN left_cluster = right_cluster THEN 'match' ELSE 'review' END AS decision, 'model' AS decided_by, CAST({blocks} AS VARCHAR) AS block, {_matcher.FieldList()} AS fields
            FROM entity_pairs p JOIN {Matcher.RowTable} x ON x.{_matcher.RowNumber} = p.a JOIN {Matcher.RowTable} y ON y.{_matcher.RowNumber} = p.b
            WHERE probability >= {Review}
            """,
            PairSchema);
        Provenance = new EntityPort(
            $"""
            SELECT e.entity_id, p."column", p.value, p.strategy, p.runner_up, r._source, r._row, r._key
            FROM entity_provenance p JOIN {Entities} e ON e.cluster = p.cluster JOIN {Matcher.RowTable} r ON r.{_matcher.RowNumber} = p.r
            """,
            ProvenanceSchema(columns));
        Changes = new EntityPort($"SELECT change, \"from\", \"to\", cause FROM {ChangeTable}", ChangeSchema);
    }

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
