namespace Qualiz.Runs.Model;

/// <summary>The states of a step. Kept as text in the database.</summary>
internal enum StepStatus
{
    /// <summary>Waits for the steps it depends on.</summary>
    Pending,

    /// <summary>Could go, but its project has as many steps in flight as it may.</summary>
    Ready,

    /// <summary>Its command is sent; nobody has claimed it yet.</summary>
    Dispatched,

    /// <summary>Claimed: a worker holds the lease.</summary>
    Running,

    /// <summary>Its elements (forEach) are worked on.</summary>
    Spread,

    /// <summary>Waits for something outside and holds no worker.</summary>
    Deferred,

    /// <summary>Failed and waits for its next attempt.</summary>
    BackingOff,
    Completed,
    Failed,

    /// <summary>Will not run: its condition was false, or a step it depends on did not succeed.</summary>
    Skipped,
    Cancelled,
}

internal static class StepStatusExtensions
{
    public static bool IsFinal(this StepStatus status) =>
        status is StepStatus.Completed or StepStatus.Failed or StepStatus.Skipped or StepStatus.Cancelled;

    /// <summary>As people read it: that a step is spread over its elements is no state of its own to them.</summary>
    public static string Word(this StepStatus status) => status == StepStatus.Spread ? "running" : System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(status.ToString());
}
