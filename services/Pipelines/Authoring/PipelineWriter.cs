using Microsoft.EntityFrameworkCore;
using Npgsql;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Pipelines.Model;
using Qualiz.Pipelines.Projects;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;

namespace Qualiz.Pipelines.Authoring;

/// <param name="IsNew">False when the text is that of the latest version already.</param>
internal sealed record SavedVersion(Pipeline Pipeline, PipelineVersion Version, bool IsNew, IReadOnlyList<ApiError> Warnings);

/// <summary>Saves a file as the next version of its pipeline.</summary>
internal sealed class PipelineWriter(IUnitOfWork<PipelinesDb> work, PipelineChecker checker, TimeProvider time)
{
    /// <exception cref="ApiException">The file is wrong (422), or was changed by someone else (412, 428).</exception>
    public async Task<SavedVersion> SaveAsync(CurrentProject project, string name, string text, string fileName, HttpRequest request, CancellationToken ct)
    {
        // Checking asks other services, so it comes before the transaction; the lock below has the last word.
        var current = await (
            from known in work.Db.Pipelines.AsNoTracking()
            join saved in work.Db.Versions.AsNoTracking() on known.Id equals saved.PipelineId
            where known.ProjectId == project.Id && known.Name == name && saved.Number == known.Latest
            select new { Pipeline = known, Version = saved }).FirstOrDefaultAsync(ct);
        if (current is not null && current.Version.Text == text)
            return new SavedVersion(current.Pipeline, current.Version, false, []);
        request.CheckIfMatch(current?.Pipeline.Latest);
        var (file, compiled, _) = await checker.CheckAsync(project.Id, name, text, fileName, ct);
        var errors = compiled.Problems.Where(problem => problem.Severity == Contracts.Files.ProblemSeverity.Error).ToList();
        if (errors.Count > 0 || compiled.Plan is null || file.Model is null)
        {
            var more = errors.Count > 1 ? $" (and {errors.Count - 1} more)" : "";
            throw new ApiException(StatusCodes.Status422UnprocessableEntity, "invalidPipeline", $"{errors[0]}{more}", [.. compiled.Problems.Select(problem => problem.ToApiError())]);
        }

        await work.BeginAsync(ct);
        // The lock makes version numbers gapless and two editors wait for each other.
        var pipeline = (await work.Db.Pipelines
            .FromSql($"select * from pipelines.pipeline where project_id = {project.Id} and name = {name} and deleted_at is null for update").IgnoreQueryFilters().ToListAsync(ct)).SingleOrDefault();
        var latest = pipeline is null ? null : await work.Db.Versions.FirstAsync(version => version.PipelineId == pipeline.Id && version.Number == pipeline.Latest, ct);
        if (pipeline?.ArchivedAt is not null)
            throw new ApiException(StatusCodes.Status409Conflict, "archived", $"The pipeline \"{name}\" is archived; restore it to change it.");
        if (latest is not null && latest.Text == text)
            return new SavedVersion(pipeline!, latest, false, []);
        request.CheckIfMatch(pipeline?.Latest);

        var now = time.GetUtcNow();
        var actor = request.HttpContext.Actor();
        if (pipeline is null)
        {
            pipeline = new Pipeline { Id = Guid.CreateVersion7(), ProjectId = project.Id, Name = name, Latest = 0, CreatedAt = now, UpdatedAt = now };
            work.Db.Pipelines.Add(pipeline);
        }

        pipeline.Latest++;
        pipeline.UpdatedAt = now;
        pipeline.Owner = file.Model.Owner;
        pipeline.Description = file.Model.Description;
        var version = new PipelineVersion
        {
            Id = Guid.CreateVersion7(),
            PipelineId = pipeline.Id,
            Number = pipeline.Latest,
            FileName = fileName,
            Text = text,
            Plan = compiled.Plan,
            Connections = [.. compiled.Connections.Select(use => new UsedConnection(use.Connection, use.Step)).Distinct()],
            CreatedAt = now,
            CreatedBy = actor,
        };
        work.Db.Versions.Add(version);
        try
        {
            await work.Db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException exception) when (exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            throw new ApiException(StatusCodes.Status412PreconditionFailed, "changed", $"Someone else created the pipeline \"{name}\" meanwhile. Get it, merge, and send the change again.");
        }

        work.Outbox.Publish(new PipelinePublished
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = now,
            ProjectId = project.Id,
            Actor = actor,
            Project = project.Slug,
            Pipeline = name,
            PipelineId = pipeline.Id,
            Version = version.Number,
        });
        await work.CommitAsync(ct);
        return new SavedVersion(pipeline, version, true, [.. compiled.Problems.Select(problem => problem.ToApiError())]);
    }
}
