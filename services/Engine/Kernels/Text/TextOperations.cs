using System.Text.Json;

namespace Qualiz.Engine.Kernels.Text;

/// <summary>The operations by name.</summary>
internal static class TextOperations
{
    public static TextOperation Read(JsonElement settings) => settings.GetProperty("op").GetString() switch
    {
        "trim" => new Trim(Flag(settings, "inner")),
        "nulls" => new Nulls(Words(settings, "words"), Flag(settings, "ignoreCase")),
        "upper" => new Upper(),
        "lower" => new Lower(),
        "title" => new Title(),
        "replace" => new Replace(Map(settings), Flag(settings, "ignoreCase")),
        "replaceParts" => new ReplaceParts(Map(settings), Flag(settings, "ignoreCase")),
        "normalize" => new Normalize(settings.GetProperty("form").GetString() == "nfkc" ? System.Text.NormalizationForm.FormKC : System.Text.NormalizationForm.FormC),
        "accents" => new Accents(),
        "unescape" => new Unescape(settings.GetProperty("from").GetString() == "url"),
        "remove" => new Remove(Words(settings, "kinds").ToHashSet()),
        "pad" => new Pad(settings.GetProperty("length").GetInt32(), settings.GetProperty("with").GetString()!, Flag(settings, "right"), Flag(settings, "cut")),
        var other => throw new FormatException($"There is no operation {other}."),
    };

    private static bool Flag(JsonElement settings, string name) => settings.TryGetProperty(name, out var value) && value.GetBoolean();

    private static List<string> Words(JsonElement settings, string name) => [.. settings.GetProperty(name).EnumerateArray().Select(word => word.GetString()!)];

    private static List<KeyValuePair<string, string>> Map(JsonElement settings) =>
        [.. settings.GetProperty("map").EnumerateArray().Select(pair => new KeyValuePair<string, string>(pair[0].GetString()!, pair[1].GetString()!))];
}
