using System.Text.Json;
using Qualiz.Contracts.Schemas;

namespace Qualiz.Ingest.Tests;

public sealed class ConfigTests
{
    [Theory]
    [InlineData("""{"from": {"connection": "landing", "files": "shop/2026-11-21/NO/*.csv.gz", "onlyNew": true}, "format": {"type": "csv", "encoding": "auto", "decimal": ","}, "onEmpty": "continue"}""")]
    [InlineData("""{"from": {"folder": "/data/in"}, "types": {"customer_id": "text", "balance": "decimal(18,2)"}, "onSchemaChange": "add", "key": ["customer_id"], "sensitivity": {"email": "personal"}}""")]
    [InlineData("""{"from": {"connection": "crm-db", "table": "sales.customers"}, "incremental": {"cursor": "updated_at", "lookback": "2h", "key": ["customer_id"], "deleted": "deleted_at"}}""")]
    [InlineData("""{"from": {"url": "https://example.org/prices.csv"}, "onEmpty": "skip"}""")]
    [InlineData("""{"from": {"upload": "0199b6f2-7e51-7c3d-9a30-5e1f4d8a2b11"}, "format": {"encoding": "latin-1", "header": "absent", "nulls": ["NULL"]}}""")]
    public void What_the_product_writes_binds(string json)
    {
        using var document = JsonDocument.Parse(json);
        SchemaValidator.Validate(document.RootElement, ConfigSchema.For<IngestConfig>()).ShouldBeEmpty();
        var config = ConfigJson.Bind<IngestConfig>(document.RootElement);
        config.Validate(new System.ComponentModel.DataAnnotations.ValidationContext(config)).ShouldBeEmpty();
    }

    [Fact]
    public void The_settings_that_keep_state_are_settings()
    {
        foreach (var path in IngestModule.Description.KeepsState)
        {
            path.Split('.').Aggregate(ConfigSchema.For<IngestConfig>(), (schema, name) => schema.GetProperty("properties").GetProperty(name)).ValueKind.ShouldBe(JsonValueKind.Object);
        }

        IngestModule.Description.KeepsState.ShouldBe(["incremental", "from.onlyNew"]);
    }

    [Theory]
    [InlineData("""{"from": {}}""", "exactly one")]
    [InlineData("""{"from": {"folder": "a", "upload": "b"}}""", "exactly one")]
    [InlineData("""{"from": {"connection": "a"}}""", "files, table, query or url is missing")]
    [InlineData("""{"from": {"connection": "a", "files": "b", "url": "c"}}""", "only one of")]
    [InlineData("""{"from": {"connection": "a", "table": "t", "query": "SELECT 1"}}""", "only one of")]
    [InlineData("""{"from": {"folder": "a", "table": "t"}}""", "needs a connection")]
    [InlineData("""{"from": {"folder": "a"}, "incremental": {"cursor": "at"}}""", "incremental is for")]
    [InlineData("""{"from": {"folder": "a"}, "types": {"x": "int"}}""", "is no type")]
    [InlineData("""{"from": {"folder": "a"}, "format": {"delimiter": "123456789"}}""", "one ASCII character")]
    [InlineData("""{"from": {"folder": "a"}, "format": {"delimiter": "ä"}}""", "one ASCII character")]
    [InlineData("""{"from": {"folder": "a"}, "format": {"delimiter": "\",", "quote": "\""}}""", "holds the quote")]
    [InlineData("""{"from": {"folder": "a"}, "format": {"decimal": ";"}}""", "decimal is")]
    public void What_contradicts_itself_is_said_so(string json, string message)
    {
        using var document = JsonDocument.Parse(json);
        var config = ConfigJson.Bind<IngestConfig>(document.RootElement);
        config.Validate(new System.ComponentModel.DataAnnotations.ValidationContext(config)).ShouldHaveSingleItem().ErrorMessage!.ShouldContain(message);
    }

    [Fact]
    public void Every_field_tells_the_form_what_it_is()
    {
        Walk(ConfigSchema.For<IngestConfig>(), "with");

        static void Walk(JsonElement schema, string path)
        {
            if (!schema.TryGetProperty("properties", out var properties))
                return;
            foreach (var property in properties.EnumerateObject())
            {
                foreach (var keyword in (string[])["title", "description", "examples"])
                    property.Value.TryGetProperty(keyword, out _).ShouldBeTrue($"{path}.{property.Name} has no {keyword}");
                Walk(property.Value, $"{path}.{property.Name}");
            }
        }
    }
}
