namespace Qualiz.Platform.Messaging;

/// <summary>Waits that double from a tenth of a second to 30 s, a little apart from each other so that not all come back at once.</summary>
internal struct BackOff
{
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private int _count;

    public TimeSpan Next() => After(_count++);

    public static TimeSpan After(int failures)
    {
        var seconds = Math.Min(Longest.TotalSeconds, 0.1 * Math.Pow(2, Math.Min(failures, 20)));
        return TimeSpan.FromSeconds(seconds * (0.8 + 0.2 * Random.Shared.NextDouble()));
    }
}
