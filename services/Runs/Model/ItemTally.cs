namespace Qualiz.Runs.Model;

/// <summary>How far a step with <c>forEach</c> is. Kept with the step, so that an element's event need not look at the other elements.</summary>
/// <param name="Cursor">The number of the last element that was looked at for dispatch.</param>
/// <param name="Active">Begun and not ended.</param>
internal sealed record ItemTally(int Count, int Cursor, int Active, int Completed, int Failed, int Skipped)
{
    public int Ended => Completed + Failed + Skipped;

    /// <summary>One more has ended as <paramref name="status"/>; whether it had been under way is the caller's to know.</summary>
    public ItemTally With(StepStatus status) => status switch
    {
        StepStatus.Completed => this with { Completed = Completed + 1 },
        StepStatus.Failed => this with { Failed = Failed + 1 },
        StepStatus.Skipped => this with { Skipped = Skipped + 1 },
        _ => this,
    };
}
