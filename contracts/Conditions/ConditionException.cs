namespace Qualiz.Contracts.Conditions;

/// <summary>A condition that cannot be read, or cannot be answered for this scope. The message is for a person.</summary>
public sealed class ConditionException : Exception
{
    public ConditionException(string message, int position)
        : base(message) =>
        Position = position;

    /// <summary>The character of the text it is about, from 0.</summary>
    public int Position { get; }

    /// <summary>The place of the text in the filled-in document, e.g. <c>rules[2].value</c>, when it stood in one.</summary>
    public string? Path { get; init; }

    /// <summary>The name that was probably meant.</summary>
    public string? Suggestion { get; init; }
}
