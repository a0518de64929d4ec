using Microsoft.Extensions.Logging;

namespace Qualiz.Platform.Telemetry;

public static class LogScopes
{
    /// <summary>Every log line inside carries <c>labels.run_id</c> and, if given, <c>labels.step_id</c>.</summary>
    public static IDisposable? BeginRunScope(this ILogger logger, Guid runId, string? stepId = null) =>
        logger.BeginScope(stepId is null
            ? new KeyValuePair<string, object?>[] { new("run_id", runId) }
            : [new("run_id", runId), new("step_id", stepId)]);
}
