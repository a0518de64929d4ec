namespace Qualiz.Contracts.Files;

/// <summary>Collects the problems of one file and turns places within its texts into lines and columns.</summary>
internal sealed class FilePlaces(string text, string fileName, List<FileProblem> problems)
{
    public void Report(string path, TextRange? at, string message, string? suggestion = null, ProblemSeverity severity = ProblemSeverity.Error) =>
        problems.Add(new FileProblem(fileName, at?.Start.Line ?? 1, at?.Start.Column ?? 1, path, message, suggestion, severity));

    /// <summary>Points at a character of a scalar's text, when the scalar stands in the file as it is.</summary>
    public void ReportInside(string path, ScalarNode scalar, int character, string message, string? suggestion = null) =>
        Report(path, Inside(text, scalar, character) ?? scalar.Range, message, suggestion);

    /// <summary>Where a character of a scalar's text stands; null when the scalar does not stand in the file as it is.</summary>
    public static TextRange? Inside(string text, ScalarNode scalar, int character)
    {
        if (scalar.Range is not { } found || found.Start.Line != found.End.Line || found.End.Offset > text.Length || found.Start.Offset > found.End.Offset)
        {
            return null;
        }

        var inside = text.AsSpan(found.Start.Offset, found.End.Offset - found.Start.Offset).IndexOf(scalar.Source, StringComparison.Ordinal);
        if (inside < 0)
        {
            return null;
        }

        var moved = inside + character;
        return new TextRange(new TextPosition(found.Start.Line, found.Start.Column + moved, found.Start.Offset + moved), found.End);
    }
}
