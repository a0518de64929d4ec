using Qualiz.Contracts.Data;
using Qualiz.Engine.Recipes;

namespace Qualiz.Engine.Transforms;

/// <summary>Operations turned into SQL for certain inputs.</summary>
public sealed record TransformPlan
{
    internal TransformPlan()
    {
    }

    /// <summary>
    /// Accounted: every row that ever was, with the columns of <see cref="Schema"/> and the internal ones. Else only the rows that come out,
    /// with the visible columns.
    /// </summary>
    public required string Query { get; init; }

    /// <summary>What comes out, hidden columns last.</summary>
    public required DatasetSchema Schema { get; init; }

    /// <summary>False from an aggregate or pivot on: rows that come out are no longer rows that came in.</summary>
    public required bool Accounted { get; init; }

    /// <summary>Of rows that are not accounted: the columns that <c>_key</c> is the hash of.</summary>
    public IReadOnlyList<string>? Key { get; init; }
    public required IReadOnlyList<RecipeInput> Inputs { get; init; }

    /// <summary>The inputs whose rows go on; the others are only looked up in by joins.</summary>
    internal IReadOnlyList<int> Flowing { get; init; } = [];

    /// <summary>The inputs of which a full join lets pass what the left side lacks; the rest of their rows is merged.</summary>
    internal IReadOnlyList<int> Merged { get; init; } = [];

    /// <summary>What takes rows out, by the number in the column <see cref="Gone"/>.</summary>
    internal IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>The joins that may make several rows of one.</summary>
    internal IReadOnlyList<string> Adding { get; init; } = [];

    /// <summary>What the rows come out in the order of; empty: their own.</summary>
    internal IReadOnlyList<string> Order { get; init; } = [];
    internal string Prefix { get; init; } = "";
    internal string Table => $"{Prefix}rows";
    internal string Input => $"{Prefix}input";
    internal string Gone => $"{Prefix}gone";
}

/// <summary>What could be made of operations without running them.</summary>
/// <param name="Plan">Null when there are problems that nothing can be said behind, or when the columns depend on values.</param>
public sealed record TransformCheck(TransformPlan? Plan, IReadOnlyList<RecipeException> Problems, bool DependsOnValues);
