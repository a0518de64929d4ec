namespace Qualiz.Contracts.Conditions;

/// <summary>A path that a condition reads, e.g. <c>clean.rejectedShare</c>.</summary>
/// <param name="Segments">Names and list positions (as digits) in order; at least one.</param>
/// <param name="Position">Where the path begins in the text, from 0.</param>
public sealed record ConditionPath(IReadOnlyList<PathSegment> Segments, int Position)
{
    public string Root => Segments[0].Name;

    public override string ToString() =>
        string.Concat(Segments.Select((segment, at) => segment.Index is not null ? $"[{segment.Index}]" : at == 0 ? segment.Name : "." + segment.Name));
}

/// <param name="Index">Set for a position in a list, <c>[0]</c>.</param>
/// <param name="Position">Where it begins in the text, from 0.</param>
public sealed record PathSegment(string Name, int? Index, int Position);
