using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Runs.Starting;

/// <summary>The day and the interval that a run is about, in the time zone of its pipeline.</summary>
internal static class LogicalTime
{
    /// <returns>Null when what was given contradicts itself; <paramref name="problem"/> says how.</returns>
    public static LogicalInterval? Of(StartRun start, string? timeZone, DateTimeOffset now, out ParameterProblem? problem)
    {
        problem = null;
        var zone = timeZone is not null && TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out var found) ? found : TimeZoneInfo.Utc;
        switch (start.IntervalStart, start.IntervalEnd)
        {
            case ({ } from, { } to) when from < to:
                var day = start.Day ?? DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(from, zone).DateTime);
                return new LogicalInterval(day, from.ToUniversalTime(), to.ToUniversalTime());
            case ({ }, { }):
                problem = new ParameterProblem("interval", "ends before it starts");
                return null;
            case (null, null):
                var on = start.Day ?? DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
                if (on == DateOnly.MaxValue)
                {
                    problem = new ParameterProblem("day", "is too late");
                    return null;
                }

                return new LogicalInterval(on, Midnight(on, zone), Midnight(on.AddDays(1), zone));
            default:
                problem = new ParameterProblem("interval", "has a start and an end, or neither is given");
                return null;
        }
    }

    /// <summary>The day's first moment: where clocks are put forward at midnight, that is one o'clock.</summary>
    private static DateTimeOffset Midnight(DateOnly day, TimeZoneInfo zone)
    {
        var local = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Unspecified);
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        // Of two equal midnights (clocks put back) the first.
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
