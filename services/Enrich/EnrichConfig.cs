using System.ComponentModel.DataAnnotations;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Enrich;

/// <summary>The <c>with:</c> block of an enrich step.</summary>
internal sealed record EnrichConfig : IValidatableObject
{
    [Field(Title = "Look up in", Description = "The dataset to take columns from; the version found first is kept for the run.", Example = "dataset:us-zip", Format = FieldFormat.Dataset, Pattern = "dataset:.+")]
    public string? Lookup { get; init; }

    [Field(Title = "Keys", Description = "Our column to the dataset's column; a row matches when all of them are equal. An empty key matches nothing.", ExampleJson = """{"zip": "zip"}""")]
    public IReadOnlyDictionary<string, string> Keys { get; init; } = new Dictionary<string, string>();

    [Field(
        Title = "Take",
        Description = "The dataset's columns: fill writes into empty cells of ours, override into all that match, add makes a new column.",
        ExampleJson = """{"city": "fill", "county": "add"}""")]
    public IReadOnlyDictionary<string, TakeMode> Take { get; init; } = new Dictionary<string, TakeMode>();

    [Field(Title = "No match", Description = "What becomes of a row that the dataset does not know.", Example = "reject")]
    public OnMissing OnMissing { get; init; } = OnMissing.Keep;

    [Field(Title = "Several matches", Description = "What becomes of a row that several rows of the dataset match.", Example = "first")]
    public OnMultiple OnMultiple { get; init; } = OnMultiple.Fail;

    [Field(Title = "Most without match", Description = "The share of rows without a match above which the step fails.", Example = "10%")]
    public Share? MaxUnmatched { get; init; }

    [Field(
        Title = "Computed columns",
        Description = "New columns as row expressions, in this order, after the lookup; each sees the ones before it.",
        ExampleJson = """[{"column": "full_name", "expression": "first_name || ' ' || last_name"}]""")]
    public IReadOnlyList<DerivedColumn> Derive { get; init; } = [];

    [Field(Title = "Names here", Description = "The dataset's column to our column, where they are not the same.", ExampleJson = """{"postal_town": "city"}""", Group = FieldAttribute.AdvancedGroup)]
    public IReadOnlyDictionary<string, string> As { get; init; } = new Dictionary<string, string>();

    [Field(Title = "Ignore case", Description = "Compares text keys without regard to letter case and outer blanks.", Example = true, Group = FieldAttribute.AdvancedGroup)]
    public bool IgnoreCase { get; init; }

    [Field(
        Title = "Order",
        Description = "Which of several matches is the first; then the order of the dataset.",
        ExampleJson = """[{"column": "valid_from", "direction": "desc"}]""", VisibleIf = "onMultiple=first", Group = FieldAttribute.AdvancedGroup)]
    public IReadOnlyList<LookupOrder> OrderBy { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Lookup is null && Derive.Count == 0)
            yield return new ValidationResult("a dataset to look up in, or a computed column, is needed", [nameof(Lookup)]);
        if (Lookup is null && (Keys.Count > 0 || Take.Count > 0))
            yield return new ValidationResult("keys and take need the dataset to look up in", [nameof(Lookup)]);
        if (Lookup is not null && Keys.Count == 0)
            yield return new ValidationResult("at least one key is needed, our column to the dataset's", [nameof(Keys)]);
        if (Lookup is not null && Take.Count == 0 && OnMissing == OnMissing.Keep && MaxUnmatched is null)
            yield return new ValidationResult("name the columns to take, or say what becomes of rows without a match", [nameof(Take)]);
        foreach (var name in As.Keys.Where(name => !Take.ContainsKey(name)))
            yield return new ValidationResult($"\"{name}\" is not taken", [nameof(As)]);
        if (OrderBy.Count > 0 && OnMultiple != OnMultiple.First)
            yield return new ValidationResult("an order is only used with onMultiple: first", [nameof(OrderBy)]);
    }
}

internal enum TakeMode
{
    [Field(Title = "Fill empty cells")]
    Fill,

    [Field(Title = "Override")]
    Override,

    [Field(Title = "Add a column")]
    Add,
}

internal enum OnMissing
{
    [Field(Title = "Keep the row as it is")]
    Keep,

    [Field(Title = "Reject the row")]
    Reject,

    [Field(Title = "Fail")]
    Fail,
}

internal enum OnMultiple
{
    [Field(Title = "Fail")]
    Fail,

    [Field(Title = "Take the first")]
    First,

    [Field(Title = "Reject the row")]
    Reject,

    [Field(Title = "A row for each match")]
    All,
}

internal sealed record LookupOrder
{
    [Field(Title = "Column", Description = "A column of the dataset.", Example = "valid_from")]
    public required string Column { get; init; }

    [Field(Title = "Direction", Description = "asc: the smallest is the first, desc: the largest.", Example = "desc")]
    public OrderDirection Direction { get; init; }
}

internal enum OrderDirection
{
    Asc,
    Desc,
}

internal sealed record DerivedColumn
{
    [Field(Title = "Column", Description = "The new column's name, or an existing one to replace.", Example = "full_name", MinLength = 1)]
    public required string Column { get; init; }

    [Field(Title = "Expression", Description = "A row expression over the columns of one row.", Example = "first_name || ' ' || last_name", Format = FieldFormat.Expression)]
    public required string Expression { get; init; }

    [Field(Title = "Type", Description = "The column's type; by default what the expression yields.", Example = "decimal(18,2)")]
    public string? Type { get; init; }

    [Field(Title = "If it fails", Description = "What becomes of a row for which the expression cannot be computed.", Example = "null")]
    public DeriveElse Else { get; init; } = DeriveElse.Reject;
}

internal enum DeriveElse
{
    [Field(Title = "Reject the row")]
    Reject,

    [Field(Title = "Leave the cell empty")]
    Null,

    [Field(Title = "Fail")]
    Fail,
}
