using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Datasets;

/// <summary>
/// What tells the rows of a table apart: the engine's own <c>rowid</c>, from 0 on. A column of the data hides it when it has the same name; then the
/// table gets a column for it.
/// </summary>
internal sealed class RowNumber
{
    private const string Own = "rowid";

    /// <param name="columns">Of the data.</param>
    /// <param name="free">A name that none of them has.</param>
    public RowNumber(IEnumerable<string> columns, string free)
    {
        IsHidden = columns.Contains(Own, StringComparer.OrdinalIgnoreCase);
        Column = IsHidden ? Sql.Identifier(free) : Own;
    }

    public bool IsHidden { get; }

    /// <summary>The number, in a query on the table.</summary>
    public string Column { get; }

    /// <summary>What makes the table of the rows of a query.</summary>
    public string CreateTable(string table, string query) =>
        $"CREATE TABLE {table} AS SELECT *{(IsHidden ? $", row_number() OVER () - 1 AS {Column}" : "")} FROM ({query})";
}
