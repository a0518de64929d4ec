using Qualiz.Engine.Sessions;

namespace Qualiz.Enrich;

/// <summary>What the evaluation did, counted.</summary>
internal sealed record EnrichCounts(IReadOnlyList<EnrichInputCounts> Inputs)
{
    public long In => Inputs.Sum(line => line.In);
    public long Unmatched => Inputs.Sum(line => line.Unmatched);

    public long Failed(int id) => Inputs.Sum(line => line.Failed.GetValueOrDefault(id));

    public static async Task<EnrichCounts> ReadAsync(EngineSession session, EnrichPlan plan, int inputs, CancellationToken ct)
    {
        var table = Sql.Identifier(plan.Table);
        var input = $"CAST({Sql.Identifier(plan.InputColumn)} AS INTEGER)";
        var first = Sql.Identifier(plan.First);
        var reasons = Sql.Identifier(plan.Reasons);
        var changes = string.Concat(plan.Changes.Select((_, i) => $", count(*) FILTER ({Sql.Identifier(plan.Change(i))} AND {reasons} IS NULL)"));
        var totals = await session.QueryAsync(
            $"""
            SELECT {input}, count(*) FILTER ({first}), count(*), count(*) FILTER ({reasons} IS NOT NULL), count(*) FILTER (NOT {Sql.Identifier(plan.Matched)}){changes}
            FROM {table} GROUP BY 1
            """,
            row => (Input: row.GetInt32(0), In: row.GetInt64(1), Total: row.GetInt64(2), Rejected: row.GetInt64(3), Unmatched: row.GetInt64(4),
                Changed: Enumerable.Range(5, plan.Changes.Count).Select(row.GetInt64).ToList()),
            ct).ConfigureAwait(false);
        var failed = await session.QueryAsync(
            $"""
            SELECT input, CAST(id AS INTEGER), count(*)
            FROM (SELECT {input} AS input, unnest(string_split({Sql.Identifier(plan.Ids)}, ',')) AS id FROM {table} WHERE {Sql.Identifier(plan.Ids)} IS NOT NULL)
            GROUP BY 1, 2
            """,
            row => (Input: row.GetInt32(0), Id: row.GetInt32(1), Rows: row.GetInt64(2)), ct).ConfigureAwait(false);
        return new EnrichCounts([.. Enumerable.Range(0, inputs).Select(i =>
        {
            var total = totals.FirstOrDefault(line => line.Input == i);
            return new EnrichInputCounts(
                total.In, total.Total, total.Rejected, total.Unmatched, total.Changed ?? [.. plan.Changes.Select(_ => 0L)],
                failed.Where(line => line.Input == i).ToDictionary(line => line.Id, line => line.Rows));
        })]);
    }
}

/// <param name="Total">Rows after the lookup, with those that several matches added.</param>
/// <param name="Changed">By the plan's changes; rejected rows do not count.</param>
/// <param name="Failed">Rows by failure.</param>
internal sealed record EnrichInputCounts(long In, long Total, long Rejected, long Unmatched, IReadOnlyList<long> Changed, IReadOnlyDictionary<int, long> Failed);
