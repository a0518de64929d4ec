using System.Text.Json;
using System.Text.Json.Serialization;

namespace Qualiz.Contracts.Values;

/// <summary>Columns of the input: <c>"*"</c> for all, or a list of names, <c>[email, phone]</c>.</summary>
[JsonConverter(typeof(Converter))]
public sealed class ColumnSelection
{
    public static readonly ColumnSelection All = new([], true);

    private ColumnSelection(IReadOnlyList<string> names, bool isAll)
    {
        Names = names;
        IsAll = isAll;
    }

    public bool IsAll { get; }

    /// <summary>Empty when <see cref="IsAll"/>.</summary>
    public IReadOnlyList<string> Names { get; }

    public static ColumnSelection Of(params IReadOnlyList<string> names) => new(names, false);

    public override string ToString() => IsAll ? "*" : string.Join(", ", Names);

    internal sealed class Converter : JsonConverter<ColumnSelection>
    {
        public override ColumnSelection Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String)
            {
                return reader.GetString() == "*" ? All : throw new JsonException("columns are \"*\" or a list of names");
            }

            var names = new List<string>();
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                throw new JsonException("columns are \"*\" or a list of names");
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                names.Add(reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw new JsonException("a column's name is text"));
            }

            return new ColumnSelection(names, false);
        }

        public override void Write(Utf8JsonWriter writer, ColumnSelection value, JsonSerializerOptions options)
        {
            if (value.IsAll)
            {
                writer.WriteStringValue("*");
                return;
            }

            writer.WriteStartArray();
            foreach (var name in value.Names)
            {
                writer.WriteStringValue(name);
            }

            writer.WriteEndArray();
        }
    }
}
