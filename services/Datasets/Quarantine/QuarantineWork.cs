using System.Data.Common;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Text;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Model;
using Qualiz.Engine.Rows;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Quarantine;

/// <summary>What people do with items, one at a time or all that a filter chooses: a few statements either way.</summary>
internal sealed class QuarantineWork(IUnitOfWork<DatasetsDb> work, CurrentProject project, TimeProvider time)
{
    private const int MostChanges = 500;
    private const int LongestChanges = 1 << 20;
    private const int LongestText = 2000;

    private static readonly Dictionary<string, (string[] From, string Past)> Actions = new(StringComparer.Ordinal)
    {
        ["repair"] = ([ItemState.Open, ItemState.Repaired, ItemState.Reinjected], "repaired"),
        ["dismiss"] = ([ItemState.Open, ItemState.Repaired], "dismissed"),
        ["reopen"] = ([ItemState.Dismissed, ItemState.Settled], "reopened"),
        ["undo"] = ([ItemState.Repaired, ItemState.Reinjected], "undone"),
        ["assign"] = ([ItemState.Open, ItemState.Repaired], "assigned"),
        ["due"] = ([ItemState.Open, ItemState.Repaired], "due"),
    };

    public static IEnumerable<string> Names => Actions.Keys;

    private DbConnection Connection => work.Db.Database.GetDbConnection();
    private DbTransaction? Transaction => work.Db.Database.CurrentTransaction?.GetDbTransaction();

    public async Task<QuarantineItem> FindAsync(long id, CancellationToken ct) => await Connection.QuerySingleOrDefaultAsync<QuarantineItem>(Command(
        $"select {QuarantineItem.Select} from {QuarantineItem.From} where i.id = @id and s.project = @project", new { id, project = project.Slug }, ct))
        ?? throw ApiException.NotFound("quarantine item", id.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <exception cref="ApiException">It is not there, was changed meanwhile, or is in a state in which this cannot be done.</exception>
    public async Task<QuarantineItem> ChangeAsync(long id, BulkChange change, HttpContext http, CancellationToken ct)
    {
        Check(change);
        await work.BeginAsync(ct);
        var item = await FindAsync(id, ct);
        // The row is locked before its revision is looked at: of two changes on the same revision, one is told.
        item.Revision = await Connection.ExecuteScalarAsync<int>(Command("select revision from datasets.quarantine_item where id = @id for update", new { id }, ct));
        http.Request.CheckIfMatch(item.Revision);
        item = await FindAsync(id, ct);
        var from = Actions[change.Action].From;
        if (!from.Contains(item.State))
            throw new ApiException(StatusCodes.Status409Conflict, "wrongState", $"The item is {item.State}; to {change.Action} it must be {string.Join(" or ", from)}.");
        if (change.Action == "repair")
        {
            if (!item.Repairable)
                throw NotRepairable(item.Step);
            CheckColumns(item, change.Changes!);
        }
        await ActAsync("i.id = @id", new DynamicParameters(new { id, project = project.Slug }), change, http.Actor(), id, ct);
        await work.CommitAsync(ct);
        return await FindAsync(id, ct);
    }

    public async Task<BulkChanged> ChangeAllAsync(QuarantineFilter filter, BulkChange change, bool dryRun, HttpContext http, CancellationToken ct)
    {
        Check(change);
        if (filter.IsEmpty)
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "Say which items: give at least one of pipeline, step, rule, column, state, run, assignee and due in the address.");
        await work.BeginAsync(ct);
        var parameters = new DynamicParameters();
        var where = filter.Where(project.Slug, parameters);
        parameters.Add("from", Actions[change.Action].From);
        if (change.Action == "repair")
        {
            var steps = (await Connection.QueryAsync<(string Step, bool Repairable)>(Command(
                $"select distinct s.step, s.applies_patches from {QuarantineItem.From} where {where} and i.state = any (@from)", parameters, ct))).ToList();
            if (steps.FirstOrDefault(step => !step.Repairable) is { Step: { } step })
                throw NotRepairable(step);
            if (await Connection.QueryFirstOrDefaultAsync<QuarantineItem>(Command(
                $"select {QuarantineItem.Select} from {QuarantineItem.From} where {where} and i.state = any (@from) limit 1", parameters, ct)) is { } sample)
                CheckColumns(sample, change.Changes!);
        }
        var items = await Connection.ExecuteScalarAsync<long>(Command($"select count(*) from {QuarantineItem.From} where {where} and i.state = any (@from)", parameters, ct));
        if (change.Expected is { } expected && expected != items)
            throw new ApiException(StatusCodes.Status412PreconditionFailed, "changed", $"It was meant for {expected} items; there are {items} now. Look again, and send the number that you mean.");
        if (dryRun || items == 0)
            return new BulkChanged(items, dryRun);
        items = await ActAsync(where, parameters, change, http.Actor(), null, ct);
        await work.CommitAsync(ct);
        return new BulkChanged(items, false);
    }

    /// <summary>Makes a repair of every line of a sheet that says something else than it did; lines that cannot be applied are listed and keep no other one back.</summary>
    public async Task<SheetApplied> ApplyAsync(IReadOnlyList<SheetLine> lines, string? note, bool dryRun, HttpContext http, CancellationToken ct)
    {
        var change = new BulkChange("repair", Note: note);
        CheckNote(change);
        await work.BeginAsync(ct);
        var plan = new SheetPlan();
        foreach (var chunk in lines.Chunk(1000))
        {
            // Locked in one order, whatever the order of the lines.
            var items = (await Connection.QueryAsync<QuarantineItem>(Command(
                $"select {QuarantineItem.Select} from {QuarantineItem.From} where i.id = any (@ids) and s.project = @project order by i.id for update of i",
                new { ids = chunk.Where(line => line.Item is not null).Select(line => line.Item!.Value).ToArray(), project = project.Slug }, ct))).ToDictionary(item => item.Id);
            foreach (var line in chunk)
                plan.Add(line, line.Item is { } id ? items.GetValueOrDefault(id) : null, Actions["repair"].From);
        }
        var repaired = (long)plan.Changes.Count;
        if (!dryRun && repaired > 0)
        {
            await Connection.ExecuteAsync(Command("create temp table sheet (id bigint primary key, changes text not null) on commit drop", null, ct));
            await using (var copy = await ((NpgsqlConnection)Connection).BeginBinaryImportAsync("COPY sheet (id, changes) FROM STDIN (FORMAT BINARY)", ct))
            {
                foreach (var (id, changes) in plan.Changes)
                    await copy.WriteRowAsync(ct, id, changes);
                await copy.CompleteAsync(ct);
            }
            repaired = await ActAsync("i.id in (select id from sheet)", new DynamicParameters(), change, http.Actor(), null, ct, "(select sheet.changes from sheet where sheet.id = i.id)", plan.Columns);
            await work.CommitAsync(ct);
        }
        return new SheetApplied(repaired, plan.Unchanged, plan.Problems, plan.Refused, dryRun);
    }

    /// <param name="changes">The new values of a repair, of item <c>i</c>.</param>
    private async Task<long> ActAsync(
        string where, DynamicParameters parameters, BulkChange change, string actor, long? item, CancellationToken ct, string changes = "@changes", IEnumerable<string>? columns = null)
    {
        var (from, past) = Actions[change.Action];
        parameters.Add("from", from);
        parameters.Add("actor", actor);
        parameters.Add("now", time.GetUtcNow());
        parameters.Add("note", change.Note);
        parameters.Add("assignee", change.Assignee);
        parameters.Add("due", change.Due?.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        parameters.Add("changes", change.Changes?.ToJsonString());
        // Chosen once, and locked in one order.
        await Connection.ExecuteAsync(Command(
            $"""
            drop table if exists pg_temp.chosen;
            create temp table chosen on commit drop as
            select i.id, i.step_id, i.key, i.hash, i.patch_id, cast({changes} as text) as changes from {QuarantineItem.From} where {where} and i.state = any (@from) order by i.id for update of i
            """,
            parameters, ct));
        const string undo =
            """
            update datasets.patch set state = 'undone' where state = 'active' and id in (select patch_id from chosen where patch_id is not null);
            """;
        // A patch is for all rows with the same key and values: they go together.
        const string siblings =
            """
            insert into chosen select i.id, i.step_id, i.key, i.hash, i.patch_id, c.changes
              from datasets.quarantine_item i join (select distinct step_id, key, hash, changes from chosen) c on (i.step_id, i.key, i.hash) = (c.step_id, c.key, c.hash)
             where i.state = any (@from) and i.id not in (select id from chosen);
            """;
        var changed = await Connection.ExecuteScalarAsync<long>(Command(change.Action switch
        {
            "repair" =>
                siblings + undo +
                """
                update datasets.patch p set state = 'undone' from (select distinct step_id, key, hash from chosen) c
                 where p.state = 'active' and p.step_id = c.step_id and p.key = c.key and p.hash = c.hash;
                with made as (
                    insert into datasets.patch (step_id, key, hash, changes, state, actor, created_at)
                    select distinct step_id, key, hash, changes, 'active', @actor, @now from chosen returning id, step_id, key, hash),
                done as (
                    update datasets.quarantine_item i set state = 'repaired', patch_id = made.id, note = coalesce(@note, i.note), actor = @actor, at = @now, revision = revision + 1
                      from chosen c join made on made.step_id = c.step_id and made.key = c.key and made.hash = c.hash where i.id = c.id returning i.id)
                select count(*) from done
                """,
            "undo" => siblings + undo + Update("state = 'open', patch_id = null, note = coalesce(@note, note)"),
            // Rows with the same key and values stay in the queue, without the repair that is undone.
            "dismiss" =>
                undo +
                """
                update datasets.quarantine_item set state = 'open', patch_id = null, repaired_run = null, actor = @actor, at = @now, revision = revision + 1
                 where state = 'repaired' and patch_id in (select patch_id from chosen) and id not in (select id from chosen);
                """ +
                Update("state = 'dismissed', patch_id = null, note = @note"),
            "reopen" => Update("state = 'open', note = coalesce(@note, note)"),
            "assign" => Update("assignee = @assignee"),
            "due" => Update("due = @due::date"),
            _ => throw new InvalidOperationException($"Unknown action {change.Action}."),
        }, parameters, ct));
        work.Outbox.Publish(new QuarantineChanged
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = time.GetUtcNow(),
            ProjectId = project.Id,
            Actor = actor,
            Project = project.Slug,
            Change = past,
            Items = changed,
            Item = item,
            Columns = [.. columns ?? change.Changes?.Select(entry => entry.Key) ?? []],
        });
        return changed;
    }

    private static string Update(string set) =>
        $"with done as (update datasets.quarantine_item set {set}, actor = @actor, at = @now, revision = revision + 1 where id in (select id from chosen) returning id) select count(*) from done";

    private static void Check(BulkChange change)
    {
        if (!Actions.ContainsKey(change.Action))
            throw Invalid($"\"{change.Action}\" is no action; there are {string.Join(", ", Names)}.", "action", NearestName.Find(change.Action, Names));
        CheckNote(change);
        if (change.Assignee is { } who && string.IsNullOrWhiteSpace(who))
            throw Invalid("An assignee has a name; null means nobody.", "assignee");
        if (change.Action != "repair")
        {
            if (change.Changes is not null)
                throw Invalid("Only a repair has changes.", "changes");
            return;
        }
        if (change.Changes is not { Count: > 0 } changes)
            throw Invalid("A repair needs at least one column and its new value.", "changes");
        if (changes.Count > MostChanges || changes.ToJsonString().Length > LongestChanges)
            throw Invalid($"A repair changes at most {MostChanges} columns, with at most 1 MB of values.", "changes");
        foreach (var (column, value) in changes)
        {
            if (value is JsonValue text && text.TryGetValue<string>(out var given) && (given == RowReader.Mask || given.Contains('\0', StringComparison.Ordinal)))
                throw Invalid(given == RowReader.Mask ? "The mask of a sensitive value is no value; write the real one, or leave the column out." : "A value cannot hold a zero character.", $"changes.{column}");
        }
    }

    private static void CheckNote(BulkChange change)
    {
        if (change.Note?.Length > LongestText || change.Assignee?.Length > 200)
            throw Invalid($"A note has at most {LongestText} characters, an assignee 200.", change.Note?.Length > LongestText ? "note" : "assignee");
    }

    private static void CheckColumns(QuarantineItem item, JsonObject changes)
    {
        if (SheetPlan.Parse(item.Ingested) is not { } values)
            throw new ApiException(StatusCodes.Status409Conflict, "notRepairable", "This row has no columns: it could not be read. Put it right in the source, or dismiss it.");
        foreach (var (column, _) in changes)
        {
            if (values.ContainsKey(column))
                continue;
            var nearest = NearestName.Find(column, values.Select(value => value.Key));
            throw Invalid($"The row has no column \"{column}\"{(nearest is null ? "." : $"; did you mean \"{nearest}\"?")}", $"changes.{column}", nearest);
        }
        if (changes.All(change => JsonNode.DeepEquals(change.Value, values[change.Key])))
            throw Invalid("These are the values that the row has already.", "changes");
    }

    private static ApiException NotRepairable(string step) => new(
        StatusCodes.Status409Conflict, "notRepairable", $"Step \"{step}\" applies no repairs (its operator cannot, or it has not run since it can). Put the rows right in the source, or dismiss them.");

    private static ApiException Invalid(string message, string path, string? suggestion = null) =>
        new(StatusCodes.Status422UnprocessableEntity, "invalid", message, [new ApiError(message, path, Suggestion: suggestion)]);

    private CommandDefinition Command(string sql, object? parameters, CancellationToken ct) => new(sql, parameters, Transaction, commandTimeout: 300, cancellationToken: ct);
}
