namespace Qualiz.Contracts.Data;

/// <summary>
/// Where the rows of one input of a step went: <c>in + added = out + rejected + merged + filtered</c>.
/// </summary>
public sealed record StepLedger
{
    /// <summary>The input's name as written in the pipeline file; the source's name for a step that reads from outside.</summary>
    public required string Input { get; init; }
    public required long In { get; init; }
    public long Added { get; init; }
    public required long Out { get; init; }
    public long Rejected { get; init; }
    public long Merged { get; init; }
    public long Filtered { get; init; }

    /// <summary>Row counts by cause. A row with several reasons counts under each, so they need not add up to the totals.</summary>
    public IReadOnlyList<LedgerReason> Reasons { get; init; } = [];

    /// <summary>False: rows that come out are not rows that came in (aggregates, SQL); then only <c>in</c> is known.</summary>
    public bool Accounted { get; init; } = true;

    public bool Balances => !Accounted || In + Added == Out + Rejected + Merged + Filtered;
}

/// <param name="Kind">added, rejected, merged or filtered.</param>
/// <param name="Reason">The rule or check, e.g. <c>notNull(email)</c>.</param>
public sealed record LedgerReason(string Kind, string Reason, long Rows);
