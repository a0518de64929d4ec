using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Files;
using Qualiz.Contracts.Text;
using Qualiz.Contracts.Values;

namespace Qualiz.Contracts.Schemas;

/// <summary>Checks what a template reads, and says what it will give when it stands for a whole value.</summary>
public delegate TemplateKind TemplateChecker(Template template, ScalarNode node, JsonElement schema, string path);

/// <summary>
/// Checks a value against the subset of JSON Schema that <see cref="ConfigSchema"/> writes (docs/operators.md lists it).
/// It finds all problems, not only the first, and says of each what would be right.
/// </summary>
public sealed class SchemaValidator
{
    private const int MostProblems = 100;
    private static readonly ConcurrentDictionary<string, Regex?> Patterns = new();
    private static readonly JsonElement Anything = JsonSerializer.SerializeToElement(new Dictionary<string, string>());
    private readonly List<SchemaProblem> _problems = [];
    private readonly TemplateChecker? _templateKind;

    private SchemaValidator(TemplateChecker? templateKind) => _templateKind = templateKind;

    /// <param name="templateKind">
    /// Null: texts with <c>${...}</c> are texts like any other. Else they may stand wherever their result may, and this says
    /// of a whole-value template what it will give.
    /// </param>
    public static IReadOnlyList<SchemaProblem> Validate(
        DocumentNode value, JsonElement schema, TemplateChecker? templateKind = null)
    {
        var validator = new SchemaValidator(templateKind);
        validator.Check(value, schema, "", value.Range);
        return validator._problems;
    }

    public static IReadOnlyList<SchemaProblem> Validate(JsonElement value, JsonElement schema) => Validate(DocumentNode.From(value), schema);

    /// <param name="place">Where to point when the value itself has no place.</param>
    private void Check(DocumentNode value, JsonElement schema, string path, TextRange? place)
    {
        if (schema.ValueKind != JsonValueKind.Object || _problems.Count >= MostProblems)
        {
            return;
        }

        if (_templateKind is not null && value is ScalarNode { Text: { } text } scalar && Template.Mentions(text))
        {
            CheckTemplate(scalar, text, schema, path);
            return;
        }

        if (schema.TryGetProperty("anyOf", out var alternatives))
        {
            // The kinds of value tell the alternatives apart; where none fits, the first says what is usual.
            var fitting = alternatives.EnumerateArray().FirstOrDefault(alternative => HasType(value, alternative, out _));
            Check(value, fitting.ValueKind == JsonValueKind.Undefined ? alternatives[0] : fitting, path, place);
            return;
        }

        if (!HasType(value, schema, out var expected))
        {
            Add(path, $"should be {expected}, is {Kind(value)}{Hint(value, schema)}", null, value.Range ?? place);
            return;
        }

        switch (value)
        {
            case ObjectNode node when schema.TryGetProperty("oneOf", out var variants):
                CheckVariant(node, schema, variants, path, place);
                break;
            case ObjectNode node:
                CheckObject(node, schema, path, place);
                break;
            case ListNode node:
                CheckList(node, schema, path, place);
                break;
            case ScalarNode node:
                CheckScalar(node, schema, path, place);
                break;
        }
    }

    private void CheckVariant(ObjectNode node, JsonElement schema, JsonElement variants, string path, TextRange? place)
    {
        var discriminator = schema.GetProperty("x-discriminator").GetString()!;
        var known = variants.EnumerateArray().ToDictionary(variant => Constant(variant, discriminator));
        var property = node.Find(discriminator);
        if (property is null)
        {
            var misspelt = node.Properties.FirstOrDefault(candidate => NearestName.Find(candidate.Name, [discriminator]) is not null);
            if (misspelt is not null)
            {
                Add(Join(path, misspelt.Name), $"\"{misspelt.Name}\" is not known here; did you mean \"{discriminator}\"?", discriminator, misspelt.NameRange);
                return;
            }

            Add(path, $"\"{discriminator}\" is missing: one of {List(known.Keys)}", null, node.Range ?? place);
            return;
        }

        var at = Join(path, discriminator);
        if (property.Value is not ScalarNode { Text: { } name } || Template.Mentions(name))
        {
            Add(at, $"should be one of {List(known.Keys)}, written out", null, property.Value.Range ?? place);
            return;
        }

        if (!known.TryGetValue(name, out var variant))
        {
            AddUnknownChoice(at, name, discriminator, known.Keys, property.Value.Range ?? place);
            return;
        }

        CheckObject(node, variant, path, place);
    }

    private static string Constant(JsonElement variant, string discriminator) =>
        variant.GetProperty("properties").GetProperty(discriminator).GetProperty("const").GetString()!;

    private void CheckObject(ObjectNode node, JsonElement schema, string path, TextRange? place)
    {
        var properties = schema.TryGetProperty("properties", out var declared) ? declared : default;
        var known = properties.ValueKind == JsonValueKind.Object ? properties.EnumerateObject().Select(property => property.Name).ToList() : [];
        var additional = schema.TryGetProperty("additionalProperties", out var rest) ? rest : default;
        foreach (var property in node.Properties)
        {
            var at = Join(path, property.Name);
            if (properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(property.Name, out var propertySchema))
            {
                Check(property.Value, propertySchema, at, property.NameRange ?? place);
            }
            else if (additional.ValueKind == JsonValueKind.False)
            {
                var missing = known.Where(name => node.Find(name) is null).ToList();
                var suggestion = NearestName.Find(property.Name, missing);
                var help = suggestion is not null ? $"; did you mean \"{suggestion}\"?"
                    : known.Count == 0 ? "; nothing is set here"
                    : known.Count <= 12 ? $"; known are {List(known)}"
                    : "";
                Add(at, $"\"{property.Name}\" is not known here{help}", suggestion, property.NameRange ?? place);
            }
            else
            {
                // Where anything goes, templates are still looked at.
                Check(property.Value, additional.ValueKind == JsonValueKind.Object ? additional : Anything, at, property.NameRange ?? place);
            }
        }

        if (schema.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray().Select(name => name.GetString()!))
            {
                // A misspelt name is one mistake, not two.
                var misspelt = node.Properties.Any(property => !known.Contains(property.Name) && NearestName.Find(property.Name, [name]) is not null);
                if (node.Find(name) is null && !misspelt)
                {
                    Add(path, $"\"{name}\" is missing{ExampleOf(properties, name)}", null, node.Range ?? place);
                }
            }
        }
    }

    private static string ExampleOf(JsonElement properties, string name) =>
        properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(name, out var schema)
            && schema.TryGetProperty("examples", out var examples) && examples.GetArrayLength() > 0
            ? $"; for example {name}: {Show(examples[0])}"
            : "";

    private void CheckList(ListNode node, JsonElement schema, string path, TextRange? place)
    {
        var items = schema.TryGetProperty("items", out var declared) ? declared : Anything;
        for (var at = 0; at < node.Items.Count; at++)
        {
            Check(node.Items[at], items, $"{path}[{at}]", node.Range ?? place);
        }

        if (schema.TryGetProperty("minItems", out var least) && node.Items.Count < least.GetInt32())
        {
            Add(path, least.GetInt32() == 1 ? "should not be empty" : $"should have at least {least} entries, has {node.Items.Count}", null, node.Range ?? place);
        }

        if (schema.TryGetProperty("maxItems", out var most) && node.Items.Count > most.GetInt32())
        {
            Add(path, $"should have at most {most} entries, has {node.Items.Count}", null, node.Range ?? place);
        }
    }

    private void CheckScalar(ScalarNode node, JsonElement schema, string path, TextRange? place)
    {
        var at = node.Range ?? place;
        if (schema.TryGetProperty("const", out var constant) && !JsonElement.DeepEquals(constant, node.Value))
        {
            Add(path, $"should be {Show(constant)}", null, at);
            return;
        }

        if (schema.TryGetProperty("enum", out var choices) && !choices.EnumerateArray().Any(choice => JsonElement.DeepEquals(choice, node.Value)))
        {
            var names = choices.EnumerateArray().Select(choice => choice.ToString()).ToList();
            AddUnknownChoice(path, node.Source, path[(path.LastIndexOf('.') + 1)..], names, at);
            return;
        }

        if (node.Value.ValueKind == JsonValueKind.Number)
        {
            CheckNumber(node, schema, path, at);
        }
        else if (node.Text is { } text)
        {
            CheckText(text, schema, path, at);
        }
    }

    private void CheckNumber(ScalarNode node, JsonElement schema, string path, TextRange? at)
    {
        var number = node.Value.GetDouble();
        if (schema.TryGetProperty("minimum", out var minimum) && number < minimum.GetDouble())
        {
            Add(path, $"should be at least {minimum}, is {node.Value}", null, at);
        }

        if (schema.TryGetProperty("maximum", out var maximum) && number > maximum.GetDouble())
        {
            Add(path, $"should be at most {maximum}, is {node.Value}", null, at);
        }
    }

    private void CheckText(string text, JsonElement schema, string path, TextRange? at)
    {
        if (schema.TryGetProperty("minLength", out var minimum) && text.Length < minimum.GetInt32())
        {
            Add(path, minimum.GetInt32() == 1 ? "should not be empty" : $"should have at least {minimum} characters, has {text.Length}", null, at);
        }

        if (schema.TryGetProperty("maxLength", out var maximum) && text.Length > maximum.GetInt32())
        {
            Add(path, $"should have at most {maximum} characters, has {text.Length}", null, at);
        }

        if (schema.TryGetProperty("pattern", out var pattern) && !Fits(text, pattern.GetString()!))
        {
            Add(path, $"{Show(text)} does not fit {pattern}{ExampleOfSelf(schema)}", null, at);
        }

        var problem = FormatOf(schema) switch
        {
            FieldFormat.Duration when !Duration.TryParse(text, out _) => "is no duration; write it like 10s, 45m, 2h or 7d",
            FieldFormat.Share when !Share.TryParse(text, out _) => "is no share; write it like 5%",
            FieldFormat.Columns when text != "*" => $"is no list of columns; write [{text}], or \"*\" for all",
            FieldFormat.TimeZone when !TimeZoneInfo.TryFindSystemTimeZoneById(text, out _) => "is no time zone; write it like Europe/Oslo",
            FieldFormat.Email when !EmailAddress.IsOneWithName(text) => "is no e-mail address; write it like ann@example.org, one address an entry",
            "date" when !DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) => "is no date; write it like 2026-11-21",
            "date-time" when !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out _) => "is no timestamp; write it like 2026-11-21T08:00:00Z",
            _ => null,
        };
        if (problem is not null)
        {
            Add(path, $"{Show(text)} {problem}", null, at);
        }
    }

    private static string ExampleOfSelf(JsonElement schema) =>
        schema.TryGetProperty("examples", out var examples) && examples.GetArrayLength() > 0 ? $"; for example {Show(examples[0])}" : "";

    private static string? FormatOf(JsonElement schema) => schema.TryGetProperty("format", out var format) ? format.GetString() : null;

    /// <summary>
    /// Schemas come from other services: their patterns run without backtracking. One that cannot, or is none, is the
    /// operator's own to check; it must not keep anyone from saving.
    /// </summary>
    private static bool Fits(string text, string pattern) => Patterns.GetOrAdd(pattern, static expression =>
    {
        try
        {
            return new Regex(expression, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (Exception exception) when (exception is NotSupportedException or ArgumentException)
        {
            return null;
        }
    })?.IsMatch(text) ?? true;

    private void CheckTemplate(ScalarNode node, string text, JsonElement schema, string path)
    {
        Template template;
        try
        {
            template = Template.Parse(text);
        }
        catch (ConditionException problem)
        {
            Add(path, problem.Message, problem.Suggestion, node.Range);
            return;
        }

        var single = _templateKind!(template, node, schema, path);
        var kind = template.IsSingleValue ? single : TemplateKind.Text;

        if (schema.TryGetProperty("const", out _))
        {
            Add(path, "should be written out, not filled in", null, node.Range);
            return;
        }

        var types = TypesOf(schema);
        var fits = types.Count == 0 || kind == TemplateKind.Unknown || types.Any(type => (type, kind) switch
        {
            ("string", TemplateKind.Text) => true,
            // Filled in, it is written out (FilledTexts).
            ("string", TemplateKind.WholeNumber or TemplateKind.Number or TemplateKind.Bool) => FilledTexts.TakesAnyText(schema),
            ("integer", TemplateKind.WholeNumber) => true,
            ("number", TemplateKind.Number or TemplateKind.WholeNumber) => true,
            ("boolean", TemplateKind.Bool) => true,
            ("array", TemplateKind.List) => true,
            ("object", TemplateKind.Structure) => true,
            _ => false,
        });
        if (!fits)
        {
            Add(path, $"should be {Expected(schema, types)}, but {Show(text)} gives {Kind(kind)}", null, node.Range);
        }
    }

    private static bool HasType(DocumentNode value, JsonElement schema, out string expected)
    {
        var types = TypesOf(schema);
        expected = Expected(schema, types);
        return types.Count == 0 || types.Any(type => type switch
        {
            "object" => value is ObjectNode,
            "array" => value is ListNode,
            "string" => value is ScalarNode { Value.ValueKind: JsonValueKind.String },
            "boolean" => value is ScalarNode { Value.ValueKind: JsonValueKind.True or JsonValueKind.False },
            "number" => value is ScalarNode { Value.ValueKind: JsonValueKind.Number },
            "integer" => value is ScalarNode { Value.ValueKind: JsonValueKind.Number } scalar && scalar.Value.TryGetInt64(out _),
            "null" => value is ScalarNode { Value.ValueKind: JsonValueKind.Null },
            _ => true,
        });
    }

    private static List<string> TypesOf(JsonElement schema) => schema.TryGetProperty("type", out var type)
        ? type.ValueKind == JsonValueKind.Array ? [.. type.EnumerateArray().Select(name => name.GetString()!)] : [type.GetString()!]
        : [];

    private static string Expected(JsonElement schema, List<string> types) => FormatOf(schema) switch
    {
        FieldFormat.Duration => "a duration such as 10s, 45m or 7d",
        FieldFormat.Share => "a share such as 5%",
        FieldFormat.Columns => "a list of columns, or \"*\"",
        "date" => "a date such as 2026-11-21",
        _ => string.Join(" or ", types.Select(type => type switch
        {
            "object" => "an object",
            "array" => "a list",
            "string" => "text",
            "boolean" => "true or false",
            "integer" => "a whole number",
            "number" => "a number",
            _ => type,
        })),
    };

    private static string Kind(DocumentNode value) => value switch
    {
        ObjectNode => "an object",
        ListNode => "a list",
        ScalarNode { Value.ValueKind: JsonValueKind.Null } => "empty",
        ScalarNode { Value.ValueKind: JsonValueKind.Number } number => $"the number {number.Source}",
        ScalarNode { Value.ValueKind: JsonValueKind.True or JsonValueKind.False } flag => flag.Source,
        _ => "text",
    };

    private static string Kind(TemplateKind kind) => kind switch
    {
        TemplateKind.WholeNumber => "a whole number",
        TemplateKind.Number => "a number",
        TemplateKind.Bool => "true or false",
        TemplateKind.List => "a list",
        TemplateKind.Structure => "an object",
        _ => "text",
    };

    private static string Hint(DocumentNode value, JsonElement schema) => (value, TypesOf(schema)) switch
    {
        (ScalarNode { Value.ValueKind: not (JsonValueKind.String or JsonValueKind.Null), Quoted: false, Range: not null } scalar, var types)
            when types.Contains("string") && FormatOf(schema) is not (FieldFormat.Duration or FieldFormat.Share or FieldFormat.Columns)
            => $"; write it in quotes: \"{scalar.Source}\"",
        (ScalarNode { Text: { } text, Quoted: true, Range: not null }, [("integer" or "number" or "boolean")])
            when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _) || text is "true" or "false" => "; leave out the quotes",
        (ScalarNode { Text: { } text }, ["array"]) when text.Length is > 0 and < 60 => $"; write [{text}]",
        (ScalarNode { Text: "yes" or "Yes" or "on" or "On" or "YES" or "ON" }, ["boolean"]) => "; write true",
        (ScalarNode { Text: "no" or "No" or "off" or "Off" or "NO" or "OFF" }, ["boolean"]) => "; write false",
        _ => "",
    };

    private void AddUnknownChoice(string path, string name, string what, IEnumerable<string> known, TextRange? at)
    {
        var suggestion = NearestName.Find(name, known);
        var noun = what.Length == 0 || what.EndsWith(']') ? "choice" : what;
        Add(path, suggestion is null
            ? $"\"{Short(name)}\" is no {noun}; it is one of {List(known)}"
            : $"\"{Short(name)}\" is no {noun}; did you mean \"{suggestion}\"?", suggestion, at);
    }

    private void Add(string path, string message, string? suggestion, TextRange? at)
    {
        if (_problems.Count < MostProblems)
        {
            _problems.Add(new SchemaProblem(path, message, suggestion, at));
        }
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string List(IEnumerable<string> names) => string.Join(", ", names);

    private static string Show(string text) => $"\"{Short(text)}\"";

    private static string Show(JsonElement value) => Short(value.ValueKind == JsonValueKind.String ? $"\"{value.GetString()}\"" : value.GetRawText());

    private static string Short(string text) => text.Length <= 60 ? text : text[..57] + "...";
}
