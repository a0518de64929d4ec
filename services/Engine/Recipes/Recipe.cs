using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Qualiz.Engine.Recipes;

/// <summary>A recipe: rules in order, then checks in order. What each one does is in docs/rules.md.</summary>
public sealed record Recipe(IReadOnlyList<Rule> Rules, IReadOnlyList<Check> Checks);

/// <summary>What becomes of a cell (or its row) that a rule cannot convert or that fails a check.</summary>
public enum Else
{
    /// <summary>The value stays as it is; the row goes on.</summary>
    Keep,

    /// <summary>The cell becomes empty; the row goes on.</summary>
    Null,

    /// <summary>The cell takes the stated default; the row goes on.</summary>
    Default,

    /// <summary>The row goes to the rejected rows, with the reason.</summary>
    Reject,

    /// <summary>The row is rejected and the step fails.</summary>
    Fail,
}

[JsonPolymorphic(TypeDiscriminatorPropertyName = "rule")]
[JsonDerivedType(typeof(TrimRule), "trim")]
[JsonDerivedType(typeof(NullsRule), "nulls")]
[JsonDerivedType(typeof(CaseRule), "case")]
[JsonDerivedType(typeof(ReplaceRule), "replace")]
[JsonDerivedType(typeof(RegexRule), "regex")]
[JsonDerivedType(typeof(NumberRule), "number")]
[JsonDerivedType(typeof(DateRule), "date")]
[JsonDerivedType(typeof(BooleanRule), "boolean")]
[JsonDerivedType(typeof(FillRule), "fill")]
[JsonDerivedType(typeof(FilterRule), "filter")]
[JsonDerivedType(typeof(DeriveRule), "derive")]
public abstract record Rule
{
    internal abstract string Kind { get; }
}

public sealed record TrimRule : Rule
{
    [Description("Text columns, or \"*\" for all of them.")]
    public required ColumnSelection Columns { get; init; }

    [Description("Also make every run of white space inside the text one space.")]
    public bool Inner { get; init; }

    internal override string Kind => "trim";
}

public sealed record NullsRule : Rule
{
    [Description("Text columns, or \"*\" for all of them.")]
    public required ColumnSelection Columns { get; init; }

    [Description("Words that mean \"no value\", e.g. N/A.")]
    public IReadOnlyList<string> Values { get; init; } = [];

    [Description("Empty text means \"no value\" too.")]
    public bool Empty { get; init; } = true;

    [Description("Upper and lower case are the same.")]
    public bool IgnoreCase { get; init; } = true;

    internal override string Kind => "nulls";
}

public enum LetterCase
{
    Upper,
    Lower,
    Title,
}

public sealed record CaseRule : Rule
{
    [Description("Text columns, or \"*\" for all of them.")]
    public required ColumnSelection Columns { get; init; }

    [Description("upper, lower or title (each word begins with a capital).")]
    public required LetterCase To { get; init; }

    internal override string Kind => "case";
}

public enum ReplaceMatch
{
    /// <summary>The whole value must be equal.</summary>
    Value,

    /// <summary>Every occurrence inside the text, in the order of the map.</summary>
    Part,
}

public sealed record ReplaceRule : Rule
{
    [Description("Text columns, or \"*\" for all of them.")]
    public required ColumnSelection Columns { get; init; }

    [Description("Old text to new text.")]
    [MinLength(1)]
    public required IReadOnlyDictionary<string, string> Map { get; init; }

    [Description("value: the whole value must be equal; part: every occurrence inside the text.")]
    public ReplaceMatch Match { get; init; }

    [Description("Upper and lower case are the same.")]
    public bool IgnoreCase { get; init; }

    internal override string Kind => "replace";
}

public sealed record RegexRule : Rule
{
    [Description("Text columns, or \"*\" for all of them.")]
    public required ColumnSelection Columns { get; init; }

    [Description("A regular expression in RE2 syntax; every match is replaced.")]
    public required string Pattern { get; init; }

    [Description("The new text; \\1 is the first group.")]
    public string Replacement { get; init; } = "";

    internal override string Kind => "regex";
}

public sealed record NumberRule : Rule
{
    [Description("Columns to read as numbers.")]
    public required ColumnSelection Columns { get; init; }

    [Description("The type they get: int64, decimal(p,s) or double.")]
    public string Type { get; init; } = "decimal(18,4)";

    [Description("The decimal separator.")]
    public string Decimal { get; init; } = ".";

    [Description("The thousands separator; groups have three digits.")]
    public string? Thousands { get; init; }

    [Description("Texts to take away first, e.g. EUR.")]
    public IReadOnlyList<string> Remove { get; init; } = [];

    [Description("What to do when it is no such number, or has more digits than the type holds.")]
    public Else Else { get; init; } = Else.Reject;

    [Description("The value for else: default.")]
    public Scalar? Default { get; init; }

    internal override string Kind => "number";
}

public enum DateTarget
{
    Date,
    Timestamp,
    Timestamptz,
}

public sealed record DateRule : Rule
{
    [Description("Columns to read as dates.")]
    public required ColumnSelection Columns { get; init; }

    [Description("Formats, tried in this order, e.g. yyyy-MM-dd or dd.MM.yyyy HH:mm.")]
    [MinLength(1)]
    public required IReadOnlyList<string> Formats { get; init; }

    [Description("The type they get: date, timestamp or timestamptz (read as UTC unless the format has zzz).")]
    public DateTarget To { get; init; }

    [Description("What to do when no format fits.")]
    public Else Else { get; init; } = Else.Reject;

    [Description("The value for else: default.")]
    public Scalar? Default { get; init; }

    internal override string Kind => "date";
}

public sealed record BooleanRule : Rule
{
    [Description("Columns to read as true or false.")]
    public required ColumnSelection Columns { get; init; }

    [Description("Words for true; upper and lower case are the same.")]
    [MinLength(1)]
    public IReadOnlyList<string> True { get; init; } = ["true", "t", "yes", "y", "1", "on"];

    [Description("Words for false; upper and lower case are the same.")]
    [MinLength(1)]
    public IReadOnlyList<string> False { get; init; } = ["false", "f", "no", "n", "0", "off"];

    [Description("What to do with any other word.")]
    public Else Else { get; init; } = Else.Reject;

    [Description("The value for else: default.")]
    public Scalar? Default { get; init; }

    internal override string Kind => "boolean";
}

public sealed record FillRule : Rule
{
    [Description("Columns whose empty cells are filled.")]
    public required ColumnSelection Columns { get; init; }

    [Description("The value to fill in.")]
    public Scalar? Value { get; init; }

    [Description("The column to take the value from instead.")]
    public string? From { get; init; }

    internal override string Kind => "fill";
}

public sealed record FilterRule : Rule
{
    [Description("A row expression; rows for which it is not true leave as filtered, not as rejected.")]
    public required string Where { get; init; }

    internal override string Kind => "filter";
}

public sealed record DeriveRule : Rule
{
    [Description("The column to make or to replace.")]
    [MinLength(1)]
    public required string Column { get; init; }

    [Description("A row expression over the columns.")]
    public required string Expression { get; init; }

    [Description("The column's type; the expression's own when left out.")]
    public string? Type { get; init; }

    [Description("What to do when the expression cannot be computed for a row.")]
    public Else Else { get; init; } = Else.Reject;

    [Description("The value for else: default.")]
    public Scalar? Default { get; init; }

    internal override string Kind => "derive";
}

[JsonPolymorphic(TypeDiscriminatorPropertyName = "check")]
[JsonDerivedType(typeof(NotNullCheck), "notNull")]
[JsonDerivedType(typeof(UniqueCheck), "unique")]
[JsonDerivedType(typeof(RangeCheck), "range")]
[JsonDerivedType(typeof(PatternCheck), "pattern")]
[JsonDerivedType(typeof(RowCountCheck), "rowCount")]
public abstract record Check
{
    internal abstract string Kind { get; }
}

public sealed record NotNullCheck : Check
{
    [Description("Columns that must have a value.")]
    public required ColumnSelection Columns { get; init; }

    [Description("What to do with a row without one: keep, default, reject or fail.")]
    public Else Else { get; init; } = Else.Reject;

    [Description("The value for else: default.")]
    public Scalar? Default { get; init; }

    internal override string Kind => "notNull";
}

public sealed record UniqueCheck : Check
{
    [Description("Columns that together occur once. Rows in which one of them is empty are not compared.")]
    [MinLength(1)]
    public required IReadOnlyList<string> Columns { get; init; }

    [Description("Which row is the first and stays; then the order of the source.")]
    public IReadOnlyList<SortKey> OrderBy { get; init; } = [];

    [Description("What to do with the other rows: keep, reject or fail.")]
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
    public required string Column { get; init; }
    public SortDirection Direction { get; init; }
}

public sealed record RangeCheck : Check
{
    [Description("Number, date, time or timestamp columns.")]
    public required ColumnSelection Columns { get; init; }

    [Description("The least value allowed.")]
    public Scalar? Min { get; init; }

    [Description("The greatest value allowed.")]
    public Scalar? Max { get; init; }

    [Description("What to do with a value outside: keep, null, default, reject or fail.")]
    public Else Else { get; init; } = Else.Reject;

    [Description("The value for else: default.")]
    public Scalar? Default { get; init; }

    internal override string Kind => "range";
}

public sealed record PatternCheck : Check
{
    [Description("Text columns, or \"*\" for all of them.")]
    public required ColumnSelection Columns { get; init; }

    [Description("A regular expression in RE2 syntax that the whole value must match.")]
    public required string Pattern { get; init; }

    [Description("What to do with a value that does not match: keep, null, default, reject or fail.")]
    public Else Else { get; init; } = Else.Reject;

    [Description("The value for else: default.")]
    public Scalar? Default { get; init; }

    internal override string Kind => "pattern";
}

/// <summary>What a check of the whole dataset may do: it never rejects.</summary>
public enum WholeElse
{
    Warn,
    Fail,
}

public sealed record RowCountCheck : Check
{
    [Description("The least number of clean rows.")]
    [Range(0, long.MaxValue)]
    public long? Min { get; init; }

    [Description("The greatest number of clean rows.")]
    [Range(0, long.MaxValue)]
    public long? Max { get; init; }

    [Description("warn or fail.")]
    public WholeElse Else { get; init; } = WholeElse.Fail;

    internal override string Kind => "rowCount";
}
