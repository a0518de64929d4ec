using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Qualiz.Platform.Operators.Config;

/// <summary>Durations as the pipeline file writes them: <c>500ms</c>, <c>10s</c>, <c>5m</c>, <c>2h</c>, <c>7d</c>, or several together: <c>1h30m</c>.</summary>
internal sealed class DurationConverter : JsonConverter<TimeSpan>
{
    private const string Expected = "a duration such as 10s, 5m or 1h30m is expected";

    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw new ConfigValueException(Expected);
        var text = reader.GetString()!;
        return TryParse(text, out var duration)
            ? duration
            : throw new ConfigValueException($"{Expected}, not \"{(text.Length <= 40 ? text : text[..40])}\"");
    }

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options)
    {
        if (value.Ticks % TimeSpan.TicksPerSecond != 0)
            writer.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"{value.TotalMilliseconds:0.####}ms"));
        else
            writer.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds:0}s"));
    }

    internal static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan().Trim();
        if (rest.IsEmpty)
            return false;
        while (!rest.IsEmpty)
        {
            var digits = 0;
            while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.'))
                digits++;
            var letters = digits;
            while (letters < rest.Length && char.IsAsciiLetter(rest[letters]))
                letters++;
            if (!double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
                return false;
            double? seconds = rest[digits..letters] switch
            {
                "ms" => amount / 1000,
                "s" => amount,
                "m" => amount * 60,
                "h" => amount * 3600,
                "d" => amount * 86400,
                _ => null,
            };
            if (seconds is null || duration.TotalSeconds + seconds > 10L * 365 * 86400)
                return false;
            duration += TimeSpan.FromSeconds(seconds.Value);
            rest = rest[letters..];
        }

        return true;
    }
}
