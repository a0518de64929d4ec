using System.Text.Json;
using System.Text.Json.Serialization;

namespace Qualiz.Engine.Recipes;

/// <summary>A list of column names, or <c>"*"</c>: every column that is not hidden and has a type that the rule works on.</summary>
[JsonConverter(typeof(Converter))]
public sealed record ColumnSelection
{
    private ColumnSelection(IReadOnlyList<string>? names) => Names = names;

    public static readonly ColumnSelection All = new((IReadOnlyList<string>?)null);

    /// <summary>Null for <c>"*"</c>.</summary>
    public IReadOnlyList<string>? Names { get; }

    public static ColumnSelection Of(params IReadOnlyList<string> names) => new(names);

    internal sealed class Converter : JsonConverter<ColumnSelection>
    {
        public override ColumnSelection Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String)
                return reader.GetString() == "*" ? All : throw new JsonException("A list of column names or \"*\" is expected.");
            if (reader.TokenType != JsonTokenType.StartArray)
                throw new JsonException("A list of column names or \"*\" is expected.");
            var names = new List<string>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                names.Add(reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw new JsonException("A column name is a text."));
            return names.Count > 0 ? new ColumnSelection(names) : throw new JsonException("At least one column is expected.");
        }

        public override void Write(Utf8JsonWriter writer, ColumnSelection value, JsonSerializerOptions options)
        {
            if (value.Names is null)
                writer.WriteStringValue("*");
            else
                JsonSerializer.Serialize(writer, value.Names, options);
        }
    }
}

/// <summary>A single value of a configuration: text, number or truth value, kept as it was written, so that no digit is lost.</summary>
[JsonConverter(typeof(Converter))]
public sealed record Scalar(string Text)
{
    public override string ToString() => Text;

    internal sealed class Converter : JsonConverter<Scalar>
    {
        public override Scalar Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.ValueKind switch
            {
                JsonValueKind.String => new Scalar(document.RootElement.GetString()!),
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => new Scalar(document.RootElement.GetRawText()),
                _ => throw new JsonException("A text, a number, true or false is expected."),
            };
        }

        public override void Write(Utf8JsonWriter writer, Scalar value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text);
    }
}
