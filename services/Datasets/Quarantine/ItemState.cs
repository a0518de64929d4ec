namespace Qualiz.Datasets.Quarantine;

/// <summary>The states of a quarantine item, as they are kept and shown.</summary>
internal static class ItemState
{
    /// <summary>Waits for a person.</summary>
    public const string Open = "open";

    /// <summary>Has a repair that no run has applied yet.</summary>
    public const string Repaired = "repaired";

    /// <summary>Went through a later run with its repair.</summary>
    public const string Reinjected = "reinjected";

    /// <summary>The source has put it right.</summary>
    public const string Settled = "settled";
    public const string Dismissed = "dismissed";

    /// <summary>It had a repair, and the source sends something else now.</summary>
    public const string Superseded = "superseded";

    public static readonly IReadOnlyList<string> All = [Open, Repaired, Reinjected, Settled, Dismissed, Superseded];
}
