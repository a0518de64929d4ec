using System.Text.Json;
using Qualiz.Contracts.Files;

namespace Qualiz.Contracts.Schemas;

/// <summary>Finds the values of a certain format in a configuration: all connections, all columns, ...</summary>
public static class FieldFinder
{
    public static IEnumerable<(string Path, ScalarNode Value)> Find(DocumentNode value, JsonElement schema, string format) => Find(value, schema, format, "");

    private static IEnumerable<(string Path, ScalarNode Value)> Find(DocumentNode value, JsonElement schema, string format, string path)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            return [];
        }

        if (schema.TryGetProperty("format", out var own) && own.GetString() == format)
        {
            return value switch
            {
                ScalarNode scalar => [(path, scalar)],
                ListNode list => list.Items.OfType<ScalarNode>().Select((item, at) => ($"{path}[{at}]", item)),
                _ => [],
            };
        }

        switch (value)
        {
            case ListNode list when schema.TryGetProperty("items", out var items):
                return list.Items.SelectMany((item, at) => Find(item, items, format, $"{path}[{at}]"));
            case ObjectNode node:
                var variant = Variant(node, schema);
                return node.Properties.SelectMany(property =>
                    (variant.TryGetProperty("properties", out var properties) && properties.TryGetProperty(property.Name, out var declared))
                    || variant.TryGetProperty("additionalProperties", out declared)
                        ? Find(property.Value, declared, format, path.Length == 0 ? property.Name : $"{path}.{property.Name}")
                        : []);
            default:
                return [];
        }
    }

    private static JsonElement Variant(ObjectNode node, JsonElement schema)
    {
        if (!schema.TryGetProperty("oneOf", out var variants) || !schema.TryGetProperty("x-discriminator", out var discriminator))
        {
            return schema;
        }

        var name = (node.Find(discriminator.GetString()!)?.Value as ScalarNode)?.Text;
        var found = variants.EnumerateArray().FirstOrDefault(variant =>
            variant.GetProperty("properties").GetProperty(discriminator.GetString()!).GetProperty("const").GetString() == name);
        return found.ValueKind == JsonValueKind.Object ? found : schema;
    }
}
