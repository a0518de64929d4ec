using System.Text.Json;
using System.Text.Json.Serialization;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Files;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Contracts.Tests.Schemas;

public sealed class FilledTextsTests
{
    private static readonly JsonElement Schema = ConfigSchema.For<Told>();

    [Theory]
    [InlineData(TemplateKind.WholeNumber, true)]
    [InlineData(TemplateKind.Number, true)]
    [InlineData(TemplateKind.Bool, true)]
    [InlineData(TemplateKind.Text, true)]
    [InlineData(TemplateKind.List, false)]
    [InlineData(TemplateKind.Structure, false)]
    public void What_is_filled_in_may_stand_for_a_text_when_it_can_be_written_as_one(TemplateKind kind, bool fits) =>
        Validate("""{"values": {"rejected": "${clean.rejected}"}}""", kind).Count.ShouldBe(fits ? 0 : 1);

    [Theory]
    [InlineData("""{"values": {"a": 412}}""")]
    [InlineData("""{"wait": "${clean.rejected}"}""")]
    [InlineData("""{"mode": "${clean.rejected}"}""")]
    public void A_number_that_somebody_wrote_and_one_where_only_certain_texts_are_right_is_refused(string config) =>
        Validate(config, TemplateKind.WholeNumber).Count.ShouldBe(1);

    [Fact]
    public void Filled_in_numbers_become_texts_where_the_schema_wants_texts_and_nowhere_else()
    {
        var filled = Template.Fill(
            Json("""{"values": {"rejected": "${n}", "share": "${share}", "on": "${on}", "mixed": "${n} rows"}, "limit": "${n}", "by": [{"by": "slack", "text": "${n}"}], "texts": ["x", "${n}"]}"""),
            Json("""{"n": 9007199254740993, "share": 0.50, "on": true}"""));
        FilledTexts.AsSchemaWants(filled, Schema).GetRawText().ShouldBe(
            """{"values":{"rejected":"9007199254740993","share":"0.50","on":"true","mixed":"9007199254740993 rows"},"limit":9007199254740993,"by":[{"by":"slack","text":"9007199254740993"}],"texts":["x","9007199254740993"]}""");
    }

    [Fact]
    public void What_fits_already_is_left_alone()
    {
        var config = Json("""{"values": {"a": "1"}, "limit": 3}""");
        FilledTexts.AsSchemaWants(config, Schema).GetRawText().ShouldBe(config.GetRawText());
    }

    private static IReadOnlyList<SchemaProblem> Validate(string config, TemplateKind kind) =>
        SchemaValidator.Validate(DocumentNode.From(Json(config)), Schema, (_, _, _, _) => kind);

    private static JsonElement Json(string text) => JsonSerializer.Deserialize<JsonElement>(text);

    private sealed record Told
    {
        [Field(Title = "Values", Description = "Values.", ExampleJson = """{"a": "b"}""")]
        public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>();

        [Field(Title = "Limit", Description = "A number.", Example = 3)]
        public long Limit { get; init; }

        [Field(Title = "Texts", Description = "Texts.", Example = new[] { "a" })]
        public IReadOnlyList<string> Texts { get; init; } = [];

        [Field(Title = "Wait", Description = "A duration.", Example = "10s")]
        public Duration Wait { get; init; }

        [Field(Title = "Mode", Description = "A choice.", Example = "one")]
        public Mode Mode { get; init; }

        [Field(Title = "By", Description = "Ways.", ExampleJson = """[{"by": "slack", "text": "x"}]""")]
        public IReadOnlyList<Way> By { get; init; } = [];
    }

    private enum Mode
    {
        [Field(Title = "One")]
        One,

        [Field(Title = "Two")]
        Two,
    }

    [JsonPolymorphic(TypeDiscriminatorPropertyName = "by")]
    [JsonDerivedType(typeof(Slack), "slack")]
    private abstract record Way;

    [Field(Title = "Slack", Description = "By Slack.")]
    private sealed record Slack : Way
    {
        [Field(Title = "Text", Description = "The text.", Example = "x")]
        public required string Text { get; init; }
    }
}
