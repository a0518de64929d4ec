using Qualiz.Contracts.Data;

namespace Qualiz.Engine.Rows;

/// <summary>The row to read next: which file of the dataset, and which record in it (0-based).</summary>
public readonly record struct RowPosition(int File, long Row);

public sealed record RowQuery
{
    /// <summary>The columns to read, in this order.</summary>
    public required IReadOnlyList<DatasetColumn> Columns { get; init; }

    /// <summary>Columns whose values are replaced by <see cref="RowReader.Mask"/>; what is missing stays missing.</summary>
    public IReadOnlySet<string> Masked { get; init; } = new HashSet<string>();

    /// <summary>Sensitive names inside the JSON columns of rejected rows.</summary>
    public RejectedMask? MaskInside { get; init; }

    /// <summary>Only rejected rows that have this rule or check among their reasons.</summary>
    public string? Rule { get; init; }

    /// <summary>Only rejected rows that have a reason about this column.</summary>
    public string? ReasonColumn { get; init; }

    /// <summary>Only rows that have exactly these texts in these columns.</summary>
    public IReadOnlyList<(string Column, string Text)> Having { get; init; } = [];

    public RowPosition From { get; init; }
    public long Limit { get; init; } = long.MaxValue;
}
