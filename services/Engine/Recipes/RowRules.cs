using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

[Field(Title = "Fill", Description = "Fills empty cells with a value, from another column or from above.")]
public sealed record FillRule : Rule
{
    [Field(Title = "Columns", Description = "Columns whose empty cells are filled.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Value", Description = "The value to fill in.", Example = "unknown")]
    public Scalar? Value { get; init; }

    [Field(
        Title = "From column",
        Description = "The column to take the value from instead.",
        Example = "country", Format = FieldFormat.Column)]
    public string? From { get; init; }

    [Field(Title = "From above", Description = "Take the nearest value above in the same column instead, in the order of the source: as sheets leave out what repeats.", Example = true)]
    public bool Above { get; init; }

    internal override string Kind => "fill";
}

[Field(Title = "Filter", Description = "Keeps only the rows for which a condition is true.")]
public sealed record FilterRule : Rule
{
    [Field(
        Title = "Keep where",
        Description = "A row expression; rows for which it is not true leave as filtered, not as rejected.",
        Example = "status <> 'test'", Format = FieldFormat.Expression, MinLength = 1)]
    public required string Where { get; init; }

    internal override string Kind => "filter";
}

[Field(Title = "Derive", Description = "Computes a column.")]
public sealed record DeriveRule : Rule
{
    [Field(Title = "Column", Description = "The column to make or to replace.", Example = "full_name", MinLength = 1)]
    public required string Column { get; init; }

    [Field(
        Title = "Expression",
        Description = "A row expression over the columns.",
        Example = "first_name || ' ' || last_name", Format = FieldFormat.Expression, MinLength = 1)]
    public required string Expression { get; init; }

    [Field(Title = "Type", Description = "The column's type; the expression's own when left out.", Example = "text")]
    public string? Type { get; init; }

    [Field(Title = "Else", Description = "What to do when the expression cannot be computed for a row.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "derive";

    internal override IEnumerable<string> NewColumns => [Column];
}

[Field(Title = "Majority", Description = "Gives a column the value that most rows of a group have.")]
public sealed record MajorityRule : Rule
{
    [Field(Title = "Column", Description = "The column whose cells contradict the others of their group.", Example = "city", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "By", Description = "Rows with the same values in these columns are a group; one with an empty cell in them is in none.", Example = new[] { "postcode" }, Format = FieldFormat.Columns, MinItems = 1)]
    public required IReadOnlyList<string> By { get; init; }

    [Field(Title = "Rows", Description = "So many rows of the group at least have the value.", Example = 5, Minimum = 2)]
    public int Rows { get; init; } = 3;

    [Field(Title = "Share", Description = "So many of the group's rows that have a value have this one; more than half in any case.", Example = "90%")]
    public Share Share { get; init; } = new(0.8m);

    [Field(Title = "Fill", Description = "Empty cells take the value, too.", Example = true)]
    public bool Fill { get; init; }

    internal override string Kind => "majority";
}

[Field(Title = "Swap", Description = "Exchanges the values of two columns in the rows for which a condition is true.")]
public sealed record SwapRule : Rule
{
    [Field(Title = "Columns", Description = "The two columns; they have the same type.", Example = new[] { "city", "state" }, Format = FieldFormat.Columns, MinItems = 2, MaxItems = 2)]
    public required IReadOnlyList<string> Columns { get; init; }

    [Field(
        Title = "When",
        Description = "A row expression; rows for which it is not true, or cannot be computed, stay as they are.",
        Example = "city IN ('CA', 'NY', 'TX')", Format = FieldFormat.Expression, MinLength = 1)]
    public required string When { get; init; }

    internal override string Kind => "swap";
}

public enum ShiftTo
{
    Left,
    Right,
}

[Field(Title = "Shift", Description = "Moves values by one column in the rows for which a condition is true. A row that would lose a value stays as it is.")]
public sealed record ShiftRule : Rule
{
    [Field(
        Title = "Columns",
        Description = "The columns in their order; they have the same type.",
        Example = new[] { "street", "postcode", "city" }, Format = FieldFormat.Columns, MinItems = 2)]
    public required IReadOnlyList<string> Columns { get; init; }

    [Field(Title = "To", Description = "left: each column takes the value of the next one, and the last becomes empty; right: each takes that of the one before, and the first becomes empty.", Example = "right")]
    public ShiftTo To { get; init; }

    [Field(
        Title = "When",
        Description = "A row expression; rows for which it is not true, or cannot be computed, stay as they are.",
        Example = "regexp_full_match(city, '[0-9]{5}')", Format = FieldFormat.Expression, MinLength = 1)]
    public required string When { get; init; }

    [Field(Title = "Join", Description = "To the left: the first column keeps its value, and the next one's is put behind it with this text between.", Example = ",", VisibleIf = "to=left", Group = FieldAttribute.AdvancedGroup)]
    public string? Join { get; init; }

    internal override string Kind => "shift";
}
