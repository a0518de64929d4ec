using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Files;
using Qualiz.Pipelines.Model;
using Qualiz.Pipelines.Projects;
using Qualiz.Platform.Http;

namespace Qualiz.Pipelines.Connections;

/// <param name="Type">postgres, s3, folder, http, smtp, webhook, slack or key.</param>
/// <param name="Settings">By name. A secret that is left out stays as it is, unless the connection's address changes; null takes it away.</param>
internal sealed record SaveConnection(string Type, IReadOnlyDictionary<string, JsonElement> Settings);

/// <param name="Settings">Without secrets.</param>
/// <param name="Secrets">The names of the secrets that are set; their values never leave.</param>
internal sealed record ConnectionView(
    string Name, string Type, IReadOnlyDictionary<string, JsonElement> Settings, IReadOnlyList<string> Secrets, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, string UpdatedBy);

/// <param name="Schema">JSON Schema of the settings.</param>
/// <param name="Address">The settings that say where it goes: when one of them changes, stored secrets are forgotten and must be given again.</param>
internal sealed record ConnectionTypeView(string Type, string Title, JsonElement Schema, IReadOnlyList<string> Address);

internal static class ConnectionEndpoints
{
    public static void MapConnectionTypes(this IEndpointRouteBuilder api) =>
        api.MapGet("/connection-types", () => TypedResults.Ok(new Page<ConnectionTypeView>(
                [.. ConnectionTypes.Known.Select(type => new ConnectionTypeView(type.Name, type.Title, type.Schema, type.Address))], null)))
            .WithTags("Connections").WithName("listConnectionTypes").WithSummary("The kinds of connections and their settings");

    public static void MapConnections(this IEndpointRouteBuilder project)
    {
        var connections = project.MapGroup("/connections").WithTags("Connections");
        connections.MapGet("", ListAsync).WithName("listConnections").WithSummary("The project's connections, by name");
        connections.MapPut("/{connection}", SaveAsync).WithName("saveConnection").WithSummary("Creates or changes a connection")
            .ProducesProblem(StatusCodes.Status412PreconditionFailed).ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status428PreconditionRequired);
        connections.MapGet("/{connection}", GetAsync).WithName("getConnection").WithSummary("One connection, without its secrets");
        connections.MapDelete("/{connection}", DeleteAsync).WithName("deleteConnection").WithSummary("Deletes a connection; steps that use it fail from then on");
        connections.MapPost("/{connection}/test", TestAsync).WithName("testConnection").WithSummary("Tries it now");
    }

    private static async Task<Ok<Page<ConnectionView>>> ListAsync(PageRequest page, PipelinesDb db, ConnectionStore store, CurrentProject project, CancellationToken ct)
    {
        var query = db.Connections.AsNoTracking().Where(connection => connection.ProjectId == project.Id);
        if (page.TryGetAfter<string>(out var after))
            query = query.Where(connection => connection.Name.CompareTo(after) > 0);
        var found = await query.OrderBy(connection => connection.Name).Take(page.Limit + 1).ToListAsync(ct);
        return TypedResults.Ok(Page.Of([.. found.Select(connection => View(connection, store))], page, connection => connection.Name));
    }

    private static async Task<Results<Ok<ConnectionView>, Created<ConnectionView>, ProblemHttpResult>> SaveAsync(
        string connection, SaveConnection body, ConnectionStore store, CurrentProject project, HttpContext http, CancellationToken ct)
    {
        if (!Names.IsName(connection))
            return ApiProblem.Invalid($"\"{connection}\" is no name of a connection: a small letter, then small letters, digits, - and _, at most 63.");
        var (saved, created) = await store.SaveAsync(project, connection, body.Type, body.Settings, http.Request, ct);
        http.Response.SetETag(saved.Revision);
        var view = View(saved, store);
        return created ? TypedResults.Created($"/api/v1/projects/{project.Slug}/connections/{connection}", view) : TypedResults.Ok(view);
    }

    private static async Task<Results<Ok<ConnectionView>, ProblemHttpResult>> GetAsync(
        string connection, ConnectionStore store, CurrentProject project, HttpResponse response, CancellationToken ct)
    {
        if (await store.FindAsync(project.Id, connection, ct) is not { } found)
            return ApiProblem.NotFound("connection", connection);
        response.SetETag(found.Revision);
        return TypedResults.Ok(View(found, store));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string connection, ConnectionStore store, CurrentProject project, HttpRequest request, CancellationToken ct)
    {
        if (await store.FindAsync(project.Id, connection, ct) is not { } found)
            return ApiProblem.NotFound("connection", connection);
        request.CheckIfMatch(found.Revision, required: false);
        await store.DeleteAsync(project, found, request.HttpContext.Actor(), ct);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<ConnectionTest>, ProblemHttpResult>> TestAsync(
        string connection, ConnectionStore store, ConnectionTester tester, CurrentProject project, CancellationToken ct) =>
        await store.FindAsync(project.Id, connection, ct) is { } found
            ? TypedResults.Ok(await tester.TestAsync(store.Open(found), ct))
            : ApiProblem.NotFound("connection", connection);

    private static ConnectionView View(ProjectConnection connection, ConnectionStore store) => new(
        connection.Name, connection.Type, connection.Settings, store.SecretNames(connection), connection.CreatedAt, connection.UpdatedAt, connection.UpdatedBy);
}
