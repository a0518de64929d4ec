using Qualiz.Engine.Columns;

namespace Qualiz.Engine.Errors;

/// <summary>
/// What the detectors say of cells. Each detector's confidence is its own estimate of how often it is right; detectors that look at different things
/// strengthen each other.
/// </summary>
internal sealed class Evidence(CodedTable table)
{
    private readonly Dictionary<(int Row, int Column), List<Entry>> _entries = [];
    private readonly HashSet<(int Row, int Column)> _supported = [];

    /// <param name="detector">Of several entries of one detector the strongest counts.</param>
    public void Add(Detector detector, int row, int column, double confidence, string? suggested, CellKind kind, string reason)
    {
        if (confidence < 0.05)
            return;
        if (!_entries.TryGetValue((row, column), out var entries))
            _entries[(row, column)] = entries = [];
        entries.Add(new Entry(detector, Math.Min(confidence, 0.99), suggested, kind, reason));
    }

    /// <summary>Says that a value, strange as it may be in its column, is what rows like this one have.</summary>
    public void Support(int row, int column) => _supported.Add((row, column));

    /// <summary>The same for all rows with that value.</summary>
    public void AddValue(Detector detector, CodedColumn column, int index, int code, double confidence, string? suggested, CellKind kind, string reason)
    {
        if (confidence < 0.05)
            return;
        foreach (var row in column.RowsOf(code))
            Add(detector, row, index, confidence, suggested, kind, reason);
    }

    /// <summary>Cells that are more probably wrong than right, in the order of rows and columns.</summary>
    public IReadOnlyList<CellFinding> Findings(double threshold)
    {
        var findings = new List<CellFinding>();
        foreach (var ((row, column), all) in _entries)
        {
            var entries = _supported.Contains((row, column)) ? all.FindAll(entry => entry.Detector is not (Detector.Misspelling or Detector.Word or Detector.Format or Detector.Number)) : all;
            if (entries.Count == 0)
                continue;
            var right = 1.0;
            foreach (var strongest in entries.GroupBy(entry => entry.Detector).Select(group => group.Max(entry => entry.Confidence)))
                right *= 1 - strongest;
            if (1 - right < threshold)
                continue;
            var best = entries.OrderByDescending(entry => entry.Confidence).ThenBy(entry => entry.Detector).ThenBy(entry => entry.Suggested, StringComparer.Ordinal).ToList();
            var value = table.Columns[column].Values[table.Columns[column].Codes[row]];
            var suggestion = best.FirstOrDefault(entry => entry.Suggested is not null && entry.Confidence >= 0.3);
            findings.Add(new CellFinding(row, column, value, suggestion?.Suggested, (suggestion ?? best[0]).Kind, (suggestion ?? best[0]).Reason, Math.Round(1 - right, 4)));
        }
        findings.Sort((one, other) => (one.Row, one.Column).CompareTo((other.Row, other.Column)));
        return findings;
    }

    private sealed record Entry(Detector Detector, double Confidence, string? Suggested, CellKind Kind, string Reason);
}

internal enum Detector
{
    Sources,
    Dependency,
    Representation,
    Shift,
    Misspelling,
    Format,
    Word,
    Repetition,
    Number,
    Missing,
    Misplacement,
}
