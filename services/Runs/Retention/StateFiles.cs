using System.Text.Json;
using Qualiz.Platform.Storage;

namespace Qualiz.Runs.Retention;

/// <summary>The stored files that a step's state names. Runs knows nothing of what a state means; it goes by the texts in it.</summary>
internal static class StateFiles
{
    /// <summary>A text that begins like the keys of one of the project's runs is one.</summary>
    public static IEnumerable<(Guid Run, string Key)> OfRuns(JsonElement state, string project) => state.ValueKind switch
    {
        JsonValueKind.Object => state.EnumerateObject().SelectMany(property => OfRuns(property.Value, project)),
        JsonValueKind.Array => state.EnumerateArray().SelectMany(element => OfRuns(element, project)),
        JsonValueKind.String when RunOf(state.GetString()!, project) is { } run => [(run, state.GetString()!)],
        _ => [],
    };

    /// <summary>What is written as a dataset's file is read as one, whatever its key looks like.</summary>
    public static IEnumerable<string> OfDatasets(JsonElement state) => state.ValueKind switch
    {
        JsonValueKind.Object => state.EnumerateObject().SelectMany(property => Is(property, "files") && property.Value.ValueKind == JsonValueKind.Array
            ? property.Value.EnumerateArray().SelectMany(file => KeysOf(file).Concat(OfDatasets(file)))
            : OfDatasets(property.Value)),
        JsonValueKind.Array => state.EnumerateArray().SelectMany(OfDatasets),
        _ => [],
    };

    public static Guid? RunOf(string key, string project) =>
        key.StartsWith($"{project}/", StringComparison.Ordinal) && key.Split('/', 3) is [_, var run, _] && Guid.TryParseExact(run, "D", out var id) ? id : null;

    /// <summary>Nothing that the platform writes has a part that begins with a dot; such files are somebody else's.</summary>
    public static bool IsIn(string project, string key) =>
        key.StartsWith($"{project}/", StringComparison.Ordinal) && StoreKey.Problem(key) is null && !key.Contains("/.", StringComparison.Ordinal);

    private static IEnumerable<string> KeysOf(JsonElement file) => file.ValueKind != JsonValueKind.Object ? [] :
        file.EnumerateObject().Where(property => Is(property, "key") && property.Value.ValueKind == JsonValueKind.String).Select(property => property.Value.GetString()!);

    /// <summary>As the operators read it: in any case.</summary>
    private static bool Is(JsonProperty property, string name) => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}
