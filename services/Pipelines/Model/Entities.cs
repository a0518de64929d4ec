using System.Text.Json;
using Qualiz.Contracts.Plans;

namespace Qualiz.Pipelines.Model;

internal sealed class Project
{
    public required Guid Id { get; init; }
    public required string Slug { get; init; }
    public required string Name { get; set; }
    public string? Description { get; set; }
    public required string TimeZone { get; set; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required string CreatedBy { get; init; }

    /// <summary>Since when nothing in it starts or changes.</summary>
    public DateTimeOffset? ArchivedAt { get; set; }

    /// <summary>Since when it is gone; the row keeps its slug from being given again.</summary>
    public DateTimeOffset? DeletedAt { get; set; }
}

internal sealed class Pipeline
{
    public required Guid Id { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Name { get; init; }
    public string? Owner { get; set; }
    public string? Description { get; set; }

    /// <summary>The number of the newest version.</summary>
    public required int Latest { get; set; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; set; }

    /// <summary>Since when no run of it starts.</summary>
    public DateTimeOffset? ArchivedAt { get; set; }

    /// <summary>Since when it is gone; its versions stay for the runs that follow them.</summary>
    public DateTimeOffset? DeletedAt { get; set; }
}

/// <summary>Immutable.</summary>
internal sealed class PipelineVersion
{
    public required Guid Id { get; init; }
    public required Guid PipelineId { get; init; }
    public required int Number { get; init; }
    public required string FileName { get; init; }

    /// <summary>As authored, to the last character.</summary>
    public required string Text { get; init; }
    public required PipelinePlan Plan { get; init; }
    public required IReadOnlyList<UsedConnection> Connections { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required string CreatedBy { get; init; }
}

/// <summary>A step of a version may ask for this connection.</summary>
internal sealed record UsedConnection(string Connection, string Step);

internal sealed class ProjectConnection
{
    public required Guid Id { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Name { get; init; }
    public required string Type { get; set; }

    /// <summary>Without secrets.</summary>
    public required IReadOnlyDictionary<string, JsonElement> Settings { get; set; }

    /// <summary>A JSON object of texts, sealed for <see cref="Id"/>; null when there are none.</summary>
    public string? Secrets { get; set; }
    public required int Revision { get; set; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; set; }
    public required string UpdatedBy { get; set; }
}
