using System.Text.Json;

namespace Qualiz.Contracts.Runs.V1;

/// <summary>The step that started a run.</summary>
/// <param name="Attempt">The step's attempt; each has a run of its own.</param>
public sealed record ParentStep(Guid RunId, string StepId, int Attempt);

/// <summary>
/// Request to Runs, by a step: start a run of another pipeline of the same project as my child; asked again, how does it stand? Answered by
/// <see cref="ChildRun"/> or <see cref="ChildRunRefused"/>. When the child ends, the step that waits for it comes back at once.
/// </summary>
public sealed record StartChildRun
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }

    /// <summary>Of the execution that asks: whoever does not hold the step starts nothing.</summary>
    public required long Fence { get; init; }
    public required string Pipeline { get; init; }

    /// <summary>Null: the latest version.</summary>
    public int? Version { get; init; }
    public JsonElement? Params { get; init; }

    /// <summary>Null: the parent's day.</summary>
    public DateOnly? Day { get; init; }
}

public sealed record ChildRun
{
    public required Guid RunId { get; init; }
    public required int PipelineVersion { get; init; }

    /// <summary>queued, running, cancelling, completed, failed, cancelled.</summary>
    public required string State { get; init; }
    public string? FailedStep { get; init; }
    public StepError? Error { get; init; }
}

public sealed record ChildRunRefused
{
    /// <summary>The code that the step fails with.</summary>
    public required StepError Error { get; init; }
}
