using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Datasets.Model;
using Qualiz.Platform.Data;

namespace Qualiz.Datasets.Publishing;

/// <summary>What becomes a version.</summary>
internal sealed record Publication
{
    public required Guid ProjectId { get; init; }
    public required string Project { get; init; }
    public required string Dataset { get; init; }
    public required DatasetRef Content { get; init; }
    public Guid? RunId { get; init; }
    public string? StepId { get; init; }
    public Guid? UploadId { get; init; }
    public double? Quality { get; init; }
    public required string Actor { get; init; }
}

/// <summary>Adds versions to datasets, inside the caller's transaction.</summary>
internal sealed class Publisher(IUnitOfWork<DatasetsDb> work, TimeProvider time)
{
    /// <summary>The new version, or null when this output of this run is published already.</summary>
    public async Task<DatasetVersion?> PublishAsync(Publication publication, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var connection = work.Db.Database.GetDbConnection();
        var transaction = work.Db.Database.CurrentTransaction!.GetDbTransaction();
        await connection.ExecuteAsync(new CommandDefinition(
            """
            insert into datasets.dataset (id, project_id, project, name, created_at)
            values (@Id, @ProjectId, @Project, @Dataset, @now)
            on conflict (project, name) do nothing
            """,
            new { Id = Guid.CreateVersion7(), publication.ProjectId, publication.Project, publication.Dataset, now }, transaction, cancellationToken: ct));

        // The lock on the dataset's row puts its publications one after another.
        var dataset = await work.Db.Datasets
            .FromSql($"select *, xmin from datasets.dataset where project = {publication.Project} and name = {publication.Dataset} for update")
            .SingleAsync(ct);
        if (publication.RunId is { } run
            && await work.Db.Versions.AnyAsync(version => version.DatasetId == dataset.Id && version.RunId == run && version.StepId == publication.StepId, ct))
            return null;

        var added = new DatasetVersion
        {
            DatasetId = dataset.Id,
            Number = dataset.Latest + 1,
            RunId = publication.RunId,
            StepId = publication.StepId,
            UploadId = publication.UploadId,
            Content = publication.Content,
            Rows = publication.Content.Rows,
            Bytes = publication.Content.Bytes,
            Quality = publication.Quality,
            Actor = publication.Actor,
            CreatedAt = now,
        };
        work.Db.Versions.Add(added);
        dataset.Latest = added.Number;
        work.Outbox.Publish(new DatasetPublished
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = now,
            ProjectId = publication.ProjectId,
            Actor = publication.Actor,
            SourceRunId = publication.RunId,
            Project = publication.Project,
            Dataset = publication.Dataset,
            Version = added.Number,
            Rows = added.Rows,
        });
        await work.Db.SaveChangesAsync(ct);
        return added;
    }
}
