using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Datasets.Model;
using Qualiz.Platform.Data;

namespace Qualiz.Datasets.Retention;

/// <summary>
/// Takes versions out of use that are too many. Only their rows are marked here, under a lock that a run which wants to read
/// one waits for; their files go with the next sweep, because nothing refers to them any more.
/// </summary>
internal sealed class VersionRetention(IUnitOfWork<DatasetsDb> work, RunReviews reviews, TimeProvider time)
{
    public async Task<IReadOnlyList<RemovedVersions>> RemoveAsync(ListedProject project, RetentionOptions options, bool preview, CancellationToken ct)
    {
        var removed = new List<RemovedVersions>();
        var datasets = await work.Db.Datasets.AsNoTracking().Where(dataset => dataset.Project == project.Project).OrderBy(dataset => dataset.Name).ToListAsync(ct);
        foreach (var dataset in datasets)
        {
            var keep = project.Deleted ? 0 : Math.Max(1, options.Versions);
            var old = await work.Db.Versions.AsNoTracking().Where(version => version.DatasetId == dataset.Id && version.RemovedAt == null)
                .OrderByDescending(version => version.Number).Skip(keep).Where(version => version.PinnedAt == null || project.Deleted)
                .Select(version => version.Number).ToListAsync(ct);
            if (old.Count == 0)
                continue;
            var readers = await work.Db.Pins.AsNoTracking().Where(pin => pin.DatasetId == dataset.Id && old.Contains(pin.Number)).Select(pin => pin.RunId).Distinct().ToListAsync(ct);
            var gone = await DoneAsync(project, readers, options, ct);
            var some = preview
                ? [.. (await FreeAsync(dataset.Id, old, gone, ct)).Order()]
                : await MarkAsync(project, dataset, old, gone, ct);
            if (some.Count > 0)
                removed.Add(new RemovedVersions(dataset.Name, some));
        }

        return removed;
    }

    /// <summary>The runs that will read nothing any more: they are over and cannot be retried.</summary>
    private async Task<HashSet<Guid>> DoneAsync(ListedProject project, List<Guid> runs, RetentionOptions options, CancellationToken ct) =>
        [.. (await reviews.AskAsync(project, runs, options, release: false, ct)).Where(run => !run.Known || run is { Finished: true, Keep: false }).Select(run => run.RunId)];

    private async Task<List<int>> FreeAsync(Guid dataset, List<int> candidates, HashSet<Guid> done, CancellationToken ct)
    {
        var pins = await work.Db.Pins.AsNoTracking().Where(pin => pin.DatasetId == dataset && candidates.Contains(pin.Number)).ToListAsync(ct);
        var held = pins.Where(pin => !done.Contains(pin.RunId)).Select(pin => pin.Number).ToHashSet();
        return candidates.FindAll(number => !held.Contains(number));
    }

    private async Task<List<int>> MarkAsync(ListedProject project, Dataset dataset, List<int> candidates, HashSet<Guid> done, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await work.BeginAsync(ct);
        var connection = work.Db.Database.GetDbConnection();
        var transaction = work.Db.Database.CurrentTransaction!.GetDbTransaction();
        // Locked first and its readers looked up then: whoever asks for a version meanwhile has its pin seen here, or waits and finds it gone.
        await connection.ExecuteAsync(new CommandDefinition(
            "select 1 from datasets.version where dataset_id = @Id and number = any (@candidates) and removed_at is null and (pinned_at is null or @Deleted) order by number for update",
            new { dataset.Id, candidates = candidates.ToArray(), project.Deleted }, transaction, cancellationToken: ct));
        var free = await FreeAsync(dataset.Id, candidates, done, ct);
        var marked = (await connection.QueryAsync<int>(new CommandDefinition(
            "update datasets.version set removed_at = @now where dataset_id = @Id and number = any (@free) and removed_at is null and (pinned_at is null or @Deleted) returning number",
            new { dataset.Id, free = free.ToArray(), now, project.Deleted }, transaction, cancellationToken: ct))).Order().ToList();
        if (marked.Count > 0)
        {
            work.Outbox.Publish(new DatasetVersionsRemoved
            {
                Id = Guid.CreateVersion7(),
                OccurredAt = now,
                ProjectId = dataset.ProjectId,
                Actor = "system",
                Project = project.Project,
                Dataset = dataset.Name,
                Versions = marked,
            });
        }
        await work.CommitAsync(ct);
        return marked;
    }
}
