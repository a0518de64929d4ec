using Qualiz.Engine.Errors;

namespace Qualiz.Benchmarks.Quality;

/// <summary>How findings stand against the truth, cell by cell.</summary>
/// <param name="Errors">Cells that are wrong.</param>
/// <param name="Found">Cells that were flagged; <paramref name="Right"/> of them are wrong indeed.</param>
/// <param name="Changed">Cells with a suggestion that differs from the value; <paramref name="Repaired"/> of them become right, <paramref name="Damaged"/> were right.</param>
internal sealed record CellScore(long Cells, long Errors, long Found, long Right, long Changed, long Repaired, long Damaged)
{
    public double Precision => Found == 0 ? 0 : (double)Right / Found;

    public double Recall => Errors == 0 ? 0 : (double)Right / Errors;

    public double F1 => Harmonic(Precision, Recall);

    public double RepairPrecision => Changed == 0 ? 0 : (double)Repaired / Changed;

    public double RepairRecall => Errors == 0 ? 0 : (double)Repaired / Errors;

    public double RepairF1 => Harmonic(RepairPrecision, RepairRecall);

    /// <summary>The share of all cells that are flagged without being wrong.</summary>
    public double FalseAlarms => Cells == 0 ? 0 : (double)(Found - Right) / Cells;

    public static CellScore operator +(CellScore one, CellScore other) => new(
        one.Cells + other.Cells, one.Errors + other.Errors, one.Found + other.Found, one.Right + other.Right,
        one.Changed + other.Changed, one.Repaired + other.Repaired, one.Damaged + other.Damaged);

    /// <param name="counts">Which cells count, both of the truth's and of the findings; all when not given.</param>
    public static CellScore Of(DirtyTable table, IReadOnlyCollection<CellFinding> findings, Func<int, int, bool>? counts = null)
    {
        counts ??= (_, _) => true;
        var of = findings.Where(finding => counts(finding.Row, finding.Column)).ToList();
        var changes = of.Where(finding => finding.Suggested is { } text && DirtyTable.Normalise(text) != DirtyTable.Normalise(finding.Value)).ToList();
        return new CellScore(
            (long)table.Dirty.Rows * table.Dirty.Columns.Count,
            table.Errors.Count(error => counts(error.Row, error.Column)),
            of.Count,
            of.Count(finding => table.Errors.Contains((finding.Row, finding.Column))),
            changes.Count,
            changes.Count(change => DirtyTable.Normalise(change.Suggested!) == table.CleanText(change.Row, change.Column)),
            changes.Count(change => !table.Errors.Contains((change.Row, change.Column))));
    }

    private static double Harmonic(double one, double other) => one + other == 0 ? 0 : 2 * one * other / (one + other);
}
