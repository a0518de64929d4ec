using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Saga;

/// <summary>What conditions and <c>${...}</c> see of a run: <c>params</c>, <c>run</c> and <c>steps</c> (docs/conditions.md).</summary>
internal static class RunScope
{
    public static IScope Of(RunState run, IEnumerable<StepState> steps) => Build(json =>
    {
        json.WritePropertyName("params");
        run.Params.WriteTo(json);
        WriteRun(json, run.CorrelationId, run.Pipeline, run.PipelineVersion, run.Interval);
        json.WriteStartObject("steps");
        foreach (var step in steps)
        {
            Write(json, step);
        }

        json.WriteEndObject();
    });

    /// <summary>What parameter defaults see: <c>run</c> alone.</summary>
    public static IScope OfStart(Guid runId, string pipeline, int version, LogicalInterval interval) =>
        Build(json => WriteRun(json, runId, pipeline, version, interval));

    private static JsonScope Build(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return new JsonScope(JsonElement.ParseValue(ref reader));
    }

    private static void WriteRun(Utf8JsonWriter json, Guid id, string pipeline, int version, LogicalInterval interval)
    {
        json.WriteStartObject("run");
        json.WriteString("id", id);
        json.WriteString("pipeline", pipeline);
        json.WriteNumber("version", version);
        json.WriteString("day", interval.Day.ToString("O", CultureInfo.InvariantCulture));
        json.WriteStartObject("interval");
        json.WriteString("start", interval.Start);
        json.WriteString("end", interval.End);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, StepState step)
    {
        json.WriteStartObject(step.StepId);
        json.WriteString("status", step.State switch
        {
            StepStatus.Completed => "completed",
            StepStatus.Failed => "failed",
            StepStatus.Skipped => "skipped",
            StepStatus.Cancelled => "cancelled",
            StepStatus.Running => "running",
            _ => "waiting",
        });
        if (step.Outcome is { } outcome)
        {
            var read = outcome.RowsIn;
            json.WriteNumber("read", read);
            json.WriteNumber("rows", outcome.RowsOut);
            json.WriteNumber("rejected", outcome.RowsRejected);
            json.WriteNumber("rejectedShare", read == 0 ? 0 : (double)outcome.RowsRejected / read);
            json.WriteNumber("filtered", outcome.Ledger.Sum(line => line.Filtered));
            json.WriteNumber("merged", outcome.Ledger.Sum(line => line.Merged));
        }

        json.WriteEndObject();
    }
}
