using System.ComponentModel.DataAnnotations;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Recipes;

namespace Qualiz.Cleanse;

/// <summary>The <c>with:</c> block of a cleanse step.</summary>
internal sealed record CleanseConfig : IValidatableObject
{
    [Field(
        Title = "Rules",
        Description = "What is done to each row, in this order; each rule sees the result of the ones before it.",
        ExampleJson = """[{"rule": "trim", "columns": "*"}]""")]
    public IReadOnlyList<Rule> Rules { get; init; } = [];

    [Field(
        Title = "Checks",
        Description = "What is checked after the rules; all of them, so that a row shows all its reasons.",
        ExampleJson = """[{"check": "notNull", "columns": ["email"], "else": "reject"}]""")]
    public IReadOnlyList<Check> Checks { get; init; } = [];

    [Field(
        Title = "Apply suggestions from",
        Description = "Rules that the rows themselves speak for with at least this confidence are done before all others; none when it is empty. The log and the change log say what they did.",
        Example = "95%", Group = FieldAttribute.AdvancedGroup)]
    public Share? Auto { get; init; }

    [Field(Title = "Most rejected rows", Description = "The share of rejected rows above which the step fails.", Example = "5%")]
    public Share? MaxRejected { get; init; }

    [Field(
        Title = "Change log",
        Description = "Which changed cells the port changes shows: sampled (some of each rule), full or off. The counts are exact in any case.",
        Example = "full", Group = FieldAttribute.AdvancedGroup)]
    public ChangeLogMode Changes { get; init; }

    [Field(
        Title = "Changes shown",
        Description = "How many changed cells of each rule a sampled change log shows at most.",
        Example = 1000, Minimum = 1, Maximum = 100_000, Group = FieldAttribute.AdvancedGroup, VisibleIf = "changes=sampled")]
    public int ChangesPerRule { get; init; } = 100;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Rules.Count == 0 && Checks.Count == 0 && Auto is null)
            yield return new ValidationResult("at least one rule or check is needed, or auto", [nameof(Rules)]);
        if (Auto?.Value < 0.5m)
            yield return new ValidationResult("below 50 % a suggestion is more probably wrong than right", [nameof(Auto)]);
    }
}
