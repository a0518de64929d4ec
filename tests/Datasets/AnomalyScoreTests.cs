using Qualiz.Datasets.Metrics;

namespace Qualiz.Datasets.Tests;

public sealed class AnomalyScoreTests
{
    private const int Days = 120;
    private const int Injected = 12;
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 6, 0, 0, TimeSpan.Zero);

    /// <summary>120 days of a number of rows: a week with a quiet end, a trend or none, noise, and 12 days that are far off on either side.</summary>
    [Fact]
    public void Ten_of_twelve_anomalies_are_found_with_at_most_one_false_alarm_a_month()
    {
        // Whatever the trend, the week and the noise; one series in twenty may have bad luck.
        var watched = Enumerable.Range(1, 100).Select(seed => Watch(seed, (seed % 7) - 2, seed % 5 * 0.15, 0.02 + (seed % 4 * 0.02))).ToList();
        watched.Count(series => series.Found >= 10 && series.Wrong <= Days / 30).ShouldBeGreaterThanOrEqualTo(
            95, $"{watched.Average(series => series.Found):0.00} found and {watched.Average(series => series.Wrong):0.00} wrong of a series; {watched.Count(series => series.Found < 10)} too few, {watched.Count(series => series.Wrong > 4)} too many");
    }

    private static (int Found, int Wrong) Watch(int seed, double trend, double weekend, double noise)
    {
        var random = new Random(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var anomalies = new HashSet<int>();
        while (anomalies.Count < Injected)
            anomalies.Add(random.Next(AnomalyScore.LeastPoints, Days));
        var points = new List<(DateTimeOffset At, double Value)>();
        var (found, wrong) = (0, 0);
        for (var day = 0; day < Days; day++)
        {
            var at = Start.AddDays(day);
            var usual = (1000 + (trend * day)) * (at.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 1 - weekend : 1);
            var value = usual * (1 + (noise * Normal()));
            if (anomalies.Contains(day))
                value = usual * (1 + ((random.Next(2) == 0 ? -1 : 1) * noise * (7 + (3 * random.NextDouble()))));
            var scored = AnomalyScore.Of(points, at, value, 0.005);
            (scored is null).ShouldBe(day < AnomalyScore.LeastPoints);
            if (scored is { IsAnomaly: true })
            {
                found += anomalies.Contains(day) ? 1 : 0;
                wrong += anomalies.Contains(day) ? 0 : 1;
            }
            points.Add((at, value));
        }
        return (found, wrong);
    }

    [Fact]
    public void A_quiet_weekend_is_none_and_a_quiet_monday_is_one()
    {
        var points = Enumerable.Range(0, 56).Select(day => (At: Start.AddDays(day), Value: Start.AddDays(day).DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 100.0 + (day % 3) : 1000.0 + (day % 5))).ToList();
        var monday = Start.AddDays(56);
        AnomalyScore.Of(points, monday, 1002, 0.005)!.Value.IsAnomaly.ShouldBeFalse();
        AnomalyScore.Of(points, monday, 101, 0.005)!.Value.IsAnomaly.ShouldBeTrue();
        AnomalyScore.Of(points, monday.AddDays(5), 101, 0.005)!.Value.IsAnomaly.ShouldBeFalse();
        AnomalyScore.Of(points, monday.AddDays(5), 1001, 0.005)!.Value.IsAnomaly.ShouldBeTrue();
    }

    [Fact]
    public void A_series_that_never_moved_takes_small_steps_and_no_great_ones()
    {
        var points = Enumerable.Range(0, 30).Select(day => (Start.AddDays(day), 1.0)).ToList();
        AnomalyScore.Of(points, Start.AddDays(30), 1, 0.005)!.Value.Score.ShouldBe(0);
        AnomalyScore.Of(points, Start.AddDays(30), 0.99, 0.005)!.Value.IsAnomaly.ShouldBeFalse();
        AnomalyScore.Of(points, Start.AddDays(30), 0.9, 0.005)!.Value.IsAnomaly.ShouldBeTrue();
        // Several in one moment, and all zero.
        AnomalyScore.Of([.. Enumerable.Repeat((Start, 0.0), 20)], Start, 0, 0.005)!.Value.IsAnomaly.ShouldBeFalse();
        AnomalyScore.Of([.. points.Take(13)], Start.AddDays(13), 1000, 0.005).ShouldBeNull();
    }
}
