using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

[Field(Title = "Not empty", Description = "Cells must have a value.")]
public sealed record NotNullCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Columns that must have a value.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Else", Description = "What to do with a row without one: keep, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "notNull";
}

[Field(Title = "Range", Description = "Values lie between limits.")]
public sealed record RangeCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Number, date, time or timestamp columns.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Least", Description = "The least value allowed.", Example = "0")]
    public Scalar? Min { get; init; }

    [Field(Title = "Greatest", Description = "The greatest value allowed.", Example = "150")]
    public Scalar? Max { get; init; }

    [Field(Title = "Else", Description = "What to do with a value outside: keep, null, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "range";
}

[Field(Title = "Pattern", Description = "Text matches a regular expression.")]
public sealed record PatternCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(
        Title = "Pattern",
        Description = "A regular expression in RE2 syntax that the whole value must match.",
        Example = "[A-Z]{2}", MinLength = 1, MaxLength = 2000)]
    public required string Pattern { get; init; }

    [Field(
        Title = "Else",
        Description = "What to do with a value that does not match: keep, null, default, reject or fail.",
        Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "pattern";
}

[Field(Title = "Length", Description = "Text has a plausible length.")]
public sealed record LengthCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Least", Description = "The least number of characters.", Example = 2, Minimum = 0)]
    public int? Min { get; init; }

    [Field(Title = "Greatest", Description = "The greatest number of characters.", Example = 100, Minimum = 0)]
    public int? Max { get; init; }

    [Field(Title = "Else", Description = "What to do with a value that fails: keep, null, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "length";
}

[Field(Title = "Allowed values", Description = "Values are among those listed.")]
public sealed record AllowedCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Columns of any simple type.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Values", Description = "The allowed values.", ExampleJson = """["open", "closed"]""", MinItems = 1)]
    public required IReadOnlyList<Scalar> Values { get; init; }

    [Field(Title = "Ignore case", Description = "Upper and lower case are the same.", Example = true, Group = FieldAttribute.AdvancedGroup)]
    public bool IgnoreCase { get; init; }

    [Field(Title = "Else", Description = "What to do with a value that fails: keep, null, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "allowed";
}

[Field(Title = "Reference", Description = "Values occur in a column of another dataset.")]
public sealed record ReferenceCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Columns whose values are looked up.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "In", Description = "The dataset and its column, e.g. dataset:countries.iso2.", Example = "dataset:countries.iso2", Format = FieldFormat.Dataset, MinLength = 1)]
    public required string In { get; init; }

    [Field(Title = "Else", Description = "What to do with a value that fails: keep, null, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "reference";

    public override (string Dataset, string Field)? Reference => Parse(In) is var (dataset, _) ? (dataset, "in") : null;

    /// <summary><c>dataset:countries.iso2</c> is the dataset <c>dataset:countries</c> and its column <c>iso2</c>; null when it is neither.</summary>
    public static (string Dataset, string Column)? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        return text.StartsWith("dataset:", StringComparison.Ordinal) && dot > "dataset:".Length && dot < text.Length - 1 ? (text[..dot], text[(dot + 1)..]) : null;
    }
}
