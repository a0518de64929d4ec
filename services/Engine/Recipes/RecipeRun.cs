using System.Globalization;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Recipes;

/// <summary>What a recipe did.</summary>
public sealed record RecipeResult
{
    public required IReadOnlyList<RecipeInputResult> Inputs { get; init; }

    /// <summary>Changed cells of clean rows by kind of rule (<c>trim</c>) and by rule (<c>rules[0]</c>).</summary>
    public required IReadOnlyDictionary<string, long> Changed { get; init; }

    /// <summary>Cells that failed without being rejected: how many were kept, emptied or given the default, by label.</summary>
    public required IReadOnlyList<RecipeFailure> Tolerated { get; init; }

    /// <summary>What makes the step fail: <c>else: fail</c> rules and checks that something failed, and row counts out of bounds.</summary>
    public required IReadOnlyList<RecipeFailure> Fatal { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }
    public long In => Inputs.Sum(input => input.In);
    public long Out => Inputs.Sum(input => input.Out);
    public long Rejected => Inputs.Sum(input => input.Rejected);
    public long Filtered => Inputs.Sum(input => input.Filtered);
}

/// <param name="Rejections">Rejected rows by reason, e.g. <c>notNull(email)</c>.</param>
/// <param name="Filters">Filtered rows by filter.</param>
public sealed record RecipeInputResult(
    string Name, long In, long Out, long Rejected, long Filtered, IReadOnlyDictionary<string, long> Rejections, IReadOnlyDictionary<string, long> Filters);

/// <param name="Path">The place in the recipe, e.g. <c>rules[2]</c>.</param>
public sealed record RecipeFailure(string Label, string Path, Else Else, long Rows, string Message);

/// <summary>Runs a compiled recipe: evaluates it once into a table of the session (which spills), then splits that.</summary>
public static class RecipeRun
{
    /// <param name="outPath">Where the clean rows go (Parquet).</param>
    /// <param name="rejectedPath">Where the rejected rows go; the file is written also when there are none.</param>
    public static async Task<RecipeResult> ExecuteAsync(EngineSession session, CompiledRecipe recipe, string outPath, string rejectedPath, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(recipe);
        var names = recipe.Names;
        var table = Sql.Identifier(names.Table);
        var reasons = Sql.Identifier(names.Reasons);
        var filtered = Sql.Identifier(names.Filtered);
        try
        {
            await session.ExecuteAsync($"CREATE TEMP TABLE {table} AS {recipe.Query}", ct).ConfigureAwait(false);
            foreach (var unique in recipe.Uniques)
                await session.ExecuteAsync(MarkRepeated(names, unique), ct).ConfigureAwait(false);
            var counts = await CountAsync(session, recipe, ct).ConfigureAwait(false);
            await DatasetFiles.WriteAsync(
                session,
                $"SELECT {Sql.Identifiers(recipe.Schema.Columns.Select(column => column.Name))} FROM {table} WHERE {reasons} IS NULL AND {filtered} IS NULL",
                outPath, ct).ConfigureAwait(false);
            await DatasetFiles.WriteAsync(
                session,
                $"""
                SELECT {Sql.Identifiers(HiddenColumns.Names)}, CAST({recipe.IngestedJson} AS JSON) AS ingested,
                  CAST({recipe.RejectedJson} AS JSON) AS rejected, CAST('[' || {reasons} || ']' AS JSON) AS reasons
                FROM {table} WHERE {reasons} IS NOT NULL
                """,
                rejectedPath, ct).ConfigureAwait(false);
            return counts;
        }
        finally
        {
            session.Execute($"DROP TABLE IF EXISTS {table}");
        }
    }

    // Only rows whose key occurs more than once are ranked. A row that is rejected anyway never stands in the way of one that is not;
    // the source's own order settles what the stated order leaves open, so that the result does not depend on threads.
    private static string MarkRepeated(InternalNames names, UniqueStep unique)
    {
        var table = Sql.Identifier(names.Table);
        var reasons = Sql.Identifier(names.Reasons);
        var ids = Sql.Identifier(names.Ids);
        var id = unique.Failure.Id.ToString(CultureInfo.InvariantCulture);
        var keys = string.Join(", ", unique.Keys);
        var order = string.Join(", ", unique.Order.Prepend($"{reasons} IS NOT NULL").Concat([HiddenColumns.Source, HiddenColumns.Row, "rowid"]));
        var sets = $"{ids} = concat_ws(',', {ids}, '{id}')" + (unique.Failure.Rejects ? $", {reasons} = concat_ws(',', {reasons}, {unique.Reason})" : "");
        return $"""
            UPDATE {table} SET {sets} WHERE rowid IN (
              SELECT r FROM (
                SELECT rowid AS r, row_number() OVER (PARTITION BY {keys} ORDER BY {order}) AS n
                FROM {table}
                WHERE {unique.Condition}
                  AND ({keys}) IN (SELECT {(unique.Keys.Count == 1 ? keys : $"({keys})")} FROM {table} WHERE {unique.Condition} GROUP BY {keys} HAVING count(*) > 1))
              WHERE n > 1)
            """;
    }

    private static async Task<RecipeResult> CountAsync(EngineSession session, CompiledRecipe recipe, CancellationToken ct)
    {
        var names = recipe.Names;
        var table = Sql.Identifier(names.Table);
        var input = Sql.Identifier(names.Input);
        var reasons = Sql.Identifier(names.Reasons);
        var filtered = Sql.Identifier(names.Filtered);
        var changes = recipe.Changes.Select(change => $"coalesce(CAST(sum({Sql.Identifier(change.Column)}) FILTER ({reasons} IS NULL AND {filtered} IS NULL) AS BIGINT), 0)");
        var totals = await session.QueryAsync(
            $"""
            SELECT CAST({input} AS INTEGER), count(*), count(*) FILTER ({filtered} IS NOT NULL), count(*) FILTER ({reasons} IS NOT NULL)
              {string.Concat(changes.Select(change => $", {change}"))}
            FROM {table} GROUP BY 1 ORDER BY 1
            """,
            row => (
                Input: row.GetInt32(0), In: row.GetInt64(1), Filtered: row.GetInt64(2), Rejected: row.GetInt64(3),
                Changes: Enumerable.Range(4, recipe.Changes.Count).Select(row.GetInt64).ToList()),
            ct).ConfigureAwait(false);
        var failed = await session.QueryAsync(
            $"""
            SELECT CAST({input} AS INTEGER), CAST(id AS INTEGER), count(*)
            FROM (SELECT {input}, unnest(string_split({Sql.Identifier(names.Ids)}, ',')) AS id FROM {table} WHERE {Sql.Identifier(names.Ids)} IS NOT NULL)
            GROUP BY 1, 2
            """,
            row => (Input: row.GetInt32(0), Id: row.GetInt32(1), Rows: row.GetInt64(2)), ct).ConfigureAwait(false);
        var filters = await session.QueryAsync(
            $"SELECT CAST({input} AS INTEGER), CAST({filtered} AS INTEGER), count(*) FROM {table} WHERE {filtered} IS NOT NULL GROUP BY 1, 2",
            row => (Input: row.GetInt32(0), Id: row.GetInt32(1), Rows: row.GetInt64(2)), ct).ConfigureAwait(false);

        var inputs = recipe.Inputs.Select((name, i) =>
        {
            var total = totals.FirstOrDefault(row => row.Input == i);
            return new RecipeInputResult(
                name, total.In, total.In - total.Filtered - total.Rejected, total.Rejected, total.Filtered,
                Sum(failed.Where(row => row.Input == i && recipe.Failures[row.Id].Rejects).Select(row => (recipe.Failures[row.Id].Label, row.Rows))),
                Sum(filters.Where(row => row.Input == i).Select(row => (recipe.Filters[row.Id].Label, row.Rows))));
        }).ToList();
        var changed = recipe.Changes
            .SelectMany((change, i) => new[] { (change.Kind, Rows: totals.Sum(row => row.Changes[i])), (change.Path, Rows: totals.Sum(row => row.Changes[i])) });
        var failures = recipe.Failures
            .Select(failure => (Failure: failure, Rows: failed.Where(row => row.Id == failure.Id).Sum(row => row.Rows)))
            .Where(failure => failure.Rows > 0).ToList();
        var fatal = failures.Where(failure => failure.Failure.Else == Else.Fail)
            .Select(failure => new RecipeFailure(
                failure.Failure.Label, failure.Failure.Path, Else.Fail, failure.Rows,
                string.Create(CultureInfo.InvariantCulture, $"{failure.Rows:N0} rows fail {failure.Failure.Label}."))).ToList();
        var warnings = failures.Where(failure => failure.Failure.Else == Else.Keep)
            .Select(failure => string.Create(CultureInfo.InvariantCulture, $"{failure.Rows:N0} rows fail {failure.Failure.Label} and were kept.")).ToList();
        var clean = inputs.Sum(row => row.Out);
        foreach (var (check, path) in recipe.RowCounts)
        {
            var bound = clean < check.Min ? $"at least {check.Min:N0}" : clean > check.Max ? $"at most {check.Max:N0}" : null;
            if (bound is null)
                continue;
            var message = string.Create(CultureInfo.InvariantCulture, $"{clean:N0} clean rows, {bound} expected.");
            if (check.Else == WholeElse.Fail)
                fatal.Add(new RecipeFailure(check.Kind, path, Else.Fail, clean, message));
            else
                warnings.Add(message);
        }
        return new RecipeResult
        {
            Inputs = inputs,
            Changed = Sum(changed),
            Tolerated = [.. failures.Where(failure => !failure.Failure.Rejects)
                .Select(failure => new RecipeFailure(failure.Failure.Label, failure.Failure.Path, failure.Failure.Else, failure.Rows, ""))],
            Fatal = fatal,
            Warnings = warnings,
        };
    }

    private static Dictionary<string, long> Sum(IEnumerable<(string Key, long Rows)> counts) =>
        counts.GroupBy(count => count.Key, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Sum(count => count.Rows), StringComparer.Ordinal);
}
