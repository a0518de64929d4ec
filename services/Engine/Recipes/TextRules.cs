using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

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

public enum EscapedFor
{
    /// <summary>Entities: &amp;amp;, &amp;eacute;, &amp;#233;.</summary>
    Html,

    /// <summary>Bytes of UTF-8 behind percent signs: %20, %C3%A9.</summary>
    Url,
}

[Field(Title = "Unescape", Description = "Writes characters for what stands for them in HTML (&amp;, &#233;) or in addresses (%20).")]
public sealed record UnescapeRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "name" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "From", Description = "html or url.", Example = "html")]
    public EscapedFor From { get; init; }

    internal override string Kind => "unescape";
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
