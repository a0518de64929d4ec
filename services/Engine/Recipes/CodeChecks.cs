using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

[Field(Title = "E-mail", Description = "Text is an e-mail address.")]
public sealed record EmailCheck : Check
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
public sealed record PhoneCheck : Check
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
public sealed record CountryCheck : Check
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
public sealed record CurrencyCheck : Check
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
