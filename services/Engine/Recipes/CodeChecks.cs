using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

[Field(Title = "E-mail", Description = "Text is an e-mail address.")]
public sealed record EmailCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Else", Description = "What to do with a value that fails: keep, null, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "email";
}

[Field(Title = "Phone", Description = "Text is a phone number that can exist.")]
public sealed record PhoneCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Country", Description = "Where numbers without a country prefix belong.", Example = "NO")]
    public string? Country { get; init; }

    [Field(Title = "Country from column", Description = "The column with the country (code or name) instead.", Example = "country", Format = FieldFormat.Column)]
    public string? CountryFrom { get; init; }

    [Field(Title = "Else", Description = "What to do with a value that fails: keep, null, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "phone";
}

[Field(Title = "Country code", Description = "Text is an ISO code of a country.")]
public sealed record CountryCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Form", Description = "alpha2, alpha3, numeric or name.", Example = "alpha3")]
    public CountryForm Form { get; init; }

    [Field(Title = "Else", Description = "What to do with a value that fails: keep, null, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "country";
}

[Field(Title = "Currency code", Description = "Text is an ISO code of a currency.")]
public sealed record CurrencyCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "email" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Form", Description = "code, numeric or name.", Example = "numeric")]
    public CurrencyForm Form { get; init; }

    [Field(Title = "Else", Description = "What to do with a value that fails: keep, null, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "currency";
}

/// <summary>Forms of text that can be told without looking anywhere.</summary>
public enum TextFormat
{
    /// <summary>8-4-4-4-12 hexadecimal digits.</summary>
    Uuid,

    /// <summary>http or https with a host.</summary>
    Url,

    /// <summary>Either of the two.</summary>
    Ip,
    Ipv4,
    Ipv6,
    Json,

    /// <summary>Length of the country and check digits (ISO 13616), without blanks.</summary>
    Iban,

    /// <summary>Digits with Luhn's check digit: payment cards, IMEI.</summary>
    Luhn,

    /// <summary>EAN, UPC and GTIN of 8, 12, 13 or 14 digits with their check digit.</summary>
    Ean,

    /// <summary>Of 10 or 13 digits with the check digit, without hyphens.</summary>
    Isbn,
}

[Field(Title = "Format", Description = "Text has a known form, with right check digits where the form has them.")]
public sealed record FormatCheck : RowLevelCheck
{
    [Field(Title = "Columns", Description = "Text columns, or \"*\" for all of them.", Example = new[] { "account" })]
    public required ColumnSelection Columns { get; init; }

    [Field(Title = "Is", Description = "uuid, url, ip, ipv4, ipv6, json, iban, luhn, ean or isbn.", Example = "iban")]
    public required TextFormat Is { get; init; }

    [Field(Title = "Else", Description = "What to do with a value that fails: keep, null, default, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    [Field(Title = "Default", Description = "The value for else: default.", Example = "0", VisibleIf = "else=default")]
    public Scalar? Default { get; init; }

    internal override string Kind => "format";
}
