using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Qualiz.Contracts.Pipelines.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Text;
using Qualiz.Pipelines.Model;
using Qualiz.Pipelines.Projects;
using Qualiz.Platform.Data;
using Qualiz.Platform.Http;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Secrets;

namespace Qualiz.Pipelines.Connections;

/// <summary>Keeps connections; what is secret in them is sealed and only leaves through <see cref="Open"/>.</summary>
internal sealed class ConnectionStore(IUnitOfWork<PipelinesDb> work, SecretBox box, TimeProvider time)
{
    public Task<ProjectConnection?> FindAsync(Guid projectId, string name, CancellationToken ct) =>
        work.Db.Connections.FirstOrDefaultAsync(connection => connection.ProjectId == projectId && connection.Name == name, ct);

    /// <exception cref="ApiException">The settings are wrong (422), or it was changed by someone else (412, 428).</exception>
    public async Task<(ProjectConnection Connection, bool Created)> SaveAsync(
        CurrentProject project, string name, string typeName, IReadOnlyDictionary<string, JsonElement> given, HttpRequest request, CancellationToken ct)
    {
        var type = ConnectionTypes.Find(typeName) ?? throw UnknownType(typeName);
        var existing = await FindAsync(project.Id, name, ct);
        request.CheckIfMatch(existing?.Revision);

        var settings = given.Where(setting => setting.Value.ValueKind != JsonValueKind.Null).ToDictionary();
        var secrets = existing is null ? [] : Kept(existing, type, settings);
        foreach (var secret in type.SecretNames.Where(given.ContainsKey))
        {
            // Null takes a secret away; leaving it out keeps it.
            secrets.Remove(secret);
            if (settings.Remove(secret, out var value))
                secrets[secret] = value;
        }

        var whole = settings.Concat(secrets).ToDictionary();
        var problems = SchemaValidator.Validate(JsonSerializer.SerializeToElement(whole), type.Schema);
        if (problems.Count > 0)
            throw new ApiException(StatusCodes.Status422UnprocessableEntity, "invalidConnection", $"The settings of \"{name}\" are not right: {problems[0]}.",
                [.. problems.Select(problem => new ApiError(problem.Message, problem.Path.Length == 0 ? "settings" : $"settings.{problem.Path}", Suggestion: problem.Suggestion))]);

        if (type.Check(whole.ToDictionary(setting => setting.Key, setting => Text(setting.Value))) is var (path, message))
            throw new ApiException(StatusCodes.Status422UnprocessableEntity, "invalidConnection", $"The settings of \"{name}\" are not right: {message}.", [new ApiError(message, $"settings.{path}")]);

        var now = time.GetUtcNow();
        var connection = existing ?? new ProjectConnection
        {
            Id = Guid.CreateVersion7(),
            ProjectId = project.Id,
            Name = name,
            Type = type.Name,
            Settings = settings,
            Revision = 0,
            CreatedAt = now,
            UpdatedAt = now,
            UpdatedBy = "",
        };
        connection.Type = type.Name;
        connection.Settings = settings;
        connection.Secrets = secrets.Count == 0 ? null : box.Seal(JsonSerializer.Serialize(secrets), connection.Id.ToString());
        connection.Revision++;
        connection.UpdatedAt = now;
        connection.UpdatedBy = request.HttpContext.Actor();
        if (existing is null)
            work.Db.Connections.Add(connection);
        work.Outbox.Publish(new ConnectionSaved
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = now,
            ProjectId = project.Id,
            Actor = connection.UpdatedBy,
            Project = project.Slug,
            Connection = name,
            Type = type.Name,
            Revision = connection.Revision,
        });
        try
        {
            await work.CommitAsync(ct);
        }
        catch (Exception exception) when (exception is DbUpdateConcurrencyException or DbUpdateException { InnerException: PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } })
        {
            throw new ApiException(StatusCodes.Status412PreconditionFailed, "changed", $"Someone else changed the connection \"{name}\" meanwhile. Get it and send the change again.");
        }

        return (connection, existing is null);
    }

    public async Task DeleteAsync(CurrentProject project, ProjectConnection connection, string actor, CancellationToken ct)
    {
        work.Db.Connections.Remove(connection);
        work.Outbox.Publish(new ConnectionDeleted
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = time.GetUtcNow(),
            ProjectId = project.Id,
            Actor = actor,
            Project = project.Slug,
            Connection = connection.Name,
        });
        try
        {
            await work.CommitAsync(ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            throw new ApiException(StatusCodes.Status412PreconditionFailed, "changed", $"Someone else changed the connection \"{connection.Name}\" meanwhile. Get it and send the change again.");
        }
    }

    /// <summary>All settings as texts, secrets included.</summary>
    public Connection Open(ProjectConnection connection)
    {
        var settings = connection.Settings.ToDictionary(setting => setting.Key, setting => Text(setting.Value));
        foreach (var (name, value) in Secrets(connection))
            settings[name] = Text(value);
        return new Connection(connection.Name, connection.Type, settings);
    }

    public IReadOnlyList<string> SecretNames(ProjectConnection connection) => [.. Secrets(connection).Keys.Order(StringComparer.Ordinal)];

    private Dictionary<string, JsonElement> Secrets(ProjectConnection connection) => connection.Secrets is null
        ? []
        : JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(box.Open(connection.Secrets, connection.Id.ToString()))!;

    /// <summary>Stored secrets stay when the connection still goes to the same place; else they must be given again, or whoever may edit could have them sent to a place of their own.</summary>
    private Dictionary<string, JsonElement> Kept(ProjectConnection existing, ConnectionType type, Dictionary<string, JsonElement> settings) =>
        existing.Type == type.Name && type.Address.All(name => Text(existing.Settings.GetValueOrDefault(name)) == Text(settings.GetValueOrDefault(name)))
            ? Secrets(existing)
            : [];

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.Undefined ? "" : value.ToString();

    private static ApiException UnknownType(string name)
    {
        var nearest = NearestName.Find(name, ConnectionTypes.Names);
        var message = $"\"{name}\" is no type of connection; {(nearest is null ? $"there is {string.Join(", ", ConnectionTypes.Names)}" : $"did you mean \"{nearest}\"?")}";
        return new ApiException(StatusCodes.Status422UnprocessableEntity, "invalidConnection", message, [new ApiError(message, "type", Suggestion: nearest)]);
    }
}
