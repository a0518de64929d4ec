using System.Globalization;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;

namespace Qualiz.Engine.Profiling;

/// <param name="Column">Empty: of the whole dataset.</param>
public sealed record MetricValue(string Column, string Metric, double Value);

/// <summary>The figures of a dataset that are kept over time. Of sensitive columns only what says nothing of a single value.</summary>
public static class DatasetMetrics
{
    /// <summary>The share of cells with a value.</summary>
    public const string Completeness = "completeness";

    /// <summary>How many different values there are, about (HyperLogLog).</summary>
    public const string Distinct = "distinct";
    public const string Mean = "mean";
    public const string Min = "min";
    public const string Max = "max";

    /// <summary>Of wider datasets the first columns are measured.</summary>
    private const int MostColumns = 500;
    private const long MemoryBytes = 256L << 20;

    /// <param name="scratch">An existing folder of this call alone.</param>
    /// <exception cref="EngineException">A file is not what it claims to be.</exception>
    public static async Task<IReadOnlyList<MetricValue>> MeasureAsync(LocalDataset dataset, string scratch, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var figures = new List<(string Column, string Metric, string Sql)>();
        var columns = dataset.Schema.Columns.Where(column => !column.Hidden).Take(MostColumns).ToList();
        foreach (var column in columns)
        {
            var name = Sql.Identifier(column.Name);
            var type = DatasetFiles.TypeOf(column);
            figures.Add((column.Name, Completeness, $"count({name}) / count(*)"));
            if (!type.IsNested)
                figures.Add((column.Name, Distinct, $"approx_count_distinct({name})"));
            if (!type.IsNumeric || column.Sensitivity is not null)
                continue;
            // Not-a-number and the infinite have no place in a series.
            var number = $"CASE WHEN isfinite(CAST({name} AS DOUBLE)) THEN CAST({name} AS DOUBLE) END";
            figures.Add((column.Name, Mean, $"avg({number})"));
            figures.Add((column.Name, Min, $"min({number})"));
            figures.Add((column.Name, Max, $"max({number})"));
        }
        if (figures.Count == 0 || dataset.Dataset.Rows == 0)
            return [];
        using var session = EngineSession.Open(new EngineOptions { MemoryBytes = MemoryBytes, Threads = 1, Scratch = scratch, Paths = [.. dataset.Paths], PreserveOrder = false });
        var values = new List<MetricValue>();
        // One statement reads all columns once.
        var list = string.Join(", ", figures.Select((figure, i) => $"CAST({figure.Sql} AS DOUBLE) AS f{i.ToString(CultureInfo.InvariantCulture)}"));
        var rows = await session.QueryAsync(
            $"SELECT {list} FROM {DatasetFiles.Relation(dataset, [.. columns.Select(column => column.Name)])}",
            row => Enumerable.Range(0, figures.Count).Select(i => row.IsDBNull(i) ? (double?)null : row.GetDouble(i)).ToList(), ct).ConfigureAwait(false);
        for (var i = 0; i < figures.Count; i++)
        {
            if (rows[0][i] is { } value && double.IsFinite(value))
                values.Add(new MetricValue(figures[i].Column, figures[i].Metric, value));
        }
        return values;
    }
}
