using System.Text.Json;
using System.Text.Json.Nodes;

namespace Qualiz.Contracts.Schemas;

/// <summary>
/// A <c>${...}</c> that is a whole value gives a value of its own type: <c>"${clean.rejected}"</c> a number. Where the schema wants a text, the number
/// is one when the file is saved (<see cref="SchemaValidator"/>), and becomes one here, after it was filled in.
/// </summary>
public static class FilledTexts
{
    /// <returns><paramref name="config"/> itself when nothing in it had to change.</returns>
    public static JsonElement AsSchemaWants(JsonElement config, JsonElement schema) =>
        Texts(config, schema) is { } changed ? JsonSerializer.SerializeToElement(changed) : config;

    /// <summary>Whether a number, true or false stands for a text here: not where only certain texts are right.</summary>
    internal static bool TakesAnyText(JsonElement schema) =>
        schema.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.GetString() == "string"
        && !schema.TryGetProperty("enum", out _) && !schema.TryGetProperty("const", out _)
        && (!schema.TryGetProperty("format", out var format) || format.GetString() is FieldFormat.Expression or FieldFormat.CodeSql);

    /// <returns>Null when nothing has to change.</returns>
    private static JsonNode? Texts(JsonElement value, JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False when TakesAnyText(schema):
                return JsonValue.Create(value.GetRawText());
            case JsonValueKind.Array when schema.TryGetProperty("items", out var items):
                JsonArray? list = null;
                var at = 0;
                foreach (var item in value.EnumerateArray())
                {
                    if (Texts(item, items) is { } changed)
                    {
                        list ??= JsonArray.Create(value)!;
                        list[at] = changed;
                    }

                    at++;
                }

                return list;
            case JsonValueKind.Object:
                JsonObject? whole = null;
                var variant = Variant(value, schema);
                foreach (var property in value.EnumerateObject())
                {
                    if (((variant.TryGetProperty("properties", out var properties) && properties.TryGetProperty(property.Name, out var declared))
                        || variant.TryGetProperty("additionalProperties", out declared)) && Texts(property.Value, declared) is { } changed)
                    {
                        whole ??= JsonObject.Create(value)!;
                        whole[property.Name] = changed;
                    }
                }

                return whole;
            default:
                return null;
        }
    }

    private static JsonElement Variant(JsonElement value, JsonElement schema)
    {
        if (!schema.TryGetProperty("oneOf", out var variants) || !schema.TryGetProperty("x-discriminator", out var named) || named.GetString() is not { } discriminator
            || !value.TryGetProperty(discriminator, out var given) || given.ValueKind != JsonValueKind.String)
        {
            return schema;
        }

        foreach (var variant in variants.EnumerateArray())
        {
            if (given.ValueEquals(variant.GetProperty("properties").GetProperty(discriminator).GetProperty("const").GetString()))
            {
                return variant;
            }
        }

        return schema;
    }
}
