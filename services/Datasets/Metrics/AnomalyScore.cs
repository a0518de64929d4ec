namespace Qualiz.Datasets.Metrics;

/// <param name="Expected">What the points before led one to expect.</param>
/// <param name="Score">By how many standard deviations it lies elsewhere; the sign says on which side.</param>
internal readonly record struct Scored(double Expected, double Score)
{
    /// <summary>Iglewicz and Hoaglin's bound for the modified z-score.</summary>
    public const double Bound = 3.5;

    public bool IsAnomaly => Math.Abs(Score) > Bound;
}

/// <summary>
/// How unusual a figure is beside those before it: a robust z-score (medians and median deviations, which a few outliers do not move), after taking away
/// the trend and, where that makes the series calmer, what belongs to the day of the week.
/// </summary>
internal static class AnomalyScore
{
    /// <summary>Below it nothing is said: two weeks are the least that can show a week.</summary>
    public const int LeastPoints = 14;

    /// <summary>How many points are looked back: six weeks of days, so that a series that has changed for good is a normal one again after three.</summary>
    public const int Window = 42;

    /// <summary>Of each weekday there must be more points than this to tell what is usual on it: of fewer one that is off decides.</summary>
    private const int LeastOfDay = 3;

    /// <summary>Turns median absolute deviations into standard deviations, for normally distributed values.</summary>
    private const double Normal = 1.4826;

    /// <param name="history">Earlier points, oldest first; the last <see cref="Window"/> count.</param>
    /// <param name="floor">The least deviation that is taken seriously, as a share of the level: a series that never moved would else make an alarm of nothing.</param>
    /// <returns>Null: too few points.</returns>
    public static Scored? Of(IReadOnlyList<(DateTimeOffset At, double Value)> history, DateTimeOffset at, double value, double floor)
    {
        if (history.Count < LeastPoints)
            return null;
        var points = history.Skip(Math.Max(0, history.Count - Window)).ToList();
        // What is counted and summed moves by shares: half as many on a Sunday, and half as much up and down.
        if (value > 0 && points.TrueForAll(point => point.Value > 0))
        {
            var scored = Of(points.ConvertAll(point => (point.At, Math.Log(point.Value))), at, Math.Log(value), floor, relative: false);
            return scored with { Expected = Math.Exp(scored.Expected) };
        }
        return Of(points, at, value, floor, relative: true);
    }

    /// <param name="relative">The floor is a share of the level, not a difference.</param>
    private static Scored Of(List<(DateTimeOffset At, double Value)> points, DateTimeOffset at, double value, double floor, bool relative)
    {
        var days = points.ConvertAll(point => (point.At - at).TotalDays);
        var weekdays = points.ConvertAll(point => point.At.UtcDateTime.DayOfWeek);
        var slope = Slope(points, days, weekdays);
        // What each point would be now.
        var levels = points.Select((point, i) => point.Value - (slope * days[i])).ToList();
        var plain = Predict(levels, _ => true);
        var today = at.UtcDateTime.DayOfWeek;
        var ofDay = weekdays.Contains(today) ? Predict(levels, i => weekdays[i] == today) : plain;
        var (expected, deviation) = (plain, Deviation(levels, (_, _) => true));
        if (weekdays.GroupBy(day => day).All(day => day.Count() > LeastOfDay))
        {
            var seasonal = Deviation(levels, (i, j) => weekdays[i] == weekdays[j]);
            if (seasonal < deviation)
                (expected, deviation) = (ofDay, seasonal);
        }
        else if (Math.Abs(value - ofDay) < Math.Abs(value - plain))
        {
            // As long as it cannot be told whether the day of the week matters, what is usual by either view is usual.
            expected = ofDay;
        }
        var scale = Math.Max(Normal * deviation, Math.Max(relative ? floor * Math.Abs(expected) : floor, 1e-9));
        return new Scored(expected, (value - expected) / scale);
    }

    private static double Predict(List<double> levels, Func<int, bool> with) => Median([.. levels.Where((_, i) => with(i))]);

    /// <summary>The median deviation of points from what the others say of them. From all others: a point that helps to predict itself deviates too little, the more so the fewer there are.</summary>
    private static double Deviation(List<double> levels, Func<int, int, bool> alike)
    {
        var deviations = new List<double>(levels.Count);
        for (var i = 0; i < levels.Count; i++)
        {
            var at = i;
            deviations.Add(Math.Abs(levels[i] - Predict(levels, other => other != at && alike(at, other))));
        }
        return Median(deviations);
    }

    /// <summary>Theil and Sen's: the median of the slopes between points of the same weekday, else of all.</summary>
    private static double Slope(List<(DateTimeOffset At, double Value)> points, List<double> days, List<DayOfWeek> weekdays)
    {
        var (same, all) = (new List<double>(), new List<double>());
        for (var i = 0; i < points.Count; i++)
        {
            for (var j = i + 1; j < points.Count; j++)
            {
                var apart = days[j] - days[i];
                if (apart < 1e-6)
                    continue;
                var slope = (points[j].Value - points[i].Value) / apart;
                all.Add(slope);
                if (weekdays[i] == weekdays[j] && apart > 1)
                    same.Add(slope);
            }
        }
        return same.Count >= LeastPoints ? Median(same) : all.Count == 0 ? 0 : Median(all);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values.Count == 0 ? 0 : values.Count % 2 == 1 ? values[values.Count / 2] : (values[(values.Count / 2) - 1] + values[values.Count / 2]) / 2;
    }
}
