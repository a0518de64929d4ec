using DuckDB.NET.Data;
using DuckDB.NET.Native;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Kernels;

namespace Qualiz.Engine.Sessions;

/// <summary>
/// The engine could not do what it was told. The message is a sentence for a person and holds no row values: the engine's own text, which
/// quotes them, is not carried along, not even as an inner exception, because exceptions are logged.
/// </summary>
public sealed class EngineException(string code, string message, bool transient = false) : Exception(message)
{
    public const string OutOfMemory = "outOfMemory";
    public const string DiskFull = "diskFull";
    public const string ScratchExceeded = "scratchExceeded";
    public const string FileUnreadable = "fileUnreadable";
    public const string AccessRefused = "accessRefused";
    public const string CastFailed = "castFailed";
    public const string InvalidSql = "invalidSql";
    public const string EngineFailed = "engineFailed";

    /// <summary>Stable and machine-readable; becomes the code of the step's error.</summary>
    public string Code { get; } = code;

    /// <summary>True when trying again may help.</summary>
    public bool Transient { get; } = transient;

    /// <summary>False for a full disk: that is the platform's matter, which waits in place and tries again.</summary>
    public bool EndsStep => Code != DiskFull;

    /// <summary>What a step that ends by it reports.</summary>
    public StepError ToStepError() => new() { Code = Code, Message = Message, Transient = Transient };

    internal static Exception From(DuckDBException exception, CancellationToken ct)
    {
        var text = exception.Message;
        if (exception.ErrorType == DuckDBErrorType.Interrupt || text.StartsWith("INTERRUPT", StringComparison.Ordinal) || Has(text, KernelLibrary.Stopped))
            return new OperationCanceledException("The query was cancelled.", ct);
        // The platform knows a full disk by these words, and waits.
        if (Has(text, "No space left on device"))
            return new EngineException(DiskFull, "No space left on device: the disk that the engine writes to is full.", true);
        if (Array.Find(DiskTroubles, words => Has(text, words)) is { } trouble)
            return new EngineException(DiskFull, $"The disk that the engine works on cannot be used: {trouble}.", true);
        if (Has(text, "max_temp_directory_size") || Has(text, "failed to offload data block"))
            return new EngineException(ScratchExceeded, "The step needs more scratch space than it was granted. Raise Engine:ScratchBytes or split the data.");
        return Kind(exception) switch
        {
            DuckDBErrorType.OutOfMemory => new EngineException(OutOfMemory, "The step needs more memory than it was granted. Raise the memory share or split the data."),
            DuckDBErrorType.Permission => new EngineException(AccessRefused, "The query reaches for a file or setting outside what this step may use."),
            DuckDBErrorType.Io or DuckDBErrorType.Serialization or DuckDBErrorType.MissingExtension or DuckDBErrorType.Http =>
                new EngineException(FileUnreadable, "A data file cannot be read or written: it is missing, damaged or not of the expected format."),
            // The engine reports a damaged Parquet or CSV file as invalid input too.
            DuckDBErrorType.InvalidInput when Has(text, "arquet") || Has(text, "gzip") || Has(text, "CSV") || Has(text, "magic bytes") =>
                new EngineException(FileUnreadable, "A data file cannot be read: it is damaged or not of the expected format."),
            DuckDBErrorType.Conversion or DuckDBErrorType.OutOfRange or DuckDBErrorType.InvalidInput or DuckDBErrorType.Decimal
                or DuckDBErrorType.DivideByZero or DuckDBErrorType.MismatchType or DuckDBErrorType.InvalidType =>
                new EngineException(CastFailed, "A value does not fit the type or the operation asked of it."),
            // These quote only the statement, never data.
            DuckDBErrorType.Parser or DuckDBErrorType.Syntax or DuckDBErrorType.Binder or DuckDBErrorType.Catalog or DuckDBErrorType.Expression
                or DuckDBErrorType.ParameterNotResolved or DuckDBErrorType.ParameterNotAllowed or DuckDBErrorType.UnknownType =>
                new EngineException(InvalidSql, FirstLine(text)),
            var kind => new EngineException(EngineFailed, $"The data engine failed ({kind})."),
        };
    }

    // As the system calls them; the platform waits for these too.
    private static readonly string[] DiskTroubles = ["Disk quota exceeded", "Read-only file system", "Input/output error", "Stale file handle"];

    // Errors of preparing a statement come without a kind, but their text begins with it.
    private static DuckDBErrorType Kind(DuckDBException exception)
    {
        if (exception.ErrorType != DuckDBErrorType.Invalid)
            return exception.ErrorType;
        var text = exception.Message;
        foreach (var (prefix, kind) in Prefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
                return kind;
        }
        return DuckDBErrorType.Invalid;
    }

    private static readonly (string Prefix, DuckDBErrorType Kind)[] Prefixes =
    [
        ("Binder Error", DuckDBErrorType.Binder), ("Parser Error", DuckDBErrorType.Parser), ("Catalog Error", DuckDBErrorType.Catalog),
        ("Conversion Error", DuckDBErrorType.Conversion), ("IO Error", DuckDBErrorType.Io), ("Invalid Input Error", DuckDBErrorType.InvalidInput),
        ("Invalid Error", DuckDBErrorType.InvalidInput), ("Out of Memory Error", DuckDBErrorType.OutOfMemory), ("Permission Error", DuckDBErrorType.Permission),
        ("Out of Range Error", DuckDBErrorType.OutOfRange), ("Missing Extension Error", DuckDBErrorType.MissingExtension), ("HTTP Error", DuckDBErrorType.Http),
        ("Serialization Error", DuckDBErrorType.Serialization), ("Mismatch Type Error", DuckDBErrorType.MismatchType),
    ];

    private static bool Has(string text, string part) => text.Contains(part, StringComparison.Ordinal);

    private static string FirstLine(string text)
    {
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        return end < 0 ? text : text[..end];
    }
}
