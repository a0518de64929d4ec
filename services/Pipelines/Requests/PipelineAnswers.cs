using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Text;
using Qualiz.Pipelines.Model;
using Qualiz.Platform.Messaging;

namespace Qualiz.Pipelines.Requests;

/// <summary>What other services ask of pipelines; all answers but "the latest" stay true for ever.</summary>
internal sealed class PipelineAnswers(PipelinesDb db) : IAnswers<ResolvePipeline>, IAnswers<GetPipelinePlan>, IAnswers<GetProject>, IAnswers<ListProjects>
{
    private static readonly Func<PipelinesDb, string, string, int?, CancellationToken, Task<PipelineResolved?>> s_resolve = EF.CompileAsyncQuery(
        (PipelinesDb db, string slug, string name, int? number, CancellationToken ct) => (
            from pipeline in db.Pipelines
            join project in db.Projects on pipeline.ProjectId equals project.Id
            join version in db.Versions on pipeline.Id equals version.PipelineId
            where project.Slug == slug && project.ArchivedAt == null && pipeline.Name == name && pipeline.ArchivedAt == null && version.Number == (number ?? pipeline.Latest)
            select new PipelineResolved { ProjectId = project.Id, PipelineId = pipeline.Id, VersionId = version.Id, Version = version.Number, TimeZone = project.TimeZone }).FirstOrDefault());

    public async Task<object> AnswerAsync(ResolvePipeline request, CancellationToken ct) =>
        (object?)await s_resolve(db, request.Project, request.Pipeline, request.Version, ct) ?? new PipelineUnknown { Message = await WhatIsMissingAsync(request, ct) };

    public async Task<object> AnswerAsync(GetPipelinePlan request, CancellationToken ct)
    {
        var plan = await db.Versions.Where(version => version.Id == request.VersionId).Select(version => version.Plan).FirstOrDefaultAsync(ct);
        return plan is not null ? new PipelinePlanFound { Plan = plan } : new PipelineUnknown { Message = $"There is no pipeline version {request.VersionId}." };
    }

    public async Task<object> AnswerAsync(GetProject request, CancellationToken ct)
    {
        var found = await db.Projects.Where(project => project.Slug == request.Project)
            .Select(project => new ProjectFound { ProjectId = project.Id, Project = project.Slug, TimeZone = project.TimeZone }).FirstOrDefaultAsync(ct);
        return found is not null ? found : new ProjectUnknown { Message = $"There is no project \"{request.Project}\"." };
    }

    /// <summary>Deleted ones too: whoever tidies up has to know that they are gone.</summary>
    public async Task<object> AnswerAsync(ListProjects request, CancellationToken ct)
    {
        const int Most = 200;
        var after = request.After ?? "";
        var projects = await db.Projects.IgnoreQueryFilters().AsNoTracking()
            .Where(project => project.Slug.CompareTo(after) > 0).OrderBy(project => project.Slug).Take(Most + 1).ToListAsync(ct);
        var ids = projects.Select(project => project.Id).ToList();
        var gone = (await db.Pipelines.IgnoreQueryFilters().Where(pipeline => ids.Contains(pipeline.ProjectId) && pipeline.DeletedAt != null)
            .Select(pipeline => new { pipeline.ProjectId, pipeline.Id }).ToListAsync(ct)).ToLookup(pipeline => pipeline.ProjectId, pipeline => pipeline.Id);
        return new ProjectsListed
        {
            Projects = [.. projects.Take(Most).Select(project => new ListedProject(project.Id, project.Slug, project.DeletedAt is not null, [.. gone[project.Id]]))],
            More = projects.Count > Most,
        };
    }

    private async Task<string> WhatIsMissingAsync(ResolvePipeline request, CancellationToken ct)
    {
        var project = await db.Projects.Where(project => project.Slug == request.Project).Select(project => new { project.Id, project.ArchivedAt }).FirstOrDefaultAsync(ct);
        if (project is null)
            return $"There is no project \"{request.Project}\".";
        if (project.ArchivedAt is not null)
            return $"Project \"{request.Project}\" is archived; restore it to start runs.";
        if (await db.Pipelines.AnyAsync(pipeline => pipeline.ProjectId == project.Id && pipeline.Name == request.Pipeline && pipeline.ArchivedAt != null, ct))
            return $"Pipeline \"{request.Pipeline}\" is archived; restore it to start runs.";
        var names = await db.Pipelines.Where(pipeline => pipeline.ProjectId == project.Id).Select(pipeline => pipeline.Name).Take(1000).ToListAsync(ct);
        if (names.Contains(request.Pipeline))
            return $"Pipeline \"{request.Pipeline}\" has no version {request.Version}.";
        return NearestName.Find(request.Pipeline, names) is { } nearest
            ? $"There is no pipeline \"{request.Pipeline}\" in project \"{request.Project}\"; did you mean \"{nearest}\"?"
            : $"There is no pipeline \"{request.Pipeline}\" in project \"{request.Project}\".";
    }
}
