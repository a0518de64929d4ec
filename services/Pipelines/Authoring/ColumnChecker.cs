using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Files;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Pipelines.Connections;
using Qualiz.Pipelines.Model;
using Qualiz.Pipelines.Operators;
using Qualiz.Platform.Messaging;

namespace Qualiz.Pipelines.Authoring;

/// <summary>Holds the settings of a pipeline's steps against the columns that they will meet.</summary>
internal sealed class ColumnChecker(IRequests requests, PipelinesDb db, TimeProvider time)
{
    /// <summary>Somebody waits at a screen: what is not known by then is not checked.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public async Task<(IReadOnlyList<FileProblem> Problems, IReadOnlyList<StepCheck> Steps)> CheckAsync(
        Guid projectId, PipelineFile file, CompiledPipeline compiled, IReadOnlyList<OperatorView> operators, CancellationToken ct)
    {
        if (compiled.Plan is not { } plan)
            return ([], [.. file.Steps.Select(step => StepCheck.Unknown(step.Id, "the file has errors"))]);
        var known = operators.ToDictionary(view => (view.Manifest.Kind, view.Manifest.Major), view => (view.Manifest, view.Available));
        var project = await db.Projects.Where(project => project.Id == projectId).Select(project => project.Slug).SingleAsync(ct);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Limit);
        var anyInfers = plan.Steps.Any(step => known.GetValueOrDefault((step.Operator, step.Major)) is { Manifest.Infers: true, Available: true });
        var inference = new StepInference(
            requests,
            new InferenceSetting
            {
                Project = project,
                File = file,
                Plan = plan,
                Operators = known,
                Connections = await OpenConnectionsAsync(projectId, compiled.Connections, ct),
                Last = anyInfers ? await LastAsync(projectId, project, plan.Pipeline, limit.Token, ct) : null,
                Today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime),
            },
            limit.Token);
        var found = await inference.RunAsync();
        ct.ThrowIfCancellationRequested();
        return found;
    }

    private async Task<ILookup<string, OpenConnection>> OpenConnectionsAsync(Guid projectId, IReadOnlyList<ConnectionUse> uses, CancellationToken ct)
    {
        var names = uses.Select(use => use.Connection).Distinct().ToList();
        var found = names.Count == 0
            ? []
            : await db.Connections.AsNoTracking().Where(connection => connection.ProjectId == projectId && names.Contains(connection.Name)).ToListAsync(ct);
        var open = found.Where(connection => connection.Secrets is null && ConnectionTypes.Find(connection.Type) is { SecretNames.Count: 0 }).ToDictionary(
            connection => connection.Name,
            connection => new OpenConnection(connection.Name, connection.Type, connection.Settings.ToDictionary(setting => setting.Key, setting => setting.Value.ToString())));
        return uses.Where(use => open.ContainsKey(use.Connection)).DistinctBy(use => (use.Step, use.Connection)).ToLookup(use => use.Step, use => open[use.Connection]);
    }

    private async Task<(PipelinePlan Plan, LastOutputs Outputs)?> LastAsync(Guid projectId, string project, string name, CancellationToken limit, CancellationToken ct)
    {
        if (!await db.Pipelines.AnyAsync(pipeline => pipeline.ProjectId == projectId && pipeline.Name == name, ct))
            return null;
        LastOutputs outputs;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(limit);
        patience.CancelAfter(StepInference.Patience / 2);
        try
        {
            outputs = await requests.AskAsync<LastOutputs>(Queues.RunClaims, new GetLastOutputs { Project = project, Pipeline = name }, patience.Token);
        }
        catch (Exception exception) when (StepInference.IsSilence(exception) && !ct.IsCancellationRequested)
        {
            return null;
        }

        var plan = await (
            from pipeline in db.Pipelines
            join version in db.Versions on pipeline.Id equals version.PipelineId
            where pipeline.ProjectId == projectId && pipeline.Name == name && version.Number == outputs.Version
            select version.Plan).FirstOrDefaultAsync(ct);
        return plan is null ? null : (plan, outputs);
    }
}
