using System.Text.Json.Serialization;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

/// <summary>A recipe: rules in order, then checks in order. What each one does is in docs/rules.md.</summary>
public sealed record Recipe(IReadOnlyList<Rule> Rules, IReadOnlyList<Check> Checks)
{
    /// <summary>The datasets that checks look into, e.g. <c>dataset:countries</c>.</summary>
    public IReadOnlyList<string> References =>
        [.. Checks.OfType<ReferenceCheck>().Select(check => ReferenceCheck.Parse(check.In)?.Dataset).OfType<string>().Distinct(StringComparer.Ordinal)];
}

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
[JsonDerivedType(typeof(UnicodeRule), "unicode")]
[JsonDerivedType(typeof(AccentsRule), "accents")]
[JsonDerivedType(typeof(RemoveRule), "remove")]
[JsonDerivedType(typeof(PadRule), "pad")]
[JsonDerivedType(typeof(TruncateRule), "truncate")]
[JsonDerivedType(typeof(EmailRule), "email")]
[JsonDerivedType(typeof(PhoneRule), "phone")]
[JsonDerivedType(typeof(CountryRule), "country")]
[JsonDerivedType(typeof(CurrencyRule), "currency")]
[JsonDerivedType(typeof(CastRule), "cast")]
[JsonDerivedType(typeof(SplitRule), "split")]
[JsonDerivedType(typeof(MergeRule), "merge")]
[JsonDerivedType(typeof(FlattenRule), "flatten")]
[JsonDerivedType(typeof(ExplodeRule), "explode")]
[JsonDerivedType(typeof(RenameRule), "rename")]
[JsonDerivedType(typeof(DropRule), "drop")]
[JsonDerivedType(typeof(SelectRule), "select")]
public abstract record Rule
{
    internal abstract string Kind { get; }

    /// <summary>Columns that the rule makes.</summary>
    internal virtual IEnumerable<string> NewColumns => [];
}

[Field(Title = "Trim", Description = "Takes white space away from both ends.")]
public sealed record TrimRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Inner white space", Description = "Also make every run of white space inside the text one space.", Example = true)]
    public bool Inner { get; init; }

    internal override string Kind => "trim";
}

[Field(Title = "Empty values", Description = "Makes words such as N/A empty cells.")]
public sealed record NullsRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Words", Description = "Words that mean \"no value\", e.g. N/A.", Example = new[] { "N/A", "-", "?" })]
    public IReadOnlyList<string> Values { get; init; } = [];

    [Field(
        Title = "Empty text too",
        Description = "Empty text means \"no value\" too.",
        Example = true, Group = FieldAttribute.AdvancedGroup)]
    public bool Empty { get; init; } = true;

    [Field(Title = "Ignore case", Description = "Upper and lower case are the same.", Example = true, Group = FieldAttribute.AdvancedGroup)]
    public bool IgnoreCase { get; init; } = true;

    internal override string Kind => "nulls";
}

public enum LetterCase
{
    Upper,
    Lower,
    Title,
}

[Field(Title = "Letter case", Description = "Writes text in upper, lower or title case.")]
public sealed record CaseRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Case", Description = "upper, lower or title (each word begins with a capital).", Example = "upper")]
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

[Field(Title = "Replace", Description = "Replaces values by a list.")]
public sealed record ReplaceRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Replacements", Description = "Old text to new text.", ExampleJson = """{"UK": "GB"}""")]
    public required IReadOnlyDictionary<string, string> Map { get; init; }

    [Field(
        Title = "Match",
        Description = "value: the whole value must be equal; part: every occurrence inside the text.",
        Example = "value")]
    public ReplaceMatch Match { get; init; }

    [Field(Title = "Ignore case", Description = "Upper and lower case are the same.", Example = true, Group = FieldAttribute.AdvancedGroup)]
    public bool IgnoreCase { get; init; }

    internal override string Kind => "replace";
}

[Field(Title = "Regular expression", Description = "Replaces what a pattern matches.")]
public sealed record RegexRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(
        Title = "Pattern",
        Description = "A regular expression in RE2 syntax; every match is replaced.",
        Example = "[^0-9]", MinLength = 1, MaxLength = 2000)]
    public required string Pattern { get; init; }

    [Field(Title = "Replacement", Description = "The new text; \\1 is the first group.", Example = "")]
    public string Replacement { get; init; } = "";

    internal override string Kind => "regex";
}

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

[Field(Title = "Fill", Description = "Fills empty cells with a value or from another column.")]
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

[JsonPolymorphic(TypeDiscriminatorPropertyName = "check")]
[JsonDerivedType(typeof(NotNullCheck), "notNull")]
[JsonDerivedType(typeof(UniqueCheck), "unique")]
[JsonDerivedType(typeof(RangeCheck), "range")]
[JsonDerivedType(typeof(PatternCheck), "pattern")]
[JsonDerivedType(typeof(LengthCheck), "length")]
[JsonDerivedType(typeof(AllowedCheck), "allowed")]
[JsonDerivedType(typeof(EmailCheck), "email")]
[JsonDerivedType(typeof(PhoneCheck), "phone")]
[JsonDerivedType(typeof(CountryCheck), "country")]
[JsonDerivedType(typeof(CurrencyCheck), "currency")]
[JsonDerivedType(typeof(ReferenceCheck), "reference")]
[JsonDerivedType(typeof(RowCheck), "row")]
[JsonDerivedType(typeof(RowCountCheck), "rowCount")]
[JsonDerivedType(typeof(AggregateCheck), "aggregate")]
[JsonDerivedType(typeof(FreshnessCheck), "freshness")]
public abstract record Check
{
    internal abstract string Kind { get; }
}

[Field(Title = "Not empty", Description = "Cells must have a value.")]
public sealed record NotNullCheck : Check
{
    [Field(Title = "Columns", Description = "Columns that must have a value.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Else", Description = "What to do with a row without one: keep, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "notNull";
}

[Field(Title = "Unique", Description = "Values occur once.")]
public sealed record UniqueCheck : Check
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

[Field(Title = "Range", Description = "Values lie between limits.")]
public sealed record RangeCheck : Check
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
public sealed record PatternCheck : Check
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
