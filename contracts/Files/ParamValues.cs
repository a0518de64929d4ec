using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Schemas;

namespace Qualiz.Contracts.Files;

/// <summary>The types of run parameters: which JSON values each takes, and what <c>${params.x}</c> gives.</summary>
public static class ParamValues
{
    /// <summary>Null when the value fits; else what is wrong with it, to follow the parameter's name: <c>should be a date such as 2026-11-21</c>.</summary>
    public static string? Problem(PlanParam param, JsonElement value) => Problem(param.Type, param.Of, value);

    /// <param name="of">The element type of a list; null means text.</param>
    /// <inheritdoc cref="Problem(PlanParam, JsonElement)"/>
    public static string? Problem(string type, string? of, JsonElement value)
    {
        if (type == "list")
        {
            if (value.ValueKind != JsonValueKind.Array)
            {
                return "should be a list";
            }

            var at = 0;
            foreach (var item in value.EnumerateArray())
            {
                if (Problem(of ?? "text", null, item) is { } problem)
                {
                    return $"[{at}] {problem}";
                }

                at++;
            }

            return null;
        }

        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : null;
        var fits = type switch
        {
            "text" => text is not null,
            "bool" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "int64" => value.ValueKind == JsonValueKind.Number ? value.TryGetInt64(out _) : IsWholeNumber(text),
            "decimal" => value.ValueKind == JsonValueKind.Number || IsDecimal(text),
            "double" => value.ValueKind == JsonValueKind.Number,
            "date" => text is not null && DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
            "timestamp" => text is not null && text.Contains('T', StringComparison.Ordinal)
                && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _),
            _ => false,
        };
        return fits ? null : type switch
        {
            "text" => "should be text",
            "bool" => "should be true or false",
            "int64" => "should be a whole number",
            "decimal" or "double" => "should be a number",
            "date" => "should be a date such as 2026-11-21",
            "timestamp" => "should be a timestamp such as 2026-11-21T08:00:00Z",
            _ => $"has a type that is not known: {type}",
        };
    }

    /// <summary>What <c>${params.x}</c> gives for a parameter of this type.</summary>
    public static TemplateKind KindOf(string type) => type switch
    {
        "text" or "date" or "timestamp" => TemplateKind.Text,
        "bool" => TemplateKind.Bool,
        "double" => TemplateKind.Number,
        "list" => TemplateKind.List,
        // Both may come as text, when their digits go beyond a double.
        _ => TemplateKind.Unknown,
    };

    /// <summary>True when no value of the type can carry more than itself into a longer text, such as SQL.</summary>
    internal static bool IsHarmlessInSql(string type) => type is "bool" or "int64" or "decimal" or "double" or "date" or "timestamp";

    // int64 beyond 2^53 and decimals travel as text in HTTP.
    private static bool IsWholeNumber(string? text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);

    private static bool IsDecimal(string? text) => decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
}
