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
public sealed record RowCountCheck : CleanRowsCheck
{
    [Field(Title = "At least", Description = "The least number of clean rows.", Example = 1000L, Minimum = 0)]
    public long? Min { get; init; }

    [Field(Title = "At most", Description = "The greatest number of clean rows.", Example = 1000000L, Minimum = 0)]
    public long? Max { get; init; }

    [Field(Title = "As", Description = "Another dataset that has as many rows.", Example = "dataset:orders", Format = FieldFormat.Dataset, MinLength = 1, Group = FieldAttribute.AdvancedGroup)]
    public string? As { get; init; }

    [Field(Title = "Within", Description = "By what share of the greater number the two may differ.", Example = "1%", Group = FieldAttribute.AdvancedGroup)]
    public Share Within { get; init; }

    internal override string Kind => "rowCount";

    public override (string Dataset, string Field)? Reference => As is null ? null : (As, "as");
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

    /// <summary>The value below which the share <see cref="AggregateCheck.Quantile"/> of the values lies.</summary>
    Quantile,

    /// <summary>Different values as a share of the cells with a value.</summary>
    DistinctShare,

    /// <summary>Cells whose value occurs nowhere else, as a share of the cells with a value.</summary>
    UniqueShare,

    /// <summary>Shannon's, in bits.</summary>
    Entropy,

    /// <summary>Pearson's, with <see cref="AggregateCheck.With"/>.</summary>
    Correlation,
}

[Field(Title = "Aggregate", Description = "A figure over all clean rows lies between limits.")]
public sealed record AggregateCheck : CleanRowsCheck
{
    [Field(Title = "Function", Description = "count, distinct, emptyShare, sum, mean, min, max, stddev, median, quantile, distinctShare, uniqueShare, entropy or correlation.", Example = "emptyShare")]
    public required AggregateFunction Function { get; init; }

    [Field(Title = "Column", Description = "The column; a number for sum, mean, min, max, stddev, median, quantile and correlation.", Example = "email", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "At least", Description = "The least figure.", Example = 0.5)]
    public double? Min { get; init; }

    [Field(Title = "At most", Description = "The greatest figure.", Example = 0.02)]
    public double? Max { get; init; }

    [Field(Title = "Quantile", Description = "Which quantile: 0.5 is the median.", Example = 0.95, Minimum = 0, Maximum = 1, VisibleIf = "function=quantile", Group = FieldAttribute.AdvancedGroup)]
    public double? Quantile { get; init; }

    [Field(Title = "With", Description = "The other column of a correlation.", Example = "weight", Format = FieldFormat.Column, VisibleIf = "function=correlation", Group = FieldAttribute.AdvancedGroup)]
    public string? With { get; init; }

    [Field(Title = "As", Description = "A column of another dataset that has the same figure.", Example = "dataset:orders.amount", Format = FieldFormat.Dataset, MinLength = 1, Group = FieldAttribute.AdvancedGroup)]
    public string? As { get; init; }

    [Field(Title = "Within", Description = "By what share of the greater figure the two may differ.", Example = "1%", Group = FieldAttribute.AdvancedGroup)]
    public Share Within { get; init; }

    internal override string Kind => "aggregate";

    public override (string Dataset, string Field)? Reference => As is not null && ReferenceCheck.Parse(As) is var (dataset, _) ? (dataset, "as") : null;
}

[Field(Title = "Freshness", Description = "The newest value is not too old.")]
public sealed record FreshnessCheck : CleanRowsCheck
{
    [Field(Title = "Column", Description = "A date or timestamp column.", Example = "updated_at", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "Within", Description = "How old the newest value may be.", Example = "1d")]
    public required Duration Within { get; init; }

    internal override string Kind => "freshness";
}

[Field(Title = "Ordered", Description = "Values never fall (or never rise) from one row to the next, in the order of each source.")]
public sealed record OrderedCheck : CleanRowsCheck
{
    [Field(Title = "Column", Description = "A text, number, date or time column; empty cells are passed over.", Example = "updated_at", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "Direction", Description = "asc or desc.", Example = "desc")]
    public SortDirection Direction { get; init; }

    [Field(Title = "Strictly", Description = "Equal values in a row fail, too.", Example = true)]
    public bool Strictly { get; init; }

    internal override string Kind => "ordered";
}

[Field(Title = "Schema", Description = "The clean rows have these columns.")]
public sealed record SchemaCheck : DatasetCheck
{
    [Field(Title = "Columns", Description = "The columns that there must be.", ExampleJson = """[{"name": "id", "type": "int64"}, {"name": "email"}]""", MinItems = 1)]
    public required IReadOnlyList<ExpectedColumn> Columns { get; init; }

    [Field(Title = "Others", Description = "Other columns may be there, too.", Example = false)]
    public bool Others { get; init; } = true;

    [Field(Title = "In order", Description = "The columns stand in this order.", Example = true)]
    public bool InOrder { get; init; }

    internal override string Kind => "schema";
}

public sealed record ExpectedColumn
{
    [Field(Title = "Name", Description = "The column.", Example = "id", MinLength = 1)]
    public required string Name { get; init; }

    [Field(Title = "Type", Description = "The type it has; any when left out.", Example = "int64")]
    public string? Type { get; init; }
}

[Field(Title = "Same rows", Description = "Another dataset has the same rows.")]
public sealed record SameRowsCheck : CleanRowsCheck
{
    [Field(Title = "As", Description = "The other dataset.", Example = "dataset:ledger", Format = FieldFormat.Dataset, MinLength = 1)]
    public required string As { get; init; }

    [Field(Title = "Columns", Description = "The columns that are compared.", Example = new[] { "id", "amount" }, Format = FieldFormat.Columns, MinItems = 1)]
    public required IReadOnlyList<string> Columns { get; init; }

    [Field(Title = "At least", Description = "The least share of rows that are in both, of the rows of the larger one.", Example = "99%")]
    public Share Min { get; init; } = new(1);

    internal override string Kind => "sameRows";

    public override (string Dataset, string Field)? Reference => (As, "as");
}
