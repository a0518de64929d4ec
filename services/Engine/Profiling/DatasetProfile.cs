using Qualiz.Engine.Profiling.Dependencies;
using Qualiz.Engine.Semantics;

namespace Qualiz.Engine.Profiling;

/// <summary>
/// What the rows of a dataset look like, column by column. Numbers are exact except where a field beside them says that they are estimates; they depend on
/// the rows alone, not on their order.
/// </summary>
public sealed record DatasetProfile
{
    public required long Rows { get; init; }
    public required IReadOnlyList<ColumnProfile> Columns { get; init; }

    /// <summary>
    /// Columns, and pairs of columns where no single one will do, that have a value in every row and no two rows with the same: all rows were compared. Of
    /// pairs, the most promising few are looked at.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<string>> Keys { get; init; } = [];

    /// <summary>Pairs of columns that are empty in the same rows, or never, much more often than by chance; the strongest first.</summary>
    public IReadOnlyList<MissingTogether> MissingTogether { get; init; } = [];

    /// <summary>What columns say of another one, few columns on the left first; null where it was not asked for, because it takes more than the one pass.</summary>
    public IReadOnlyList<ColumnDependency>? Dependencies { get; init; }
}

/// <summary>Values are texts in the wire format. Of a masked column there are only counts.</summary>
public sealed record ColumnProfile
{
    public required string Name { get; init; }
    public required string Type { get; init; }

    /// <summary>What the values stand for; null where that is not clear.</summary>
    public SemanticType? Semantic { get; init; }

    /// <summary>The column is sensitive: its values are not shown.</summary>
    public bool Masked { get; init; }

    /// <summary>Rows without a value.</summary>
    public required long Nulls { get; init; }

    /// <summary>Rows with a text of nothing or of white space.</summary>
    public long Blank { get; init; }

    /// <summary>Different values.</summary>
    public required long Distinct { get; init; }

    /// <summary>There were too many different values to count: their number is an estimate with a standard error of 0.8 %.</summary>
    public bool DistinctEstimated { get; init; }

    /// <summary>No two rows have the same value; all rows were compared. There may be rows without one. Said of texts, whole numbers and days.</summary>
    public bool Unique { get; init; }
    public string? Min { get; init; }
    public string? Max { get; init; }

    /// <summary>Of numbers that are finite.</summary>
    public double? Mean { get; init; }

    /// <summary>Of numbers that are finite, taken as a sample.</summary>
    public double? StandardDeviation { get; init; }

    /// <summary>Rows with an infinity, or with what is no number.</summary>
    public long NonFinite { get; init; }

    /// <summary>Of numbers, days and moments: the value that this share of the rows does not exceed.</summary>
    public IReadOnlyList<Quantile> Quantiles { get; init; } = [];

    /// <summary>The quantiles and the rows of the histogram are estimates, numbers within 0.1 % of their value as a rule, moments within 0.02 % of their range.</summary>
    public bool DistributionEstimated { get; init; }

    /// <summary>Of numbers, days and moments: ranges of equal width, the last one with its end.</summary>
    public IReadOnlyList<HistogramBin> Histogram { get; init; } = [];

    /// <summary>Numbers, days and moments far away from the rest; null where there are none.</summary>
    public Outliers? Outliers { get; init; }

    /// <summary>Characters of the shortest and the longest text.</summary>
    public long? MinLength { get; init; }
    public long? MaxLength { get; init; }
    public double? MeanLength { get; init; }

    /// <summary>The most frequent values, most rows first. Where <see cref="Distinct"/> is estimated, those that fill at least a thousandth of the rows.</summary>
    public IReadOnlyList<ValueCount> Top { get; init; } = [];

    /// <summary>
    /// The most frequent forms of texts: a run of capitals is <c>A</c>, one of other letters <c>a</c>, each digit <c>9</c>; other
    /// signs stand for themselves.
    /// </summary>
    public IReadOnlyList<ValueCount> Patterns { get; init; } = [];

    /// <summary>There were too many different forms to count: their rows are estimated from a sample of the values.</summary>
    public bool PatternsEstimated { get; init; }
}

public sealed record ValueCount(string Value, long Rows);

public sealed record Quantile(double Share, string Value);

/// <param name="To">The beginning of the next one.</param>
public sealed record HistogramBin(string From, string To, long Rows);

/// <summary>
/// Values beyond three times the distance of the quartiles from these, on a logarithmic scale where that makes positive numbers more even.
/// </summary>
/// <param name="From">The smallest value that is not one of them.</param>
/// <param name="To">The greatest.</param>
/// <param name="Rows">Rows outside <paramref name="From"/> to <paramref name="To"/>.</param>
/// <param name="Examples">The ones that are furthest away.</param>
public sealed record Outliers(string From, string To, long Rows, IReadOnlyList<string> Examples);

/// <param name="Rows">In which both are empty.</param>
/// <param name="Correlation">Of being empty, from -1 to 1 (phi).</param>
public sealed record MissingTogether(IReadOnlyList<string> Columns, long Rows, double Correlation);
