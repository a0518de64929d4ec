namespace Qualiz.Contracts.Files;

/// <summary>Collects the problems of one file and turns places within its texts into lines and columns.</summary>
internal sealed class FilePlaces(string text, string fileName, List<FileProblem> problems)
{
    public void Report(string path, TextRange? at, string message, string? suggestion = null, ProblemSeverity severity = ProblemSeverity.Error) =>
        problems.Add(new FileProblem(fileName, at?.Start.Line ?? 1, at?.Start.Column ?? 1, path, message, suggestion, severity));

    /// <summary>Points at a character of a scalar's text, when the scalar stands in the file as it is.</summary>
    public void ReportInside(string path, ScalarNode scalar, int character, string message, string? suggestion = null)
    {
        var range = scalar.Range;
        if (range is { } found && found.Start.Line == found.End.Line && found.End.Offset <= text.Length && found.Start.Offset <= found.End.Offset)
        {
            var inside = text.AsSpan(found.Start.Offset, found.End.Offset - found.Start.Offset).IndexOf(scalar.Source, StringComparison.Ordinal);
            if (inside >= 0)
            {
                var moved = inside + character;
                var start = new TextPosition(found.Start.Line, found.Start.Column + moved, found.Start.Offset + moved);
                range = new TextRange(start, found.End);
            }
        }

        Report(path, range, message, suggestion);
    }
}
