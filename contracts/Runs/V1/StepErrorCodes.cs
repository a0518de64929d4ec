namespace Qualiz.Contracts.Runs.V1;

/// <summary>The codes of <see cref="StepError.Code"/> that the platform itself acts on.</summary>
public static class StepErrorCodes
{
    /// <summary>The execution was stopped because its run is cancelled or its claim is gone.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>The step's own time was up.</summary>
    public const string Timeout = "timeout";

    /// <summary>The worker could not reach the platform, or the platform could not do its part. It says nothing against the step: it goes out again, without limit, and no attempt is used up.</summary>
    public const string Infrastructure = "infrastructure";

    /// <summary>Its workers died three times.</summary>
    public const string WorkerDied = "workerDied";

    /// <summary>The configuration does not fit the operator.</summary>
    public const string ConfigInvalid = "configInvalid";

    /// <summary>Another run has read on from the same state since: what this one read would be delivered twice.</summary>
    public const string Overtaken = "overtaken";

    /// <summary>An operator failed in a way it does not explain.</summary>
    public const string Unexpected = "unexpected";
}
