using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Datasets.Model;
using Qualiz.Datasets.Rows;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Quarantine;

/// <summary>
/// Takes what a step of a run rejected into the quarantine, in the caller's transaction: rows go from the engine by COPY, those
/// that are new straight to where they stay, and everything else is a handful of statements, however many rows there are.
/// </summary>
internal sealed class QuarantineFill(IUnitOfWork<DatasetsDb> work, DatasetFileAccess files, TimeProvider time, ILogger<QuarantineFill> log)
{
    /// <summary>A file with its hash, which is read whole. Of a table only some rows may have come.</summary>
    private const string FileVersion = @"\.(csv|tsv|txt|json|jsonl|ndjson|parquet|xlsx|xls|xml|gz|zst|zip)@[0-9a-f]{16}$";

    private NpgsqlConnection Connection => (NpgsqlConnection)work.Db.Database.GetDbConnection();
    private DbTransaction Transaction => work.Db.Database.CurrentTransaction!.GetDbTransaction();

    /// <param name="completed">The run ended well: rows that a repair let through are in its result.</param>
    public async Task FillAsync(string project, Guid run, RunOutputsFound found, RunStepOutputs step, bool completed, CancellationToken ct)
    {
        var rejected = step.Outputs[RejectedRows.Port];
        var patched = step.Outputs.GetValueOrDefault(RowPatches.Port);
        // Of a run through which only repaired rows went, that a row is or is not among the clean ones says nothing of the others.
        var clean = completed && !found.Delta ? step.Outputs.GetValueOrDefault("out") : null;
        await work.BeginAsync(ct);
        var stepId = await StepAsync(project, found, step, ct);
        var stamp = Stamp(rejected, completed);
        var earlier = await Connection.QuerySingleOrDefaultAsync<Batch>(Command("select id, stamp from datasets.quarantine_batch where run_id = @run and step_id = @stepId", new { run, stepId }, ct));
        if (earlier?.Stamp == stamp)
            return;
        if (earlier is not null)
            await ForgetAsync(earlier.Id, ct);

        var anyOpen = await Connection.ExecuteScalarAsync<bool>(Command("select exists (select from datasets.quarantine_item where step_id = @stepId and state in ('open', 'repaired', 'reinjected'))", new { stepId }, ct));
        if (rejected.Rows == 0 && !anyOpen)
        {
            // Nothing to do, and nothing to remember: a clean run of a clean step is the usual case.
            if (earlier is not null)
                await BatchAsync(stepId, run, stamp, rejected, 0, ct);
            return;
        }

        Filled filled;
        try
        {
            filled = await MergeAsync(stepId, run, rejected, patched, step.OfFailed?.GetValueOrDefault(RowPatches.Port), stamp, ct);
        }
        catch (ApiException gone) when (gone.Status == StatusCodes.Status410Gone)
        {
            log.LogWarning("The rejected rows of step {Step} in run {Run} were removed before they came into the quarantine", step.StepId, run);
            // The collector keeps the run's other files until its end has arrived here.
            await BatchAsync(stepId, run, stamp, rejected with { Files = [] }, 0, ct);
            return;
        }
        // A step without earlier items has nothing that could have become of them.
        if (completed && filled.HadItems)
            filled = await AfterCompletionAsync(stepId, run, clean, whole: step.OfFailed is null, filled, ct);

        work.Outbox.Publish(new RowsQuarantined
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = time.GetUtcNow(),
            ProjectId = found.ProjectId,
            Actor = "system",
            Project = project,
            Pipeline = found.Pipeline,
            StepId = step.StepId,
            SourceRunId = run,
            Rejected = filled.Rejected,
            New = filled.New,
            Reinjected = filled.Reinjected,
            Settled = filled.Settled,
            Superseded = filled.Superseded,
            Open = await Connection.ExecuteScalarAsync<long>(Command("select count(*) from datasets.quarantine_item where step_id = @stepId and state = 'open'", new { stepId }, ct)),
        });
    }

    /// <summary>Its row stays locked to the end of the transaction: one run of a step at a time.</summary>
    private Task<long> StepAsync(string project, RunOutputsFound found, RunStepOutputs step, CancellationToken ct)
    {
        var schema = step.Outputs[RejectedRows.Port].Schema;
        var members = RejectedMask.Members(schema).ToLookup(column => column.Sensitivity is not null, column => column.Name);
        // Null: there are sensitive values, and nobody knows in which columns. Then all are masked.
        var sensitive = schema.Columns.Any(column => column.Sensitivity is not null) && !members[true].Any() ? null : members[true].ToArray();
        var plain = members[false].ToArray();
        return Connection.ExecuteScalarAsync<long>(Command(
            """
            insert into datasets.quarantine_step as step (project_id, project, pipeline_id, pipeline, step, operator, sensitive, plain)
            values (@ProjectId, @project, @PipelineId, @Pipeline, @StepId, @Operator, @sensitive, @plain)
            on conflict (pipeline_id, step) do update set pipeline = excluded.pipeline, operator = excluded.operator,
                -- Once sensitive, a column stays so for the values that were kept when it was.
                sensitive = case when excluded.sensitive is null or step.sensitive is null then coalesce(excluded.sensitive, step.sensitive)
                                 else array(select distinct unnest(step.sensitive || excluded.sensitive)) end,
                plain = array(select unnest(step.plain || excluded.plain) except select unnest(coalesce(step.sensitive, '{}') || coalesce(excluded.sensitive, '{}')))
            returning id
            """,
            new { found.ProjectId, project, found.PipelineId, found.Pipeline, step.StepId, step.Operator, sensitive, plain }, ct));
    }

    /// <summary>The run was retried: its earlier attempt's rows count no more.</summary>
    private async Task ForgetAsync(long batch, CancellationToken ct)
    {
        await ExecuteAsync(
            """
            update datasets.quarantine_item i set times = times - 1 from datasets.quarantine_occurrence o where o.batch_id = @batch and o.item_id = i.id;
            delete from datasets.quarantine_item i using datasets.quarantine_occurrence o
             where o.batch_id = @batch and o.item_id = i.id and i.times <= 0 and i.state = 'open' and i.assignee is null and i.patch_id is null;
            delete from datasets.quarantine_occurrence where batch_id = @batch
            """,
            new { batch }, ct);
    }

    private Task<long> BatchAsync(long stepId, Guid run, string stamp, DatasetRef rejected, long rows, CancellationToken ct) => Connection.ExecuteScalarAsync<long>(Command(
        """
        insert into datasets.quarantine_batch (step_id, run_id, stamp, files, rejected, filled_at) values (@stepId, @run, @stamp, @files, @rows, @now)
        on conflict (run_id, step_id) do update set stamp = excluded.stamp, files = excluded.files, rejected = excluded.rejected, filled_at = excluded.filled_at
        returning id
        """,
        new { stepId, run, stamp, files = rejected.Files.Select(file => file.Key).ToArray(), rows, now = time.GetUtcNow() }, ct));

    /// <summary>Makes items of the rejected rows: the ones that they are already, or new ones.</summary>
    /// <param name="inVain">What became of patches in elements that failed: these rows are in no result, even if the run completed.</param>
    private async Task<Filled> MergeAsync(long stepId, Guid run, DatasetRef rejected, DatasetRef? patched, DatasetRef? inVain, string stamp, CancellationToken ct)
    {
        using var rows = rejected.Rows == 0 ? null : await RejectedBatch.OpenAsync(files, rejected, ct);
        var batch = await BatchAsync(stepId, run, stamp, rejected, rows?.Rows ?? 0, ct);
        var hadItems = await Connection.ExecuteScalarAsync<bool>(Command(
            "select exists (select from datasets.quarantine_item where step_id = @stepId) or exists (select from datasets.patch where step_id = @stepId and state = 'active')", new { stepId }, ct));
        var known = 0L;
        if (hadItems)
        {
            await StageAsync(rows, ct);
            await StagePatchedAsync(patched, stands: true, beside: rows is not null, ct);
            await StagePatchedAsync(inVain, stands: false, beside: rows is not null, ct);
            await RecognizeAsync(stepId, ct);
            if (rows is not null)
                known = await KnowAsync(rows, ct);
            await UpdateAsync(stepId, run, ct);
            await ExecuteAsync("insert into datasets.quarantine_occurrence (batch_id, item_id) select @batch, item_id from incoming where item_id is not null", new { batch }, ct);
        }
        var filled = new Filled { Rejected = rows?.Rows ?? 0, HadItems = hadItems };
        if (rows is null || rows.Rows == known)
            return filled;

        var first = await NumbersAsync(rows.Rows - known, ct);
        await rows.CopyFreshAsync(Connection, stepId, run, first, time.GetUtcNow(), ct);
        filled = filled with { New = rows.Rows - known, FirstNew = first };
        // Numbers only rise, so these are all items of the step from the first new one on.
        await ExecuteAsync(
            "insert into datasets.quarantine_occurrence (batch_id, item_id) select @batch, id from datasets.quarantine_item where step_id = @stepId and id >= @FirstNew",
            new { batch, stepId, filled.FirstNew }, ct);
        return filled;
    }

    /// <summary>The first of so many free numbers without a gap. A block is taken under a lock that is held for no longer than that.</summary>
    /// <remarks>
    /// Rolling back to the savepoint releases the lock and leaves the sequence where it is. A lock of the session would be kept by the connection, back in its
    /// pool, when this is cancelled or fails in between.
    /// </remarks>
    private async Task<long> NumbersAsync(long count, CancellationToken ct)
    {
        const string Savepoint = "numbers";
        await Transaction.SaveAsync(Savepoint, ct);
        await ExecuteAsync("select pg_advisory_xact_lock('datasets.quarantine_item_id'::regclass::oid::bigint)", null, ct);
        var last = await Connection.ExecuteScalarAsync<long>(Command("select setval('datasets.quarantine_item_id', nextval('datasets.quarantine_item_id') + @count - 1)", new { count }, ct));
        await Transaction.RollbackAsync(Savepoint, ct);
        return last - count + 1;
    }

    /// <summary>Who was rejected, and what became of patches, as two tables of this transaction.</summary>
    private async Task StageAsync(RejectedBatch? rejected, CancellationToken ct)
    {
        await ExecuteAsync(
            """
            drop table if exists pg_temp.incoming, pg_temp.content, pg_temp.applied, pg_temp.claimed;
            create temp table claimed (id bigint primary key) on commit drop;
            create temp table incoming (
                n bigint, source text, row bigint, key text, hash text, ordinal int, digest text,
                item_id bigint, item_hash text, changed boolean not null default false, repaired boolean not null default false) on commit drop;
            create temp table content (n bigint, ingested text, rejected text, reasons text, rules text[], columns text[]) on commit drop;
            create temp table applied (patch bigint, fits boolean, source text, row bigint, key text, stands boolean, hash text) on commit drop
            """,
            null, ct);
        if (rejected is not null)
            await rejected.CopyIdentitiesAsync(Connection, "incoming", ct);
        await ExecuteAsync("analyze incoming", null, ct);
    }

    /// <param name="stands">The rows are in the step's result, as far as it did not reject them.</param>
    private async Task StagePatchedAsync(DatasetRef? patched, bool stands, bool beside, CancellationToken ct)
    {
        if (patched is not { Rows: > 0 })
            return;
        using var opened = await UnlessGoneAsync(beside ? files.OpenBesideAsync(patched, ct) : files.OpenPageAsync(patched, ct));
        if (opened is null)
            return;
        using var session = RejectedBatch.OpenSession(opened);
        // Runs of an earlier version did not write it; their rows are told by their place alone.
        var values = patched.Schema.Find(RowPatches.Values) is null ? "NULL" : RowPatches.Values;
        await using var copy = await Connection.BeginBinaryImportAsync("COPY applied (patch, fits, source, row, key, stands, hash) FROM STDIN (FORMAT BINARY)", ct);
        await foreach (var row in session.StreamAsync($"SELECT {RowPatches.Patch}, {RowPatches.Fits}, _source, _row, _key, {values} FROM {DatasetFiles.Relation(opened.Dataset)}", row => row, ct))
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(row.GetInt64(0), NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(row.GetBoolean(1), NpgsqlDbType.Boolean, ct);
            await copy.WriteAsync(row.GetString(2), NpgsqlDbType.Text, ct);
            await copy.WriteAsync(row.GetInt64(3), NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(row.GetString(4), NpgsqlDbType.Text, ct);
            await copy.WriteAsync(stands, NpgsqlDbType.Boolean, ct);
            if (await row.IsDBNullAsync(5, ct))
                await copy.WriteNullAsync(ct);
            else
                await copy.WriteAsync(row.GetString(5), NpgsqlDbType.Text, ct);
        }
        await copy.CompleteAsync(ct);
    }

    /// <summary>
    /// The same row: the same key and values, and the same place among its equals. Else the only waiting item under the key, when the
    /// only row that is new under it has other values; where a repair waits, that is another row.
    /// </summary>
    private async Task RecognizeAsync(long stepId, CancellationToken ct)
    {
        await ExecuteAsync(
            """
            -- Rejected in spite of its repair: it shows the repaired values, and is the item that it was.
            with rows as (
                select place, patch, row_number() over (partition by patch order by source, row, place) as n
                  from (select distinct i.ctid as place, a.patch, i.source, i.row
                          from incoming i join applied a on a.source = i.source and a.row = i.row and coalesce(a.hash = i.hash, true) and a.fits) found),
            items as (
                select q.id, q.patch_id, q.hash, q.ordinal, row_number() over (partition by q.patch_id order by q.ordinal) as n
                  from datasets.quarantine_item q where q.step_id = @stepId and q.state in ('repaired', 'reinjected') and q.patch_id in (select patch from rows)),
            done as (
                update incoming i set item_id = items.id, item_hash = items.hash, ordinal = items.ordinal, repaired = true
                  from rows join items on items.patch_id = rows.patch and items.n = rows.n where i.ctid = rows.place returning i.item_id)
            insert into claimed select item_id from done;
            update incoming i set item_id = q.id from datasets.quarantine_item q
             where i.item_id is null and q.step_id = @stepId and q.key = i.key and q.hash = i.hash and q.ordinal = i.ordinal and q.state <> 'superseded'
               and not exists (select from claimed where claimed.id = q.id);
            with rows as (
                select key, min(ctid) as place from incoming where item_id is null group by key having count(*) = 1),
            items as (
                select q.key, min(q.id) as id from datasets.quarantine_item q join rows using (key)
                 where q.step_id = @stepId and q.state in ('open', 'dismissed', 'settled') and not exists (select from incoming i where i.item_id = q.id)
                 group by q.key having count(*) = 1)
            update incoming i set item_id = items.id, changed = true from rows join items using (key) where i.ctid = rows.place
            """,
            new { stepId }, ct);
        // Their numbers are known only now; a plan made for empty ones would compare everything with everything.
        await ExecuteAsync("analyze incoming", null, ct);
    }

    /// <summary>Tells the engine which rows are known, and fetches the values that are others than the known ones.</summary>
    private async Task<long> KnowAsync(RejectedBatch rows, CancellationToken ct)
    {
        const string sql = "select i.n, q.digest is distinct from i.digest from incoming i join datasets.quarantine_item q on q.id = i.item_id";
        long known;
        await using (var command = new NpgsqlCommand(sql, Connection, (NpgsqlTransaction)Transaction) { CommandTimeout = 600 })
        await using (var reader = await command.ExecuteReaderAsync(ct))
            known = await rows.KnowAsync(reader, ct);
        await rows.CopyChangedAsync(Connection, "content", ct);
        await ExecuteAsync("analyze content", null, ct);
        return known;
    }

    private Task<long> UpdateAsync(long stepId, Guid run, CancellationToken ct) => ExecuteAsync(
        """
        -- A repair that was applied and did not help, or could not be applied, has done what it can.
        with failed as (
            update datasets.patch p set state = 'lapsed'
              from applied a join incoming i on i.source = a.source and i.row = a.row and coalesce(a.hash = i.hash, true)
             where p.id = a.patch and p.state = 'active' and p.step_id = @stepId
            returning p.id, a.fits)
        update datasets.quarantine_item q set state = 'open', patch_id = null, repaired_run = null, actor = 'system', at = @now, revision = revision + 1,
               note = case when failed.fits then 'The row is rejected in spite of its repair.' else 'The repair does not fit the types of the columns.' end
          from failed where q.patch_id = failed.id and q.state in ('repaired', 'reinjected');

        update datasets.quarantine_item q
           set source = i.source, row = i.row, hash = coalesce(i.item_hash, i.hash), ordinal = i.ordinal, digest = case when i.repaired then null else i.digest end,
               ingested = case when i.repaired then q.ingested else coalesce(c.ingested, q.ingested) end,
               rejected = case when c.n is null then q.rejected when i.repaired then coalesce(c.rejected, c.ingested) else c.rejected end,
               reasons = coalesce(c.reasons, q.reasons), rules = coalesce(c.rules, q.rules), columns = coalesce(c.columns, q.columns),
               last_run = greatest(q.last_run, @run), times = q.times + 1, revision = q.revision + 1,
               -- What was settled is not; what was dismissed was dismissed for its values; a repair that is gone repairs nothing.
               state = case when again.yes then 'open' else q.state end,
               at = case when again.yes then @now else q.at end,
               note = case when again.yes then null else q.note end,
               -- It is not in the result any more, if it was.
               repaired_run = case when q.state = 'reinjected' and not again.yes then q.repaired_run end
          from incoming i left join content c on c.n = i.n, lateral (
                select b.state = 'settled' or (b.state = 'dismissed' and i.changed)
                    or (b.state in ('repaired', 'reinjected') and not exists (select from datasets.patch p where p.id = b.patch_id and p.state = 'active')) as yes
                  from datasets.quarantine_item b where b.id = i.item_id) again
         where i.item_id = q.id
        """,
        new { stepId, run, now = time.GetUtcNow() }, ct);

    /// <summary>The run's result stands: what went through, and what the source sends instead of what was repaired.</summary>
    /// <param name="whole">The result has all that was read: no element failed.</param>
    private async Task<Filled> AfterCompletionAsync(long stepId, Guid run, DatasetRef? clean, bool whole, Filled filled, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var reinjected = await ExecuteAsync(
            """
            with used as (
                update datasets.patch p set applied_at = @now, applied_run = @run from (select distinct patch from applied where fits and stands) a
                 where p.id = a.patch and p.step_id = @stepId and p.state = 'active' returning p.id)
            update datasets.quarantine_item q set state = 'reinjected', repaired_run = @run, actor = 'system', at = @now, revision = revision + 1
              from used where q.patch_id = used.id and q.state = 'repaired' and not exists (select from incoming i where i.item_id = q.id)
            """,
            new { stepId, run, now }, ct);
        // The key came with other values: a repair of the old ones is for nothing any more. One that was used before has done its work.
        var superseded = await Connection.ExecuteScalarAsync<long>(Command(
            """
            with lapsed as (
                update datasets.patch p set state = 'lapsed'
                 where p.step_id = @stepId and p.state = 'active' and p.key in (select key from applied where patch = 0 and stands)
                   and not exists (select from applied a where a.patch = p.id)
                   -- A repair of what a later run rejected is not undone by an earlier one that ends after it.
                   and not exists (select from datasets.quarantine_item later where later.patch_id = p.id and later.last_run > @run)
                returning p.id),
            moved as (
                update datasets.quarantine_item q set state = case when q.state = 'repaired' then 'superseded' else 'settled' end, actor = 'system', at = @now,
                       revision = revision + 1, note = 'The source sends other values now.'
                  from lapsed where q.patch_id = lapsed.id and q.state in ('repaired', 'reinjected')
                returning q.state)
            select count(*) from moved where state = 'superseded'
            """,
            new { stepId, run, now }, ct));
        var settled = clean is null ? 0 : await SettleAsync(stepId, run, clean, whole, filled.FirstNew, now, ct);
        return filled with { Reinjected = reinjected, Superseded = superseded, Settled = settled };
    }

    /// <summary>
    /// Items whose row passes now, by itself: its key is among the clean rows (an empty one tells nothing). And items of a file that came again in another
    /// version, without the row or with another in its place (who knows, when an element failed). What a later run rejected stays: runs do not always end in the order in which they began.
    /// </summary>
    private async Task<long> SettleAsync(long stepId, Guid run, DatasetRef clean, bool whole, long firstNew, DateTimeOffset now, CancellationToken ct)
    {
        const string waiting =
            "from datasets.quarantine_item q where q.step_id = @stepId and q.state = 'open' and q.id < @firstNew and q.last_run < @run and not exists (select from incoming i where i.item_id = q.id)";
        if (!await Connection.ExecuteScalarAsync<bool>(Command($"select exists (select {waiting})", new { stepId, firstNew, run }, ct)))
            return 0;
        using var opened = await UnlessGoneAsync(files.OpenPageAsync(clean, ct));
        if (opened is null)
            return 0;
        using var session = RejectedBatch.OpenSession(opened);
        session.Execute("CREATE TEMP TABLE waiting (key VARCHAR)");
        await using (var command = new NpgsqlCommand($"select distinct q.key {waiting.Replace("@stepId", "$1", StringComparison.Ordinal).Replace("@firstNew", "$2", StringComparison.Ordinal).Replace("@run", "$3", StringComparison.Ordinal)}", Connection, (NpgsqlTransaction)Transaction))
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = stepId });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = firstNew });
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = run });
            await using var reader = await command.ExecuteReaderAsync(ct);
            using var appender = session.Connection.CreateAppender("waiting");
            while (await reader.ReadAsync(ct))
                appender.CreateRow().AppendValue(reader.GetString(0)).EndRow();
        }
        await ExecuteAsync(
            "drop table if exists pg_temp.passed, pg_temp.versions; create temp table passed (key text) on commit drop; create temp table versions (source text) on commit drop", null, ct);
        await CopyTextsAsync("passed", session, $"SELECT DISTINCT key FROM waiting WHERE key <> {Sql.Literal(HiddenColumns.EmptyKey)} AND key IN (SELECT _key FROM {DatasetFiles.Relation(opened.Dataset, [HiddenColumns.Key])})", ct);
        await CopyTextsAsync("versions", session, $"SELECT DISTINCT _source FROM {DatasetFiles.Relation(opened.Dataset, [HiddenColumns.Source])}", ct);
        // Which files came again is asked once for each file, not for each row that waits.
        return await ExecuteAsync(
            $"""
            with came as materialized (
                select source, regexp_replace(source, '@[^@]*$', '') as file from (select source from versions union select source from incoming) both_ports where source ~ @file),
            replaced as materialized (
                select old.source from (select distinct q.source {waiting}) old
                 where @whole and old.source ~ @file and old.source not in (select source from came) and regexp_replace(old.source, '@[^@]*$', '') in (select file from came))
            update datasets.quarantine_item target set state = 'settled', actor = 'system', at = @now, revision = revision + 1,
                   note = case when target.key in (select key from passed) then 'The row passes now.' else 'The file came again without this row.' end
             where target.id in (select q.id {waiting} and (q.key in (select key from passed) or q.source in (select source from replaced)))
            """,
            new { stepId, firstNew, run, now, whole, file = FileVersion }, ct);
    }

    /// <summary>An output that tells what became of earlier rows; null when it was removed. The rejected rows themselves are taken in without it.</summary>
    private async Task<OpenedDataset?> UnlessGoneAsync(Task<OpenedDataset> opening)
    {
        try
        {
            return await opening;
        }
        catch (ApiException gone) when (gone.Status == StatusCodes.Status410Gone)
        {
            log.LogWarning("An output was removed before the quarantine had read it; earlier rejected rows stay as they are");
            return null;
        }
    }

    private async Task CopyTextsAsync(string table, EngineSession session, string query, CancellationToken ct)
    {
        await using var copy = await Connection.BeginBinaryImportAsync($"COPY {table} FROM STDIN (FORMAT BINARY)", ct);
        await foreach (var text in session.StreamAsync(query, row => row.IsDBNull(0) ? "" : row.GetString(0), ct))
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(text, NpgsqlDbType.Text, ct);
        }
        await copy.CompleteAsync(ct);
    }

    private static string Stamp(DatasetRef rejected, bool completed) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', rejected.Files.Select(file => file.Key).Append(completed ? "completed" : "ended")))))[..16];

    private async Task<long> ExecuteAsync(string sql, object? parameters, CancellationToken ct) => await Connection.ExecuteAsync(Command(sql, parameters, ct));

    private CommandDefinition Command(string sql, object? parameters, CancellationToken ct) => new(sql, parameters, Transaction, commandTimeout: 600, cancellationToken: ct);

    private sealed record Batch(long Id, string Stamp);

    private sealed record Filled
    {
        public bool HadItems { get; init; }
        public long Rejected { get; init; }
        public long New { get; init; }

        /// <summary>New items have this number or a higher one, and older ones a lower one.</summary>
        public long FirstNew { get; init; } = long.MaxValue;
        public long Reinjected { get; init; }
        public long Settled { get; init; }
        public long Superseded { get; init; }
    }
}
