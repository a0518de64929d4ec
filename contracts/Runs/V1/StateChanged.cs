namespace Qualiz.Contracts.Runs.V1;

/// <summary>
/// Somebody has changed by hand what a pipeline remembers from run to run (cursors, seen files): from now on its next run reads
/// again what it had read, or leaves out what it had not.
/// </summary>
public sealed record StateChanged : EventRecord
{
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required Guid PipelineId { get; init; }
    public required string StepId { get; init; }

    /// <summary>True: forgotten, so that the step begins anew. False: set to something else.</summary>
    public required bool Reset { get; init; }
}
