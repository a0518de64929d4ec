using System.Text.Json;
using System.Text.Json.Nodes;

namespace Qualiz.Contracts.Files;

/// <summary>A place in a text; line and column count from 1, <see cref="Offset"/> from 0.</summary>
public readonly record struct TextPosition(int Line, int Column, int Offset);

/// <summary>From the first character to just behind the last.</summary>
public readonly record struct TextRange(TextPosition Start, TextPosition End);

/// <summary>A value of a YAML or JSON document that knows where it stands, so that an error or an edit can go there.</summary>
/// <param name="Range">Null for a document that came from no text.</param>
public abstract record DocumentNode(TextRange? Range)
{
    /// <summary>Plain JSON as a document without places.</summary>
    public static DocumentNode From(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => new ObjectNode([.. value.EnumerateObject().Select(property => new DocumentProperty(property.Name, null, From(property.Value)))], null),
        JsonValueKind.Array => new ListNode([.. value.EnumerateArray().Select(From)], null),
        JsonValueKind.Undefined => new ScalarNode(JsonSerializer.SerializeToElement<object?>(null), "", false, null),
        _ => new ScalarNode(value, value.ToString(), true, null),
    };

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(ToJsonNode());

    protected internal abstract JsonNode? ToJsonNode();
}

public sealed record ObjectNode(IReadOnlyList<DocumentProperty> Properties, TextRange? Range) : DocumentNode(Range)
{
    public DocumentProperty? Find(string name) => Properties.FirstOrDefault(property => property.Name == name);

    protected internal override JsonNode ToJsonNode() =>
        new JsonObject(Properties.Select(property => KeyValuePair.Create(property.Name, property.Value.ToJsonNode())));
}

public sealed record DocumentProperty(string Name, TextRange? NameRange, DocumentNode Value);

public sealed record ListNode(IReadOnlyList<DocumentNode> Items, TextRange? Range) : DocumentNode(Range)
{
    protected internal override JsonNode ToJsonNode() => new JsonArray([.. Items.Select(item => item.ToJsonNode())]);
}

/// <param name="Value">What the YAML core schema makes of it: text, number, true, false or null.</param>
/// <param name="Source">The scalar's text without quotes.</param>
/// <param name="Quoted">Quoted or a block: text, whatever it looks like.</param>
public sealed record ScalarNode(JsonElement Value, string Source, bool Quoted, TextRange? Range) : DocumentNode(Range)
{
    public string? Text => Value.ValueKind == JsonValueKind.String ? Value.GetString() : null;

    protected internal override JsonNode? ToJsonNode() => JsonValue.Create(Value);
}
