using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;

namespace Qualiz.Engine.Recipes;

/// <summary>How much of what rules change is written down. The counts are exact in any case.</summary>
public enum ChangeLogMode
{
    /// <summary>Some changed cells of each rule.</summary>
    Sampled,

    /// <summary>Every changed cell.</summary>
    Full,

    Off,
}

/// <summary>The form of the port <c>changes</c>: one row for each cell that a rule changed.</summary>
public static class ChangeLog
{
    public const string Port = "changes";

    /// <summary>The place of the rule in the recipe, e.g. <c>rules[2]</c>.</summary>
    public const string Rule = "rule";
    public const string Column = "column";

    /// <summary>JSON values in the form that rows have on the wire.</summary>
    public const string Old = "old";
    public const string New = "new";

    /// <param name="sensitivity">The strictest tag of the columns whose values are in here.</param>
    public static DatasetSchema Schema(string? sensitivity) => new()
    {
        Columns =
        [
            .. HiddenColumns.Columns,
            new() { Name = Rule, Type = "text", Nullable = false },
            new() { Name = Column, Type = "text", Nullable = false },
            new() { Name = Old, Type = "json", Sensitivity = sensitivity },
            new() { Name = New, Type = "json", Sensitivity = sensitivity },
        ],
    };
}
