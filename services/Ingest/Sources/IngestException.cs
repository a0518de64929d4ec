namespace Qualiz.Ingest.Sources;

/// <summary>The step cannot be done as configured, or a file cannot be read as a whole. The message is for a person and holds no values.</summary>
internal sealed class IngestException(string code, string message, string? path = null) : Exception(message)
{
    public string Code { get; } = code;

    /// <summary>The place in the configuration.</summary>
    public string? Path { get; } = path;

    /// <summary>The name that was probably meant; the message says it too.</summary>
    public string? Suggestion { get; init; }

    /// <summary>True when trying again may help.</summary>
    public bool Transient { get; init; }
}
