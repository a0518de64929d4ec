using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Qualiz.Contracts.Values;

/// <summary>A duration as people write it: <c>500ms</c>, <c>10s</c>, <c>45m</c>, <c>2h</c>, <c>7d</c>, <c>1h30m</c>.</summary>
[JsonConverter(typeof(Converter))]
public readonly record struct Duration(TimeSpan Value) : IComparable<Duration>
{
    public const string Format = "duration";
    public const string Example = "10s";
    private static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);

    public static Duration Parse(string text) =>
        TryParse(text, out var duration) ? duration : throw new FormatException($"\"{text}\" is no duration; write it like 10s, 45m, 2h or 7d");

    public static bool TryParse(string? text, out Duration duration)
    {
        duration = default;
        if (string.IsNullOrEmpty(text) || text.Length > 40)
        {
            return false;
        }

        var total = TimeSpan.Zero;
        var previousUnit = TimeSpan.MaxValue;
        var at = 0;
        while (at < text.Length)
        {
            var from = at;
            while (at < text.Length && char.IsAsciiDigit(text[at]))
            {
                at++;
            }

            if (!long.TryParse(text.AsSpan(from, at - from), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 3_200_000_000)
            {
                return false;
            }

            from = at;
            while (at < text.Length && char.IsAsciiLetterLower(text[at]))
            {
                at++;
            }

            TimeSpan? unit = text.AsSpan(from, at - from) switch
            {
                "ms" => TimeSpan.FromMilliseconds(1),
                "s" => TimeSpan.FromSeconds(1),
                "m" => TimeSpan.FromMinutes(1),
                "h" => TimeSpan.FromHours(1),
                "d" => TimeSpan.FromDays(1),
                _ => null,
            };
            // Larger units first, each once: 30m1h is a slip, not a duration.
            if (unit is null || unit >= previousUnit)
            {
                return false;
            }

            if (number > Longest / unit.Value)
            {
                return false;
            }

            total += unit.Value * number;
            previousUnit = unit.Value;
        }

        duration = new Duration(total);
        return total <= Longest;
    }

    public static implicit operator TimeSpan(Duration duration) => duration.Value;

    public TimeSpan ToTimeSpan() => Value;

    public int CompareTo(Duration other) => Value.CompareTo(other.Value);

    public static bool operator <(Duration left, Duration right) => left.Value < right.Value;

    public static bool operator >(Duration left, Duration right) => left.Value > right.Value;

    public static bool operator <=(Duration left, Duration right) => left.Value <= right.Value;

    public static bool operator >=(Duration left, Duration right) => left.Value >= right.Value;

    public override string ToString()
    {
        if (Value == TimeSpan.Zero)
        {
            return "0s";
        }

        var text = new StringBuilder();
        Append(Value.Days, "d");
        Append(Value.Hours, "h");
        Append(Value.Minutes, "m");
        Append(Value.Seconds, "s");
        Append(Value.Milliseconds, "ms");
        return text.ToString();

        void Append(int number, string unit)
        {
            if (number != 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{number}{unit}");
            }
        }
    }

    internal sealed class Converter : JsonConverter<Duration>
    {
        public override Duration Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && TryParse(reader.GetString(), out var duration)
                ? duration
                : throw new JsonException("a duration is written like 10s, 45m, 2h or 7d");

        public override void Write(Utf8JsonWriter writer, Duration value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}
