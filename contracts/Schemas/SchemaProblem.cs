using Qualiz.Contracts.Files;

namespace Qualiz.Contracts.Schemas;

/// <summary>One way in which a value does not fit its schema.</summary>
/// <param name="Path">From the validated value on: <c>rules[2].rule</c>; empty for the value itself.</param>
/// <param name="Message">For a person; it names the suggestion.</param>
/// <param name="Suggestion">The name that was probably meant.</param>
/// <param name="At">Where it stands, when the value came from a text.</param>
public sealed record SchemaProblem(string Path, string Message, string? Suggestion, TextRange? At)
{
    public override string ToString() => Path.Length == 0 ? Message : $"{Path}: {Message}";
}

/// <summary>What is known, before any run, of a value that <c>${...}</c> will give.</summary>
public enum TemplateKind
{
    Unknown,
    Text,
    WholeNumber,
    Number,
    Bool,
    List,
    Structure,
}
