using Qualiz.Contracts.Data;
using Qualiz.Contracts.Values;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Kernels.Rows;

namespace Qualiz.Engine.Recipes;

/// <summary>One input of a recipe; several are stacked by column name.</summary>
/// <param name="OnlyPatched">Of these rows only the ones that patches re-inject count (<see cref="RowPatches"/>).</param>
public sealed record RecipeInput(string Name, LocalDataset Dataset, bool OnlyPatched = false);

/// <summary>A recipe turned into SQL for certain inputs.</summary>
public sealed record CompiledRecipe
{
    internal CompiledRecipe()
    {
    }

    /// <summary>
    /// The one query that does all rules and all checks of single rows. It yields every row of the inputs with the columns of
    /// <see cref="Schema"/> and internal columns beside them.
    /// </summary>
    public required string Query { get; init; }

    /// <summary>What comes out, hidden columns last.</summary>
    public required DatasetSchema Schema { get; init; }
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>Columns of the inputs whose values a rule masks: they are empty in the rejected rows.</summary>
    public IReadOnlyList<string> Hidden { get; init; } = [];
    internal InternalNames Names { get; init; } = null!;

    /// <summary>What can happen to a row, in the order in which it does. The events of <see cref="Uniques"/> come last and are no columns of the query.</summary>
    internal IReadOnlyList<RecipeEvent> Events { get; init; } = [];

    /// <summary>The rules that change cells, by the numbers that <see cref="Changes"/> has.</summary>
    internal IReadOnlyList<ChangingRule> ChangingRules { get; init; } = [];
    internal IReadOnlyList<ChangeColumn> Changes { get; init; } = [];
    internal IReadOnlyList<UniqueStep> Uniques { get; init; } = [];
    internal IReadOnlyList<(RowCountCheck Check, string Path)> RowCounts { get; init; } = [];
    internal IReadOnlyList<WholeCheck> Wholes { get; init; } = [];

    /// <summary>What has to be known of groups of rows before the query runs, in this order.</summary>
    internal IReadOnlyList<GroupStep> Groups { get; init; } = [];
    internal IReadOnlyList<PassingShare> Shares { get; init; } = [];

    /// <summary>JSON texts of a row as ingested and as rejected, and of the reasons, over the columns that the query yields and those of the uniques.</summary>
    internal string IngestedJson { get; init; } = "";
    internal string RejectedJson { get; init; } = "";
    internal string ReasonsJson { get; init; } = "";

    /// <summary>JSON text of the changes of a row: a list of {rule, column, old, new}.</summary>
    internal string ChangesJson { get; init; } = "";
}

/// <summary>A way in which a cell can fail.</summary>
/// <param name="Label">e.g. <c>notNull(email)</c>.</param>
internal sealed record Failure(string Kind, string Column, string Label, string Path, Else Else)
{
    public bool Rejects => Else is Else.Reject or Else.Fail;
}

/// <param name="Column">The column of booleans that says for which rows it happens.</param>
/// <param name="Failure">Null for a filter.</param>
/// <param name="Label">The label of the failure, or <c>filter(...)</c>.</param>
internal sealed record RecipeEvent(RowEvent Kind, string Column, Failure? Failure, string Label)
{
    /// <summary>The row is rejected or filtered for it.</summary>
    public bool EndsRow => Kind is RowEvent.Reject or RowEvent.Filter or RowEvent.FilterFailed;
}

/// <summary>How much of what a check looks at must pass.</summary>
/// <param name="Seen">The column of the event <see cref="RowEvent.Observe"/> for what is looked at.</param>
/// <param name="Failed">The same for what fails of it.</param>
internal sealed record PassingShare(Failure Failure, Share Mostly, WholeElse Below, string Seen, string Failed);

internal sealed record ChangingRule(string Kind, string Path);

/// <param name="Column">The column that says in which rows the rules changed a cell.</param>
internal sealed record ChangeColumn(string Column, RowChange Change);

/// <param name="Event">Its place in <see cref="CompiledRecipe.Events"/>.</param>
/// <param name="Keys">The key columns, quoted.</param>
/// <param name="Order">The stated order, each with a direction; may be empty.</param>
/// <param name="When">The column that says which rows are compared; null for all.</param>
internal sealed record UniqueStep(int Event, IReadOnlyList<string> Keys, IReadOnlyList<string> Order, string? When);

/// <param name="Number">By which the query knows the values (<see cref="GroupValues"/>).</param>
/// <param name="Query">Gives the key of each group (null for the rows that are in none) and its value, both as text.</param>
internal sealed record GroupStep(int Number, string Query);

/// <summary>A check of all clean rows.</summary>
/// <param name="Query">True or false over the relations <c>clean</c> and <c>moment</c> (column <c>now</c>).</param>
internal sealed record WholeCheck(string Kind, string Path, WholeElse Else, string Message, string Query);

/// <summary>Names of the columns that only we see; chosen so that no column of the data has them.</summary>
internal sealed record InternalNames(string Prefix)
{
    public string Input => $"{Prefix}input";

    /// <summary>What becomes of the row.</summary>
    public string Outcome => $"{Prefix}outcome";

    /// <summary>True for rows that were made from another one.</summary>
    public string Added => $"{Prefix}added";

    /// <summary>Tells evaluated rows apart.</summary>
    public string Position => $"{Prefix}position";

    /// <summary>Holds the evaluated rows where a check needs all of them.</summary>
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
