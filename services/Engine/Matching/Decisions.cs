using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Matching;

/// <summary>
/// What people decided about rows: a dataset with <c>left_key</c>, <c>right_key</c> (the rows' <c>_key</c>) and <c>decision</c>, and if wanted <c>left_source</c> and <c>right_source</c>. Keys do not change from run to run, so
/// the decisions do not have to be made again.
/// </summary>
internal sealed class Decisions
{
    public const string Path = "decisions";

    /// <summary>Rows r that someone said are the same as another one.</summary>
    public const string ConfirmedTable = "match_confirmed";

    /// <summary>a, b: groups that someone said are different, both ways round; by the label they have in the end.</summary>
    public const string ApartTable = "match_apart";

    private static readonly string[] Needed = ["left_key", "right_key", "decision"];
    private readonly List<string> _warnings = [];
    private readonly List<string> _found = [];

    public IReadOnlyList<string> Warnings => _warnings;
    public IReadOnlyList<string> Found => _found;

    /// <exception cref="RecipeException">A column is missing.</exception>
    public static void Check(IReadOnlyList<DatasetColumn> columns)
    {
        foreach (var name in Needed.Where(name => columns.All(column => column.Name != name)))
            throw new RecipeException(RecipeException.ColumnUnknown, $"The decisions have no column \"{name}\"; they need {string.Join(", ", Needed)}.", Path);
    }

    /// <summary>Puts together what is said to be the same, and forbids what is said to be different. Of two that contradict each other the same holds.</summary>
    public static async Task<Decisions> ReadAsync(EngineSession session, StackedInputs inputs, LocalDataset? dataset, UnionFind groups, CancellationToken ct)
    {
        var decisions = new Decisions();
        await session.ExecuteAsync($"CREATE TABLE {ConfirmedTable} (r BIGINT)", ct).ConfigureAwait(false);
        if (dataset is not null)
            await decisions.ReadAsync(session, inputs.RowNumber.Column, dataset, groups, ct).ConfigureAwait(false);
        return decisions;
    }

    private async Task ReadAsync(EngineSession session, string rowNumber, LocalDataset dataset, UnionFind groups, CancellationToken ct)
    {
        Check(dataset.Dataset.Schema.Columns);
        string Side(string side) => dataset.Dataset.Schema.Columns.Any(column => column.Name == $"{side}_source") ? $"nullif(trim(CAST({side}_source AS VARCHAR)), '')" : "CAST(NULL AS VARCHAR)";
        await session.ExecuteAsync(
            $"""
            CREATE TABLE match_decisions AS
            SELECT row_number() OVER () AS n, trim(CAST(left_key AS VARCHAR)) AS left_key, {Side("left")} AS left_source, trim(CAST(right_key AS VARCHAR)) AS right_key, {Side("right")} AS right_source,
              lower(trim(CAST(decision AS VARCHAR))) AS decision
            FROM {DatasetFiles.Relation(dataset)} WHERE coalesce(lower(trim(CAST(decision AS VARCHAR))), '') NOT IN ('', 'review')
            """, ct).ConfigureAwait(false);
        var unknown = await session.ScalarAsync<long>("SELECT count(*) FROM match_decisions WHERE decision NOT IN ('match', 'different')", ct).ConfigureAwait(false);
        if (unknown > 0)
            throw new MatchException("decisionUnknown", string.Create(CultureInfo.InvariantCulture, $"{unknown:N0} of the decisions are none: match, different, or review for one that is still open."), Path);
        await session.ExecuteAsync(
            $"""
            CREATE TABLE match_decided AS
            WITH known AS (
              SELECT {rowNumber} AS r, _key AS key, regexp_replace(_source, '@[^@]*$', '') AS source FROM {Matcher.RowTable}
              SEMI JOIN (SELECT left_key AS key FROM match_decisions UNION SELECT right_key FROM match_decisions) k ON k.key = _key)
            SELECT d.n, d.decision = 'match' AS same, x.r AS a, y.r AS b
            FROM match_decisions d JOIN known x ON x.key = d.left_key AND coalesce(d.left_source = x.source, true) JOIN known y ON y.key = d.right_key AND coalesce(d.right_source = y.source, true) AND x.r <> y.r
            """, ct).ConfigureAwait(false);
        var pairs = await session.QueryAsync("SELECT n, same, a, b FROM match_decided ORDER BY same DESC, n, a, b", row => (N: row.GetInt64(0), Same: row.GetBoolean(1), A: (int)row.GetInt64(2), B: (int)row.GetInt64(3)), ct).ConfigureAwait(false);
        await session.ExecuteAsync($"INSERT INTO {ConfirmedTable} SELECT a FROM match_decided WHERE same UNION SELECT b FROM match_decided WHERE same", ct).ConfigureAwait(false);
        var contradicted = new HashSet<long>();
        foreach (var (n, same, a, b) in pairs)
        {
            if (same)
                groups.Union(a, b);
            else if (!groups.Forbid(a, b))
                contradicted.Add(n);
        }
        var told = await session.ScalarAsync<long>("SELECT count(*) FROM match_decisions", ct).ConfigureAwait(false);
        var applied = pairs.Select(pair => pair.N).Distinct().Count();
        _found.Add(string.Create(CultureInfo.InvariantCulture, $"{told:N0} decisions of people, {applied:N0} of them about rows that are here"));
        if (contradicted.Count > 0)
        {
            _warnings.Add(string.Create(CultureInfo.InvariantCulture,
                $"{contradicted.Count:N0} decisions say \"different\" of rows that others say are the same, directly or by rows between them: these rows stay together until one of the decisions is taken back."));
        }
    }

    /// <summary>Writes down what may not come together, by the groups there are in the end.</summary>
    public static async Task WriteApartAsync(EngineSession session, UnionFind groups, CancellationToken ct)
    {
        await session.ExecuteAsync($"CREATE TABLE {ApartTable} (a BIGINT, b BIGINT)", ct).ConfigureAwait(false);
        using var appender = session.Connection.CreateAppender(ApartTable);
        foreach (var (a, b) in groups.Forbidden)
        {
            appender.CreateRow().AppendValue((long)a).AppendValue((long)b).EndRow();
            appender.CreateRow().AppendValue((long)b).AppendValue((long)a).EndRow();
        }
    }
}
