using MassTransit;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Text;
using Qualiz.Pipelines.Model;

namespace Qualiz.Pipelines.Requests;

/// <summary>What other services ask of pipelines; all answers but "the latest" stay true for ever.</summary>
internal sealed class PipelineRequestConsumer(PipelinesDb db) : IConsumer<ResolvePipeline>, IConsumer<GetPipelinePlan>, IConsumer<GetProject>, IConsumer<ListProjects>
{
    public async Task Consume(ConsumeContext<ResolvePipeline> context)
    {
        var (request, ct) = (context.Message, context.CancellationToken);
        var found = await (
            from pipeline in db.Pipelines
            join project in db.Projects on pipeline.ProjectId equals project.Id
            join version in db.Versions on pipeline.Id equals version.PipelineId
            where project.Slug == request.Project && project.ArchivedAt == null && pipeline.Name == request.Pipeline && pipeline.ArchivedAt == null && version.Number == (request.Version ?? pipeline.Latest)
            select new PipelineResolved { ProjectId = project.Id, PipelineId = pipeline.Id, VersionId = version.Id, Version = version.Number, TimeZone = project.TimeZone }).FirstOrDefaultAsync(ct);
        if (found is not null)
            await context.RespondAsync(found);
        else
            await context.RespondAsync(new PipelineUnknown { Message = await WhatIsMissingAsync(request, ct) });
    }

    public async Task Consume(ConsumeContext<GetPipelinePlan> context)
    {
        var plan = await db.Versions.Where(version => version.Id == context.Message.VersionId).Select(version => version.Plan).FirstOrDefaultAsync(context.CancellationToken);
        if (plan is not null)
            await context.RespondAsync(new PipelinePlanFound { Plan = plan });
        else
            await context.RespondAsync(new PipelineUnknown { Message = $"There is no pipeline version {context.Message.VersionId}." });
    }

    public async Task Consume(ConsumeContext<GetProject> context)
    {
        var slug = context.Message.Project;
        var id = await db.Projects.Where(project => project.Slug == slug).Select(project => (Guid?)project.Id).FirstOrDefaultAsync(context.CancellationToken);
        if (id is not null)
            await context.RespondAsync(new ProjectFound { ProjectId = id.Value, Project = slug });
        else
            await context.RespondAsync(new ProjectUnknown { Message = $"There is no project \"{slug}\"." });
    }

    /// <summary>Deleted ones too: whoever tidies up has to know that they are gone.</summary>
    public async Task Consume(ConsumeContext<ListProjects> context)
    {
        const int Most = 200;
        var (after, ct) = (context.Message.After ?? "", context.CancellationToken);
        var projects = await db.Projects.IgnoreQueryFilters().AsNoTracking()
            .Where(project => project.Slug.CompareTo(after) > 0).OrderBy(project => project.Slug).Take(Most + 1).ToListAsync(ct);
        var ids = projects.Select(project => project.Id).ToList();
        var gone = (await db.Pipelines.IgnoreQueryFilters().Where(pipeline => ids.Contains(pipeline.ProjectId) && pipeline.DeletedAt != null)
            .Select(pipeline => new { pipeline.ProjectId, pipeline.Id }).ToListAsync(ct)).ToLookup(pipeline => pipeline.ProjectId, pipeline => pipeline.Id);
        await context.RespondAsync(new ProjectsListed
        {
            Projects = [.. projects.Take(Most).Select(project => new ListedProject(project.Id, project.Slug, project.DeletedAt is not null, [.. gone[project.Id]]))],
            More = projects.Count > Most,
        });
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
