namespace Qualiz.Engine.Recipes;

/// <summary>What a recipe did.</summary>
public sealed record RecipeResult
{
    public required IReadOnlyList<RecipeInputResult> Inputs { get; init; }

    /// <summary>Changed cells of clean rows by kind of rule (<c>trim</c>) and by rule (<c>rules[0]</c>).</summary>
    public required IReadOnlyDictionary<string, long> Changed { get; init; }

    /// <summary>Cells that failed without being rejected: how many were kept, emptied or given the default, by label.</summary>
    public required IReadOnlyList<RecipeFailure> Tolerated { get; init; }

    /// <summary>What makes the step fail: <c>else: fail</c> rules and checks that something failed, and row counts out of bounds.</summary>
    public required IReadOnlyList<RecipeFailure> Fatal { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Rows of the change log.</summary>
    public long Changes { get; init; }
    public long In => Inputs.Sum(input => input.In);
    public long Added => Inputs.Sum(input => input.Added);
    public long Out => Inputs.Sum(input => input.Out);
    public long Rejected => Inputs.Sum(input => input.Rejected);
    public long Filtered => Inputs.Sum(input => input.Filtered);
}

/// <param name="Rejections">Rejected rows by reason, e.g. <c>notNull(email)</c>.</param>
/// <param name="Filters">Filtered rows by filter.</param>
public sealed record RecipeInputResult(
    string Name, long In, long Added, long Out, long Rejected, long Filtered, IReadOnlyDictionary<string, long> Rejections, IReadOnlyDictionary<string, long> Filters);

/// <param name="Path">The place in the recipe, e.g. <c>rules[2]</c>.</param>
public sealed record RecipeFailure(string Label, string Path, Else Else, long Rows, string Message);
