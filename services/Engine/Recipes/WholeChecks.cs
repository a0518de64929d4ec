using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

/// <summary>What a check of the whole dataset may do: it never rejects.</summary>
public enum WholeElse
{
    Warn,
    Fail,
}

[Field(Title = "Row count", Description = "The step yields a plausible number of rows.")]
public sealed record RowCountCheck : Check
{
    [Field(Title = "At least", Description = "The least number of clean rows.", Example = 1000L, Minimum = 0)]
    public long? Min { get; init; }

    [Field(Title = "At most", Description = "The greatest number of clean rows.", Example = 1000000L, Minimum = 0)]
    public long? Max { get; init; }

    [Field(Title = "Else", Description = "warn or fail.", Example = "reject")]
    public WholeElse Else { get; init; } = WholeElse.Fail;

    internal override string Kind => "rowCount";
}

public enum AggregateFunction
{
    /// <summary>Cells with a value.</summary>
    Count,

    /// <summary>Different values.</summary>
    Distinct,

    /// <summary>The share of empty cells, 0 to 1.</summary>
    EmptyShare,
    Sum,
    Mean,
    Min,
    Max,
    Stddev,
    Median,
}

[Field(Title = "Aggregate", Description = "A figure over all clean rows lies between limits.")]
public sealed record AggregateCheck : Check
{
    [Field(Title = "Function", Description = "count, distinct, emptyShare, sum, mean, min, max, stddev or median.", Example = "emptyShare")]
    public required AggregateFunction Function { get; init; }

    [Field(Title = "Column", Description = "The column; a number for sum, mean, min, max, stddev and median.", Example = "email", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "At least", Description = "The least figure.", Example = 0.5)]
    public double? Min { get; init; }

    [Field(Title = "At most", Description = "The greatest figure.", Example = 0.02)]
    public double? Max { get; init; }

    [Field(Title = "Else", Description = "warn or fail.", Example = "warn")]
    public WholeElse Else { get; init; } = WholeElse.Fail;

    internal override string Kind => "aggregate";
}

[Field(Title = "Freshness", Description = "The newest value is not too old.")]
public sealed record FreshnessCheck : Check
{
    [Field(Title = "Column", Description = "A date or timestamp column.", Example = "updated_at", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "Within", Description = "How old the newest value may be.", Example = "1d")]
    public required Duration Within { get; init; }

    [Field(Title = "Else", Description = "warn or fail.", Example = "warn")]
    public WholeElse Else { get; init; } = WholeElse.Fail;

    internal override string Kind => "freshness";
}
