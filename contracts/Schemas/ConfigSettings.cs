using System.Text.Json;
using Qualiz.Contracts.Conditions;

namespace Qualiz.Contracts.Schemas;

/// <summary>
/// Asks a configuration for a setting that an operator names in its manifest: a path like <c>from.onlyNew</c> is there when it is set, <c>mode=upsert</c>
/// when it has this value. A path goes through lists: <c>checks.check=unique</c> is any of the checks.
/// </summary>
public static class ConfigSettings
{
    /// <summary>False, null and what is not there do not set it; nor does <c>"false"</c>, which a parameter may have filled in.</summary>
    public static bool Has(JsonElement config, string setting) => Find(config, setting, orMay: false);

    /// <summary>The same of a configuration that is not filled in yet: an expression in the place of the value may give it.</summary>
    public static bool MayHave(JsonElement config, string setting) => Find(config, setting, orMay: true);

    private static bool Find(JsonElement config, string setting, bool orMay)
    {
        ArgumentNullException.ThrowIfNull(setting);
        var at = setting.IndexOf('=', StringComparison.Ordinal);
        var expected = at < 0 ? null : setting[(at + 1)..];
        return At(config, (at < 0 ? setting : setting[..at]).Split('.')).Any(value => IsSet(value)
            && (expected is null || value.ValueKind == JsonValueKind.String && (value.ValueEquals(expected) || orMay && Template.Mentions(value.GetString()!))));
    }

    private static IEnumerable<JsonElement> At(JsonElement value, ReadOnlyMemory<string> path) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().SelectMany(item => At(item, path)),
        _ when path.IsEmpty => [value],
        JsonValueKind.Object when value.TryGetProperty(path.Span[0], out var member) => At(member, path[1..]),
        _ => [],
    };

    private static bool IsSet(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined or JsonValueKind.False => false,
        JsonValueKind.String => value.GetString() is not ("" or "false"),
        _ => true,
    };
}
