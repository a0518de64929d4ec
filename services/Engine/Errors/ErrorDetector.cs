using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>
/// Finds cells that are probably wrong, and what should stand there, from the table alone: no labels, no rules, no settings. Each detector looks for one kind of
/// redundancy and estimates from the table how often it is right; a cell is reported when it is more probably wrong than right.
/// </summary>
public static class ErrorDetector
{
    private const double MoreProbablyWrong = 0.5;

    public static IReadOnlyList<CellFinding> Find(CodedTable table, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        var evidence = new Evidence(table);
        if (table.Rows == 0)
            return [];
        var misplacements = Misplacements.Find(table);
        Misplacements.Tell(table, misplacements, evidence);
        // The others look at what each column has when all values stand where they belong.
        table = Misplacements.Repair(table, misplacements);
        var judged = SourceVotes.Find(table, evidence);
        var compositions = Compositions.Find(table);
        Dependencies.Find(table, judged, compositions, evidence);
        compositions.Support(table, evidence);
        Shifts.Find(table, evidence);
        var misspelt = ValueSpelling.Find(table, evidence);
        for (var index = 0; index < table.Columns.Count; index++)
        {
            ct.ThrowIfCancellationRequested();
            var column = table.Columns[index];
            Formats.Find(column, index, evidence);
            RepeatedKeys.Find(table, index, misspelt[index], evidence);
            Numbers.Find(column, index, evidence);
            Representations.Find(column, index, evidence);
            Words.Find(column, index, evidence);
        }
        return evidence.Findings(MoreProbablyWrong);
    }
}
