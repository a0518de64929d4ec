using Qualiz.Contracts.Schemas;

namespace Qualiz.Engine.Recipes;

[Field(Title = "Unique", Description = "Values occur once.")]
public sealed record UniqueCheck : RowLevelCheck
{
    [Field(
        Title = "Columns",
        Description = "Columns that together occur once. Rows in which one of them is empty are not compared.",
        Example = new[] { "customer_id" }, Format = FieldFormat.Columns, MinItems = 1)]
    public required IReadOnlyList<string> Columns { get; init; }

    [Field(
        Title = "First by",
        Description = "Which row is the first and stays; then the order of the source.",
        ExampleJson = """[{"column": "updated_at", "direction": "desc"}]""")]
    public IReadOnlyList<SortKey> OrderBy { get; init; } = [];

    [Field(Title = "Else", Description = "What to do with the other rows: keep, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    internal override string Kind => "unique";
}

public enum SortDirection
{
    Asc,
    Desc,
}

public sealed record SortKey
{
    [Field(
        Title = "Column",
        Description = "The column to sort by; empty cells come last.",
        Example = "updated_at", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "Direction", Description = "asc or desc.", Example = "desc")]
    public SortDirection Direction { get; init; }
}

[Field(Title = "Row condition", Description = "A condition over the columns of a row is not false.")]
public sealed record RowCheck : RowLevelCheck
{
    [Field(Title = "Condition", Description = "A row expression; rows for which it is false fail.", Example = "starts <= ends", Format = FieldFormat.Expression, MinLength = 1)]
    public required string Where { get; init; }

    [Field(Title = "Name", Description = "What the reason is called; the condition when left out.", Example = "periodInOrder")]
    public string? Name { get; init; }

    [Field(Title = "Else", Description = "What to do with a row that fails: keep, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    internal override string Kind => "row";
}
