using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Net.Http.Headers;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Text;
using Qualiz.Datasets.Http;
using Qualiz.Engine.Clustering;
using Qualiz.Engine.Matching;
using Qualiz.Engine.Profiling;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Suggestions;
using Qualiz.Platform.Http;

namespace Qualiz.Datasets.Rows;

/// <summary>Answers with pages of rows and with downloads.</summary>
internal sealed class RowAnswers(DatasetFileAccess files, UnmaskAudit audit)
{
    /// <summary>A page ends when it is this big, however few rows it has.</summary>
    private const int MostPageBytes = 4 << 20;
    private const int FlushBytes = 64 << 10;

    /// <summary>Another one with every build that differs.</summary>
    private static readonly string Profiler = typeof(DatasetProfiler).Module.ModuleVersionId.ToString("N")[..12];
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public async Task<IResult> PageAsync(HttpContext http, RowSource source, RowsRequest request, PageRequest page, CancellationToken ct)
    {
        // One row more than asked tells whether there is a next page.
        var query = Query(source, request) with { From = Position(source, page), Limit = page.Limit + 1L };
        await AuditAsync(http, source, query, request, ct);

        using var opened = await files.OpenPageAsync(source.Content, ct);
        using var reader = RowReader.Open(opened.Dataset, opened.Scratch);
        var body = new ArrayBufferWriter<byte>(FlushBytes);
        await using (var json = new Utf8JsonWriter(body, Json))
        {
            json.WriteStartObject();
            json.WritePropertyName("columns");
            JsonSerializer.Serialize(json, query.Columns.Select(column => ColumnView.Of(column, request.Unmask == true)), JsonSerializerOptions.Web);
            json.WriteNumber("rows", source.Content.Rows);
            json.WriteStartArray("items");
            var count = 0;
            RowPosition? last = null;
            var more = false;
            await foreach (var row in reader.ReadAsync(query, ct))
            {
                if (count == page.Limit || body.WrittenCount + json.BytesPending > MostPageBytes)
                {
                    more = true;
                    break;
                }
                row.WriteJson(json);
                last = row.Next;
                count++;
            }
            json.WriteEndArray();
            json.WritePropertyName("next");
            if (more && last is { } next)
                json.WriteStringValue(new RowCursor(source.Stamp, next.File, next.Row).Encode());
            else
                json.WriteNullValue();
            json.WriteEndObject();
        }
        // Rows may be personal: no cache keeps them.
        http.Response.Headers.CacheControl = "no-store";
        return Results.Bytes(body.WrittenMemory, "application/json");
    }

    /// <summary>Of all columns, the sensitive ones masked. A dataset's content never changes, so whoever has the profile keeps it, until another build may tell more.</summary>
    public async Task<IResult> ProfileAsync(HttpContext http, RowSource source, bool dependencies, CancellationToken ct)
    {
        var stamp = $"{source.Stamp}-{(dependencies ? "dependencies-" : "")}{Profiler}";
        http.Response.SetETag(stamp);
        if (http.Request.HasCurrent(stamp))
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        using var opened = await files.OpenDownloadAsync(source.Content, ct);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(await DatasetProfiler.ProfileAsync(opened.Dataset, opened.Scratch, dependencies, ct));
    }

    /// <summary>Rules and checks that the rows speak for. Their evidence is values: sensitive columns are left out unless they are asked for, which is on record.</summary>
    public async Task<IResult> SuggestionsAsync(HttpContext http, RowSource source, bool unmask, CancellationToken ct)
    {
        var request = new RowsRequest { Unmask = unmask };
        await AuditAsync(http, source, Query(source, request), request, ct);
        using var opened = await files.OpenDownloadAsync(source.Content, ct);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(await SuggestionFinder.FindAsync(
            opened.Dataset, unmask, new EngineOptions { MemoryBytes = SuggestionFinder.MemoryBytes, Threads = Environment.ProcessorCount, Scratch = opened.Scratch }, ct));
    }

    /// <summary>Values of a column that are probably spellings of one another. They are values: of a sensitive column only unmasked, which is on record.</summary>
    public async Task<IResult> ClustersAsync(HttpContext http, RowSource source, string column, ClustersRequest request, CancellationToken ct)
    {
        var query = Query(source, new RowsRequest { Columns = column, Unmask = request.Unmask });
        var by = request.By ?? "fingerprint";
        if (!Enum.GetValues<ClusterMethod>().Any(method => Word(method) == by))
            return ApiProblem.BadRequest($"\"{by}\" is no way to compare values; there are {string.Join(", ", Enum.GetValues<ClusterMethod>().Select(Word))}.", [new ApiError("is not known", "by", Suggestion: "fingerprint")]);
        if (query.Columns is not [{ Type: "text" } chosen])
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", $"\"{column}\" is no text column; only texts are spelt in several ways.", [new ApiError("is no text column", "column")]);
        if (query.Masked.Count > 0)
            throw new ApiException(StatusCodes.Status403Forbidden, "masked", $"The values of \"{column}\" are sensitive; ask with unmask=true, which is put on record.", [new ApiError("is masked", "column")]);
        await AuditAsync(http, source, query, new RowsRequest { Unmask = request.Unmask }, ct);
        using var opened = await files.OpenDownloadAsync(source.Content, ct);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(await ValueClusterer.FindAsync(
            opened.Dataset, chosen.Name, Enum.Parse<ClusterMethod>(by, ignoreCase: true), Math.Clamp(request.Limit ?? ClustersRequest.DefaultLimit, 1, ClustersRequest.MostClusters), opened.Scratch, ct));
    }

    /// <summary>Why some rows are one entity, from what a matching step wrote. What was compared is told, no values.</summary>
    public async Task<IResult> EntityAsync(HttpContext http, RowSource members, RowSource pairs, string entity, CancellationToken ct)
    {
        if (!EntityExplainer.CanExplain(members.Content.Schema, pairs.Content.Schema))
            throw new ApiException(StatusCodes.Status409Conflict, "noEntities", "This step makes no entities; a step that deduplicates does.");
        using var opened = await files.OpenDownloadAsync(members.Content, ct);
        using var beside = await files.OpenBesideAsync(pairs.Content, ct);
        http.Response.Headers.CacheControl = "no-store";
        return await EntityExplainer.ExplainAsync(opened.Dataset, beside.Dataset, entity, new EngineOptions { MemoryBytes = EntityExplainer.MemoryBytes, Threads = Environment.ProcessorCount, Scratch = opened.Scratch }, ct) is { } explanation
            ? TypedResults.Ok(explanation)
            : throw new ApiException(StatusCodes.Status404NotFound, "notFound", "There is no such entity, and no row of that number; ./qualiz run --out saves all of them.");
    }

    private static string Word(ClusterMethod method) => JsonNamingPolicy.CamelCase.ConvertName(method.ToString());

    public async Task<IResult> DownloadAsync(HttpContext http, RowSource source, RowsRequest request, CancellationToken ct)
    {
        var format = request.Format ?? "parquet";
        if (format is not ("parquet" or "csv" or "jsonl"))
            return ApiProblem.BadRequest($"\"{format}\" is no format to download; there are parquet, csv and jsonl.", [new ApiError("is no format", "format", Suggestion: "csv")]);
        var query = Query(source, request);
        if (format == "parquet" && query.MaskInside is not null)
            // Masks inside JSON are made row by row, which the columnar copy does not do.
            return ApiProblem.BadRequest("Rejected rows with sensitive columns are downloaded as csv or jsonl, or as parquet with unmask=true.", [new ApiError("is not possible here", "format", Suggestion: "csv")]);
        await AuditAsync(http, source, query, request, ct);

        using var opened = await files.OpenDownloadAsync(source.Content, ct);
        var response = http.Response;
        response.Headers.CacheControl = "no-store";
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName($"{source.FileName}.{format}");
        if (format == "parquet")
        {
            // Made, or found, before the answer begins, so that its failure is still a problem document.
            var path = await ParquetAsync(opened, source, query, ct);
            response.Headers.ContentDisposition = disposition.ToString();
            response.ContentType = "application/vnd.apache.parquet";
            await response.SendFileAsync(path, ct);
            return Results.Empty;
        }

        using var reader = RowReader.Open(opened.Dataset, opened.Scratch);
        response.Headers.ContentDisposition = disposition.ToString();
        response.ContentType = format == "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson";
        if (format == "csv")
            await WriteCsvAsync(reader, query, response.BodyWriter, ct);
        else
            await WriteJsonLinesAsync(reader, query, response.BodyWriter, ct);
        return Results.Empty;
    }

    private static async Task<string> ParquetAsync(OpenedDataset opened, RowSource source, RowQuery query, CancellationToken ct)
    {
        // A single file that holds just what is asked for goes out as it is.
        if (source.Content.Files is [var only] && query is { Masked.Count: 0, Rule: null, ReasonColumn: null, Having.Count: 0 })
        {
            var stored = only.Origin is null ? source.Content.Schema.Columns : source.Visible(hidden: false);
            if (stored.Select(column => column.Name).SequenceEqual(query.Columns.Select(column => column.Name)))
                return opened.Dataset.Paths[0];
        }
        var path = Path.Combine(opened.Scratch, "download.parquet");
        using var reader = RowReader.Open(opened.Dataset, opened.Scratch);
        await reader.CopyToParquetAsync(query, path, ct);
        return path;
    }

    private static async Task WriteJsonLinesAsync(RowReader reader, RowQuery query, PipeWriter output, CancellationToken ct)
    {
        await using var json = new Utf8JsonWriter(output, Json);
        await foreach (var row in reader.ReadAsync(query, ct))
        {
            row.WriteJson(json);
            json.Flush();
            json.Reset();
            output.Write("\n"u8);
            if (output.UnflushedBytes > FlushBytes)
                await output.FlushAsync(ct);
        }
        await output.FlushAsync(ct);
    }

    /// <summary>RFC 4180; a missing value is nothing, an empty text is <c>""</c>.</summary>
    private static async Task WriteCsvAsync(RowReader reader, RowQuery query, PipeWriter output, CancellationToken ct)
    {
        for (var i = 0; i < query.Columns.Count; i++)
            WriteCsvCell(output, query.Columns[i].Name, i);
        output.Write("\r\n"u8);
        await foreach (var row in reader.ReadAsync(query, ct))
        {
            for (var i = 0; i < query.Columns.Count; i++)
                WriteCsvCell(output, row.Text(i), i);
            output.Write("\r\n"u8);
            if (output.UnflushedBytes > FlushBytes)
                await output.FlushAsync(ct);
        }
        await output.FlushAsync(ct);
    }

    private static void WriteCsvCell(PipeWriter output, string? text, int column)
    {
        if (column > 0)
            output.Write(","u8);
        if (text is null)
            return;
        if (text.Length > 0 && text.AsSpan().IndexOfAny(",\"\r\n") < 0 && text[0] != ' ' && text[^1] != ' ')
            Encoding.UTF8.GetBytes(text, output);
        else
            Encoding.UTF8.GetBytes($"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", output);
    }

    private static RowQuery Query(RowSource source, RowsRequest request)
    {
        var unmask = request.Unmask == true;
        var columns = Columns(source, request);
        return new RowQuery
        {
            Columns = columns,
            Masked = unmask ? new HashSet<string>() : columns.Where(column => column.Sensitivity is not null).Select(column => column.Name).ToHashSet(StringComparer.Ordinal),
            MaskInside = unmask ? null : source.MaskInside,
            Rule = source.IsChangeLog ? null : request.Rule,
            ReasonColumn = source.IsChangeLog ? null : request.Column,
            Having = source.IsChangeLog ? [.. Chosen((ChangeLog.Rule, request.Rule), (ChangeLog.Column, request.Column))] : [],
        };
    }

    private static IEnumerable<(string Column, string Text)> Chosen(params (string Column, string? Text)[] wanted) =>
        wanted.Where(one => one.Text is not null).Select(one => (one.Column, one.Text!));

    private static IReadOnlyList<DatasetColumn> Columns(RowSource source, RowsRequest request)
    {
        if (request.Columns is null)
            return source.Visible(request.Hidden == true);
        var chosen = new List<DatasetColumn>();
        foreach (var name in request.Columns.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal))
        {
            if (source.Content.Schema.Find(name) is { } column && (!column.Hidden || request.Hidden == true))
                chosen.Add(column);
            else
                throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", Unknown(name), [new ApiError(Unknown(name), "columns")]);
        }
        return chosen;

        string Unknown(string name) => NearestName.Find(name, source.Visible(request.Hidden == true).Select(column => column.Name)) is { } nearest
            ? $"There is no column \"{name}\"; did you mean \"{nearest}\"?"
            : $"There is no column \"{name}\".";
    }

    private static RowPosition Position(RowSource source, PageRequest page)
    {
        if (!page.TryGetAfter<RowCursor>(out var cursor))
            return default;
        return cursor.Stamp == source.Stamp && cursor.File >= 0 && cursor.Row >= 0
            ? new RowPosition(cursor.File, cursor.Row)
            : throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "The cursor belongs to other rows than these; begin without it.", [new ApiError("does not fit", "cursor")]);
    }

    private async Task AuditAsync(HttpContext http, RowSource source, RowQuery query, RowsRequest request, CancellationToken ct)
    {
        if (request.Unmask != true)
            return;
        var sensitive = query.Columns.Where(column => column.Sensitivity is not null).Select(column => column.Name).Concat(source.MaskInside?.Sensitive ?? []).ToList();
        if (sensitive.Count == 0 && source.MaskInside is null)
            return;
        await audit.RecordAsync(http, source.Subject, sensitive, ct);
    }
}
