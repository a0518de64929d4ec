using System.Globalization;
using System.Text.Json;
using Dapper;
using MassTransit;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Pipelines.Model;
using Qualiz.Platform.Http;

namespace Qualiz.Pipelines.Operators;

/// <param name="Available">False when no process has announced it for 90 s: its steps wait until one does.</param>
internal sealed record OperatorView(OperatorManifest Manifest, bool Available, DateTimeOffset LastSeen);

/// <summary>The operators that have announced themselves, ever.</summary>
internal sealed class OperatorRegistry([FromKeyedServices(PipelinesDb.Schema)] NpgsqlDataSource database)
{
    private const int SilentSeconds = 90;

    /// <summary>
    /// Keeps the newest minor version while several are announced; an older one takes over when the newer has gone silent.
    /// Announcements that were held up in a queue do not make an operator look alive.
    /// </summary>
    public async Task SeenAsync(OperatorAnnounced announced, CancellationToken ct)
    {
        var manifest = announced.Manifest;
        var version = manifest.Version;
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            $"""
            insert into pipelines.operator as known (kind, major, minor, manifest, instance, last_seen)
            values (@kind, @major, @minor, @manifest::json, @instance, least(now(), @at))
            on conflict (kind, major) do update set
                minor = excluded.minor, manifest = excluded.manifest, instance = excluded.instance, last_seen = greatest(known.last_seen, excluded.last_seen)
            where excluded.minor >= known.minor or known.last_seen < now() - interval '{SilentSeconds} seconds'
            """,
            new
            {
                kind = manifest.Kind,
                major = manifest.Major,
                minor = int.Parse(version.AsSpan(version.IndexOf('.', StringComparison.Ordinal) + 1), NumberStyles.None, CultureInfo.InvariantCulture),
                manifest = JsonSerializer.Serialize(manifest, StoredJson.Options),
                instance = announced.Instance,
                at = announced.At.ToUniversalTime(),
            },
            cancellationToken: ct));
    }

    public async Task<IReadOnlyList<OperatorView>> ListAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = await connection.QueryAsync<(string Manifest, bool Available, DateTime LastSeen)>(new CommandDefinition(
            $"select manifest::text, last_seen >= now() - interval '{SilentSeconds} seconds', last_seen from pipelines.operator order by kind, major desc", cancellationToken: ct));
        return [.. rows.Select(row => new OperatorView(JsonSerializer.Deserialize<OperatorManifest>(row.Manifest, StoredJson.Options)!, row.Available, row.LastSeen))];
    }
}

internal sealed class OperatorAnnouncedConsumer(OperatorRegistry registry) : IConsumer<OperatorAnnounced>
{
    public Task Consume(ConsumeContext<OperatorAnnounced> context) => registry.SeenAsync(context.Message, context.CancellationToken);
}

internal static class OperatorEndpoints
{
    public static void MapOperators(this IEndpointRouteBuilder api) =>
        api.MapGet("/operators", async Task<Ok<Page<OperatorView>>> (OperatorRegistry registry, CancellationToken ct) =>
                TypedResults.Ok(new Page<OperatorView>(await registry.ListAsync(ct), null)))
            .WithTags("Operators").WithName("listOperators").WithSummary("What a step can use, with the schema of its settings");
}
