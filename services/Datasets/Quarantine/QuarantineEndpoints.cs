using System.IO.Pipelines;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Qualiz.Datasets.Http;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Quarantine;

/// <summary>The queue of rejected rows across runs: look, repair, dismiss, reopen, export, try rules, and the account of a run.</summary>
internal static class QuarantineEndpoints
{
    private static readonly JsonSerializerOptions Lines = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void MapQuarantine(this IEndpointRouteBuilder project)
    {
        var quarantine = project.MapGroup("/quarantine").WithTags("Quarantine");
        quarantine.MapGet("", List).WithName("listQuarantine").WithSummary("Rejected rows across runs, oldest first");
        quarantine.MapGet("/summary", Summary).WithName("summarizeQuarantine").WithSummary("How many rows are in which state, and why the open ones were rejected");
        quarantine.MapGet("/export", Export).WithName("exportQuarantine").WithSummary("Rejected rows with their reasons as csv or jsonl, or those of one step as a workbook (xlsx) to mend and import").Produces<string>(contentType: "text/csv");
        quarantine.MapPost("/import", Import).WithName("importQuarantine").WithSummary("Takes a mended sheet (the exported xlsx, or saved as csv) and makes a repair of every line that was changed; dryRun=true only tells what would be")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        quarantine.MapPost("/bulk", Bulk).WithName("changeQuarantine").WithSummary("Repair, dismiss, reopen, undo or assign all rows, or give them a due date, that the filter chooses; dryRun=true only counts them")
            .ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status412PreconditionFailed);
        quarantine.MapPost("/reinject", Reinject).WithName("reinjectQuarantine").WithSummary("Brings the repaired rows into the result now, by a run from the step on that rejected them; choose them by pipeline, step and run")
            .ProducesProblem(StatusCodes.Status409Conflict);
        quarantine.MapPost("/try", Try).WithName("tryQuarantine").WithSummary("What a recipe would make of the open rows of a step, before it is saved: how many would pass, and why the others would not; nothing is changed")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
        quarantine.MapGet("/{item:long}", Get).WithName("getQuarantineItem").WithSummary("One rejected row; its ETag is what a change names in If-Match").ProducesProblem(404);
        quarantine.MapPost("/{item:long}/repair", Repair).WithName("repairQuarantineItem").WithSummary("Gives columns new values; the next run applies them before its rules").Changes();
        quarantine.MapPost("/{item:long}/dismiss", Dismiss).WithName("dismissQuarantineItem").WithSummary("Leaves the row out for good").Changes();
        quarantine.MapPost("/{item:long}/reopen", Reopen).WithName("reopenQuarantineItem").WithSummary("Puts a dismissed or settled row back into the queue").Changes();
        quarantine.MapPost("/{item:long}/undo", Undo).WithName("undoQuarantineRepair").WithSummary("Takes a repair back; the next run sees the row as the source sends it").Changes();
        quarantine.MapPost("/{item:long}/assign", Assign).WithName("assignQuarantineItem").WithSummary("Gives the row to somebody, or to nobody").Changes();
        quarantine.MapPost("/{item:long}/due", Due).WithName("setQuarantineItemDue").WithSummary("Says until when somebody should have dealt with the row").Changes();
        project.MapGet("/runs/{run:guid}/quarantine", Account).WithTags("Runs").WithName("getRunQuarantine").WithSummary("What has become of the rows that a run rejected").ProducesProblem(404);
    }

    private static RouteHandlerBuilder Changes(this RouteHandlerBuilder endpoint) => endpoint
        .ProducesProblem(404).ProducesProblem(409).ProducesProblem(412).ProducesProblem(422).ProducesProblem(428);

    private static async Task<Ok<Page<ItemView>>> List(
        [AsParameters] QuarantineFilter filter, PageRequest page, HttpContext http, QuarantineQueries queries, UnmaskAudit audit, CancellationToken ct, bool unmask = false)
    {
        var found = await queries.PageAsync(filter, page.TryGetAfter<long>(out var after) ? after : 0, page.Limit + 1, ct);
        if (unmask && found.Any(item => item.HasSensitive))
            await audit.RecordAsync(http, "quarantine", found.SelectMany(item => item.Sensitive ?? []), ct);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(Page.Of([.. found.Select(item => ItemView.Of(item, unmask))], page, item => item.Id));
    }

    private static async Task<Ok<ItemView>> Get(long item, HttpContext http, QuarantineWork work, UnmaskAudit audit, CancellationToken ct, bool unmask = false)
    {
        var found = await work.FindAsync(item, ct);
        if (unmask && found.HasSensitive)
            await audit.RecordAsync(http, $"quarantine:{item}", found.Sensitive ?? [], ct);
        return Answer(http, found, unmask);
    }

    private static async Task<Ok<QuarantineSummary>> Summary([AsParameters] QuarantineFilter filter, QuarantineQueries queries, CancellationToken ct) =>
        TypedResults.Ok(await queries.SummaryAsync(filter, ct));

    private static async Task<Results<Ok<RunAccount>, ProblemHttpResult>> Account(Guid run, QuarantineQueries queries, CancellationToken ct) =>
        await queries.AccountAsync(run, ct) is { } account
            ? TypedResults.Ok(account)
            : ApiProblem.Of(StatusCodes.Status404NotFound, "notFound", $"Run {run} has no rejected rows in the quarantine.");

    private static async Task<Ok<ItemView>> Repair(long item, RepairItem body, HttpContext http, QuarantineWork work, CancellationToken ct) =>
        Answer(http, await work.ChangeAsync(item, new BulkChange("repair", body.Changes, body.Note), http, ct));

    private static async Task<Ok<ItemView>> Dismiss(long item, HttpContext http, QuarantineWork work, CancellationToken ct, ChangeItem? body = null) =>
        Answer(http, await work.ChangeAsync(item, new BulkChange("dismiss", Note: body?.Note), http, ct));

    private static async Task<Ok<ItemView>> Reopen(long item, HttpContext http, QuarantineWork work, CancellationToken ct, ChangeItem? body = null) =>
        Answer(http, await work.ChangeAsync(item, new BulkChange("reopen", Note: body?.Note), http, ct));

    private static async Task<Ok<ItemView>> Undo(long item, HttpContext http, QuarantineWork work, CancellationToken ct, ChangeItem? body = null) =>
        Answer(http, await work.ChangeAsync(item, new BulkChange("undo", Note: body?.Note), http, ct));

    private static async Task<Ok<ItemView>> Assign(long item, AssignItem body, HttpContext http, QuarantineWork work, CancellationToken ct) =>
        Answer(http, await work.ChangeAsync(item, new BulkChange("assign", Assignee: body.Assignee), http, ct));

    private static async Task<Ok<ItemView>> Due(long item, SetDue body, HttpContext http, QuarantineWork work, CancellationToken ct) =>
        Answer(http, await work.ChangeAsync(item, new BulkChange("due", Due: body.Due), http, ct));

    private static async Task<Ok<BulkChanged>> Bulk(
        [AsParameters] QuarantineFilter filter, BulkChange body, HttpContext http, QuarantineWork work, CancellationToken ct, bool dryRun = false) =>
        TypedResults.Ok(await work.ChangeAllAsync(filter, body, dryRun, http, ct));

    private static async Task<Ok<Reinjected>> Reinject(
        [AsParameters] QuarantineFilter filter, HttpContext http, QuarantineReinjection reinjection, CancellationToken ct,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey = null, ReinjectItems? body = null, bool dryRun = false) =>
        TypedResults.Ok(await reinjection.StartAsync(filter, body ?? new ReinjectItems(), dryRun, idempotencyKey, http.Actor(), ct));

    private static async Task<Ok<Tried>> Try(
        [AsParameters] QuarantineFilter filter, TryRecipe body, HttpContext http, QuarantineTrial trial, QuarantineQueries queries, UnmaskAudit audit, CancellationToken ct, bool unmask = false)
    {
        if (unmask && await queries.SensitiveAsync(filter, ct) is { } sensitive)
            await audit.RecordAsync(http, "quarantine", sensitive, ct);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(await trial.TryAsync(filter, body, unmask, ct));
    }

    private static async Task<IResult> Export(
        [AsParameters] QuarantineFilter filter, HttpContext http, QuarantineQueries queries, UnmaskAudit audit, CancellationToken ct, string format = "csv", bool unmask = false)
    {
        if (format is not ("csv" or "jsonl" or "xlsx"))
            return ApiProblem.BadRequest($"\"{format}\" is no format to export; there are csv, jsonl and xlsx.", [new ApiError("is no format", "format", Suggestion: "csv")]);
        // What is wrong with the filter, and who sees sensitive values, is settled before the answer begins.
        var sensitive = await queries.SensitiveAsync(filter, ct);
        if (unmask && sensitive is not null)
            await audit.RecordAsync(http, "quarantine", sensitive, ct);
        if (format == "xlsx")
            return await SheetAsync(filter, http, queries, unmask, ct);
        var response = http.Response;
        response.Headers.CacheControl = "no-store";
        response.ContentType = format == "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson";
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName($"quarantine.{format}");
        response.Headers.ContentDisposition = disposition.ToString();
        var output = response.BodyWriter;
        if (format == "csv")
            Write(output, "id,pipeline,step,state,times,firstRun,lastRun,assignee,note,source,row,key,values,rejected,reasons,changes\r\n");
        await foreach (var item in queries.AllAsync(filter, ct))
        {
            var view = ItemView.Of(item, unmask);
            Write(output, format == "jsonl" ? JsonSerializer.Serialize(view, Lines) + "\n" : Csv(view));
            if (output.UnflushedBytes > 64 << 10)
                await output.FlushAsync(ct);
        }
        await output.FlushAsync(ct);
        return Results.Empty;
    }

    private static async Task<IResult> SheetAsync(QuarantineFilter filter, HttpContext http, QuarantineQueries queries, bool unmask, CancellationToken ct)
    {
        var columns = await queries.ColumnsAsync(filter, QuarantineSheet.MostRows, ct);
        var file = OpenScratch();
        try
        {
            // The library asks for lines one after the other, on this thread.
            await Task.Run(() => QuarantineSheet.Write(file, queries.AllAsync(filter, ct).ToBlockingEnumerable(ct).Take(QuarantineSheet.MostRows).Select(item => ItemView.Of(item, unmask)), columns), ct);
            file.Position = 0;
            http.Response.Headers.CacheControl = "no-store";
            return TypedResults.Stream(file, QuarantineSheet.MediaType, "quarantine.xlsx");
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    private static async Task<Ok<SheetApplied>> Import(HttpContext http, QuarantineWork work, CancellationToken ct, string? note = null, bool dryRun = false)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = QuarantineSheet.MostBytes;
        await using var file = OpenScratch();
        await http.Request.Body.CopyToAsync(file, ct);
        file.Position = 0;
        var lines = await Task.Run(() => QuarantineSheet.Read(file), ct);
        return TypedResults.Ok(await work.ApplyAsync(lines, note, dryRun, http, ct));
    }

    private static FileStream OpenScratch() =>
        new(Path.Combine(Path.GetTempPath(), $"qualiz-sheet-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose | FileOptions.Asynchronous);

    private static string Csv(ItemView item) => string.Join(',', ((string?[])
    [
        item.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), item.Pipeline, item.Step, item.State,
        item.Times.ToString(System.Globalization.CultureInfo.InvariantCulture), item.FirstRun.ToString(), item.LastRun.ToString(), item.Assignee, item.Note,
        item.Source, item.Row.ToString(System.Globalization.CultureInfo.InvariantCulture), item.Key,
        Text(item.Values), Text(item.Rejected), Text(item.Reasons), item.Patch is { } patch ? Text(patch.Changes) : null,
    ]).Select(Cell)) + "\r\n";

    private static string Text(JsonElement json) => JsonSerializer.Serialize(json, Lines);

    private static string Cell(string? text) =>
        text is null ? "" : text.AsSpan().IndexOfAny(",\"\r\n") < 0 && text.Length > 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static void Write(PipeWriter output, string text) => Encoding.UTF8.GetBytes(text, output);

    private static Ok<ItemView> Answer(HttpContext http, QuarantineItem item, bool unmask = false)
    {
        http.Response.SetETag(item.Revision);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(ItemView.Of(item, unmask));
    }
}
