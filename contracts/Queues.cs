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

    public const string PipelineRequests = "pipelines.requests";
    public const string PipelineOperators = "pipelines.operators";
    public const string DatasetRequests = "datasets.requests";
    public const string DatasetEvents = "datasets.events";

    public static string Operator(string kind, int major) => Operators.V1.OperatorManifest.QueueName(kind, major);
}
