using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

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
