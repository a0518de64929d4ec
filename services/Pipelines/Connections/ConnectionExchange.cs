using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Pipelines.Model;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Operators;

namespace Qualiz.Pipelines.Connections;

/// <summary>
/// Gives a running step the settings and secrets of a connection: only while its fence holds, and only of a connection that
/// this step of the run's pinned version names. Each time is an event.
/// </summary>
internal sealed class ConnectionExchange(IServiceScopeFactory scopes, IRequests requests, TimeProvider time) : IConnectionExchange
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public async Task<Connection> ExchangeAsync(ConnectionRequest request, CancellationToken ct)
    {
        // Messages about a run belong to no step, and come after its end: what its version names for them is what they may use.
        var (versionId, projectId) = request is { StepId: "", VersionId: { } named } ? (named, (Guid?)null) : await CheckFenceAsync(request, ct);
        await using var scope = scopes.CreateAsyncScope();
        var work = scope.ServiceProvider.GetRequiredService<IUnitOfWork<PipelinesDb>>();
        await work.BeginAsync(ct);
        var version = await work.Db.Versions.Where(candidate => candidate.Id == versionId).Select(candidate => new { candidate.PipelineId, candidate.Connections }).FirstOrDefaultAsync(ct);
        var project = await work.Db.Projects.FirstOrDefaultAsync(candidate => candidate.Slug == request.Project, ct);
        projectId ??= version is null ? null : await work.Db.Pipelines.IgnoreQueryFilters().Where(pipeline => pipeline.Id == version.PipelineId).Select(pipeline => (Guid?)pipeline.ProjectId).FirstOrDefaultAsync(ct);
        if (version is null || project is null || project.Id != projectId)
            throw new ConnectionException("The run belongs to another project than the connection.");
        if (!version.Connections.Contains(new UsedConnection(request.Connection, StepIds.StepOf(request.StepId))))
            throw new ConnectionException(request.StepId.Length == 0
                ? $"This pipeline version does not name the connection \"{request.Connection}\" under notify."
                : $"Step \"{request.StepId}\" of this pipeline version does not use the connection \"{request.Connection}\".");

        var store = scope.ServiceProvider.GetRequiredService<ConnectionStore>();
        if (await store.FindAsync(project.Id, request.Connection, ct) is not { } connection)
            throw new ConnectionException($"There is no connection \"{request.Connection}\" in project \"{request.Project}\" (any more).");
        var opened = store.Open(connection);
        work.Outbox.Publish(new ConnectionUsed
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = time.GetUtcNow(),
            ProjectId = project.Id,
            Actor = "service:pipelines",
            SourceRunId = request.RunId,
            Connection = request.Connection,
            StepId = request.StepId,
            Fence = request.Fence,
        });
        // No secret leaves that is not on record.
        await work.CommitAsync(ct);
        return opened;
    }

    private async Task<(Guid VersionId, Guid? ProjectId)> CheckFenceAsync(ConnectionRequest request, CancellationToken ct)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limited.CancelAfter(Patience);
        var answer = await requests.AskAsync<FenceAnswer>(
            Queues.RunClaims, new CheckFence { RunId = request.RunId, StepId = request.StepId, Fence = request.Fence }, limited.Token);
        return answer is { Holds: true, VersionId: { } version, ProjectId: { } project }
            ? (version, project)
            : throw new ConnectionException("This execution no longer holds its step, so it is given no connection.");
    }
}

/// <summary>The exchange for services in other processes. Behind a key, and on no public route.</summary>
internal static class ConnectionExchangeEndpoint
{
    public static void MapConnectionExchange(this IEndpointRouteBuilder app) =>
        app.MapPost(ConnectionRequest.Path, async Task<Results<Ok<Connection>, ProblemHttpResult>> (
            ConnectionRequest request, IConnectionExchange exchange, IConfiguration configuration, HttpContext http, CancellationToken ct) =>
        {
            if (!IsService(http.Request, configuration[ServiceKey.Setting]))
                return ApiProblem.Of(StatusCodes.Status401Unauthorized, "serviceKey", "Only services with the key in Services:Key are answered here.");
            try
            {
                http.Response.Headers.CacheControl = "no-store";
                return TypedResults.Ok(await exchange.ExchangeAsync(request, ct));
            }
            catch (ConnectionException refused)
            {
                return ApiProblem.Of(StatusCodes.Status403Forbidden, "connectionRefused", refused.Message);
            }
        }).ExcludeFromDescription();

    /// <summary>Without a configured key nobody is let in. Hashes have one length, so the time of the comparison tells nothing.</summary>
    private static bool IsService(HttpRequest request, string? key) =>
        key is { Length: >= 16 } && CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(key)), SHA256.HashData(Encoding.UTF8.GetBytes(request.Headers[ServiceKey.Header].ToString())));
}
