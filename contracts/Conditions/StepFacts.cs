using System.Text.Json;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Contracts.Conditions;

/// <summary>What a condition can ask of a step. Serialised with <see cref="Json"/> it is what <c>steps.&lt;id&gt;</c> means.</summary>
public sealed record StepFacts
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>All names, for checking a condition before any run.</summary>
    public static readonly IReadOnlyList<string> Names =
        [.. typeof(StepFacts).GetProperties().Where(property => !property.GetMethod!.IsStatic).Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name))];

    /// <summary>waiting, running, completed, failed, skipped or cancelled.</summary>
    public required string Status { get; init; }

    /// <summary>Rows of the <c>out</c> port.</summary>
    public long Rows { get; init; }
    public long RowsIn { get; init; }
    public long Added { get; init; }
    public long Rejected { get; init; }
    public long Merged { get; init; }
    public long Filtered { get; init; }

    /// <summary>Rejected rows as a share of the rows in and added, 0 to 1; 0 when there were none.</summary>
    public double RejectedShare { get; init; }
    public int Warnings { get; init; }

    /// <summary>The operator's own counts, e.g. <c>warehouse.counts.new</c>.</summary>
    public IReadOnlyDictionary<string, long> Counts { get; init; } = new Dictionary<string, long>();

    public static StepFacts From(string status, StepOutcome? outcome)
    {
        if (outcome is null)
        {
            return new StepFacts { Status = status };
        }

        var rowsIn = outcome.Ledger.Sum(line => line.In + line.Added);
        return new StepFacts
        {
            Status = status,
            Rows = outcome.RowsOut,
            RowsIn = outcome.RowsIn,
            Added = outcome.Ledger.Sum(line => line.Added),
            Rejected = outcome.RowsRejected,
            Merged = outcome.Ledger.Sum(line => line.Merged),
            Filtered = outcome.Ledger.Sum(line => line.Filtered),
            RejectedShare = rowsIn == 0 ? 0 : (double)outcome.RowsRejected / rowsIn,
            Warnings = outcome.Warnings.Count,
            Counts = outcome.Counts,
        };
    }
}

/// <summary>What a condition can ask of its run. Serialised with <see cref="StepFacts.Json"/> it is what <c>run</c> means.</summary>
public sealed record RunFacts
{
    public static readonly IReadOnlyList<string> Names =
        [.. typeof(RunFacts).GetProperties().Where(property => !property.GetMethod!.IsStatic).Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name))];

    public required Guid Id { get; init; }
    public required string Project { get; init; }
    public required string Pipeline { get; init; }
    public required int Version { get; init; }

    /// <summary>The logical day, e.g. <c>2026-11-21</c>.</summary>
    public required DateOnly Day { get; init; }
    public required IntervalFacts Interval { get; init; }
    public required string Cause { get; init; }
}

public sealed record IntervalFacts(DateTimeOffset Start, DateTimeOffset End);
