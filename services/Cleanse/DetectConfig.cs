using System.ComponentModel.DataAnnotations;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Cleanse;

/// <summary>The <c>with:</c> block of a detect step.</summary>
internal sealed record DetectConfig : IValidatableObject
{
    [Field(Title = "Columns", Description = "The columns to look at; all when none is named. What they say of one another needs all that belong together.", Example = new[] { "city", "state", "zip" }, Format = FieldFormat.Columns)]
    public IReadOnlyList<string> Columns { get; init; } = [];

    [Field(Title = "Repair from", Description = "Write suggestions of at least this confidence into the rows; nothing is changed when it is empty.", Example = "90%")]
    public Share? Repair { get; init; }

    [Field(Title = "Report from", Description = "Report cells that are wrong with at least this probability.", Example = "80%", Group = FieldAttribute.AdvancedGroup)]
    public Share Report { get; init; } = new(0.5m);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Report.Value < 0.5m)
            yield return new ValidationResult("below 50 % a cell is more probably right than wrong", [nameof(Report)]);
        if (Repair is { } repair && repair < Report)
            yield return new ValidationResult("only what is reported can be repaired: from the confidence of report on", [nameof(Repair)]);
    }
}
