using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Plans;

namespace Qualiz.Runs.Starting;

/// <summary>Checks what a start gives against the pipeline's parameters and fills in the defaults.</summary>
internal static class Parameters
{
    /// <param name="given">A JSON object, or null for none.</param>
    /// <param name="scope">What defaults such as <c>${run.day}</c> see.</param>
    /// <returns>All parameters with their values, and what is wrong with each that is wrong.</returns>
    public static (JsonElement Values, IReadOnlyList<ParameterProblem> Problems) Resolve(
        IReadOnlyList<PlanParam> declared, JsonElement? given, IScope scope)
    {
        var problems = new List<ParameterProblem>();
        var values = new Dictionary<string, JsonElement>();
        var own = new Dictionary<string, JsonElement>();
        if (given is { ValueKind: JsonValueKind.Object } all)
        {
            foreach (var property in all.EnumerateObject())
            {
                own[property.Name] = property.Value;
            }
        }
        else if (given is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) })
        {
            problems.Add(new ParameterProblem("params", "must be an object of names and values"));
        }

        foreach (var name in own.Keys.Where(name => !declared.Any(param => param.Name == name)))
        {
            var known = declared.Count == 0 ? "the pipeline has none" : $"known: {string.Join(", ", declared.Select(param => param.Name))}";
            problems.Add(new ParameterProblem($"params.{name}", $"is no parameter ({known})"));
        }

        foreach (var param in declared)
        {
            if (!own.TryGetValue(param.Name, out var value))
            {
                if (param.Default is not { ValueKind: not JsonValueKind.Undefined } standard)
                {
                    problems.Add(new ParameterProblem($"params.{param.Name}", $"is required ({Describe(param.Type, param.Of)})"));
                    continue;
                }

                try
                {
                    value = Template.Fill(standard, scope);
                }
                catch (ConditionException problem)
                {
                    problems.Add(new ParameterProblem($"params.{param.Name}", $"its default has no value: {problem.Message}"));
                    continue;
                }
            }

            if (Convert(value, param.Type, param.Of) is { } converted)
            {
                values[param.Name] = converted;
            }
            else
            {
                problems.Add(new ParameterProblem($"params.{param.Name}", $"must be {Describe(param.Type, param.Of)}"));
            }
        }

        return (JsonSerializer.SerializeToElement(values), problems);
    }

    /// <summary>Texts are taken for any type, as a command line or a form gives them; nothing is rounded or guessed.</summary>
    /// <returns>Null when it does not fit.</returns>
    private static JsonElement? Convert(JsonElement value, string type, string? of)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : null;
        var number = value.ValueKind == JsonValueKind.Number;
        return type switch
        {
            "text" when text is not null => value,
            "bool" when value.ValueKind is JsonValueKind.True or JsonValueKind.False => value,
            "bool" when text is "true" or "false" => Json(text == "true"),
            "int64" when number && value.TryGetInt64(out _) => value,
            "int64" when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => Json(whole),
            "decimal" when number && value.TryGetDecimal(out _) => value,
            "decimal" when decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var exact) => Json(exact),
            "double" when number => value,
            "double" when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) => Json(real),
            "date" when DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) => value,
            "timestamp" when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) => Json(moment.ToUniversalTime()),
            "list" when value.ValueKind == JsonValueKind.Array => List(value.EnumerateArray(), of),
            "list" when text is not null => List(text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Json), of),
            _ => null,
        };
    }

    private static JsonElement? List(IEnumerable<JsonElement> items, string? of)
    {
        var converted = items.Select(item => Convert(item, of ?? "text", null)).ToList();
        return converted.Contains(null) ? null : Json(converted);
    }

    private static JsonElement Json<T>(T value) => JsonSerializer.SerializeToElement(value);

    private static string Describe(string type, string? of) => type switch
    {
        "text" => "a text",
        "bool" => "true or false",
        "int64" => "a whole number",
        "decimal" or "double" => "a number",
        "date" => "a date (yyyy-MM-dd)",
        "timestamp" => "a timestamp (2026-11-22T10:00:00Z)",
        "list" => $"a list of {of ?? "text"}",
        _ => type,
    };
}

internal sealed record ParameterProblem(string Path, string Message);
