using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Qualiz.Platform.Telemetry;

/// <summary>One line of JSON per entry, in the fields of the Elastic Common Schema; named values and scopes become <c>labels.*</c>.</summary>
internal sealed class EcsFormatter(LogIdentity identity) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "ecs";
    private const string EcsVersion = "9.5.0";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("@timestamp", DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            json.WriteString("log.level", Level(logEntry.LogLevel));
            json.WriteString("message", logEntry.Formatter(logEntry.State, logEntry.Exception));
            json.WriteString("ecs.version", EcsVersion);
            json.WriteString("service.name", identity.Service);
            json.WriteString("service.node.name", identity.Node);
            json.WriteString("log.logger", logEntry.Category);
            json.WriteNumber("process.pid", Environment.ProcessId);
            if (logEntry.EventId.Name is { Length: > 0 } action)
                json.WriteString("event.action", action);
            if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity)
            {
                json.WriteString("trace.id", activity.TraceId.ToHexString());
                json.WriteString("span.id", activity.SpanId.ToHexString());
            }

            WriteLabels(json, logEntry.State, scopeProvider);
            if (logEntry.Exception is { } exception)
            {
                json.WriteString("error.type", exception.GetType().FullName);
                json.WriteString("error.message", exception.Message);
                json.WriteString("error.stack_trace", exception.ToString());
            }

            json.WriteEndObject();
        }

        textWriter.Write(Encoding.UTF8.GetString(buffer.WrittenSpan));
        textWriter.Write('\n');
    }

    private static void WriteLabels<TState>(Utf8JsonWriter json, TState state, IExternalScopeProvider? scopes)
    {
        // A name may come twice (scope in scope, scope and message): JSON must have it once, and the innermost counts.
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        scopes?.ForEachScope(static (scope, labels) => Collect(scope, labels), labels);
        Collect(state, labels);
        if (labels.Count == 0)
            return;
        json.WriteStartObject("labels");
        foreach (var (name, value) in labels)
            json.WriteString(name, value);
        json.WriteEndObject();
    }

    private static void Collect(object? source, Dictionary<string, string> labels)
    {
        if (source is not IEnumerable<KeyValuePair<string, object?>> values)
            return;
        foreach (var (name, value) in values)
        {
            if (value is null || name is "{OriginalFormat}" or "TraceId" or "SpanId" or "ParentId")
                continue;
            labels[SnakeCase(name)] = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        }
    }

    internal static string SnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        foreach (var c in name)
        {
            if (char.IsUpper(c) && text.Length > 0 && text[^1] != '_')
                text.Append('_');
            // A dot would make an object of the label in Elasticsearch.
            text.Append(char.IsLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_');
        }

        return text.ToString();
    }

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "critical",
    };
}

/// <param name="Service"><c>qualiz-runs</c>.</param>
/// <param name="Node">The process: host and process id.</param>
internal sealed record LogIdentity(string Service, string Node);
