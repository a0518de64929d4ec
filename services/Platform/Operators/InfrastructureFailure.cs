using Qualiz.Platform.Storage;

namespace Qualiz.Platform.Operators;

/// <summary>
/// Tells the platform's own broken infrastructure from an operator's failure: the former is waited for in place and uses up
/// no attempt of the user's.
/// </summary>
internal static class InfrastructureFailure
{
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int QuotaExceeded = 122;
    private const int Broken = 5;
    private const int Stale = 116;
    private static readonly string[] s_words = ["No space left on device", "Disk quota exceeded", "Read-only file system", "Input/output error", "Stale file handle"];

    /// <summary>A sentence for the step's log, or null when it is no infrastructure failure.</summary>
    public static string? Explain(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is StoreUnavailableException)
                return "The object store is not usable now.";
            if (cause is WorkerInfrastructureException told)
                return told.Explanation;
            if (cause is EngineUnavailableException)
                return "No engine worker could be started.";
            // Raw error numbers on Linux; a native engine only has the words.
            if (cause is IOException && cause.HResult is NoSpace or ReadOnlyFileSystem or QuotaExceeded or Broken or Stale
                || s_words.Any(words => cause.Message.Contains(words, StringComparison.OrdinalIgnoreCase)))
            {
                return "The disk is full, read-only or broken.";
            }
        }

        return null;
    }
}

internal sealed class EngineUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What an operator threw in a worker: its type and text, as the worker told them.</summary>
internal sealed class OperatorCrashedException(string exceptionType, string details) : Exception(details)
{
    public string ExceptionType => exceptionType;
}

/// <summary>Broken infrastructure, met inside a worker.</summary>
internal sealed class WorkerInfrastructureException(string explanation, string details) : Exception(details)
{
    public string Explanation => explanation;
}
