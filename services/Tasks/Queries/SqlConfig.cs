using Qualiz.Contracts.Schemas;

namespace Qualiz.Tasks.Queries;

/// <summary>The <c>with:</c> block of an sql step.</summary>
internal sealed record SqlConfig
{
    [Field(
        Title = "Query",
        Description = "One SELECT. Its tables are the inputs: a step by its name, a port as step_port, a dataset by its name.",
        Example = "SELECT country, count(*) AS customers FROM clean GROUP BY country", Format = FieldFormat.CodeSql, MinLength = 1)]
    public required string Query { get; init; }

    [Field(Title = "Key", Description = "The columns of the result that identify a row; without them a row is known by its content.", Example = new[] { "country" }, Format = FieldFormat.Columns)]
    public IReadOnlyList<string> Key { get; init; } = [];

    [Field(Title = "Table names", Description = "Other names for inputs, as they are written there.", ExampleJson = """{"people.entities": "people"}""", Group = FieldAttribute.AdvancedGroup)]
    public IReadOnlyDictionary<string, string> Names { get; init; } = new Dictionary<string, string>();
}
