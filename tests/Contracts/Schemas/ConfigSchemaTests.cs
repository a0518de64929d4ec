using System.Text.Json;
using System.Text.Json.Serialization;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Values;

namespace Qualiz.Contracts.Tests.Schemas;

public sealed class ConfigSchemaTests
{
    private static readonly JsonElement Schema = ConfigSchema.For<CleanConfig>();

    [Fact]
    public void A_property_carries_what_a_form_needs()
    {
        var property = Schema.GetProperty("properties").GetProperty("maxRejected");
        property.GetProperty("title").GetString().ShouldBe("Limit");
        property.GetProperty("format").GetString().ShouldBe("share");
        property.GetProperty("default").GetString().ShouldBe("100%");
        property.GetProperty("x-order").GetInt32().ShouldBe(3);
        property.GetProperty("x-group").GetString().ShouldBe("Advanced");
        property.GetProperty("x-visibleIf").GetRawText().ShouldBe("""{"mode":["strict","lenient"]}""");
        Schema.GetProperty("required").GetRawText().ShouldBe("""["rules"]""");
        Schema.GetProperty("additionalProperties").ValueKind.ShouldBe(JsonValueKind.False);
    }

    [Fact]
    public void Variants_become_oneOf_by_a_constant()
    {
        var items = Schema.GetProperty("properties").GetProperty("rules").GetProperty("items");
        items.GetProperty("x-discriminator").GetString().ShouldBe("rule");
        items.GetProperty("oneOf").EnumerateArray().Select(variant => variant.GetProperty("title").GetString()).ShouldBe(["Trim", "Date", "Phone"]);
        items.GetProperty("oneOf")[0].GetProperty("properties").GetProperty("rule").GetRawText().ShouldBe("""{"const":"trim"}""");
        items.GetProperty("oneOf")[1].GetProperty("required").GetRawText().ShouldBe("""["rule","formats"]""");
    }

    [Fact]
    public void Choices_have_titles()
    {
        var mode = Schema.GetProperty("properties").GetProperty("mode");
        mode.GetProperty("enum").GetRawText().ShouldBe("""["strict","lenient"]""");
        mode.GetProperty("x-enumTitles").GetRawText().ShouldBe("""{"strict":"Strict","lenient":"Let it pass"}""");
        mode.GetProperty("default").GetString().ShouldBe("strict");
    }

    [Fact]
    public void A_record_that_contains_itself_is_refused() =>
        Should.Throw<NotSupportedException>(() => ConfigSchema.For<Endless>()).Message.ShouldContain("contains itself");

    [Fact]
    public void A_good_configuration_is_accepted_and_binds()
    {
        var config = Json("""
            {"rules": [{"columns": "*", "rule": "trim"}, {"rule": "date", "columns": ["d"], "formats": ["yyyy-MM-dd"]}],
             "maxRejected": "5%", "wait": "1h30m", "types": {"id": "text"}, "limit": 9007199254740993, "any": [1]}
            """);
        SchemaValidator.Validate(config, Schema).ShouldBeEmpty();
        var bound = ConfigJson.Bind<CleanConfig>(config);
        bound.MaxRejected.Value.ShouldBe(0.05m);
        bound.Wait.ToTimeSpan().ShouldBe(TimeSpan.FromMinutes(90));
        bound.Rules[0].ShouldBeOfType<TrimRule>().Columns.IsAll.ShouldBeTrue();
        bound.Rules[1].ShouldBeOfType<DateRule>().Formats.ShouldBe(["yyyy-MM-dd"]);
    }

    [Theory]
    [InlineData("""{}""", "\"rules\" is missing")]
    [InlineData("""{"rules": []}""", "rules: should not be empty")]
    [InlineData("""{"rule": [{"rule": "trim"}]}""", "rule: \"rule\" is not known here; did you mean \"rules\"?")]
    [InlineData("""{"rules": [{"rule": "dat", "formats": ["x"]}]}""", "rules[0].rule: \"dat\" is no rule; did you mean \"date\"?")]
    [InlineData("""{"rules": [{"rule": "zebra"}]}""", "rules[0].rule: \"zebra\" is no rule; it is one of trim, date, phone")]
    [InlineData("""{"rules": [{"columns": "*"}]}""", "rules[0]: \"rule\" is missing: one of trim, date, phone")]
    [InlineData("""{"rules": [{"rule": "date"}]}""", "rules[0]: \"formats\" is missing; for example formats: [\"yyyy-MM-dd\"]")]
    [InlineData("""{"rules": [{"rule": "trim", "colums": "*"}]}""", "rules[0].colums: \"colums\" is not known here; did you mean \"columns\"?")]
    [InlineData("""{"rules": [{"rule": "trim", "zebra": 1}]}""", "rules[0].zebra: \"zebra\" is not known here; known are rule, columns")]
    [InlineData("""{"rules": {"rule": "trim"}}""", "rules: should be a list, is an object")]
    [InlineData("""{"rules": [{"rule": "trim", "columns": "email"}]}""", "rules[0].columns: \"email\" is no list of columns; write [email], or \"*\" for all")]
    [InlineData("""{"rules": [{"rule": "trim"}], "maxRejected": 0.05}""", "maxRejected: should be a share such as 5%, is the number 0.05")]
    [InlineData("""{"rules": [{"rule": "trim"}], "maxRejected": "500%"}""", "maxRejected: \"500%\" is no share; write it like 5%")]
    [InlineData("""{"rules": [{"rule": "trim"}], "wait": "10 minutes"}""", "wait: \"10 minutes\" is no duration; write it like 10s, 45m, 2h or 7d")]
    [InlineData("""{"rules": [{"rule": "trim"}], "mode": "strickt"}""", "mode: \"strickt\" is no mode; did you mean \"strict\"?")]
    [InlineData("""{"rules": [{"rule": "trim"}], "limit": 1.5}""", "limit: should be a whole number, is the number 1.5")]
    [InlineData("""{"rules": [{"rule": "trim"}], "limit": 0}""", "limit: should be at least 1, is 0")]
    [InlineData("""{"rules": [{"rule": "trim"}], "types": {"id": 3}}""", "types.id: should be text, is the number 3")]
    public void A_mistake_is_named_with_what_would_be_right(string config, string message) =>
        SchemaValidator.Validate(Json(config), Schema).Select(problem => problem.ToString()).ShouldBe([message]);

    [Fact]
    public void All_mistakes_are_found() =>
        SchemaValidator.Validate(Json("""{"rules": [{"rule": "trm"}, {"rule": "date", "formats": [1]}], "mode": 1, "zebra": true}"""), Schema)
            .Count.ShouldBe(4);

    [Fact]
    public void Every_kind_of_example_and_default_fits_its_own_schema()
    {
        foreach (var property in Schema.GetProperty("properties").EnumerateObject())
        {
            foreach (var value in Samples(property.Value))
            {
                SchemaValidator.Validate(value, property.Value).ShouldBeEmpty(property.Name);
            }
        }

        static IEnumerable<JsonElement> Samples(JsonElement schema)
        {
            if (schema.TryGetProperty("default", out var value))
            {
                yield return value;
            }

            if (schema.TryGetProperty("examples", out var examples))
            {
                yield return examples[0];
            }
        }
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    public sealed record CleanConfig
    {
        [Field(Title = "Rules", Description = "In this order.", MinItems = 1)]
        public required IReadOnlyList<Rule> Rules { get; init; }

        [Field(Title = "Mode")]
        public Mode Mode { get; init; }

        [Field(Title = "Limit", Description = "Above it the step fails.", Example = "5%", Group = FieldAttribute.AdvancedGroup, VisibleIf = "mode=strict,lenient")]
        public Share MaxRejected { get; init; } = new(1);

        public Duration Wait { get; init; } = Duration.Parse("10s");

        public IReadOnlyDictionary<string, string> Types { get; init; } = new Dictionary<string, string>();

        [Field(Minimum = 1)]
        public long? Limit { get; init; }

        public JsonElement? Any { get; init; }
    }

    public enum Mode
    {
        Strict,

        [Field(Title = "Let it pass", Description = "Reports and goes on.")]
        Lenient,
    }

    [JsonPolymorphic(TypeDiscriminatorPropertyName = "rule")]
    [JsonDerivedType(typeof(TrimRule), "trim")]
    [JsonDerivedType(typeof(DateRule), "date")]
    [JsonDerivedType(typeof(PhoneRule), "phone")]
    public abstract record Rule
    {
        [Field(Title = "Columns", Format = FieldFormat.Columns)]
        public ColumnSelection Columns { get; init; } = ColumnSelection.All;
    }

    [Field(Title = "Trim", Description = "Removes white space around texts.")]
    public sealed record TrimRule : Rule;

    [Field(Title = "Date")]
    public sealed record DateRule : Rule
    {
        [Field(ExampleJson = "[\"yyyy-MM-dd\"]")]
        public required IReadOnlyList<string> Formats { get; init; }
    }

    [Field(Title = "Phone")]
    public sealed record PhoneRule : Rule;

    public sealed record Endless
    {
        public Endless? Next { get; init; }
    }
}
