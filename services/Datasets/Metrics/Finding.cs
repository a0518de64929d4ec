using Qualiz.Contracts.Data;
using Qualiz.Engine.Profiling;

namespace Qualiz.Datasets.Metrics;

/// <summary>Something about a version that is not as it used to be.</summary>
internal sealed record Finding(string Kind, string Column, string Metric, double? Expected = null, double? Score = null, string? Detail = null)
{
    public const string Anomaly = "anomaly";
    public const string ColumnGone = "columnGone";
    public const string ColumnNew = "columnNew";
    public const string ColumnType = "columnType";

    /// <summary>Columns have many figures: of a hundred series with the bound of one, some would always be beyond it by chance.</summary>
    private const double ColumnBound = 5;

    /// <summary>Figures of single extreme values are kept and not watched: an extreme is unusual by its nature. So are bytes, which say what rows say.</summary>
    private static readonly Dictionary<string, double> Floors = new()
    {
        [MetricNames.Rows] = 0.005,
        [MetricNames.Quality] = 0.005,
        [DatasetMetrics.Completeness] = 0.005,
        [DatasetMetrics.Mean] = 0.005,
        // The sketch's own deviation.
        [DatasetMetrics.Distinct] = 0.02,
    };

    /// <param name="history">By column and metric, oldest first.</param>
    public static IEnumerable<Finding> Anomalies(IEnumerable<MetricValue> values, ILookup<(string Column, string Metric), (DateTimeOffset At, double Value)> history, DateTimeOffset at)
    {
        foreach (var value in values)
        {
            if (!Floors.TryGetValue(value.Metric, out var floor))
                continue;
            if (AnomalyScore.Of([.. history[(value.Column, value.Metric)]], at, value.Value, floor) is { } scored
                && Math.Abs(scored.Score) > (value.Column.Length == 0 ? Scored.Bound : ColumnBound))
                yield return new Finding(Anomaly, value.Column, value.Metric, scored.Expected, scored.Score);
        }
    }

    /// <summary>How the columns differ from those of the version before.</summary>
    public static IEnumerable<Finding> Drift(DatasetSchema before, DatasetSchema now)
    {
        var (old, current) = (Visible(before), Visible(now));
        foreach (var (name, type) in old)
        {
            if (!current.TryGetValue(name, out var other))
                yield return new Finding(ColumnGone, name, "");
            else if (other != type)
                yield return new Finding(ColumnType, name, "", Detail: $"{type} before, {other} now");
        }
        foreach (var name in current.Keys.Where(name => !old.ContainsKey(name)))
            yield return new Finding(ColumnNew, name, "");
    }

    private static Dictionary<string, string> Visible(DatasetSchema schema) =>
        schema.Columns.Where(column => !column.Hidden).ToDictionary(column => column.Name, column => column.Type, StringComparer.Ordinal);
}

/// <summary>Figures of a whole version.</summary>
internal static class MetricNames
{
    public const string Rows = "rows";
    public const string Bytes = "bytes";

    /// <summary>The share of rows without a failing check, where the run says it.</summary>
    public const string Quality = "quality";
}
