using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;

namespace Qualiz.Engine.Recipes;

/// <summary>The form of the port <c>rejected</c>, whatever the operator.</summary>
public static class RejectedRows
{
    public const string Port = "rejected";

    /// <summary>JSON object of the row's values as ingested.</summary>
    public const string Ingested = "ingested";

    /// <summary>JSON object of the row's values when it was rejected.</summary>
    public const string Rejected = "rejected";

    /// <summary>JSON list of {rule, path, column, message, value}.</summary>
    public const string Reasons = "reasons";

    /// <param name="sensitivity">The strictest tag of the columns whose values are in here.</param>
    public static DatasetSchema Schema(string? sensitivity) => new()
    {
        Columns =
        [
            .. HiddenColumns.Columns,
            .. ((string[])[Ingested, Rejected, Reasons]).Select(name => new DatasetColumn { Name = name, Type = "json", Nullable = false, Sensitivity = sensitivity }),
        ],
    };

    /// <summary>The strictest tag of some columns: <c>secret</c> before any other.</summary>
    public static string? Strictest(IEnumerable<DatasetColumn> columns) => Strictest(columns.Select(column => column.Sensitivity));

    internal static string? Strictest(IEnumerable<string?> tags) => tags.Where(tag => tag is not null).OrderByDescending(tag => tag == "secret").FirstOrDefault();
}
