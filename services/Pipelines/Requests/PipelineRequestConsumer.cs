using MassTransit;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Text;
using Qualiz.Pipelines.Model;

namespace Qualiz.Pipelines.Requests;

/// <summary>What other services ask of pipelines; all answers but "the latest" stay true for ever.</summary>
internal sealed class PipelineRequestConsumer(PipelinesDb db) : IConsumer<ResolvePipeline>, IConsumer<GetPipelinePlan>, IConsumer<GetProject>
{
    public async Task Consume(ConsumeContext<ResolvePipeline> context)
    {
        var (request, ct) = (context.Message, context.CancellationToken);
        var found = await (
            from pipeline in db.Pipelines
            join project in db.Projects on pipeline.ProjectId equals project.Id
            join version in db.Versions on pipeline.Id equals version.PipelineId
            where project.Slug == request.Project && pipeline.Name == request.Pipeline && version.Number == (request.Version ?? pipeline.Latest)
            select new PipelineResolved { ProjectId = project.Id, PipelineId = pipeline.Id, VersionId = version.Id, Version = version.Number }).FirstOrDefaultAsync(ct);
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

    private async Task<string> WhatIsMissingAsync(ResolvePipeline request, CancellationToken ct)
    {
        var project = await db.Projects.Where(project => project.Slug == request.Project).Select(project => (Guid?)project.Id).FirstOrDefaultAsync(ct);
        if (project is null)
            return $"There is no project \"{request.Project}\".";
        var names = await db.Pipelines.Where(pipeline => pipeline.ProjectId == project).Select(pipeline => pipeline.Name).Take(1000).ToListAsync(ct);
        if (names.Contains(request.Pipeline))
            return $"Pipeline \"{request.Pipeline}\" has no version {request.Version}.";
        return NearestName.Find(request.Pipeline, names) is { } nearest
            ? $"There is no pipeline \"{request.Pipeline}\" in project \"{request.Project}\"; did you mean \"{nearest}\"?"
            : $"There is no pipeline \"{request.Pipeline}\" in project \"{request.Project}\".";
    }
}
