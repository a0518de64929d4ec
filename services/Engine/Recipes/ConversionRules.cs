using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

[Field(Title = "Number", Description = "Reads text as numbers.")]
public sealed record NumberRule : Rule
{
    [Field(Title = "Columns", Description = "Columns to read as numbers.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Type", Description = "The type they get: int64, decimal(p,s) or double.", Example = "decimal(18,2)")]
    public string Type { get; init; } = "decimal(18,4)";

    [Field(
        Title = "Locale",
        Description = "The separators of a language and country, where they are not given.",
        Example = "de-DE", Format = FieldFormat.Locale)]
    public string? Locale { get; init; }

    [Field(Title = "Decimal separator", Description = "The decimal separator; a point unless the locale has another.", Example = ",", MinLength = 1, MaxLength = 1)]
    public string? Decimal { get; init; }

    [Field(
        Title = "Thousands separator",
        Description = "The thousands separator; groups have three digits.",
        Example = ".", MinLength = 1, MaxLength = 1)]
    public string? Thousands { get; init; }

    [Field(
        Title = "Take away",
        Description = "Texts to take away first, e.g. EUR.",
        Example = new[] { "EUR" }, Group = FieldAttribute.AdvancedGroup)]
    public IReadOnlyList<string> Remove { get; init; } = [];

    [Field(
        Title = "Else",
        Description = "What to do when it is no such number, or has more digits than the type holds.",
        Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "number";
}

public enum DateTarget
{
    Date,
    Timestamp,
    Timestamptz,
}

[Field(Title = "Date", Description = "Reads text as dates or timestamps.")]
public sealed record DateRule : Rule
{
    [Field(Title = "Columns", Description = "Columns to read as dates.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(
        Title = "Formats",
        Description = "Formats, tried in this order, e.g. yyyy-MM-dd or dd.MM.yyyy HH:mm.",
        Example = new[] { "yyyy-MM-dd", "dd.MM.yyyy" }, MinItems = 1)]
    public required IReadOnlyList<string> Formats { get; init; }

    [Field(
        Title = "Locale",
        Description = "The language of the names of months and days; English when left out.",
        Example = "de-DE", Format = FieldFormat.Locale)]
    public string? Locale { get; init; }

    [Field(
        Title = "Type",
        Description = "The type they get: date, timestamp or timestamptz (read as UTC unless the format has zzz).",
        Example = "date")]
    public DateTarget To { get; init; }

    [Field(Title = "Else", Description = "What to do when no format fits.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "date";
}

[Field(Title = "True or false", Description = "Reads words as true or false.")]
public sealed record BooleanRule : Rule
{
    [Field(Title = "Columns", Description = "Columns to read as true or false.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(
        Title = "Words for true",
        Description = "Words for true; upper and lower case are the same.",
        Example = new[] { "yes" }, MinItems = 1)]
    public IReadOnlyList<string> True { get; init; } = ["true", "t", "yes", "y", "1", "on"];

    [Field(
        Title = "Words for false",
        Description = "Words for false; upper and lower case are the same.",
        Example = new[] { "no" }, MinItems = 1)]
    public IReadOnlyList<string> False { get; init; } = ["false", "f", "no", "n", "0", "off"];

    [Field(Title = "Else", Description = "What to do with any other word.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "boolean";
}

[Field(Title = "Change type", Description = "Gives columns another type.")]
public sealed record CastRule : Rule
{
    [Field(Title = "Columns", Description = "Columns of any type.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Type", Description = "The type they get.", Example = "int64", MinLength = 1)]
    public required string Type { get; init; }

    [Field(Title = "Else", Description = "What to do with a value that does not fit the type.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "cast";
}
