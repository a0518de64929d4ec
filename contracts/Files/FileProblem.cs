using System.Text;

namespace Qualiz.Contracts.Files;

public enum ProblemSeverity
{
    /// <summary>The file cannot be used as it is.</summary>
    Error,

    /// <summary>It can be used, but not all of it does what one may expect.</summary>
    Warning,
}

/// <summary>Something wrong in a file: where, what, and what would be right.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
/// <param name="Path">The place in the document: <c>steps.clean.with.rules[2].rule</c>; empty for the document itself.</param>
/// <param name="Suggestion">The name that was probably meant; the message says it too.</param>
public sealed record FileProblem(
    string File, int Line, int Column, string Path, string Message, string? Suggestion = null, ProblemSeverity Severity = ProblemSeverity.Error)
{
    /// <summary><c>customers.yaml:35:18 steps.clean.with.rules[2].rule: "dat" is no rule; did you mean "date"?</c></summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append(File).Append(':').Append(Line).Append(':').Append(Column).Append(' ');
        if (Path.Length > 0)
        {
            text.Append(Path).Append(": ");
        }

        return text.Append(Severity == ProblemSeverity.Warning ? "warning: " : "").Append(Message).ToString();
    }
}
