using System.Data.Common;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Types;

namespace Qualiz.Engine.Profiling;

/// <summary>
/// Profiles a dataset with bounded memory: each column is read once and grouped by value, which spills to disk where a column
/// has many; everything else follows from the groups.
/// </summary>
public static class DatasetProfiler
{
    /// <summary>Longer values are cut in what is shown.</summary>
    private const int Shown = 80;
    private const int TopValues = 10;

    private const long MemoryBytes = 512L << 20;

    /// <param name="scratch">An existing folder of this profile alone.</param>
    /// <exception cref="EngineException">A file is not what it claims to be.</exception>
    public static async Task<DatasetProfile> ProfileAsync(LocalDataset dataset, string scratch, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        using var session = EngineSession.Open(new EngineOptions
        {
            MemoryBytes = MemoryBytes,
            Threads = Math.Max(1, Environment.ProcessorCount / 2),
            Scratch = scratch,
            Paths = [.. dataset.Paths],
            PreserveOrder = false,
        });
        var columns = new List<ColumnProfile>();
        foreach (var column in dataset.Schema.Columns.Where(column => !column.Hidden))
        {
            columns.Add(await ProfileAsync(session, dataset, column, ct).ConfigureAwait(false));
        }
        return new DatasetProfile { Rows = dataset.Dataset.Rows, Columns = columns };
    }

    private static async Task<ColumnProfile> ProfileAsync(EngineSession session, LocalDataset dataset, DatasetColumn column, CancellationToken ct)
    {
        var type = DatasetFiles.TypeOf(column);
        var isText = type == ColumnType.Text;
        var isOrdered = type != ColumnType.Json && type is not (ColumnType.ListType or ColumnType.StructType);
        var isNumber = type.IsNumeric;
        var name = Sql.Identifier(column.Name);
        var (wire, _) = WireExpression.Of(type, "v");
        // What is nested is compared as the text that it travels as; some of it cannot be grouped.
        var value = isOrdered ? name : WireExpression.Of(type, name).Sql;
        var shown = $"left(CAST({(isOrdered ? wire : "v")} AS VARCHAR), {Shown})";
        await session.ExecuteAsync(
            $"CREATE OR REPLACE TEMP TABLE g AS SELECT {value} AS v, count(*) AS n FROM {DatasetFiles.Relation(dataset, [column.Name])} GROUP BY 1", ct).ConfigureAwait(false);
        var masked = column.Sensitivity is not null;
        var facts = (await session.QueryAsync(
            $"""
            SELECT coalesce(CAST(sum(n) FILTER (WHERE v IS NULL) AS BIGINT), 0), count(v),
                {(isText ? "coalesce(CAST(sum(n) FILTER (WHERE trim(v) = '') AS BIGINT), 0), min(length(v)), max(length(v))" : "CAST(0 AS BIGINT), NULL, NULL")},
                {(isNumber && !masked ? "CAST(sum(CAST(v AS DOUBLE) * n) / nullif(sum(n) FILTER (WHERE v IS NOT NULL), 0) AS DOUBLE)" : "NULL")}
            FROM g
            """,
            row => (Nulls: Long(row, 0) ?? 0, Distinct: Long(row, 1) ?? 0, Blank: Long(row, 2) ?? 0, Shortest: Long(row, 3), Longest: Long(row, 4), Mean: row.IsDBNull(5) ? (double?)null : row.GetDouble(5)),
            ct).ConfigureAwait(false)).Single();
        var profile = new ColumnProfile
        {
            Name = column.Name,
            Type = column.Type,
            Masked = masked,
            Nulls = facts.Nulls,
            Blank = facts.Blank,
            Distinct = facts.Distinct,
            Mean = facts.Mean is { } mean && double.IsFinite(mean) ? mean : null,
            MinLength = facts.Shortest,
            MaxLength = facts.Longest,
        };
        if (masked)
        {
            return profile;
        }
        var ends = isOrdered
            ? (await session.QueryAsync(
                $"SELECT (SELECT {shown} FROM (SELECT min(v) AS v FROM g)), (SELECT {shown} FROM (SELECT max(v) AS v FROM g))",
                row => (Min: row.IsDBNull(0) ? null : row.GetString(0), Max: row.IsDBNull(1) ? null : row.GetString(1)), ct).ConfigureAwait(false)).Single()
            : (Min: null, Max: null);
        return profile with
        {
            Min = ends.Min,
            Max = ends.Max,
            Top = await CountsAsync(session, $"SELECT {shown} AS value, n FROM g WHERE v IS NOT NULL ORDER BY n DESC, 1 LIMIT {TopValues}", ct).ConfigureAwait(false),
            Patterns = isText
                ? await CountsAsync(
                    session,
                    $$"""
                    SELECT regexp_replace(regexp_replace(regexp_replace(left(v, {{Shown}}), '[0-9]', '9', 'g'), '\p{Lu}+', 'A', 'g'), '[\p{Ll}\p{Lt}\p{Lo}]+', 'a', 'g') AS value,
                        CAST(sum(n) AS BIGINT) AS n
                    FROM g WHERE v IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT {{TopValues}}
                    """,
                    ct).ConfigureAwait(false)
                : [],
        };
    }

    private static Task<IReadOnlyList<ValueCount>> CountsAsync(EngineSession session, string sql, CancellationToken ct) =>
        session.QueryAsync(sql, row => new ValueCount(row.GetString(0), row.GetInt64(1)), ct);

    private static long? Long(DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : Convert.ToInt64(row.GetValue(column), System.Globalization.CultureInfo.InvariantCulture);
}
