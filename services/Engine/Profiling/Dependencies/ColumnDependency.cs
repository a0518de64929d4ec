namespace Qualiz.Engine.Profiling.Dependencies;

/// <summary>Rows with the same values on the left have, but for a few, the same value on the right; no part of the left side alone says it. Rows with an empty cell on either side do not count.</summary>
/// <param name="Rows">That share their left side with another row: what the dependency was tried on.</param>
/// <param name="Groups">Left sides that several rows have.</param>
/// <param name="Violations">Rows that have another value on the right than most of their group.</param>
/// <param name="ViolatingGroups">Groups with such rows.</param>
/// <param name="Confidence">The share of the rows that agree with their group.</param>
/// <param name="Examples">Groups with the most violations, none where one of the columns is sensitive.</param>
public sealed record ColumnDependency(
    IReadOnlyList<string> Left, string Right, long Rows, long Groups, long Violations, long ViolatingGroups, double Confidence, IReadOnlyList<DependencyViolation> Examples);

/// <param name="Left">The values that the group has in common, column by column.</param>
/// <param name="Rows">In the group, with a value on the right.</param>
/// <param name="Right">What they have on the right, most rows first; the first is the majority, if it has more rows than the second.</param>
public sealed record DependencyViolation(IReadOnlyList<string> Left, long Rows, IReadOnlyList<ValueCount> Right);
