using System.Text.Json;

namespace Qualiz.Contracts.Conditions;

/// <summary>
/// What a condition can see, by first name: <c>params</c>, <c>run</c>, <c>item</c>, <c>event</c>, <c>steps</c>.
/// A first name that is none of these is looked up among the steps: <c>clean.rows</c> is <c>steps.clean.rows</c>.
/// </summary>
public interface IScope
{
    bool TryGet(string name, out JsonElement value);

    /// <summary>All first names, for "did you mean".</summary>
    IEnumerable<string> Names { get; }
}

/// <summary>A scope whose first names are the properties of a JSON object.</summary>
public sealed class JsonScope(JsonElement root) : IScope
{
    public bool TryGet(string name, out JsonElement value)
    {
        value = default;
        return root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out value);
    }

    public IEnumerable<string> Names =>
        root.ValueKind == JsonValueKind.Object ? root.EnumerateObject().Select(property => property.Name) : [];
}
