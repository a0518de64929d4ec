namespace Qualiz.Contracts.Runs.V1;

/// <summary>Request to Runs: does this fence hold its step now, and which pipeline version does the run follow? Answered by <see cref="FenceAnswer"/>.</summary>
public sealed record CheckFence
{
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }
}

/// <param name="VersionId">The run's pinned pipeline version; null when the fence does not hold.</param>
public sealed record FenceAnswer(bool Holds, Guid? VersionId, Guid? ProjectId);
