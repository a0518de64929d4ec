using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Engine.Rows;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Quarantine;

/// <summary>An item as it is read: <see cref="Select"/> is the list of a SELECT that fills it.</summary>
internal sealed class QuarantineItem
{
    public const string Select =
        """
        i.id as Id, s.pipeline as Pipeline, s.step as Step, s.operator as Operator, s.applies_patches as Repairable, s.sensitive as Sensitive, s.plain as Plain, i.step_id as StepId,
        i.key as Key, i.hash as Hash, i.source as Source, i.row as Row, i.ingested as Ingested, coalesce(i.rejected, i.ingested) as Rejected, i.reasons as Reasons,
        i.first_run as FirstRun, i.last_run as LastRun, i.times as Times, i.state as State, i.assignee as Assignee, i.due::text as Due, i.note as Note,
        i.patch_id as PatchId, p.changes as Changes, i.repaired_run as RepairedRun, i.actor as Actor, i.at as At, i.created_at as CreatedAt, i.revision as Revision
        """;

    public const string From = "datasets.quarantine_item i join datasets.quarantine_step s on s.id = i.step_id left join datasets.patch p on p.id = i.patch_id";

    public long Id { get; set; }
    public string Pipeline { get; set; } = "";
    public string Step { get; set; } = "";
    public string? Operator { get; set; }
    public bool Repairable { get; set; }
    public string[]? Sensitive { get; set; }
    public string[] Plain { get; set; } = [];
    public long StepId { get; set; }
    public string Key { get; set; } = "";
    public string Hash { get; set; } = "";
    public string Source { get; set; } = "";
    public long Row { get; set; }
    public string Ingested { get; set; } = "";
    public string Rejected { get; set; } = "";
    public string Reasons { get; set; } = "";
    public Guid FirstRun { get; set; }
    public Guid LastRun { get; set; }
    public int Times { get; set; }
    public string State { get; set; } = "";
    public string? Assignee { get; set; }
    public string? Due { get; set; }
    public string? Note { get; set; }
    public long? PatchId { get; set; }
    public string? Changes { get; set; }

    /// <summary>The run in whose result the row is with a repair; when that is changed or taken back, until a later run says otherwise.</summary>
    public Guid? RepairedRun { get; set; }
    public string Actor { get; set; } = "";
    public DateTime At { get; set; }
    public DateTime CreatedAt { get; set; }
    public int Revision { get; set; }

    public bool HasSensitive => Sensitive is not { Length: 0 };

    /// <summary>What hides the sensitive values; null when there are none.</summary>
    public RejectedMask? Mask => Sensitive is { Length: 0 } ? null : new RejectedMask(Plain.ToHashSet(StringComparer.Ordinal));
}

/// <param name="Values">As ingested; sensitive ones are masked unless they are asked for.</param>
/// <param name="Rejected">As they were when the row was rejected.</param>
/// <param name="Reasons">[{rule, column, value, message}]</param>
/// <param name="Times">In how many runs it was rejected.</param>
/// <param name="Patch">The repair, when it has one.</param>
/// <param name="Repairable">True when its step applies repairs.</param>
/// <param name="Due">Until when somebody should have dealt with it.</param>
internal sealed record ItemView(
    long Id, string Pipeline, string Step, string? Operator, string Key, string Source, long Row, JsonElement Values, JsonElement Rejected, JsonElement Reasons,
    Guid FirstRun, Guid LastRun, int Times, string State, string? Assignee, string? Note, PatchView? Patch, Guid? RepairedRun, string Actor, DateTime At, DateTime CreatedAt,
    int Revision, bool Repairable, DateOnly? Due)
{
    public static ItemView Of(QuarantineItem item, bool unmask)
    {
        var mask = unmask ? null : item.Mask;
        return new ItemView(
            item.Id, item.Pipeline, item.Step, item.Operator, item.Key, item.Source, item.Row,
            Json(mask, "ingested", item.Ingested), Json(mask, "rejected", item.Rejected), Json(mask, "reasons", item.Reasons),
            item.FirstRun, item.LastRun, item.Times, item.State, item.Assignee, item.Note,
            item.PatchId is { } patch ? new PatchView(patch, Json(mask, "ingested", item.Changes ?? "{}")) : null,
            item.State == ItemState.Reinjected ? item.RepairedRun : null, item.Actor, item.At, item.CreatedAt, item.Revision, item.Repairable,
            item.Due is { } due ? DateOnly.ParseExact(due, "yyyy-MM-dd", CultureInfo.InvariantCulture) : null);
    }

    private static JsonElement Json(RejectedMask? mask, string part, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(mask is null ? text : mask.Mask(part, text));
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(mask is null ? text : RowReader.Mask);
        }
    }
}

/// <param name="Number">Patch #12.</param>
/// <param name="Changes">Column and new value.</param>
internal sealed record PatchView(long Number, JsonElement Changes);

/// <param name="Changes">Column and new value; null empties.</param>
internal sealed record RepairItem(JsonObject Changes, string? Note = null);

internal sealed record ChangeItem(string? Note = null);

/// <param name="Assignee">Null: nobody.</param>
internal sealed record AssignItem(string? Assignee);

/// <param name="Due">Until when it should be dealt with; null: at some time.</param>
internal sealed record SetDue(DateOnly? Due);

/// <summary>What is done to all items that the filter in the address chooses.</summary>
/// <param name="Action">repair, dismiss, reopen, undo, assign or due.</param>
/// <param name="Changes">For a repair: column and new value, the same for all.</param>
/// <param name="Due">For due: until when; null takes a date away.</param>
/// <param name="Expected">How many items it was meant for; when there are others by now, nothing is done.</param>
internal sealed record BulkChange(string Action, JsonObject? Changes = null, string? Note = null, string? Assignee = null, long? Expected = null, DateOnly? Due = null);

internal sealed record BulkChanged(long Items, bool DryRun);

internal sealed record SummaryLine(string Pipeline, string Step, string State, long Items);

internal sealed record ReasonLine(string Pipeline, string Step, string Rule, string? Column, long Open);

internal sealed record QuarantineSummary(IReadOnlyList<SummaryLine> States, IReadOnlyList<ReasonLine> Reasons);

/// <param name="RunId">In which run; null while they wait for the next one.</param>
internal sealed record RepairedRows(Guid? RunId, long Rows);

/// <summary>What has become of the rows that a step of a run rejected. <c>rejected</c> is the sum of all others.</summary>
internal sealed record StepAccount(
    string Step, long Rejected, IReadOnlyList<RepairedRows> Repaired, long Waiting, long Dismissed, long Settled, long Superseded, long Open, bool Balances, string Sentence);

/// <param name="Repaired">Rows that other runs rejected and that are in the result of this one, by the last run that rejected them.</param>
internal sealed record RunAccount(Guid RunId, IReadOnlyList<StepAccount> Steps, string Sentence, IReadOnlyList<RepairedRows> Repaired);

/// <param name="Version">The version of the pipeline; left out, the one of the run that rejected the rows.</param>
/// <param name="LatestVersion">The newest version.</param>
/// <param name="Whole">All rows are done again from the step on, even where the repaired ones alone would do; open ones too, which another version may let through.</param>
internal sealed record ReinjectItems(int? Version = null, bool LatestVersion = false, bool Whole = false);

/// <param name="RunId">The run that brings them into the result; null: none was started.</param>
/// <param name="Of">The run that rejected them.</param>
/// <param name="Rows">Rows with a repair, or with one that was taken back since they went through.</param>
/// <param name="Problem">Why none was started.</param>
internal sealed record ReinjectedItems(Guid? RunId, string Pipeline, string Step, Guid Of, long Rows, int? PipelineVersion, string? State, ApiError? Problem);

internal sealed record Reinjected(IReadOnlyList<ReinjectedItems> Runs, bool DryRun);

/// <summary>A line of a sheet that was not applied.</summary>
/// <param name="Line">As the spreadsheet counts, the header being 1.</param>
internal sealed record SheetProblem(int Line, long? Item, string? Column, string Message);

/// <param name="Repaired">Rows that have a new repair, those with the same values as a line's row among them.</param>
/// <param name="Unchanged">Lines that say what they said.</param>
/// <param name="Problems">At most 1,000 of the lines that were not applied.</param>
/// <param name="Refused">How many lines were not applied.</param>
internal sealed record SheetApplied(long Repaired, long Unchanged, IReadOnlyList<SheetProblem> Problems, long Refused, bool DryRun);
