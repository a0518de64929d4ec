namespace Qualiz.Contracts;

/// <summary>The names of the durable queues: who sends and who receives agree on them here.</summary>
public static class Queues
{
    /// <summary>Commands to the run saga.</summary>
    public const string RunSaga = "runs.saga";

    /// <summary>Requests: claims, heartbeats, fences.</summary>
    public const string RunClaims = "runs.claims";

    /// <summary>Starts and admissions.</summary>
    public const string RunCommands = "runs.commands";

    /// <summary>Requests of the collector of old data.</summary>
    public const string RunReviews = "runs.reviews";

    public const string PipelineRequests = "pipelines.requests";
    public const string PipelineOperators = "pipelines.operators";
    public const string DatasetRequests = "datasets.requests";
    public const string DatasetEvents = "datasets.events";
    public const string NotifyEvents = "notify.events";

    /// <summary>Runs that have ended: their rejected rows go into the quarantine, which may take a while.</summary>
    public const string DatasetQuarantine = "datasets.quarantine";

    public static string Operator(string kind, int major) => Operators.V1.OperatorManifest.QueueName(kind, major);

    /// <summary>Every queue with a name of its own; a broker has them all before any service sends.</summary>
    public static readonly IReadOnlyList<string> Durable =
        [RunSaga, RunClaims, RunCommands, RunReviews, PipelineRequests, PipelineOperators, DatasetRequests, DatasetEvents, DatasetQuarantine, NotifyEvents];

    /// <summary>
    /// Which durable queue receives which published type. Every process declares all of them when it starts, so that an event
    /// published before its consumer has ever run is kept for it; a consumer that is missing here is refused at start.
    /// </summary>
    public static readonly IReadOnlyList<(string Queue, Type Message)> Subscriptions =
    [
        (DatasetEvents, typeof(Runs.V1.RunCompleted)),
        (DatasetQuarantine, typeof(Runs.V1.RunCompleted)),
        (DatasetQuarantine, typeof(Runs.V1.RunFailed)),
        (DatasetQuarantine, typeof(Runs.V1.RunCancelled)),
        (NotifyEvents, typeof(Runs.V1.RunCompleted)),
        (NotifyEvents, typeof(Runs.V1.RunFailed)),
        (NotifyEvents, typeof(Runs.V1.RunLate)),
        (NotifyEvents, typeof(Datasets.V1.DatasetFindings)),
        (PipelineOperators, typeof(Operators.V1.OperatorAnnounced)),
    ];

    /// <summary>
    /// Whether a message can make the subscriber behind a queue do anything. Where it cannot, the message is not kept for it, and arriving there costs neither
    /// a transaction nor an inbox row: most runs publish nothing and reject nothing. It follows from the message alone, so sender and receiver agree on it.
    /// </summary>
    public static bool Concerns(string queue, object message) => (queue, message) switch
    {
        (DatasetEvents, Runs.V1.RunCompleted { Published.Count: 0 }) => false,
        (DatasetQuarantine, Runs.V1.RunCompleted { HasRejects: false } or Runs.V1.RunFailed { HasRejects: false } or Runs.V1.RunCancelled { HasRejects: false }) => false,
        _ => true,
    };
}
