using System.Globalization;
using Qualiz.Contracts;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Values;
using Qualiz.Platform.Messaging;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Starting;

/// <summary>When a run is late. Each of its times is a timer; one that fires after the run's end says nothing.</summary>
internal static class LateRuns
{
    /// <summary>Of fewer runs nobody can say what is usual.</summary>
    private const int FewestRuns = 3;

    public static void Watch(IOutbox outbox, RunState run, DateTimeOffset expected, string reason) =>
        outbox.SendAt(expected, Queues.RunSaga, new ReportLate { RunId = run.CorrelationId, Expected = expected, Reason = reason });

    /// <summary>The next time that clocks there show this: today's, or tomorrow's when today's is over.</summary>
    public static DateTimeOffset Next(TimeOnly by, string? timeZone, DateTimeOffset now)
    {
        var zone = Zone(timeZone);
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
        var today = At(day, by, zone);
        return today > now ? today : At(day.AddDays(1), by, zone);
    }

    public static string Reason(TimeOnly by, string? timeZone) =>
        string.Create(CultureInfo.InvariantCulture, $"It is not done by {by:HH:mm} ({Zone(timeZone).Id}).");

    public static string Reason(TimeSpan usual, double times) =>
        string.Create(CultureInfo.InvariantCulture, $"It takes longer than {times:0.##} times its usual {new Duration(usual < TimeSpan.FromSeconds(1) ? usual : TimeSpan.FromSeconds(Math.Round(usual.TotalSeconds)))}.");

    /// <returns>Null of too few.</returns>
    public static TimeSpan? Median(IReadOnlyList<TimeSpan> took)
    {
        if (took.Count < FewestRuns)
        {
            return null;
        }

        var sorted = took.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    private static TimeZoneInfo Zone(string? name) => name is not null && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var found) ? found : TimeZoneInfo.Utc;

    /// <summary>A time that clocks skip when they are put forward comes when they have been; of two equal ones the first counts.</summary>
    private static DateTimeOffset At(DateOnly day, TimeOnly by, TimeZoneInfo zone)
    {
        var local = day.ToDateTime(by, DateTimeKind.Unspecified);
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
