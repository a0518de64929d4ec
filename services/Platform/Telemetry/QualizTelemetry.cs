using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Qualiz.Platform.Telemetry;

/// <summary>The platform's own traces and metrics, all under the name <c>Qualiz</c>.</summary>
public static class QualizTelemetry
{
    public const string Name = "Qualiz";

    public static ActivitySource Activities { get; } = new(Name);

    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> StepCount =
        Meter.CreateCounter<long>("qualiz.steps", "{step}", "Executions of steps by operator and outcome.");

    private static readonly Histogram<double> StepSeconds =
        Meter.CreateHistogram<double>("qualiz.step.duration", "s", "From claim to result.", advice: Buckets);

    private static readonly Histogram<double> QueueSeconds =
        Meter.CreateHistogram<double>("qualiz.step.queue.wait", "s", "From dispatch to the start of the execution.", advice: Buckets);

    private static readonly UpDownCounter<long> BusyWorkers =
        Meter.CreateUpDownCounter<long>("qualiz.engine.workers.busy", "{worker}", "Engine workers that execute a step.");

    private static readonly UpDownCounter<long> GrantedMemory =
        Meter.CreateUpDownCounter<long>("qualiz.engine.memory.granted", "By", "Memory granted to steps.");

    private static readonly Gauge<long> Unsent =
        Meter.CreateGauge<long>("qualiz.outbox.unsent", "{message}", "Messages that wait for the relay.");

    private static InstrumentAdvice<double> Buckets => new()
    {
        HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600],
    };

    /// <param name="outcome">completed, failed, deferred, lost, stopped or refused.</param>
    public static void StepEnded(string @operator, string outcome, TimeSpan took)
    {
        var tags = new TagList { { "operator", @operator }, { "outcome", outcome } };
        StepCount.Add(1, tags);
        if (outcome != "refused")
            StepSeconds.Record(took.TotalSeconds, tags);
    }

    public static void StepWaited(string @operator, TimeSpan waited) =>
        QueueSeconds.Record(Math.Max(0, waited.TotalSeconds), new TagList { { "operator", @operator } });

    public static void EngineWorkers(int change) => BusyWorkers.Add(change);

    public static void MemoryGranted(long change) => GrantedMemory.Add(change);

    /// <summary>Set by each service's relay.</summary>
    public static void OutboxUnsent(string service, long messages) =>
        Unsent.Record(messages, new TagList { { "service", service } });
}
