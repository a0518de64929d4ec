using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

public enum UnicodeForm
{
    /// <summary>Composed: one letter is one character wherever there is one.</summary>
    Nfc,

    /// <summary>The same, and compatibility forms (full-width letters, ligatures) become plain ones.</summary>
    Nfkc,
}

[Field(Title = "Unicode form", Description = "Brings text into one of the normal forms of Unicode.")]
public sealed record UnicodeRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Form", Description = "nfc (composed letters) or nfkc (also plain letters for full-width ones and ligatures).", Example = "nfkc")]
    public UnicodeForm Form { get; init; }

    internal override string Kind => "unicode";
}

[Field(Title = "Without accents", Description = "Writes letters without their accents.")]
public sealed record AccentsRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    internal override string Kind => "accents";
}

public enum CharacterKind
{
    Letters,
    Digits,

    /// <summary>Punctuation and symbols.</summary>
    Punctuation,
    Spaces,

    /// <summary>Control and invisible formatting characters.</summary>
    Control,
}

[Field(Title = "Remove characters", Description = "Takes away all characters of some kinds.")]
public sealed record RemoveRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Kinds", Description = "letters, digits, punctuation, spaces, control.", Example = new[] { "punctuation" }, MinItems = 1)]
    public required IReadOnlyList<CharacterKind> Kinds { get; init; }

    internal override string Kind => "remove";
}

public enum PadSide
{
    Left,
    Right,
}

[Field(Title = "Pad", Description = "Fills text up to a length, e.g. with leading zeros.")]
public sealed record PadRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Length", Description = "The length in characters; longer text stays.", Example = 5, Minimum = 1, Maximum = 1000)]
    public required int Length { get; init; }

    [Field(Title = "With", Description = "The character to fill up with.", Example = "0", MinLength = 1, MaxLength = 2)]
    public string With { get; init; } = "0";

    [Field(Title = "Side", Description = "left or right.", Example = "right")]
    public PadSide Side { get; init; }

    internal override string Kind => "pad";
}

[Field(Title = "Truncate", Description = "Cuts text to a length.")]
public sealed record TruncateRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Length", Description = "The greatest length in characters.", Example = 100, Minimum = 1, Maximum = 1_000_000)]
    public required int Length { get; init; }

    internal override string Kind => "truncate";
}

[Field(Title = "E-mail", Description = "Reads e-mail addresses: trimmed, the domain in lower case.")]
public sealed record EmailRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Else", Description = "What to do with text that is no e-mail address.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "email";
}

public enum PhoneForm
{
    E164,
    International,
    National,
}

[Field(Title = "Phone", Description = "Reads phone numbers by the numbering plans of all countries.")]
public sealed record PhoneRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Form", Description = "e164 (+4722334455), international (+47 22 33 44 55) or national.", Example = "international")]
    public PhoneForm Form { get; init; }

    [Field(Title = "Country", Description = "Where numbers without a country prefix belong.", Example = "NO")]
    public string? Country { get; init; }

    [Field(Title = "Country from column", Description = "The column with the country (code or name) instead.", Example = "country", Format = FieldFormat.Column)]
    public string? CountryFrom { get; init; }

    [Field(Title = "Else", Description = "What to do with text that is no phone number.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "phone";
}

public enum CountryForm
{
    Alpha2,
    Alpha3,
    Numeric,
    Name,
}

[Field(Title = "Country", Description = "Reads countries by their ISO codes and names.")]
public sealed record CountryRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "To", Description = "alpha2 (NO), alpha3 (NOR), numeric (578) or name (Norway).", Example = "alpha3")]
    public CountryForm To { get; init; }

    [Field(Title = "Else", Description = "What to do with text that is no country.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "country";
}

public enum CurrencyForm
{
    Code,
    Numeric,
    Name,
}

[Field(Title = "Currency", Description = "Reads currencies by their ISO codes, names and signs.")]
public sealed record CurrencyRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "To", Description = "code (NOK), numeric (578) or name.", Example = "numeric")]
    public CurrencyForm To { get; init; }

    [Field(Title = "Else", Description = "What to do with text that is no currency.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "currency";
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
