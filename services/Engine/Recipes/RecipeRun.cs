using System.Globalization;
using System.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Rows;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Recipes;

/// <summary>Where the outputs of a recipe go (Parquet). Every file is written, also without rows.</summary>
/// <param name="Changes">Null: no change log.</param>
public sealed record RecipeFiles(string Out, string Rejected, string? Changes = null)
{
    /// <summary>How many changed cells of each rule the change log shows; null for all.</summary>
    public int? ChangesPerRule { get; init; } = 100;

    /// <summary>What freshness is measured from.</summary>
    public DateTimeOffset Now { get; init; } = TimeProvider.System.GetUtcNow();
}

/// <summary>
/// Runs a compiled recipe in one pass: the clean rows stream into their file, while a kernel counts and takes down the others. Only a recipe with a
/// check that compares rows (<c>unique</c>) is evaluated into a table first, which spills. What rules have to know of groups of rows (<c>majority</c>) is asked in a pass of its own before.
/// </summary>
public static class RecipeRun
{
    public static async Task<RecipeResult> ExecuteAsync(EngineSession session, CompiledRecipe recipe, RecipeFiles files, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(files);
        var names = recipe.Names;
        var sample = files.Changes is null ? 0 : files.ChangesPerRule ?? int.MaxValue;
        var folder = Path.Combine(session.Options.Scratch, $"recipe-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        using var outcomes = new RowOutcomes(
            recipe.Inputs.Count, [.. recipe.Events.Select(happening => happening.Kind)], [.. recipe.Changes.Select(change => change.Change)],
            recipe.ChangingRules.Count, sample, Path.Combine(folder, "rejected"), Path.Combine(folder, "changed"));
        var groups = new List<GroupValues>();
        try
        {
            foreach (var step in recipe.Groups)
            {
                var values = new GroupValues(step.Number);
                groups.Add(values);
                await foreach (var (key, value) in session.StreamAsync(step.Query, row => (row.IsDBNull(0) ? null : row.GetString(0), row.GetString(1)), ct).ConfigureAwait(false))
                {
                    if (key is not null)
                        values.Add(key, value);
                }
            }
            var source = $"({recipe.Query})";
            if (recipe.Uniques.Count > 0)
            {
                var table = await EvaluateAsync(session, recipe, ct).ConfigureAwait(false);
                var flags = new StringBuilder();
                foreach (var unique in recipe.Uniques)
                {
                    await RankAsync(session, recipe, unique, $"(SELECT *{flags} FROM {table})", ct).ConfigureAwait(false);
                    flags.Append(CultureInfo.InvariantCulture, $", {Sql.Identifier(names.Position)} IN (SELECT r FROM {RepeatedTable(recipe, unique)}) AS {Sql.Identifier(recipe.Events[unique.Event].Column)}");
                }
                source = $"(SELECT *{flags} FROM {table})";
            }
            var clean = await DatasetFiles.WriteAsync(session, Clean(recipe, outcomes, source), files.Out, ct).ConfigureAwait(false);
            var rejected = await WriteRejectedAsync(session, outcomes.Rejected, files.Rejected, ct).ConfigureAwait(false);
            var changes = files.Changes is null ? 0 : await WriteChangesAsync(session, outcomes.Changed, files.Changes, files.ChangesPerRule, ct).ConfigureAwait(false);
            var result = Result(recipe, outcomes) with { Changes = changes };
            // What was counted and what was written come by different ways.
            if (clean != result.Out || rejected != result.Rejected)
            {
                throw new EngineException(EngineException.EngineFailed, string.Create(
                    CultureInfo.InvariantCulture, $"{result.Out:N0} clean and {result.Rejected:N0} rejected rows were counted, but {clean:N0} and {rejected:N0} were written."));
            }
            return recipe.Wholes.Count == 0 ? result : await CheckWholeAsync(session, recipe, files, result, ct).ConfigureAwait(false);
        }
        finally
        {
            foreach (var values in groups)
                values.Dispose();
            foreach (var unique in recipe.Uniques)
                session.Execute($"DROP TABLE IF EXISTS {RepeatedTable(recipe, unique)}");
            session.Execute($"DROP TABLE IF EXISTS {Sql.Identifier(names.Table)}");
        }
    }

    /// <summary>Checks over all clean rows, which lie in their file.</summary>
    private static async Task<RecipeResult> CheckWholeAsync(EngineSession session, CompiledRecipe recipe, RecipeFiles files, RecipeResult result, CancellationToken ct)
    {
        var fatal = result.Fatal.ToList();
        var warnings = result.Warnings.ToList();
        foreach (var check in recipe.Wholes)
        {
            var holds = await session.ScalarAsync<bool>(
                $"WITH clean AS (SELECT * FROM {Scan.Parquet(files.Out)}), moment AS (SELECT {Sql.Literal(files.Now)} AS now) {check.Query}", ct).ConfigureAwait(false);
            if (holds)
                continue;
            if (check.Else == WholeElse.Fail)
                fatal.Add(new RecipeFailure(check.Kind, check.Path, Else.Fail, result.Out, check.Message));
            else
                warnings.Add(check.Message);
        }
        return result with { Fatal = fatal, Warnings = warnings };
    }

    // The kernel decides; both it and the takers have effects, so the engine calls each once for a row and moves none of them elsewhere.
    private static string Clean(CompiledRecipe recipe, RowOutcomes outcomes, string source)
    {
        var names = recipe.Names;
        var number = outcomes.Number.ToString(CultureInfo.InvariantCulture);
        var input = Sql.Identifier(names.Input);
        var outcome = Sql.Identifier(names.Outcome);
        var arguments = string.Concat(recipe.Events.Select(happening => happening.Column).Concat(recipe.Changes.Select(change => change.Column)).Select(name => $", {Sql.Identifier(name)}"));
        var identity = $"coalesce(CAST(to_json({HiddenColumns.Source}) AS VARCHAR), ''), coalesce(CAST({HiddenColumns.Row} AS VARCHAR), ''), coalesce({HiddenColumns.Key}, '')";
        var separator = $"chr({((int)RowOutcomes.Separator).ToString(CultureInfo.InvariantCulture)})";
        return $"""
            SELECT {Sql.Identifiers(recipe.Schema.Columns.Select(column => column.Name))}
            FROM (SELECT *, qz_row_outcome({number}, {input}, {HiddenColumns.Row}, {HiddenColumns.Source}{arguments}) AS {outcome} FROM {source})
            WHERE CASE {outcome}
              WHEN 0 THEN true
              WHEN 1 THEN qz_row_rejected({number}, concat_ws({separator}, {input}, {identity}, {recipe.IngestedJson}, {recipe.RejectedJson}, {recipe.ReasonsJson}))
              WHEN 3 THEN qz_row_changed({number}, concat_ws({separator}, {input}, {identity}, {recipe.ChangesJson}))
              ELSE false END
            """;
    }

    private static Task<long> WriteRejectedAsync(EngineSession session, LineSpool spool, string path, CancellationToken ct)
    {
        var select = spool.Lines == 0
            ? $"""
              SELECT CAST(NULL AS VARCHAR) AS {HiddenColumns.Source}, CAST(NULL AS BIGINT) AS {HiddenColumns.Row}, CAST(NULL AS VARCHAR) AS {HiddenColumns.Key},
                CAST(NULL AS JSON) AS {RejectedRows.Ingested}, CAST(NULL AS JSON) AS {RejectedRows.Rejected}, CAST(NULL AS JSON) AS {RejectedRows.Reasons} WHERE false
              """
            : $"""
              SELECT CAST(s AS JSON) ->> '$' AS {HiddenColumns.Source}, r AS {HiddenColumns.Row}, k AS {HiddenColumns.Key},
                CAST(a AS JSON) AS {RejectedRows.Ingested}, CAST(b AS JSON) AS {RejectedRows.Rejected}, CAST(c AS JSON) AS {RejectedRows.Reasons}
              FROM {Lines(spool, "a", "b", "c")} ORDER BY i, s, r, a, b, c
              """;
        return DatasetFiles.WriteAsync(session, select, path, ct);
    }

    private static Task<long> WriteChangesAsync(EngineSession session, LineSpool spool, string path, int? perRule, CancellationToken ct)
    {
        if (spool.Lines == 0)
        {
            return DatasetFiles.WriteAsync(
                session,
                $"""
                SELECT CAST(NULL AS VARCHAR) AS {HiddenColumns.Source}, CAST(NULL AS BIGINT) AS {HiddenColumns.Row}, CAST(NULL AS VARCHAR) AS {HiddenColumns.Key},
                  CAST(NULL AS VARCHAR) AS "{ChangeLog.Rule}", CAST(NULL AS VARCHAR) AS "{ChangeLog.Column}", CAST(NULL AS JSON) AS "{ChangeLog.Old}", CAST(NULL AS JSON) AS "{ChangeLog.New}" WHERE false
                """,
                path, ct);
        }
        var limit = perRule is { } most
            ? $"QUALIFY row_number() OVER (PARTITION BY c.rule ORDER BY qz_row_hash({HiddenColumns.Source}, r), {HiddenColumns.Source}, r, n) <= {most.ToString(CultureInfo.InvariantCulture)}"
            : "";
        return DatasetFiles.WriteAsync(
            session,
            $"""
            SELECT {HiddenColumns.Source}, r AS {HiddenColumns.Row}, k AS {HiddenColumns.Key},
              c.rule AS "{ChangeLog.Rule}", c."column" AS "{ChangeLog.Column}", c.old AS "{ChangeLog.Old}", c.new AS "{ChangeLog.New}"
            FROM (
              SELECT i, CAST(s AS JSON) ->> '$' AS {HiddenColumns.Source}, r, k, generate_subscripts(list, 1) AS n, unnest(list) AS c
              FROM (SELECT i, s, r, k, from_json(CAST(a AS JSON), {Sql.Literal("""[{"rule":"VARCHAR","column":"VARCHAR","old":"JSON","new":"JSON"}]""")}) AS list FROM {Lines(spool, "a")}))
            {limit}
            ORDER BY i, {HiddenColumns.Source}, r, n
            """,
            path, ct);
    }

    private static string Lines(LineSpool spool, params IEnumerable<string> columns)
    {
        spool.Flush();
        var types = columns.Select(name => $"'{name}': 'VARCHAR'").Prepend("'i': 'USMALLINT', 's': 'VARCHAR', 'r': 'BIGINT', 'k': 'VARCHAR'");
        // Room for the longest line, and no more than two blocks of it for each thread.
        var longest = Math.Max(spool.Longest + 16, 1 << 20);
        return Scan.Csv(spool.Path, string.Create(CultureInfo.InvariantCulture, $"""
            auto_detect = false, header = false, delim = chr({(int)RowOutcomes.Separator}), quote = '', escape = '', new_line = '\n',
              max_line_size = {longest}, buffer_size = {longest * 2}, columns = {'{'}{string.Join(", ", types)}{'}'}
            """));
    }

    private static string RepeatedTable(CompiledRecipe recipe, UniqueStep unique) => Sql.Identifier($"{recipe.Names.Table}_{unique.Event.ToString(CultureInfo.InvariantCulture)}");

    /// <summary>Evaluates all rows into a table; the answer is a relation with a column that tells them apart.</summary>
    private static async Task<string> EvaluateAsync(EngineSession session, CompiledRecipe recipe, CancellationToken ct)
    {
        var table = Sql.Identifier(recipe.Names.Table);
        var position = Sql.Identifier(recipe.Names.Position);
        var number = new RowNumber(recipe.Schema.Columns.Select(column => column.Name), recipe.Names.Position);
        await session.ExecuteAsync(number.CreateTable(table, recipe.Query), ct).ConfigureAwait(false);
        return number.IsHidden ? table : $"(SELECT *, {number.Column} AS {position} FROM {table})";
    }

    // Only rows whose key occurs more than once are ranked. A row that is rejected anyway never stands in the way of one that is not;
    // the source's own order settles what the stated order leaves open, so that the result does not depend on threads.
    private static Task<long> RankAsync(EngineSession session, CompiledRecipe recipe, UniqueStep unique, string source, CancellationToken ct)
    {
        // The first thing that rejects or filters a row decides.
        var fate = string.Concat(recipe.Events.Take(unique.Event).Where(happening => happening.EndsRow)
            .Select(happening => $" WHEN {Sql.Identifier(happening.Column)} THEN {(happening.Kind == RowEvent.Filter ? 2 : 1)}"));
        fate = fate.Length == 0 ? "0" : $"CASE{fate} ELSE 0 END";
        var keys = string.Join(", ", unique.Keys);
        var condition = $"{fate} <> 2 AND {string.Join(" AND ", unique.Keys.Select(key => $"{key} IS NOT NULL"))}{(unique.When is null ? "" : $" AND {Sql.Identifier(unique.When)}")}";
        var position = Sql.Identifier(recipe.Names.Position);
        var order = string.Join(", ", unique.Order.Prepend($"{fate} = 1").Concat([HiddenColumns.Source, HiddenColumns.Row, position]));
        return session.ExecuteAsync(
            $"""
            CREATE TEMP TABLE {RepeatedTable(recipe, unique)} AS
            SELECT r FROM (
              SELECT {position} AS r, row_number() OVER (PARTITION BY {keys} ORDER BY {order}) AS n
              FROM {source}
              WHERE {condition} AND ({keys}) IN (SELECT {(unique.Keys.Count == 1 ? keys : $"({keys})")} FROM {source} WHERE {condition} GROUP BY {keys} HAVING count(*) > 1))
            WHERE n > 1
            """,
            ct);
    }

    private static RecipeResult Result(CompiledRecipe recipe, RowOutcomes outcomes)
    {
        var inputs = recipe.Inputs.Select((name, i) => new RecipeInputResult(
            name, outcomes.Read(i), outcomes.Added(i), outcomes.Read(i) + outcomes.Added(i) - outcomes.RejectedRows(i) - outcomes.FilteredRows(i), outcomes.RejectedRows(i), outcomes.FilteredRows(i),
            Sum(recipe.Events.Select((happening, e) => (happening, Rows: outcomes.Count(i, e))).Where(entry => entry.happening.Failure is { Rejects: true }).Select(entry => (entry.happening.Label, entry.Rows))),
            Sum(recipe.Events.Select((happening, e) => (happening, Rows: outcomes.Count(i, e))).Where(entry => entry.happening.Kind == RowEvent.Filter).Select(entry => (entry.happening.Label, entry.Rows)))))
            .ToList();
        var changed = recipe.ChangingRules.SelectMany((rule, i) => new[] { (rule.Kind, outcomes.ChangedBy(i)), (rule.Path, outcomes.ChangedBy(i)) });
        var failures = recipe.Events
            .Select((happening, e) => (happening.Failure, Rows: Enumerable.Range(0, recipe.Inputs.Count).Sum(i => outcomes.Count(i, e))))
            .Where(failure => failure is { Failure: not null, Rows: > 0 }).Select(failure => (Failure: failure.Failure!, failure.Rows)).ToList();
        var fatal = failures.Where(failure => failure.Failure.Else == Else.Fail)
            .Select(failure => new RecipeFailure(
                failure.Failure.Label, failure.Failure.Path, Else.Fail, failure.Rows,
                string.Create(CultureInfo.InvariantCulture, $"{failure.Rows:N0} rows fail {failure.Failure.Label}."))).ToList();
        var shares = Shares(recipe, outcomes).ToList();
        fatal.AddRange(shares.Where(share => share.Else == WholeElse.Fail).Select(share => share.Failure));
        // Where a share may fail, it is the share that is told about.
        var warnings = failures.Where(failure => failure.Failure.Else == Else.Keep && !recipe.Shares.Any(share => share.Failure == failure.Failure))
            .Select(failure => string.Create(CultureInfo.InvariantCulture, $"{failure.Rows:N0} rows fail {failure.Failure.Label} and were kept."))
            .Concat(shares.Where(share => share.Else == WholeElse.Warn).Select(share => share.Failure.Message)).ToList();
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
            Changed = changed.GroupBy(change => change.Item1, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Sum(change => change.Item2), StringComparer.Ordinal),
            Tolerated = [.. failures.Where(failure => !failure.Failure.Rejects)
                .Select(failure => new RecipeFailure(failure.Failure.Label, failure.Failure.Path, failure.Failure.Else, failure.Rows, ""))],
            Fatal = fatal,
            Warnings = warnings,
        };
    }

    /// <summary>Checks that too small a share passes.</summary>
    private static IEnumerable<(WholeElse Else, RecipeFailure Failure)> Shares(CompiledRecipe recipe, RowOutcomes outcomes)
    {
        foreach (var share in recipe.Shares)
        {
            var (seen, failed) = (Count(share.Seen), Count(share.Failed));
            if (seen - failed >= share.Mostly.Value * seen)
                continue;
            // Exact in the comparison above; here rounded down, so that it never reads as what was expected.
            var passing = Math.Floor(1000m * (seen - failed) / seen) / 10;
            yield return (share.Below, new RecipeFailure(
                share.Failure.Label, share.Failure.Path, Else.Fail, failed,
                string.Create(CultureInfo.InvariantCulture, $"{passing:0.#} % of {seen:N0} pass {share.Failure.Label}, at least {share.Mostly.Value * 100:0.####} % expected.")));
        }

        long Count(string column)
        {
            for (var i = 0; i < recipe.Events.Count; i++)
            {
                if (recipe.Events[i].Kind == RowEvent.Observe && recipe.Events[i].Column == column)
                    return Enumerable.Range(0, recipe.Inputs.Count).Sum(input => outcomes.Count(input, i));
            }
            throw new InvalidOperationException("A share is not counted.");
        }
    }

    private static Dictionary<string, long> Sum(IEnumerable<(string Key, long Rows)> counts) =>
        counts.Where(count => count.Rows > 0).GroupBy(count => count.Key, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Sum(count => count.Rows), StringComparer.Ordinal);
}
