using Qualiz.Contracts.Schemas;

namespace Qualiz.Tasks.Log;

/// <summary><c>with:</c> of a step that uses <c>log</c>.</summary>
internal sealed record LogConfig
{
    [Field(Title = "Message", Description = "The text to write; ${...} is filled in.", Example = "Rejected so far: ${clean.rejected}", MinLength = 1, MaxLength = 4000)]
    public required string Message { get; init; }

    [Field(Title = "Level", Description = "How the line is marked in the log.", Example = "info")]
    public LogLine Level { get; init; } = LogLine.Info;
}

internal enum LogLine
{
    [Field(Title = "Information")]
    Info,

    [Field(Title = "Warning")]
    Warning,
}
