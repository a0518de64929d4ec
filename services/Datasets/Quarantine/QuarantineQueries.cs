using System.Globalization;
using System.Runtime.CompilerServices;
using Dapper;
using Npgsql;
using Qualiz.Datasets.Http;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Quarantine;

/// <summary>Looks at the quarantine.</summary>
internal sealed class QuarantineQueries([FromKeyedServices(DatasetsModule.Service)] NpgsqlDataSource database, CurrentProject project)
{
    public async Task<List<QuarantineItem>> PageAsync(QuarantineFilter filter, long after, int limit, CancellationToken ct)
    {
        var parameters = new DynamicParameters();
        var where = filter.Where(project.Slug, parameters);
        parameters.Add("after", after);
        parameters.Add("limit", limit);
        await using var connection = await database.OpenConnectionAsync(ct);
        return [.. await connection.QueryAsync<QuarantineItem>(new CommandDefinition(
            $"select {QuarantineItem.Select} from {QuarantineItem.From} where {where} and i.id > @after order by i.id limit @limit", parameters, cancellationToken: ct))];
    }

    /// <summary>All of them, as they come.</summary>
    public async IAsyncEnumerable<QuarantineItem> AllAsync(QuarantineFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        // By pages and not by one open query: whoever downloads may be slow, and connections are few.
        const int Page = 1000;
        var after = 0L;
        while (true)
        {
            var page = await PageAsync(filter, after, Page, ct);
            foreach (var item in page)
                yield return item;
            if (page.Count < Page)
                yield break;
            after = page[^1].Id;
        }
    }

    public async Task<long> CountAsync(QuarantineFilter filter, CancellationToken ct)
    {
        var parameters = new DynamicParameters();
        var where = filter.Where(project.Slug, parameters);
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteScalarAsync<long>(new CommandDefinition($"select count(*) from {QuarantineItem.From} where {where}", parameters, cancellationToken: ct));
    }

    /// <summary>The columns of the chosen items' values, in their order.</summary>
    /// <exception cref="ApiException">The items are of several steps, or more than <paramref name="most"/>.</exception>
    public async Task<IReadOnlyList<string>> ColumnsAsync(QuarantineFilter filter, int most, CancellationToken ct)
    {
        var parameters = new DynamicParameters();
        var where = filter.Where(project.Slug, parameters);
        await using (var connection = await database.OpenConnectionAsync(ct))
        {
            var steps = (await connection.QueryAsync<(string Step, long Items)>(new CommandDefinition(
                $"select s.pipeline || '/' || s.step, count(*) from {QuarantineItem.From} where {where} group by 1 order by 1", parameters, cancellationToken: ct))).ToList();
            if (steps.Count > 1)
                throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", $"A sheet has the rows of one step; these are of {string.Join(", ", steps.Select(step => step.Step))}. Give pipeline and step.");
            if (steps.Count == 1 && steps[0].Items > most)
                throw QuarantineSheet.TooMany();
        }
        var columns = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var item in AllAsync(filter, ct))
        {
            foreach (var column in SheetPlan.Parse(item.Ingested)?.Select(value => value.Key) ?? [])
            {
                if (seen.Add(column))
                    columns.Add(column);
            }
        }
        return columns;
    }

    /// <summary>The sensitive columns of all chosen items' steps; null when no item has any, and empty when it is not known which ones are.</summary>
    public async Task<IReadOnlyList<string>?> SensitiveAsync(QuarantineFilter filter, CancellationToken ct)
    {
        var parameters = new DynamicParameters();
        var where = filter.Where(project.Slug, parameters);
        await using var connection = await database.OpenConnectionAsync(ct);
        var steps = (await connection.QueryAsync<string[]?>(new CommandDefinition(
            $"""
            select s.sensitive from datasets.quarantine_step s
             where (s.sensitive is null or cardinality(s.sensitive) > 0) and exists (select from datasets.quarantine_item i where i.step_id = s.id and {where})
            """,
            parameters, cancellationToken: ct))).ToList();
        return steps.Count == 0 ? null : [.. steps.SelectMany(columns => columns ?? []).Distinct(StringComparer.Ordinal)];
    }

    public async Task<QuarantineSummary> SummaryAsync(QuarantineFilter filter, CancellationToken ct)
    {
        var parameters = new DynamicParameters();
        var where = filter.Where(project.Slug, parameters);
        await using var connection = await database.OpenConnectionAsync(ct);
        var states = await connection.QueryAsync<SummaryLine>(new CommandDefinition(
            $"select s.pipeline, s.step, i.state, count(*) as items from {QuarantineItem.From} where {where} group by 1, 2, 3 order by 1, 2, 3", parameters, cancellationToken: ct));
        var reasons = await connection.QueryAsync<ReasonLine>(new CommandDefinition(
            $"""
            select pipeline, step, rule, col as "column", count(distinct id) as open
              from (select s.pipeline, s.step, i.id, r ->> 'rule' as rule, r ->> 'column' as col
                      from {QuarantineItem.From}, lateral json_array_elements(i.reasons::json) r where {where} and i.state = 'open') reason
             where rule is not null group by 1, 2, 3, 4 order by 1, 2, 5 desc, 3, 4 limit 1000
            """, parameters, commandTimeout: 120, cancellationToken: ct));
        return new QuarantineSummary([.. states], [.. reasons]);
    }

    /// <summary>What has become of all rows that a run rejected; null when the run is not known here.</summary>
    public async Task<RunAccount?> AccountAsync(Guid run, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var lines = (await connection.QueryAsync<(string Step, long Rejected, string State, Guid? RepairedRun, long Rows)>(new CommandDefinition(
            """
            select s.step, b.rejected, i.state, case when i.state = 'reinjected' then i.repaired_run end, count(i.id)
              from datasets.quarantine_batch b join datasets.quarantine_step s on s.id = b.step_id
              left join datasets.quarantine_occurrence o on o.batch_id = b.id left join datasets.quarantine_item i on i.id = o.item_id
             where b.run_id = @run and s.project = @project
             group by 1, 2, 3, 4 order by 1, 3, 4
            """,
            new { run, project = project.Slug }, cancellationToken: ct))).ToList();
        if (lines.Count == 0)
            return null;
        var steps = lines.GroupBy(line => (line.Step, line.Rejected)).Select(step => Account(
            step.Key.Step, step.Key.Rejected, [.. step.Where(line => line.State is not null).Select(line => (line.State, line.RepairedRun, line.Rows))])).ToList();
        var repaired = (await connection.QueryAsync<RepairedRows>(new CommandDefinition(
            """
            select i.last_run as RunId, count(*) as Rows from datasets.quarantine_item i join datasets.quarantine_step s on s.id = i.step_id
             where i.repaired_run = @run and i.state = 'reinjected' and s.project = @project group by 1 order by 1
            """,
            new { run, project = project.Slug }, cancellationToken: ct))).ToList();
        return new RunAccount(run, steps, string.Join("; ", steps.Select(step => steps.Count == 1 ? step.Sentence : $"{step.Step}: {step.Sentence}")), repaired);
    }

    private static StepAccount Account(string step, long rejected, List<(string State, Guid? Run, long Rows)> lines)
    {
        long Of(string state) => lines.Where(line => line.State == state).Sum(line => line.Rows);
        var repaired = lines.Where(line => line.State == ItemState.Reinjected).Select(line => new RepairedRows(line.Run, line.Rows)).ToList();
        var parts = repaired.Select(line => Part(line.Rows, line.RunId is { } run ? $"repaired (run {run})" : "repaired"))
            .Append(Part(Of(ItemState.Repaired), "repaired, waiting for the next run"))
            .Append(Part(Of(ItemState.Dismissed), "dismissed"))
            .Append(Part(Of(ItemState.Settled), "settled by the source"))
            .Append(Part(Of(ItemState.Superseded), "superseded"))
            .Append(Part(Of(ItemState.Open), "open"))
            .Where(part => part.Length > 0);
        var sum = lines.Sum(line => line.Rows);
        return new StepAccount(
            step, rejected, repaired, Of(ItemState.Repaired), Of(ItemState.Dismissed), Of(ItemState.Settled), Of(ItemState.Superseded), Of(ItemState.Open),
            sum == rejected, string.Create(CultureInfo.InvariantCulture, $"{rejected:N0} rejected = {(rejected == 0 ? "0" : string.Join(" + ", parts))}"));
    }

    private static string Part(long rows, string what) => rows == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{rows:N0} {what}");
}
