using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;

namespace Qualiz.Engine.Recipes;

/// <summary>One input of a recipe; several are stacked by column name.</summary>
public sealed record RecipeInput(string Name, LocalDataset Dataset);

/// <summary>A recipe turned into SQL for certain inputs.</summary>
public sealed record CompiledRecipe
{
    internal CompiledRecipe()
    {
    }

    /// <summary>
    /// The one query that does all rules and all checks of single rows. It yields every row of the inputs with the columns of
    /// <see cref="Schema"/> and the internal columns named in <see cref="Names"/>.
    /// </summary>
    public required string Query { get; init; }

    /// <summary>What comes out, hidden columns last.</summary>
    public required DatasetSchema Schema { get; init; }
    public required IReadOnlyList<string> Inputs { get; init; }
    internal InternalNames Names { get; init; } = null!;
    internal IReadOnlyList<Failure> Failures { get; init; } = [];
    internal IReadOnlyList<FilterStep> Filters { get; init; } = [];
    internal IReadOnlyList<ChangeCount> Changes { get; init; } = [];
    internal IReadOnlyList<UniqueStep> Uniques { get; init; } = [];
    internal IReadOnlyList<(RowCountCheck Check, string Path)> RowCounts { get; init; } = [];

    /// <summary>JSON texts of a row as ingested and as rejected, over the columns that <see cref="Query"/> yields.</summary>
    internal string IngestedJson { get; init; } = "";
    internal string RejectedJson { get; init; } = "";
}

/// <summary>A way in which a cell can fail.</summary>
/// <param name="Id">Its number in the internal column <c>ids</c>.</param>
/// <param name="Label">e.g. <c>notNull(email)</c>.</param>
internal sealed record Failure(int Id, string Kind, string Column, string Label, string Path, Else Else)
{
    public bool Rejects => Else is Else.Reject or Else.Fail;
}

internal sealed record FilterStep(int Id, string Label);

internal sealed record ChangeCount(string Column, string Kind, string Path);

/// <param name="Condition">True for the rows that are compared.</param>
/// <param name="Keys">The key columns, quoted.</param>
/// <param name="Order">The stated order, each with a direction; may be empty.</param>
/// <param name="Reason">An SQL expression of the reason's JSON text.</param>
internal sealed record UniqueStep(Failure Failure, string Condition, IReadOnlyList<string> Keys, IReadOnlyList<string> Order, string Reason);

/// <summary>Names of the columns that only we see; chosen so that no column of the data has them.</summary>
internal sealed record InternalNames(string Prefix)
{
    public string Input => $"{Prefix}input";

    /// <summary>The number of the filter that took the row out, or null.</summary>
    public string Filtered => $"{Prefix}filtered";

    /// <summary>JSON objects joined by commas: why the row is rejected, or null.</summary>
    public string Reasons => $"{Prefix}reasons";

    /// <summary>Failure numbers joined by commas, those that do not reject included, or null.</summary>
    public string Ids => $"{Prefix}ids";

    public string Table => $"{Prefix}evaluated";

    public static InternalNames Avoiding(IEnumerable<string> columns)
    {
        var prefix = "__q_";
        var names = columns.ToList();
        while (names.Exists(name => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            prefix = $"_{prefix}";
        return new InternalNames(prefix);
    }
}
