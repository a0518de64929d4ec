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

    /// <param name="columns">Those that the rows had when they came in, and those that the step makes of them: what is sensitive on either side is so in here.</param>
    public static DatasetSchema Schema(params IEnumerable<DatasetColumn> columns)
    {
        var members = columns.Where(column => !column.Hidden).GroupBy(column => column.Name, StringComparer.Ordinal)
            .Select(group => group.First() with { Sensitivity = SensitivityTags.Strictest(group) }).ToList();
        var tag = SensitivityTags.Strictest(members);
        return new DatasetSchema
        {
            Columns =
            [
                .. HiddenColumns.Columns,
                .. ((string[])[Ingested, Rejected, Reasons]).Select(name => new DatasetColumn
                {
                    Name = name,
                    Type = "json",
                    Nullable = false,
                    Sensitivity = tag,
                    // Said once for all three, and only where it matters: it is stored with every run.
                    Members = tag is not null && name == Ingested ? members : [],
                }),
            ],
        };
    }
}
