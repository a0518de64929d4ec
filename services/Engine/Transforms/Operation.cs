using System.Text.Json.Serialization;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Recipes;

namespace Qualiz.Engine.Transforms;

/// <summary>One operation of a transform step. What each one does is in docs/operators.md.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "operation")]
[JsonDerivedType(typeof(SelectOperation), "select")]
[JsonDerivedType(typeof(FilterOperation), "filter")]
[JsonDerivedType(typeof(JoinOperation), "join")]
[JsonDerivedType(typeof(UnionOperation), "union")]
[JsonDerivedType(typeof(AggregateOperation), "aggregate")]
[JsonDerivedType(typeof(SortOperation), "sort")]
[JsonDerivedType(typeof(SampleOperation), "sample")]
[JsonDerivedType(typeof(PivotOperation), "pivot")]
public abstract record Operation
{
    internal abstract string Kind { get; }
}

[Field(Title = "Select", Description = "Keeps, leaves out, orders and renames columns.")]
public sealed record SelectOperation : Operation
{
    [Field(Title = "Columns", Description = "The columns to keep, in this order, or \"*\" for all of them.", Example = new[] { "id", "email" })]
    public ColumnSelection Columns { get; init; } = ColumnSelection.All;

    [Field(Title = "Leave out", Description = "Columns to leave out.", Example = new[] { "internal_note" }, Format = FieldFormat.Columns)]
    public IReadOnlyList<string> Except { get; init; } = [];

    [Field(Title = "Rename", Description = "Old name to new name; all at once, so that two columns may change names with each other.", ExampleJson = """{"cust_no": "customer_id"}""")]
    public IReadOnlyDictionary<string, string> Rename { get; init; } = new Dictionary<string, string>();

    internal override string Kind => "select";
}

[Field(Title = "Filter", Description = "Keeps the rows for which a condition is true; the others are counted as filtered.")]
public sealed record FilterOperation : Operation
{
    [Field(Title = "Where", Description = "A row expression.", Example = "amount > 0", Format = FieldFormat.Expression, MinLength = 1)]
    public required string Where { get; init; }

    internal override string Kind => "filter";
}

public enum JoinKind
{
    [Field(Title = "Only rows with a match")]
    Inner,

    [Field(Title = "All rows; empty cells without a match")]
    Left,

    [Field(Title = "All rows of both sides")]
    Full,

    [Field(Title = "Rows with a match, as they are")]
    Semi,

    [Field(Title = "Rows without a match, as they are")]
    Anti,
}

[Field(Title = "Join", Description = "Puts the columns of another input beside those of the rows that match. Rows keep the identity of the left side.")]
public sealed record JoinOperation : Operation
{
    [Field(Title = "With", Description = "Another input of this step, as it is written there.", Example = "customers", Format = FieldFormat.StepPort, MinLength = 1)]
    public required string With { get; init; }

    [Field(Title = "Keys", Description = "Our column to the other input's column; a row matches when all are equal. An empty key matches nothing.", ExampleJson = """{"customer_id": "id"}""")]
    public required IReadOnlyDictionary<string, string> Keys { get; init; }

    [Field(Title = "Which rows", Description = "What becomes of rows without a match.", Example = "left")]
    public JoinKind How { get; init; } = JoinKind.Inner;

    [Field(Title = "Columns", Description = "The other input's columns to take, or \"*\" for all but its keys.", Example = new[] { "name", "country" })]
    public ColumnSelection Columns { get; init; } = ColumnSelection.All;

    [Field(Title = "Prefix", Description = "Begins the names of the columns that are taken.", Example = "customer_", VisibleIf = "how=inner,left,full")]
    public string Prefix { get; init; } = "";

    internal override string Kind => "join";
}

[Field(Title = "Union", Description = "Puts the rows of other inputs below, by column name; a column that one of them lacks is empty there.")]
public sealed record UnionOperation : Operation
{
    [Field(Title = "With", Description = "Other inputs of this step, as they are written there.", Example = new[] { "archive" }, MinItems = 1)]
    public required IReadOnlyList<string> With { get; init; }

    internal override string Kind => "union";
}

public enum AggregateFunction
{
    Count,
    CountDistinct,
    Sum,
    Average,
    Min,
    Max,
    Median,
    StandardDeviation,
    First,
    Last,
}

public sealed record AggregateValue
{
    [Field(Title = "Column", Description = "The name of the new column.", Example = "total", MinLength = 1)]
    public required string Column { get; init; }

    [Field(Title = "Function", Description = "first and last follow a sort before it; empty cells are left out.", Example = "sum")]
    public required AggregateFunction Function { get; init; }

    [Field(Title = "Of", Description = "The column to take it of; count without it counts rows.", Example = "amount", Format = FieldFormat.Column)]
    public string? Of { get; init; }
}

[Field(Title = "Aggregate", Description = "Makes one row of all rows that agree in some columns. From here on rows are not accounted.")]
public sealed record AggregateOperation : Operation
{
    [Field(Title = "By", Description = "One row for each combination of these columns; without any, one row in all.", Example = new[] { "country" }, Format = FieldFormat.Columns)]
    public IReadOnlyList<string> By { get; init; } = [];

    [Field(Title = "Values", Description = "The columns to compute.", ExampleJson = """[{"column": "total", "function": "sum", "of": "amount"}]""")]
    public IReadOnlyList<AggregateValue> Values { get; init; } = [];

    internal override string Kind => "aggregate";
}

[Field(Title = "Sort", Description = "Puts rows in order; rows that agree keep the order of their source.")]
public sealed record SortOperation : Operation
{
    [Field(Title = "By", Description = "The columns to sort by, the most important first; empty cells come last.", ExampleJson = """[{"column": "updated_at", "direction": "desc"}]""", MinItems = 1)]
    public required IReadOnlyList<SortKey> By { get; init; }

    internal override string Kind => "sort";
}

public enum SampleMode
{
    [Field(Title = "By chance")]
    Random,

    [Field(Title = "The first ones")]
    First,
}

[Field(Title = "Sample", Description = "Keeps a part of the rows; the others are counted as filtered. The same rows and seed give the same sample.")]
public sealed record SampleOperation : Operation
{
    [Field(Title = "Rows", Description = "How many rows to keep.", Example = 1000L, Minimum = 0)]
    public long? Rows { get; init; }

    [Field(Title = "Share", Description = "Which share of the rows to keep, instead of a number.", Example = "10%")]
    public Share? Share { get; init; }

    [Field(Title = "Which", Description = "By chance, or the first in the order of a sort before it, else of the source.", Example = "first")]
    public SampleMode Which { get; init; } = SampleMode.Random;

    [Field(Title = "Seed", Description = "Another seed gives another sample.", Example = 1L, VisibleIf = "which=random")]
    public long Seed { get; init; }

    internal override string Kind => "sample";
}

[Field(Title = "Pivot", Description = "Makes columns of the values of one column. From here on rows are not accounted.")]
public sealed record PivotOperation : Operation
{
    [Field(Title = "By", Description = "One row for each combination of these columns.", Example = new[] { "customer_id" }, Format = FieldFormat.Columns, MinItems = 1)]
    public required IReadOnlyList<string> By { get; init; }

    [Field(Title = "Column", Description = "The column whose values become columns.", Example = "month", Format = FieldFormat.Column, MinLength = 1)]
    public required string Column { get; init; }

    [Field(Title = "Names", Description = "The values that become columns; without them all that occur (200 at most), and what comes after cannot be checked before the run.", Example = new[] { "jan", "feb" })]
    public IReadOnlyList<string> Names { get; init; } = [];

    [Field(Title = "Function", Description = "How the cells are computed.", Example = "sum")]
    public AggregateFunction Function { get; init; } = AggregateFunction.Count;

    [Field(Title = "Of", Description = "The column to compute the cells of; count without it counts rows.", Example = "amount", Format = FieldFormat.Column)]
    public string? Of { get; init; }

    [Field(Title = "Prefix", Description = "Begins the names of the new columns.", Example = "sales_")]
    public string Prefix { get; init; } = "";

    internal override string Kind => "pivot";
}
