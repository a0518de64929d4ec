namespace Qualiz.Contracts.Data;

/// <summary>The tags of sensitive values (<c>personal</c>, <c>secret</c>, ...): where values of several columns come together, the strictest one holds for all.</summary>
public static class SensitivityTags
{
    public const string Secret = "secret";

    /// <summary><c>secret</c> before any other; any other before none.</summary>
    public static string? Strictest(params IEnumerable<string?> tags) => tags.Where(tag => tag is not null).OrderByDescending(tag => tag == Secret).FirstOrDefault();

    public static string? Strictest(params IEnumerable<DatasetColumn> columns) => Strictest(columns.Select(column => column.Sensitivity));
}
