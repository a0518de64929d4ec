using Qualiz.Contracts.Files;

namespace Qualiz.Contracts.Tests.Files;

public sealed class PipelineSchemaTests
{
    [Fact]
    public void The_schema_that_is_checked_in_is_the_one_of_the_model()
    {
        var path = Path.Combine(Repository.Root, "contracts", "pipeline.schema.json");
        var schema = PipelineSchema.Generate();
        if (Repository.Regenerate)
        {
            File.WriteAllText(path, schema);
        }

        File.Exists(path).ShouldBeTrue(Repository.HowToRegenerate);
        File.ReadAllText(path).ShouldBe(schema, Repository.HowToRegenerate);
    }
}
