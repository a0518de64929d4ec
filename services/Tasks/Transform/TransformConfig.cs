using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Transforms;

namespace Qualiz.Tasks.Transform;

/// <summary>The <c>with:</c> block of a transform step.</summary>
internal sealed record TransformConfig
{
    [Field(
        Title = "Operations",
        Description = "What is done with the rows of the first input, in this order; each operation sees the result of the ones before it.",
        ExampleJson = """[{"operation": "filter", "where": "amount > 0"}]""", MinItems = 1)]
    public required IReadOnlyList<Operation> Operations { get; init; }
}
