using System.ComponentModel.DataAnnotations;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Tasks.Wait;

/// <summary><c>with:</c> of a step that uses <c>wait</c>: exactly one of the two.</summary>
internal sealed record WaitConfig : IValidatableObject
{
    [Field(Title = "For", Description = "How long to wait.", Example = "15m")]
    public Duration? For { get; init; }

    [Field(Title = "Until", Description = "The moment to wait for, with its offset.", Example = "2026-11-23T06:00:00Z")]
    public DateTimeOffset? Until { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (For is null && Until is null)
            yield return new ValidationResult("give either \"for\", such as for: 15m, or \"until\", a moment");
        else if (For is not null && Until is not null)
            yield return new ValidationResult("give either \"for\" or \"until\", not both", [nameof(Until)]);
    }
}
