using System.Text.Json;
using Qualiz.Contracts.Schemas;

namespace Qualiz.OperatorKit;

/// <summary>What a form needs of a configuration record (product.md 10).</summary>
public static class FormCheck
{
    private const int MostVisible = 8;

    /// <summary>What is missing; empty when a form can be made of it.</summary>
    public static IReadOnlyList<string> Problems<TConfig>() where TConfig : class
    {
        var problems = new List<string>();
        var schema = ConfigSchema.For<TConfig>();
        Walk(schema, "with", problems);
        var visible = schema.GetProperty("properties").EnumerateObject()
            .Count(property => !(property.Value.TryGetProperty("x-group", out var group) && group.GetString() == FieldAttribute.AdvancedGroup));
        if (visible > MostVisible)
            problems.Add($"{visible} fields are visible, at most {MostVisible} may be");
        return problems;
    }

    private static void Walk(JsonElement schema, string path, List<string> problems)
    {
        foreach (var nested in (string[])["items", "additionalProperties"])
        {
            if (schema.TryGetProperty(nested, out var child) && child.ValueKind == JsonValueKind.Object)
                Walk(child, $"{path}[]", problems);
        }
        if (schema.TryGetProperty("oneOf", out var variants))
        {
            foreach (var variant in variants.EnumerateArray())
                Walk(variant, path, problems);
        }
        if (!schema.TryGetProperty("properties", out var properties))
            return;
        var discriminated = schema.TryGetProperty("required", out var required) ? required.EnumerateArray().Select(name => name.GetString()).ToHashSet() : [];
        foreach (var property in properties.EnumerateObject().Where(property => !property.Value.TryGetProperty("const", out _)))
        {
            foreach (var keyword in (string[])["title", "description", "examples"])
            {
                if (!property.Value.TryGetProperty(keyword, out _))
                    problems.Add($"{path}.{property.Name} has no {keyword}");
            }
            var optional = !discriminated.Contains(property.Name);
            if (optional && property.Value.TryGetProperty("enum", out _) && !property.Value.TryGetProperty("default", out _) && !Nullable(property.Value))
                problems.Add($"{path}.{property.Name} has no default");
            Walk(property.Value, $"{path}.{property.Name}", problems);
        }
    }

    private static bool Nullable(JsonElement property) =>
        property.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.Array && type.EnumerateArray().Any(name => name.GetString() == "null");
}
