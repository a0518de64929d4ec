using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Qualiz.Contracts.Conditions;

/// <summary>
/// Text with <c>${...}</c> in it. Between the braces stands an expression of the condition language. A text that is
/// exactly one <c>${...}</c> takes the value with its JSON type; in a longer text it is written into it.
/// <c>$${</c> stands for the two characters <c>${</c>.
/// </summary>
public sealed class Template
{
    private readonly List<Part> _parts;

    private Template(List<Part> parts, IReadOnlyList<ConditionPath> paths)
    {
        _parts = parts;
        Paths = paths;
    }

    /// <summary>Everything it reads, in the order of the text; positions count from the start of the text.</summary>
    public IReadOnlyList<ConditionPath> Paths { get; }

    /// <summary>True when the result keeps the value's own type.</summary>
    public bool IsSingleValue => _parts is [{ Expression: not null }];

    /// <summary>The one path it stands for, when it is exactly <c>${path}</c>.</summary>
    public ConditionPath? SinglePath => _parts is [{ Expression: PathNode node }] ? node.Path : null;

    public static bool Mentions(string text) => text.Contains("${", StringComparison.Ordinal);

    /// <exception cref="ConditionException">Something between braces is no expression.</exception>
    public static Template Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = new List<Part>();
        var paths = new List<ConditionPath>();
        var literal = new StringBuilder();
        var at = 0;
        while (at < text.Length)
        {
            var next = text.IndexOf("${", at, StringComparison.Ordinal);
            if (next < 0)
            {
                literal.Append(text, at, text.Length - at);
                break;
            }

            if (next > at && text[next - 1] == '$')
            {
                literal.Append(text, at, next - 1 - at).Append("${");
                at = next + 2;
                continue;
            }

            literal.Append(text, at, next - at);
            if (literal.Length > 0)
            {
                parts.Add(new Part(literal.ToString(), null));
                literal.Clear();
            }

            var parser = new ConditionParser(text, next + 2);
            var expression = parser.ParseBraced();
            if (parser.End - next > ConditionParser.LongestText)
            {
                throw new ConditionException($"an expression has at most {ConditionParser.LongestText} characters", next);
            }

            parts.Add(new Part("", expression));
            paths.AddRange(parser.Paths);
            at = parser.End;
        }

        if (literal.Length > 0 || parts.Count == 0)
        {
            parts.Add(new Part(literal.ToString(), null));
        }

        return new Template(parts, paths);
    }

    /// <exception cref="ConditionException">The scope lacks something, or a list, an object or null should become part of a text.</exception>
    public JsonElement Evaluate(IScope scope)
    {
        if (_parts is [{ Expression: { } single }])
        {
            return Evaluator.Evaluate(single, scope);
        }

        var text = new StringBuilder();
        foreach (var part in _parts)
        {
            if (part.Expression is null)
            {
                text.Append(part.Text);
                continue;
            }

            var value = Evaluator.Evaluate(part.Expression, scope);
            text.Append(value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
                _ => throw new ConditionException($"{Evaluator.KindOf(value)} cannot be written into a text", part.Expression.Position),
            });
        }

        return JsonSerializer.SerializeToElement(text.ToString());
    }

    /// <summary>The same JSON with every <c>${...}</c> in its texts filled in; names of properties stay as they are.</summary>
    /// <exception cref="ConditionException">As in <see cref="Evaluate"/>; the message begins with the place in <paramref name="config"/>.</exception>
    public static JsonElement Fill(JsonElement config, IScope scope)
    {
        if (config.ValueKind == JsonValueKind.Undefined || !config.GetRawText().Contains('$', StringComparison.Ordinal))
        {
            // A "$" may also be written as an escape; those rare texts are walked.
            if (config.ValueKind == JsonValueKind.Undefined || !config.GetRawText().Contains("\\u0024", StringComparison.Ordinal))
            {
                return config;
            }
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(config, scope, writer, "");
        }

        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    /// <inheritdoc cref="Fill(JsonElement, IScope)"/>
    public static JsonElement Fill(JsonElement config, JsonElement scope) => Fill(config, new JsonScope(scope));

    private static void Write(JsonElement value, IScope scope, Utf8JsonWriter writer, string path)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in value.EnumerateObject())
                {
                    writer.WritePropertyName(property.Name);
                    Write(property.Value, scope, writer, path.Length == 0 ? property.Name : $"{path}.{property.Name}");
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                var at = 0;
                foreach (var item in value.EnumerateArray())
                {
                    Write(item, scope, writer, $"{path}[{at++}]");
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String when Mentions(value.GetString()!):
                try
                {
                    Parse(value.GetString()!).Evaluate(scope).WriteTo(writer);
                }
                catch (ConditionException problem) when (path.Length > 0)
                {
                    throw new ConditionException($"{path}: {problem.Message}", problem.Position) { Suggestion = problem.Suggestion, Path = path };
                }

                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    private sealed record Part(string Text, Node? Expression);
}
