using System.Text.Json;
using System.Text.Json.Serialization;

namespace Qualiz.Contracts.Values;

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
