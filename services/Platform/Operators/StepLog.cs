using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Qualiz.Platform.Operators;

/// <summary>A line of a step's own log, as the run page shows it.</summary>
internal sealed record StepLogLine(DateTimeOffset Time, LogLevel Level, string Message);

/// <summary>Turns what an operator logs into lines. An exception is named, not quoted: its message may hold values of rows.</summary>
internal sealed class StepLogger(TimeProvider time, Action<StepLogLine> write) : ILogger
{
    private const int LongestMessage = 4000;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Debug and < LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        var message = formatter(state, exception);
        if (exception is not null)
            message = $"{message} ({exception.GetType().Name})";
        if (message.Length > LongestMessage)
            message = string.Concat(message.AsSpan(0, LongestMessage), "...");
        write(new StepLogLine(time.GetUtcNow(), logLevel, message));
    }
}

/// <summary>Collects an execution's log as NDJSON, up to a limit.</summary>
internal sealed class StepLogBuffer
{
    private const int MostBytes = 4 * 1024 * 1024;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private bool _full;

    public bool IsEmpty => _bytes.WrittenCount == 0;

    public void Write(StepLogLine line)
    {
        lock (_lock)
        {
            if (_full)
                return;
            if (_bytes.WrittenCount > MostBytes)
            {
                _full = true;
                line = line with { Level = LogLevel.Warning, Message = $"The log is cut off here: it has reached {MostBytes / 1024 / 1024} MB." };
            }

            using (var json = new Utf8JsonWriter(_bytes, Options))
            {
                json.WriteStartObject();
                json.WriteString("time", line.Time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
                json.WriteString("level", line.Level switch
                {
                    LogLevel.Trace or LogLevel.Debug => "debug",
                    LogLevel.Information => "info",
                    LogLevel.Warning => "warn",
                    _ => "error",
                });
                json.WriteString("message", line.Message);
                json.WriteEndObject();
            }

            _bytes.Write("\n"u8);
        }
    }

    public MemoryStream Read()
    {
        lock (_lock)
            return new MemoryStream(_bytes.WrittenSpan.ToArray(), writable: false);
    }
}
