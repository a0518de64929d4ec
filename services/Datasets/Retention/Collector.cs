using System.Data.Common;
using System.Globalization;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Datasets.Model;
using Qualiz.Datasets.Quarantine;
using Qualiz.Platform.Data;
using Qualiz.Platform.Storage;

namespace Qualiz.Datasets.Retention;

/// <summary>
/// Removes what nobody needs any more. By reference: a file stays when a run that is kept, a version, a batch of rejected rows,
/// an upload or a log names it, and its time counts only when nobody does. What is let go is marked first (runs by Runs,
/// versions here), and only then deleted: whoever comes between finds the mark, and a collection that was cut short is
/// finished by the next one.
/// </summary>
internal sealed class Collector(
    [FromKeyedServices(DatasetsModule.Service)] NpgsqlDataSource database,
    IObjectStore store,
    VersionRetention versions,
    RunReviews reviews,
    IUnitOfWork<DatasetsDb> work,
    IOptions<RetentionOptions> options,
    TimeProvider time,
    ILogger<Collector> log)
{
    private const long CollectorLock = 0x51756C7A436F6C6C;

    /// <summary>A step may wait for long between writing a file and finishing it.</summary>
    private static readonly TimeSpan s_unfinished = TimeSpan.FromDays(1);

    /// <returns>Null when another process collects now.</returns>
    public async Task<RetentionReport?> CollectAsync(ListedProject project, bool preview, CancellationToken ct)
    {
        // Held by an open transaction, so that it goes with the connection, however this ends.
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var turn = await connection.BeginTransactionAsync(ct);
        if (!preview && !await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select pg_try_advisory_xact_lock(@CollectorLock)", new { CollectorLock }, turn, cancellationToken: ct)))
            return null;

        var settings = options.Value;
        var gone = await versions.RemoveAsync(project, settings, preview, ct);
        var items = await QuarantineAsync(project, settings, preview, ct);
        var sweep = new Sweep(project, settings, preview, gone);
        await SweepAsync(sweep, ct);
        await RememberAsync(project.Project, sweep, ct);
        if (!preview && sweep.Removed.Files > 0)
        {
            log.LogInformation("Collected {Files} files ({Bytes} bytes) of project {Project}", sweep.Removed.Files, sweep.Removed.Bytes, project.Project);
            await work.BeginAsync(ct);
            work.Outbox.Publish(new DataCollected
            {
                Id = Guid.CreateVersion7(),
                OccurredAt = time.GetUtcNow(),
                ProjectId = project.Id,
                Actor = "system",
                Project = project.Project,
                Files = sweep.Removed.Files,
                Bytes = sweep.Removed.Bytes,
                Runs = sweep.Runs.Count,
            });
            await work.CommitAsync(ct);
        }
        return new RetentionReport(
            project.Project, preview, sweep.Removed.Files, sweep.Removed.Bytes, sweep.Runs.Count, gone, items, sweep.Removed.Lines, sweep.Kept.Lines);
    }

    /// <summary>Rejected rows that were settled long ago, and the files of batches whose rows are all gone.</summary>
    private async Task<long> QuarantineAsync(ListedProject project, RetentionOptions settings, bool preview, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var parameters = new { project = project.Project, before = time.GetUtcNow() - settings.Rejected, deleted = project.Deleted };
        const string done =
            """
            from datasets.quarantine_item i join datasets.quarantine_step s on s.id = i.step_id left join datasets.patch p on p.id = i.patch_id and p.state = 'active'
             where s.project = @project and (@deleted or (i.state in ('reinjected', 'settled', 'dismissed', 'superseded') and i.at < @before and coalesce(p.applied_at, i.at) < @before
               -- Whatever was decided about it: what recent runs reject again and again is not over.
               and not exists (select from datasets.quarantine_occurrence o join datasets.quarantine_batch b on b.id = o.batch_id where o.item_id = i.id and b.filled_at >= @before)))
            """;
        if (preview)
            return await connection.ExecuteScalarAsync<long>(new CommandDefinition($"select count(*) {done}", parameters, commandTimeout: 300, cancellationToken: ct));
        var removed = 0L;
        int some;
        do
        {
            some = await connection.ExecuteScalarAsync<int>(new CommandDefinition(
                $"""
                with gone as (delete from datasets.quarantine_item where id in (select i.id {done} limit 10000) returning id),
                told as (delete from datasets.quarantine_occurrence where item_id in (select id from gone))
                select count(*) from gone
                """,
                parameters, commandTimeout: 300, cancellationToken: ct));
            removed += some;
        }
        while (some == 10_000);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            delete from datasets.patch p using datasets.quarantine_step s
             where s.id = p.step_id and s.project = @project and not exists (select from datasets.quarantine_item i where i.patch_id = p.id)
               and (@deleted or coalesce(p.applied_at, p.created_at) < @before);
            -- The batch itself stays: it says that the run's end has arrived here.
            update datasets.quarantine_batch b set files = '{}' from datasets.quarantine_step s
             where s.id = b.step_id and s.project = @project and (@deleted or b.filled_at < @before) and b.files <> '{}'
               and not exists (select from datasets.quarantine_occurrence o where o.batch_id = b.id)
            """,
            parameters, commandTimeout: 300, cancellationToken: ct));
        return removed;
    }

    private async Task SweepAsync(Sweep sweep, CancellationToken ct)
    {
        var project = sweep.Project.Project;
        var runs = new Dictionary<Guid, List<StoredObject>>();
        var others = new List<StoredObject>();
        await foreach (var found in store.ListAsync($"{project}/", ct))
        {
            var parts = found.Key.Split('/');
            // <project>/<run>/..., <project>/patches/<run>/...: of a run. The rest by itself.
            var run = parts.Length > 2 && Guid.TryParseExact(parts[1], "D", out var own) ? own
                : parts.Length > 3 && parts[1] == PatchConsumer.Folder && Guid.TryParseExact(parts[2], "D", out var patched) ? patched
                : (Guid?)null;
            if (run is { } id)
            {
                if (!runs.TryGetValue(id, out var files))
                    runs[id] = files = [];
                files.Add(found);
            }
            else
            {
                others.Add(found);
            }
        }

        if (!sweep.Preview)
            await store.RemoveUnfinishedAsync($"{project}/", time.GetUtcNow() - s_unfinished, ct);
        foreach (var some in runs.Chunk(RunReviews.Most))
            await SweepRunsAsync(sweep, some.ToDictionary(), ct);
        await SweepOthersAsync(sweep, others, ct);
    }

    private async Task SweepRunsAsync(Sweep sweep, Dictionary<Guid, List<StoredObject>> runs, CancellationToken ct)
    {
        // Marked by Runs before anything else is looked up: what a released run has published or rejected is known here by now,
        // or the run is passed over until it is.
        var reviewed = await reviews.AskAsync(sweep.Project, [.. runs.Keys], sweep.Options, release: !sweep.Preview, ct);
        await using var connection = await database.OpenConnectionAsync(ct);
        var told = await ToldAsync(connection, [.. runs.Keys], ct);
        var published = await PublishedAsync(connection, sweep, ct);
        var rejected = (await connection.QueryAsync<string>(new CommandDefinition(
            "select unnest(b.files) from datasets.quarantine_batch b where b.run_id = any (@runs)", new { runs = runs.Keys.ToArray() }, cancellationToken: ct))).ToHashSet(StringComparer.Ordinal);
        foreach (var run in reviewed)
        {
            var release = run is { Known: true, Finished: true, Keep: false }
                && run.Published.All(output => told.Published.Contains((run.RunId, output.StepId)))
                && run.Rejecting.All(step => told.Rejected.Contains((run.RunId, step)));
            var named = run.Files.ToHashSet(StringComparer.Ordinal);
            var logs = run.Logs.ToHashSet(StringComparer.Ordinal);
            var remembered = run.Remembered.ToHashSet(StringComparer.Ordinal);
            var active = run.Active.Select(execution => (execution.StepId, execution.Fence)).ToHashSet();
            foreach (var file in runs[run.RunId])
            {
                var place = Place.Of(file.Key);
                var pipeline = run.Pipeline ?? "";
                var age = time.GetUtcNow() - file.ModifiedAt;
                var (kind, keep) =
                    published.Contains(file.Key) ? ("published", true)
                    : rejected.Contains(file.Key) ? ("rejected", true)
                    : remembered.Contains(file.Key) ? ("state", true)
                    : !run.Known ? ("unknown", age < sweep.Options.UnknownAge)
                    : place.Fence is null ? ("patch", !run.Finished || age < sweep.Options.OrphanAge)
                    : logs.Contains(file.Key) ? ("log", true)
                    : named.Contains(file.Key) ? ("intermediate", !release)
                    // Of an execution that goes on, or of one that nobody completed.
                    : active.Contains((place.Step, place.Fence.Value)) ? ("intermediate", true)
                    : ("orphan", age < sweep.Options.OrphanAge);
                if (!keep && kind == "intermediate")
                    sweep.Runs.Add(run.RunId);
                await DecideAsync(sweep, file, kind, pipeline, place.Step, keep, ct);
            }
        }
    }

    /// <summary>Uploads and reference data name their files themselves. What else lies in the store is not ours to judge.</summary>
    private async Task SweepOthersAsync(Sweep sweep, List<StoredObject> files, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var published = await PublishedAsync(connection, sweep, ct);
        var uploads = sweep.Project.Deleted ? [] : (await connection.QueryAsync<string>(new CommandDefinition(
            "select key from datasets.upload where project = @Project", sweep.Project, cancellationToken: ct))).ToHashSet(StringComparer.Ordinal);
        foreach (var file in files)
        {
            var folder = file.Key.Split('/')[1];
            var old = time.GetUtcNow() - file.ModifiedAt >= sweep.Options.UnknownAge;
            var (kind, keep) = folder switch
            {
                "uploads" => ("upload", uploads.Contains(file.Key) || !old),
                "datasets" => ("reference", published.Contains(file.Key) || !old),
                PatchConsumer.Folder => ("patch", !old),
                _ => ("unknown", !(sweep.Project.Deleted && old)),
            };
            await DecideAsync(sweep, file, kind, "", "", keep, ct);
        }
        if (sweep.Project.Deleted && !sweep.Preview)
            await connection.ExecuteAsync(new CommandDefinition("delete from datasets.upload where project = @Project and created_at < now() - @UnknownAge", new { sweep.Project.Project, sweep.Options.UnknownAge }, cancellationToken: ct));
    }

    private async Task DecideAsync(Sweep sweep, StoredObject file, string kind, string pipeline, string step, bool keep, CancellationToken ct)
    {
        (keep ? sweep.Kept : sweep.Removed).Add(kind, pipeline, step, file.Bytes);
        if (!keep && !sweep.Preview)
            await store.DeleteAsync(file.Key, ct);
    }

    /// <summary>The files of all versions that can be read, whoever wrote them.</summary>
    private static async Task<HashSet<string>> PublishedAsync(DbConnection connection, Sweep sweep, CancellationToken ct)
    {
        var keys = await connection.QueryAsync<(string Dataset, int Number, string Key)>(new CommandDefinition(
            """
            select d.name, v.number, f ->> 'key' from datasets.version v join datasets.dataset d on d.id = v.dataset_id, lateral jsonb_array_elements(v.content -> 'files') f
             where d.project = @Project and v.removed_at is null
            """,
            sweep.Project, commandTimeout: 300, cancellationToken: ct));
        // A preview takes the versions for gone that a collection would have marked by now.
        return keys.Where(file => !sweep.Preview || !sweep.Versions.Contains((file.Dataset, file.Number))).Select(file => file.Key).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Which ends of runs have arrived here: what they published, and the rows that they rejected.</summary>
    private static async Task<(HashSet<(Guid Run, string Step)> Published, HashSet<(Guid Run, string Step)> Rejected)> ToldAsync(DbConnection connection, Guid[] runs, CancellationToken ct)
    {
        var published = await connection.QueryAsync<(Guid, string)>(new CommandDefinition(
            "select run_id, step_id from datasets.version where run_id = any (@runs)", new { runs }, cancellationToken: ct));
        var rejected = await connection.QueryAsync<(Guid, string)>(new CommandDefinition(
            "select b.run_id, s.step from datasets.quarantine_batch b join datasets.quarantine_step s on s.id = b.step_id where b.run_id = any (@runs)", new { runs }, cancellationToken: ct));
        return ([.. published], [.. rejected]);
    }

    private async Task RememberAsync(string project, Sweep sweep, CancellationToken ct)
    {
        var lines = sweep.Preview ? sweep.Kept.Lines.Concat(sweep.Removed.Lines) : sweep.Kept.Lines;
        var sums = lines.GroupBy(line => (line.Kind, line.Pipeline, line.Step)).Select(group => new
        {
            project,
            group.Key.Kind,
            group.Key.Pipeline,
            group.Key.Step,
            Files = group.Sum(line => line.Files),
            Bytes = group.Sum(line => line.Bytes),
            now = time.GetUtcNow(),
        }).ToList();
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("delete from datasets.storage_usage where project = @project", new { project }, transaction, cancellationToken: ct));
        await connection.ExecuteAsync(new CommandDefinition(
            "insert into datasets.storage_usage values (@project, @Kind, @Pipeline, @Step, @Files, @Bytes, @now) on conflict do nothing", sums, transaction, cancellationToken: ct));
        await transaction.CommitAsync(ct);
    }

    private sealed record Sweep(ListedProject Project, RetentionOptions Options, bool Preview, IReadOnlyList<RemovedVersions> Gone)
    {
        public StorageTally Removed { get; } = new();
        public StorageTally Kept { get; } = new();
        public HashSet<Guid> Runs { get; } = [];
        public HashSet<(string Dataset, int Number)> Versions { get; } = [.. Gone.SelectMany(dataset => dataset.Versions.Select(number => (dataset.Dataset, number)))];
    }

    /// <summary><c>&lt;project&gt;/&lt;run&gt;/&lt;step&gt;/&lt;fence&gt;/&lt;file&gt;</c>.</summary>
    private readonly record struct Place(string Step, long? Fence)
    {
        public static Place Of(string key)
        {
            var parts = key.Split('/');
            return parts.Length >= 5 && Guid.TryParseExact(parts[1], "D", out _) && long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var fence)
                ? new Place(parts[2], fence)
                : new Place("", null);
        }
    }
}
