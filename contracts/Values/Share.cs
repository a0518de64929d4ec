using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Qualiz.Contracts.Values;

/// <summary>A share of a whole, written with a percent sign so that 5 and 0.05 cannot be mixed up: <c>5%</c>, <c>0.5%</c>, <c>100%</c>.</summary>
/// <param name="Value">0 to 1.</param>
[JsonConverter(typeof(Converter))]
public readonly record struct Share(decimal Value) : IComparable<Share>
{
    public const string Format = "share";
    public const string Example = "5%";

    public static Share Parse(string text) =>
        TryParse(text, out var share) ? share : throw new FormatException($"\"{text}\" is no share; write it like 5%");

    public static bool TryParse(string? text, out Share share)
    {
        share = default;
        if (text is not { Length: >= 2 and <= 20 } || text[^1] != '%' || !char.IsAsciiDigit(text[0])
            || !decimal.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
            || percent > 100)
        {
            return false;
        }

        share = new Share(percent / 100);
        return true;
    }

    public int CompareTo(Share other) => Value.CompareTo(other.Value);

    public static bool operator <(Share left, Share right) => left.Value < right.Value;

    public static bool operator >(Share left, Share right) => left.Value > right.Value;

    public static bool operator <=(Share left, Share right) => left.Value <= right.Value;

    public static bool operator >=(Share left, Share right) => left.Value >= right.Value;

    public override string ToString() => (Value * 100).ToString("0.############", CultureInfo.InvariantCulture) + "%";

    internal sealed class Converter : JsonConverter<Share>
    {
        public override Share Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && TryParse(reader.GetString(), out var share)
                ? share
                : throw new JsonException("a share is written like 5%");

        public override void Write(Utf8JsonWriter writer, Share value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}
