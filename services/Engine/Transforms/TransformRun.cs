using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Transforms;

/// <summary>What a transform did. <see cref="Ledger"/> says of an input that is not accounted only how many rows it had.</summary>
public sealed record TransformResult(long Out, IReadOnlyList<StepLedger> Ledger, IReadOnlyList<string> Warnings);

/// <summary>Runs operations: accounted rows go through a table of the session (which spills), so that they are counted as they were; others straight to the file.</summary>
public static class TransformRun
{
    public static async Task<TransformResult> ExecuteAsync(EngineSession session, TransformPlan plan, string outPath, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(plan);
        if (!plan.Accounted)
        {
            var rows = await DatasetFiles.WriteAsync(session, plan.Query, outPath, ct).ConfigureAwait(false);
            return new TransformResult(rows, [.. plan.Inputs.Select(NotAccounted)], []);
        }

        var table = Sql.Identifier(plan.Table);
        try
        {
            await session.ExecuteAsync($"CREATE TEMP TABLE {table} AS {plan.Query}", ct).ConfigureAwait(false);
            var order = plan.Order.Count == 0 ? "" : $" ORDER BY {string.Join(", ", plan.Order)}";
            var rows = await DatasetFiles.WriteAsync(
                session,
                $"SELECT {Sql.Identifiers(plan.Schema.Columns.Select(column => column.Name))} FROM {table} WHERE {Sql.Identifier(plan.Gone)} IS NULL{order}",
                outPath, ct).ConfigureAwait(false);
            var ledger = await CountAsync(session, plan, ct).ConfigureAwait(false);
            var warnings = ledger.SelectMany(line => line.Reasons).Where(reason => reason.Reason.EndsWith(" cannot be computed", StringComparison.Ordinal))
                .GroupBy(reason => reason.Reason, StringComparer.Ordinal)
                .Select(group => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{group.Key} for {group.Sum(reason => reason.Rows):N0} rows; they are left out.")).ToList();
            return new TransformResult(rows, ledger, warnings);
        }
        finally
        {
            session.Execute($"DROP TABLE IF EXISTS {table}");
        }
    }

    /// <summary>The line of an input whose rows do not come out as rows.</summary>
    public static StepLedger NotAccounted(Recipes.RecipeInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new StepLedger { Input = input.Name, In = input.Dataset.Dataset.Rows, Out = 0, Accounted = false };
    }

    private static async Task<List<StepLedger>> CountAsync(EngineSession session, TransformPlan plan, CancellationToken ct)
    {
        var table = Sql.Identifier(plan.Table);
        var input = Sql.Identifier(plan.Input);
        var gone = Sql.Identifier(plan.Gone);
        var counts = await session.QueryAsync(
            $"SELECT CAST({input} AS INTEGER), CAST(coalesce({gone}, 65535) AS INTEGER), count(*) FROM {table} GROUP BY 1, 2",
            row => (Input: row.GetInt32(0), Gone: row.GetInt32(1), Rows: row.GetInt64(2)), ct).ConfigureAwait(false);
        var distinct = plan.Merged.Count == 0 ? [] : await session.QueryAsync(
            $"SELECT CAST({input} AS INTEGER), count(DISTINCT ({HiddenColumns.Source}, {HiddenColumns.Row})) FROM {table} WHERE {input} IN ({string.Join(", ", plan.Merged)}) GROUP BY 1",
            row => (Input: row.GetInt32(0), Rows: row.GetInt64(1)), ct).ConfigureAwait(false);
        return [.. plan.Flowing.Select(at =>
        {
            var own = counts.Where(count => count.Input == at).ToList();
            var all = own.Sum(count => count.Rows);
            var rows = plan.Inputs[at].Dataset.Dataset.Rows;
            // Of the right side of a full join, only the rows without a match are rows of their own.
            var stayed = plan.Merged.Contains(at) ? distinct.FirstOrDefault(count => count.Input == at).Rows : rows;
            var gone = own.Where(count => count.Gone < plan.Reasons.Count).ToList();
            var reasons = gone.GroupBy(count => plan.Reasons[count.Gone], StringComparer.Ordinal)
                .Select(group => new LedgerReason("filtered", group.Key, group.Sum(count => count.Rows))).OrderByDescending(reason => reason.Rows).ToList();
            if (all > stayed)
                reasons.Add(new LedgerReason("added", string.Join(", ", plan.Adding), all - stayed));
            if (rows > stayed)
                reasons.Add(new LedgerReason("merged", string.Join(", ", plan.Adding), rows - stayed));
            return new StepLedger
            {
                Input = plan.Inputs[at].Name,
                In = rows,
                Added = all - stayed,
                Out = own.Where(count => count.Gone >= plan.Reasons.Count).Sum(count => count.Rows),
                Merged = rows - stayed,
                Filtered = gone.Sum(count => count.Rows),
                Reasons = reasons,
            };
        })];
    }
}
