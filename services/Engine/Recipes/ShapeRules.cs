using Qualiz.Contracts.Schemas;

namespace Qualiz.Engine.Recipes;

[Field(Title = "Split", Description = "Splits a text column into several.")]
public sealed record SplitRule : Rule
{
    [Field(Title = "Column", Description = "The text column to split.", Example = "name", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "Separator", Description = "The text between the parts.", Example = ",", MinLength = 1)]
    public string Separator { get; init; } = " ";

    [Field(Title = "Into", Description = "The new columns; the last one takes the rest.", Example = new[] { "first", "last" }, MinItems = 1)]
    public required IReadOnlyList<string> Into { get; init; }

    [Field(Title = "Keep the column", Description = "The column that is split stays, too.", Example = true)]
    public bool Keep { get; init; }

    internal override string Kind => "split";

    internal override IEnumerable<string> NewColumns => Into;
}

[Field(Title = "Merge", Description = "Joins columns into one text column; empty cells are left out.")]
public sealed record MergeRule : Rule
{
    [Field(Title = "Columns", Description = "The columns to join, in this order.", Example = new[] { "first", "last" }, Format = FieldFormat.Columns, MinItems = 1)]
    public required IReadOnlyList<string> Columns { get; init; }

    [Field(Title = "Into", Description = "The new column.", Example = "name", MinLength = 1)]
    public required string Into { get; init; }

    [Field(Title = "Separator", Description = "The text between the parts.", Example = ", ")]
    public string Separator { get; init; } = " ";

    [Field(Title = "Keep the columns", Description = "The columns that are joined stay, too.", Example = true)]
    public bool Keep { get; init; }

    internal override string Kind => "merge";

    internal override IEnumerable<string> NewColumns => [Into];
}

[Field(Title = "Flatten", Description = "Makes a column of each field of a struct.")]
public sealed record FlattenRule : Rule
{
    [Field(Title = "Column", Description = "The struct column.", Example = "address", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "Prefix", Description = "What the new columns' names begin with; the column's name and _ when left out.", Example = "")]
    public string? Prefix { get; init; }

    internal override string Kind => "flatten";
}

[Field(Title = "Explode", Description = "Makes a row of each element of a list.")]
public sealed record ExplodeRule : Rule
{
    [Field(Title = "Column", Description = "The list column, or a text column with a separator.", Example = "tags", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "Separator", Description = "For text: what stands between the elements.", Example = ";", MinLength = 1)]
    public string? Separator { get; init; }

    internal override string Kind => "explode";
}

[Field(Title = "Columns into rows", Description = "Makes a row of each cell of some columns: the column's name becomes one value, the cell another.")]
public sealed record UnpivotRule : Rule
{
    [Field(Title = "Columns", Description = "The columns whose cells become rows; all of one type.", Example = new[] { "jan", "feb" }, Format = FieldFormat.Columns, MinItems = 1)]
    public required IReadOnlyList<string> Columns { get; init; }

    [Field(Title = "Name", Description = "The new column with the names of the columns.", Example = "month", MinLength = 1)]
    public required string Name { get; init; }

    [Field(Title = "Value", Description = "The new column with the cells.", Example = "amount", MinLength = 1)]
    public required string Value { get; init; }

    [Field(Title = "Empty cells too", Description = "Empty cells become rows as well.", Example = true)]
    public bool Empty { get; init; }

    internal override string Kind => "unpivot";

    internal override IEnumerable<string> NewColumns => [Name, Value];
}

[Field(Title = "Rename", Description = "Gives columns other names.")]
public sealed record RenameRule : Rule
{
    [Field(Title = "Names", Description = "Old name to new name.", ExampleJson = """{"e-mail": "email"}""")]
    public required IReadOnlyDictionary<string, string> Columns { get; init; }

    internal override string Kind => "rename";

    internal override IEnumerable<string> NewColumns => Columns.Values;
}

[Field(Title = "Drop columns", Description = "Leaves columns out.")]
public sealed record DropRule : Rule
{
    [Field(Title = "Columns", Description = "The columns to leave out.", Example = new[] { "notes" }, Format = FieldFormat.Columns, MinItems = 1)]
    public required IReadOnlyList<string> Columns { get; init; }

    internal override string Kind => "drop";
}

[Field(Title = "Select columns", Description = "Keeps these columns, in this order, and leaves the others out.")]
public sealed record SelectRule : Rule
{
    [Field(Title = "Columns", Description = "The columns to keep.", Example = new[] { "id", "email" }, Format = FieldFormat.Columns, MinItems = 1)]
    public required IReadOnlyList<string> Columns { get; init; }

    internal override string Kind => "select";
}
