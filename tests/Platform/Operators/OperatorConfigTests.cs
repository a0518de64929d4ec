using System.Text.Json;
using Qualiz.Contracts.Schemas;
using Qualiz.Platform.Operators;

namespace Qualiz.Platform.Tests.Operators;

public sealed class OperatorConfigTests
{
    [Fact]
    public void A_number_that_was_filled_in_where_a_text_is_wanted_is_bound_as_one()
    {
        OperatorConfig.TryBind<Told>(JsonSerializer.Deserialize<JsonElement>("""{"values": {"rejected": 412, "share": 0.50, "on": true}}"""), out var bound).ShouldBeNull();
        bound!.Values.ShouldBe(new Dictionary<string, string> { ["rejected"] = "412", ["share"] = "0.50", ["on"] = "true" }, ignoreOrder: true);
    }

    [Fact]
    public void What_is_no_single_value_is_refused() =>
        OperatorConfig.TryBind<Told>(JsonSerializer.Deserialize<JsonElement>("""{"values": {"rejected": [1]}}"""), out _)!.Path.ShouldBe("values.rejected");

    private sealed record Told
    {
        [Field(Title = "Values", Description = "Values.", ExampleJson = """{"a": "b"}""")]
        public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>();
    }
}
