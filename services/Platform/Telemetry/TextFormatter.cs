using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Qualiz.Platform.Telemetry;

/// <summary>One readable line per entry, for a person at a terminal.</summary>
internal sealed class TextFormatter() : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "text";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var level = logEntry.LogLevel switch
        {
            LogLevel.Trace or LogLevel.Debug => "debug",
            LogLevel.Information => "info ",
            LogLevel.Warning => "warn ",
            _ => "error",
        };
        textWriter.Write(DateTime.Now.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture));
        textWriter.Write(' ');
        textWriter.Write(level);
        textWriter.Write(' ');
        textWriter.Write(logEntry.Category.AsSpan(logEntry.Category.LastIndexOf('.') + 1));
        textWriter.Write(": ");
        textWriter.Write(logEntry.Formatter(logEntry.State, logEntry.Exception));
        scopeProvider?.ForEachScope(static (scope, writer) =>
        {
            if (scope is not IEnumerable<KeyValuePair<string, object?>> values)
                return;
            foreach (var (name, value) in values)
            {
                if (name is "run_id" or "step_id")
                    writer.Write($" {name}={value}");
            }
        }, textWriter);
        textWriter.Write('\n');
        if (logEntry.Exception is { } exception)
        {
            textWriter.Write(exception.ToString());
            textWriter.Write('\n');
        }
    }
}
