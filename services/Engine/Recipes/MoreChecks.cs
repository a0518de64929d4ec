using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Engine.Recipes;

[Field(Title = "Length", Description = "Text has a plausible length.")]
public sealed record LengthCheck : Check
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
public sealed record AllowedCheck : Check
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

[Field(Title = "Reference", Description = "Values occur in a column of another dataset.")]
public sealed record ReferenceCheck : Check
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

    /// <summary><c>dataset:countries.iso2</c> is the dataset <c>dataset:countries</c> and its column <c>iso2</c>; null when it is neither.</summary>
    public static (string Dataset, string Column)? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        return text.StartsWith("dataset:", StringComparison.Ordinal) && dot > "dataset:".Length && dot < text.Length - 1 ? (text[..dot], text[(dot + 1)..]) : null;
    }
}

[Field(Title = "Row condition", Description = "A condition over the columns of a row is not false.")]
public sealed record RowCheck : Check
{
    [Field(Title = "Condition", Description = "A row expression; rows for which it is false fail.", Example = "starts <= ends", Format = FieldFormat.Expression, MinLength = 1)]
    public required string Where { get; init; }

    [Field(Title = "Name", Description = "What the reason is called; the condition when left out.", Example = "periodInOrder")]
    public string? Name { get; init; }

    [Field(Title = "Else", Description = "What to do with a row that fails: keep, reject or fail.", Example = "reject")]
    public Else Else { get; init; } = Else.Reject;

    internal override string Kind => "row";
}

public enum AggregateFunction
{
    /// <summary>Cells with a value.</summary>
    Count,

    /// <summary>Different values.</summary>
    Distinct,

    /// <summary>The share of empty cells, 0 to 1.</summary>
    EmptyShare,
    Sum,
    Mean,
    Min,
    Max,
    Stddev,
    Median,
}

[Field(Title = "Aggregate", Description = "A figure over all clean rows lies between limits.")]
public sealed record AggregateCheck : Check
{
    [Field(Title = "Function", Description = "count, distinct, emptyShare, sum, mean, min, max, stddev or median.", Example = "emptyShare")]
    public required AggregateFunction Function { get; init; }

    [Field(Title = "Column", Description = "The column; a number for sum, mean, min, max, stddev and median.", Example = "email", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "At least", Description = "The least figure.", Example = 0.5)]
    public double? Min { get; init; }

    [Field(Title = "At most", Description = "The greatest figure.", Example = 0.02)]
    public double? Max { get; init; }

    [Field(Title = "Else", Description = "warn or fail.", Example = "warn")]
    public WholeElse Else { get; init; } = WholeElse.Fail;

    internal override string Kind => "aggregate";
}

[Field(Title = "Freshness", Description = "The newest value is not too old.")]
public sealed record FreshnessCheck : Check
{
    [Field(Title = "Column", Description = "A date or timestamp column.", Example = "updated_at", Format = FieldFormat.Column)]
    public required string Column { get; init; }

    [Field(Title = "Within", Description = "How old the newest value may be.", Example = "1d")]
    public required Duration Within { get; init; }

    [Field(Title = "Else", Description = "warn or fail.", Example = "warn")]
    public WholeElse Else { get; init; } = WholeElse.Fail;

    internal override string Kind => "freshness";
}
