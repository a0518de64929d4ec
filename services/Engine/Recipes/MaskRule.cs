using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

public enum MaskMethod
{
    [Field(Title = "Redact", Description = "Signs in the place of the characters, or one text in the place of all values.")]
    Redact,

    [Field(Title = "Hash", Description = "HMAC-SHA-256 with the key, 64 hexadecimal digits.")]
    Hash,

    [Field(Title = "Token", Description = "The same, shorter: 26 letters and digits.")]
    Token,

    [Field(Title = "Same format", Description = "Digits become other digits, letters other letters (FF1 of NIST SP 800-38G with AES).")]
    Format,
}

[Field(Title = "Mask", Description = "Puts something else in the place of values that are nobody's business; the values themselves do not leave the step.")]
public sealed record MaskRule : Rule
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "ssn" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "By", Description = "redact, hash, token or format.", Example = "token")]
    public MaskMethod By { get; init; }

    [Field(Title = "Key", Description = "The connection of type key that hash, token and format take their key from.", Example = "masking", Format = FieldFormat.Connection, VisibleIf = "by=hash,token,format")]
    public string? Key { get; init; }

    [Field(
        Title = "Domain",
        Description = "Equal values become equal within a domain, and not from one to another.",
        Example = "person", MaxLength = 200, Group = FieldAttribute.AdvancedGroup)]
    public string Domain { get; init; } = "";

    [Field(Title = "Keep last", Description = "How many characters redact leaves at the end.", Example = 4, Minimum = 0, Maximum = 1000, VisibleIf = "by=redact")]
    public int KeepLast { get; init; }

    [Field(Title = "With", Description = "The sign that redact puts in the place of each character.", Example = "#", MinLength = 1, MaxLength = 2, Group = FieldAttribute.AdvancedGroup, VisibleIf = "by=redact")]
    public string With { get; init; } = "*";

    [Field(Title = "Text", Description = "One text that redact puts in the place of all values, so that not even their length is seen.", Example = "hidden", VisibleIf = "by=redact")]
    public string? Text { get; init; }

    [Field(
        Title = "Untag",
        Description = "The masked columns lose their sensitivity tag, so that all who may see the data see them. Only a whole redaction does so by itself.",
        Example = true, Group = FieldAttribute.AdvancedGroup)]
    public bool Untag { get; init; }

    [Field(Title = "Else", Description = "What to do with a value that format cannot mask safely: null, default, reject or fail.", Example = "null", Group = FieldAttribute.AdvancedGroup)]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default", Group = FieldAttribute.AdvancedGroup)]
    public Scalar? Default { get; init; }

    internal override string Kind => "mask";

    /// <summary>Nothing of the values is left.</summary>
    internal bool IsWhole => By == MaskMethod.Redact && KeepLast == 0;
}
