using System.Text.Json;
using Qualiz.Contracts.Text;

namespace Qualiz.Contracts.Conditions;

internal static class Evaluator
{
    private static readonly JsonElement True = JsonSerializer.SerializeToElement(true);
    private static readonly JsonElement False = JsonSerializer.SerializeToElement(false);

    public static bool EvaluateBool(Node node, IScope scope)
    {
        switch (node)
        {
            case Logic { IsAnd: true } and:
                return EvaluateBool(and.Left, scope) && EvaluateBool(and.Right, scope);
            case Logic or:
                return EvaluateBool(or.Left, scope) || EvaluateBool(or.Right, scope);
            case Not not:
                return !EvaluateBool(not.Operand, scope);
            case Comparison comparison:
                return Compare(comparison, scope);
            default:
                var value = Evaluate(node, scope);
                return value.ValueKind switch
                {
                    JsonValueKind.True => true,
                    JsonValueKind.False => false,
                    _ => throw new ConditionException($"{Describe(node)} is {KindOf(value)}, not true or false", node.Position),
                };
        }
    }

    public static JsonElement Evaluate(Node node, IScope scope) => node switch
    {
        Literal literal => literal.Value,
        PathNode path => Resolve(path.Path, scope, missingIsNull: false),
        _ => EvaluateBool(node, scope) ? True : False,
    };

    private static bool Compare(Comparison comparison, IScope scope)
    {
        // A member that is not there equals null and nothing else, so that "event.reason != null" asks whether it is there.
        var againstNull = comparison.Operator is Comparer.Equal or Comparer.NotEqual && (IsNull(comparison.Left) || IsNull(comparison.Right));
        var left = Operand(comparison.Left);
        var right = Operand(comparison.Right);

        if (comparison.Operator is Comparer.Equal or Comparer.NotEqual)
        {
            return AreEqual(left, right) == (comparison.Operator == Comparer.Equal);
        }

        var order = (left.ValueKind, right.ValueKind) switch
        {
            (JsonValueKind.Number, JsonValueKind.Number) => CompareNumbers(left, right),
            (JsonValueKind.String, JsonValueKind.String) => string.CompareOrdinal(left.GetString(), right.GetString()),
            _ => throw Incomparable(),
        };
        return comparison.Operator switch
        {
            Comparer.Less => order < 0,
            Comparer.LessOrEqual => order <= 0,
            Comparer.Greater => order > 0,
            _ => order >= 0,
        };

        JsonElement Operand(Node node) =>
            againstNull && node is PathNode path ? Resolve(path.Path, scope, missingIsNull: true) : Evaluate(node, scope);

        bool AreEqual(JsonElement a, JsonElement b) => (a.ValueKind, b.ValueKind) switch
        {
            (JsonValueKind.Null, _) or (_, JsonValueKind.Null) => a.ValueKind == b.ValueKind,
            (JsonValueKind.Number, JsonValueKind.Number) => CompareNumbers(a, b) == 0,
            (JsonValueKind.String, JsonValueKind.String) => a.GetString() == b.GetString(),
            (JsonValueKind.True or JsonValueKind.False, JsonValueKind.True or JsonValueKind.False) => a.ValueKind == b.ValueKind,
            (JsonValueKind.Array, JsonValueKind.Array) or (JsonValueKind.Object, JsonValueKind.Object) => JsonElement.DeepEquals(a, b),
            _ => throw Incomparable(),
        };

        ConditionException Incomparable() => new(
            $"{Describe(comparison.Left)} is {KindOf(left)} and {Describe(comparison.Right)} is {KindOf(right)}: they cannot be compared",
            comparison.Position);
    }

    private static JsonElement Resolve(ConditionPath path, IScope scope, bool missingIsNull)
    {
        if (!scope.TryGet(path.Root, out var value)
            && !(scope.TryGet("steps", out var steps) && steps.ValueKind == JsonValueKind.Object && steps.TryGetProperty(path.Root, out value)))
        {
            var names = scope.Names.Concat(scope.TryGet("steps", out steps) ? MembersOf(steps) : []);
            throw Unknown(path, 0, names);
        }

        for (var at = 1; at < path.Segments.Count; at++)
        {
            var segment = path.Segments[at];
            var holder = value;
            var found = segment.Index is { } index
                ? TryIndex(holder, index, out value)
                : holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(segment.Name, out value);
            if (!found)
            {
                return missingIsNull ? NullElement : throw Unknown(path, at, MembersOf(holder));
            }
        }

        return value.ValueKind == JsonValueKind.Undefined ? NullElement : value;
    }

    private static readonly JsonElement NullElement = JsonSerializer.SerializeToElement<object?>(null);

    private static bool TryIndex(JsonElement holder, int index, out JsonElement value)
    {
        value = default;
        if (holder.ValueKind != JsonValueKind.Array || index >= holder.GetArrayLength())
        {
            return false;
        }

        value = holder[index];
        return true;
    }

    private static IEnumerable<string> MembersOf(JsonElement holder) =>
        holder.ValueKind == JsonValueKind.Object ? holder.EnumerateObject().Select(member => member.Name) : [];

    private static ConditionException Unknown(ConditionPath path, int at, IEnumerable<string> known)
    {
        var segment = path.Segments[at];
        var name = segment.Index is null ? $"\"{segment.Name}\"" : $"position {segment.Name}";
        var holder = at == 0 ? "" : $" in {new ConditionPath([.. path.Segments.Take(at)], path.Position)}";
        var suggestion = segment.Index is null ? NearestName.Find(segment.Name, known) : null;
        return new ConditionException(
            $"there is no {name}{holder}{(suggestion is null ? "" : $"; did you mean \"{suggestion}\"?")}", segment.Position)
        { Suggestion = suggestion };
    }

    private static int CompareNumbers(JsonElement a, JsonElement b) =>
        a.TryGetDecimal(out var exactA) && b.TryGetDecimal(out var exactB)
            ? exactA.CompareTo(exactB)
            : a.GetDouble().CompareTo(b.GetDouble());

    private static bool IsNull(Node node) => node is Literal { Value.ValueKind: JsonValueKind.Null };

    internal static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => "a number",
        JsonValueKind.String => "text",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        _ => "null",
    };

    /// <summary>Values are not repeated in messages: an event's may be personal.</summary>
    private static string Describe(Node node) => node switch
    {
        PathNode path => path.Path.ToString(),
        Literal literal => literal.Value.GetRawText(),
        _ => "the comparison",
    };
}
