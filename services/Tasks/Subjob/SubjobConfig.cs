using System.Text.Json;
using Qualiz.Contracts.Schemas;

namespace Qualiz.Tasks.Subjob;

/// <summary><c>with:</c> of a step that uses <c>subjob</c>.</summary>
internal sealed record SubjobConfig
{
    [Field(Title = "Pipeline", Description = "The pipeline of this project to run.", Example = "load-rates", MinLength = 1)]
    public required string Pipeline { get; init; }

    [Field(Title = "Parameters", Description = "Values of its parameters, by name; those left out take their defaults.", ExampleJson = """{"country": "NO"}""")]
    public IReadOnlyDictionary<string, JsonElement> Params { get; init; } = new Dictionary<string, JsonElement>();

    [Field(Title = "If it fails", Description = "Whether this step fails with it.", Example = "continue")]
    public OnChildFailure OnFailure { get; init; } = OnChildFailure.Fail;

    [Field(Title = "Version", Description = "The pipeline's version; by default the latest.", Example = 3, Minimum = 1, Group = FieldAttribute.AdvancedGroup)]
    public int? Version { get; init; }

    [Field(Title = "Day", Description = "Its logical day; by default this run's.", Example = "2026-11-21", Group = FieldAttribute.AdvancedGroup)]
    public DateOnly? Day { get; init; }
}

internal enum OnChildFailure
{
    [Field(Title = "Fail")]
    Fail,

    [Field(Title = "Go on")]
    Continue,
}
