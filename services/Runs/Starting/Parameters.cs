using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Files;
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
                    problems.Add(new ParameterProblem($"params.{param.Name}", $"is required ({param.Type})"));
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

            value = Coerce(value, param.Type, param.Of);
            if (ParamValues.Problem(param, value) is { } wrong)
            {
                problems.Add(new ParameterProblem($"params.{param.Name}", wrong));
            }
            else
            {
                values[param.Name] = value;
            }
        }

        return (JsonSerializer.SerializeToElement(values), problems);
    }

    /// <summary>What was given before, with changes; a change to null takes the default again.</summary>
    public static JsonElement? Change(JsonElement given, JsonElement? changes)
    {
        if (changes is not { ValueKind: JsonValueKind.Object } changed)
        {
            return changes is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } ? changes : given;
        }

        var values = given.ValueKind == JsonValueKind.Object ? given.EnumerateObject().ToDictionary(property => property.Name, property => property.Value) : [];
        foreach (var change in changed.EnumerateObject())
        {
            if (change.Value.ValueKind == JsonValueKind.Null)
            {
                values.Remove(change.Name);
            }
            else
            {
                values[change.Name] = change.Value;
            }
        }

        return JsonSerializer.SerializeToElement(values);
    }

    /// <summary>A command line and a form give texts: what they clearly mean is taken, the rest is left for the check to refuse.</summary>
    private static JsonElement Coerce(JsonElement value, string type, string? of)
    {
        if (value.ValueKind == JsonValueKind.Array && type == "list")
        {
            return Json(value.EnumerateArray().Select(item => Coerce(item, of ?? "text", null)));
        }

        return (type, value.ValueKind == JsonValueKind.String ? value.GetString() : null) switch
        {
            ("bool", "true" or "false") => Json(value.GetString() == "true"),
            ("int64", { } text) when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => Json(whole),
            ("decimal", { } text) when decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var exact) => Json(exact),
            ("double", { } text) when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) => Json(real),
            ("list", { } text) => Json(text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(item => Coerce(Json(item), of ?? "text", null))),
            _ => value,
        };
    }

    private static JsonElement Json<T>(T value) => JsonSerializer.SerializeToElement(value);
}

internal sealed record ParameterProblem(string Path, string Message);
