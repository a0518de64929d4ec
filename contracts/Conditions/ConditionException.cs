namespace Qualiz.Contracts.Conditions;

/// <summary>A condition that cannot be read, or cannot be answered for this scope. The message is for a person.</summary>
public sealed class ConditionException : Exception
{
    public ConditionException(string message, int position)
        : base(message) =>
        Position = position;

    /// <summary>The character of the text it is about, from 0.</summary>
    public int Position { get; }

    /// <summary>The name that was probably meant.</summary>
    public string? Suggestion { get; init; }
}
