using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Datasets.Http;
using Qualiz.Datasets.Resolving;
using Qualiz.Datasets.Rows;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Rows;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Http;
using Qualiz.Platform.Messaging;

namespace Qualiz.Datasets.Quarantine;

/// <summary>
/// What a recipe would make of the open items of a step, before anybody saves it: they are put back into the columns that the step read, and go through the recipe as
/// they would in a run. Nothing is written.
/// </summary>
internal sealed class QuarantineTrial(
    [FromKeyedServices(DatasetsModule.Service)] NpgsqlDataSource database, CurrentProject project, QuarantineQueries queries, DatasetFileAccess files, Resolver resolver, IRequests requests)
{
    public const int MostItems = 5000;
    private const long MostCharacters = 32L << 20;
    private const long MemoryBytes = 256L << 20;
    private const int MostReasons = 1000;
    private const int MostSamples = 100;
    private const int MostRowsOfItem = 20;

    /// <summary>Of a column that is not known to be plain.</summary>
    private const string Sensitive = "personal";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <param name="unmask">Sensitive values in clear; the caller puts it on record (<see cref="QuarantineQueries.SensitiveAsync"/>).</param>
    /// <exception cref="ApiException">The recipe is wrong, the filter chooses no step or several, or it is not known any more what the step read.</exception>
    public async Task<Tried> TryAsync(QuarantineFilter filter, TryRecipe body, bool unmask, CancellationToken ct)
    {
        if (filter.State is not null and not ItemState.Open)
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", "Rules are tried on open rows; leave state out.", [new ApiError("should be open", "state", Suggestion: ItemState.Open)]);
        filter = filter with { State = ItemState.Open };
        var recipe = Bind(body);
        var step = await StepAsync(filter, ct);
        var (items, open) = await ItemsAsync(filter, ct);
        recipe = recipe.ByRow(out var left);
        recipe = WithoutMasks(recipe, out var masks);
        var notJudged = left.Concat(masks).Select(part => new TriedPart(part.Path, part.Why)).ToList();
        if (items.Count == 0)
            return new Tried(open, 0, 0, 0, 0, 0, [], [], notJudged, [], [], []);

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        try
        {
            var mask = unmask ? null : items.Find(item => item.HasSensitive)?.Mask;
            var schema = await SchemaAsync(step, items.Max(item => item.LastRun), mask, limit.Token);
            return await RunAsync(recipe, schema, items, open, mask, Math.Clamp(body.Samples, 0, MostSamples), notJudged, limit.Token);
        }
        catch (RecipeException wrong)
        {
            throw Invalid([new ApiError(wrong.Message, wrong.Path, Suggestion: wrong.Suggestion)]);
        }
        catch (EngineException failed) when (failed.EndsStep)
        {
            throw new ApiException(StatusCodes.Status422UnprocessableEntity, failed.Code, failed.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ApiException(StatusCodes.Status409Conflict, "tookTooLong", $"The rules were not done within {Patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} seconds; try them on fewer rows, by rule, column or run.");
        }
    }

    private static Recipe Bind(TryRecipe body)
    {
        var schema = ConfigSchema.For<TriedRecipe>();
        var config = JsonSerializer.SerializeToElement(new JsonObject { ["rules"] = body.Rules?.DeepClone() ?? new JsonArray(), ["checks"] = body.Checks?.DeepClone() ?? new JsonArray() });
        if (Template.Mentions(config.GetRawText()))
            throw Invalid([.. Expressions(config, "").Select(path => new ApiError("an expression is known in a run only; write the value that it stands for", path))]);
        config = FilledTexts.AsSchemaWants(config, schema);
        var problems = SchemaValidator.Validate(config, schema);
        if (problems.Count > 0)
            throw Invalid([.. problems.Select(problem => new ApiError(problem.Message, problem.Path, Suggestion: problem.Suggestion))]);
        TriedRecipe tried;
        try
        {
            tried = ConfigJson.Bind<TriedRecipe>(config);
        }
        catch (JsonException wrong)
        {
            throw Invalid([new ApiError("the value does not fit", wrong.Path?.TrimStart('$', '.'))]);
        }
        if (tried.Rules.Count == 0 && tried.Checks.Count == 0)
            throw Invalid([new ApiError("at least one rule or check is needed", "rules")]);
        return new Recipe(tried.Rules, tried.Checks);
    }

    private static IEnumerable<string> Expressions(JsonElement value, string path) => value.ValueKind switch
    {
        JsonValueKind.String when Template.Mentions(value.GetString()!) => [path],
        JsonValueKind.Array => value.EnumerateArray().SelectMany((item, i) => Expressions(item, $"{path}[{i.ToString(CultureInfo.InvariantCulture)}]")),
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member => Expressions(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}")),
        _ => [],
    };

    /// <summary>What a step masks is empty in its items: there is nothing to mask.</summary>
    private static Recipe WithoutMasks(Recipe recipe, out IReadOnlyList<(string Path, string Why)> masks)
    {
        var off = new List<(string, string)>();
        var refused = new List<ApiError>();
        var rules = recipe.Rules.Select((rule, i) =>
        {
            if (rule is not MaskRule { Off: false } mask)
                return rule;
            var path = $"rules[{i.ToString(CultureInfo.InvariantCulture)}]";
            if (mask.Key is not null)
                refused.Add(new ApiError("masking with a key is not tried here: the key is given to runs alone; take the rule out, or set off: true", $"{path}.key"));
            off.Add((path, "columns that a step masks are empty in its rejected rows; checks of them see no value"));
            return rule with { Off = true };
        }).ToList();
        masks = off;
        return refused.Count == 0 ? recipe with { Rules = rules } : throw Invalid(refused);
    }

    /// <summary>The step that the filter chooses; its items decide where it names none.</summary>
    private async Task<string> StepAsync(QuarantineFilter filter, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var known = (await connection.QueryAsync<(string Pipeline, string Step, string? Operator)>(new CommandDefinition(
            """
            select distinct pipeline, step, operator from datasets.quarantine_step
             where project = @project and (@pipeline::text is null or pipeline = @pipeline) and (@step::text is null or step = @step) order by 1, 2
            """,
            new { project = project.Slug, pipeline = filter.Pipeline, step = filter.Step }, cancellationToken: ct))).ToList();
        if (known.Count == 0)
        {
            throw new ApiException(StatusCodes.Status404NotFound, "notFound", (filter.Pipeline, filter.Step) switch
            {
                (null, null) => "No step has rejected rows in the quarantine.",
                var (pipeline, step) => $"No step{(step is null ? "" : $" \"{step}\"")}{(pipeline is null ? "" : $" of a pipeline \"{pipeline}\"")} has rejected rows in the quarantine.",
            });
        }
        if (known.Count > 1)
            throw new ApiException(StatusCodes.Status400BadRequest, "badRequest", $"A recipe is that of one step; these are of {string.Join(", ", known.Select(step => $"{step.Pipeline}/{step.Step}"))}. Give pipeline and step.");
        return known[0].Operator == "cleanse" ? known[0].Step
            : throw new ApiException(StatusCodes.Status409Conflict, "noRecipe", $"Step \"{known[0].Step}\" has no recipe: rules are those of a cleanse step, and this one is of {known[0].Operator}.");
    }

    private async Task<(List<QuarantineItem> Items, long Open)> ItemsAsync(QuarantineFilter filter, CancellationToken ct)
    {
        var items = new List<QuarantineItem>();
        var characters = 0L;
        await foreach (var item in queries.AllAsync(filter, ct))
        {
            characters += item.Ingested.Length;
            if (items.Count == MostItems || (items.Count > 0 && characters > MostCharacters))
                return (items, await queries.CountAsync(filter, ct));
            items.Add(item);
        }
        return (items, items.Count);
    }

    /// <summary>The columns that the step read in the last run that rejected one of the items.</summary>
    private async Task<DatasetSchema> SchemaAsync(string step, Guid run, RejectedMask? mask, CancellationToken ct)
    {
        var answer = await requests.AskForPersonAsync<StepInputsFound, StepInputsUnknown>(Queues.RunClaims, new GetStepInputs { Project = project.Slug, RunId = run, StepId = step }, ct);
        if (answer.First is not { } found)
        {
            throw new ApiException(
                StatusCodes.Status409Conflict, "columnsUnknown", $"These rows cannot be tried: which columns they had is not known any more. {answer.Second!.Message} Rows that a new run rejects can be tried.");
        }
        var inputs = new List<(string, DatasetSchema)>();
        foreach (var input in found.Inputs)
            inputs.Add((input.Name, input.Schema ?? (await ContentAsync(input.Reference!, step, ct)).Schema));
        return new DatasetSchema
        {
            // Whatever is not known to be plain is sensitive, and so is what a rule makes of it.
            Columns = [.. StackedInputs.Stack(inputs).Select(column => column with { Nullable = true, Sensitivity = mask is null || mask.Plain.Contains(column.Name) ? column.Sensitivity : column.Sensitivity ?? Sensitive })],
        };
    }

    private async Task<DatasetRef> ContentAsync(string reference, string path, CancellationToken ct) =>
        (await resolver.DescribeAsync(project.Slug, reference, ct)) is var found && found.Version is { } version ? version.Content : throw Invalid([new ApiError(found.Problem!, path)]);

    private async Task<Tried> RunAsync(
        Recipe recipe, DatasetSchema schema, List<QuarantineItem> items, long open, RejectedMask? mask, int samples, List<TriedPart> notJudged, CancellationToken ct)
    {
        // It has a place among the readers, a folder that goes with it, and no files.
        using var place = await files.OpenPageAsync(DatasetRef.Of(schema), ct);
        var references = new Dictionary<string, LocalDataset>(StringComparer.Ordinal);
        var opened = new List<OpenedDataset>();
        try
        {
            foreach (var name in recipe.References)
            {
                var at = recipe.Checks.ToList().FindIndex(check => !check.Off && check.Reference?.Dataset == name);
                var content = await ContentAsync(name, string.Create(CultureInfo.InvariantCulture, $"checks[{at}].{recipe.Checks[at].Reference!.Value.Field}"), ct);
                opened.Add(await files.OpenBesideAsync(content, ct));
                references[name] = opened[^1].Dataset;
            }
            using var session = EngineSession.Open(new EngineOptions
            {
                MemoryBytes = MemoryBytes,
                Threads = 1,
                Scratch = place.Scratch,
                Paths = [.. references.Values.SelectMany(dataset => dataset.Paths)],
            });
            var rows = await StageAsync(session, schema, items, Path.Combine(place.Scratch, "items.parquet"), ct);
            var compiled = RecipeCompiler.Compile(session, recipe, [new RecipeInput("in", rows)], references);
            var done = new RecipeFiles(Path.Combine(place.Scratch, "out.parquet"), Path.Combine(place.Scratch, "rejected.parquet"));
            var result = await RecipeRun.ExecuteAsync(session, compiled, done, ct);
            return await new Outcome(session, compiled.Schema, done, items, mask, samples).ReadAsync(open, notJudged, result, ct);
        }
        finally
        {
            foreach (var dataset in opened)
                dataset.Dispose();
        }
    }

    /// <summary>The items as the step reads them; their place in the source is their number.</summary>
    private static async Task<LocalDataset> StageAsync(EngineSession session, DatasetSchema schema, List<QuarantineItem> items, string path, CancellationToken ct)
    {
        await session.ExecuteAsync("CREATE TEMP TABLE staged (item BIGINT, ingested VARCHAR)", ct);
        using (var appender = session.Connection.CreateAppender("staged"))
        {
            foreach (var item in items)
                appender.CreateRow().AppendValue(item.Id).AppendValue(item.Ingested).EndRow();
        }
        const string Json = "ingested";
        var values = schema.Columns.Select(column => (
            Name: Sql.Identifier(column.Name), Text: RowJson.Member(Json, column.Name), Value: RowJson.MemberAs(DatasetFiles.TypeOf(column), Json, column.Name))).ToList();
        // A value that is none of its column's type any more: the source was read otherwise then.
        var unfit = string.Join(" OR ", values.Select(value => $"({value.Text} IS NOT NULL AND {value.Value} IS NULL)").DefaultIfEmpty("false"));
        await session.ExecuteAsync(
            $"""
            CREATE TEMP TABLE fitting AS SELECT item FROM staged WHERE CASE WHEN json_valid({Json}) THEN json_type({Json}) = 'OBJECT' AND NOT coalesce({unfit}, false) ELSE false END
            """, ct);
        var columns = values.Select(value => $"CASE WHEN {value.Text} IS NOT NULL THEN {value.Value} END AS {value.Name}")
            .Concat([$"'' AS {HiddenColumns.Source}", $"item AS {HiddenColumns.Row}", $"'' AS {HiddenColumns.Key}"]);
        var count = await DatasetFiles.WriteAsync(session, $"SELECT {string.Join(", ", columns)} FROM staged JOIN fitting USING (item) ORDER BY item", path, ct);
        var file = new DataFile { Key = path, Rows = count, Bytes = new FileInfo(path).Length, Sha256 = "" };
        return new LocalDataset(DatasetRef.Of(new DatasetSchema { Columns = [.. schema.Columns, .. HiddenColumns.Columns] }, file), [path]);
    }

    private static ApiException Invalid(IReadOnlyList<ApiError> errors) => new(StatusCodes.Status422UnprocessableEntity, "recipeInvalid", "The recipe is not right.", errors);

    /// <summary>What became of the items: a row that a rule made of one has its number.</summary>
    private sealed class Outcome(EngineSession session, DatasetSchema made, RecipeFiles done, List<QuarantineItem> items, RejectedMask? mask, int samples)
    {
        private readonly Dictionary<long, QuarantineItem> _items = items.ToDictionary(item => item.Id);

        /// <summary>Columns that hold nothing of a sensitive one.</summary>
        private readonly RejectedMask? _made = mask is null ? null : new RejectedMask(made.Columns.Where(column => column.Sensitivity is null).Select(column => column.Name).ToHashSet(StringComparer.Ordinal));

        /// <summary>A rule in between may have called any column by any name.</summary>
        private readonly RejectedMask? _reasons = mask is null ? null : new RejectedMask(new HashSet<string>());

        public async Task<Tried> ReadAsync(long open, List<TriedPart> notJudged, RecipeResult result, CancellationToken ct)
        {
            await session.ExecuteAsync(
                $"""
                CREATE TEMP TABLE fates AS
                SELECT item, CASE WHEN item NOT IN (SELECT item FROM fitting) THEN 'unfit'
                  WHEN item IN (SELECT {HiddenColumns.Row} FROM {Scan.Parquet(done.Rejected)}) THEN 'rejected'
                  WHEN item IN (SELECT {HiddenColumns.Row} FROM {Scan.Parquet(done.Out)}) THEN 'passes' ELSE 'filtered' END AS fate
                FROM staged
                """, ct);
            var counts = (await session.QueryAsync("SELECT fate, count(*) FROM fates GROUP BY fate", row => (row.GetString(0), row.GetInt64(1)), ct)).ToDictionary();
            var reasons = await session.QueryAsync(
                $"""
                SELECT reason ->> '$.rule', reason ->> '$.path', reason ->> '$.column', count(DISTINCT item) AS n
                FROM (SELECT {HiddenColumns.Row} AS item, unnest(CAST({RejectedRows.Reasons} AS JSON[])) AS reason FROM {Scan.Parquet(done.Rejected)})
                GROUP BY ALL ORDER BY n DESC, 1, 2, 3 LIMIT {MostReasons.ToString(CultureInfo.InvariantCulture)}
                """,
                row => new TriedReason(row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetInt64(3)), ct);
            var visible = made.Columns.Where(column => !column.Hidden).Select(column => (column.Name, DatasetFiles.TypeOf(column), Sql.Identifier(column.Name)));
            return new Tried(
                open, items.Count, counts.GetValueOrDefault("passes"), counts.GetValueOrDefault("rejected"), counts.GetValueOrDefault("filtered"), counts.GetValueOrDefault("unfit"),
                reasons, [.. result.Fatal.Select(failure => new TriedPart(failure.Path, failure.Message))], notJudged,
                await SampleAsync("passes", $"SELECT {HiddenColumns.Row} AS item, {RowJson.Object(visible)} AS after, NULL AS why FROM {Scan.Parquet(done.Out)}", ct),
                await SampleAsync(
                    "rejected", $"SELECT {HiddenColumns.Row} AS item, CAST({RejectedRows.Rejected} AS VARCHAR) AS after, CAST({RejectedRows.Reasons} AS VARCHAR) AS why FROM {Scan.Parquet(done.Rejected)}", ct),
                await SampleAsync("filtered", "SELECT NULL::BIGINT AS item, NULL::VARCHAR AS after, NULL::VARCHAR AS why WHERE false", ct));
        }

        private async Task<IReadOnlyList<TriedItem>> SampleAsync(string fate, string rows, CancellationToken ct)
        {
            var found = await session.QueryAsync(
                $"""
                WITH chosen AS (SELECT item FROM fates WHERE fate = {Sql.Literal(fate)} ORDER BY item LIMIT {samples.ToString(CultureInfo.InvariantCulture)})
                SELECT c.item, r.after, r.why FROM chosen c LEFT JOIN ({rows}) r USING (item)
                QUALIFY row_number() OVER (PARTITION BY c.item ORDER BY r.after) <= {MostRowsOfItem.ToString(CultureInfo.InvariantCulture)} ORDER BY c.item, r.after
                """,
                row => (Item: row.GetInt64(0), After: row.IsDBNull(1) ? null : row.GetString(1), Why: row.IsDBNull(2) ? null : row.GetString(2)), ct);
            return [.. found.GroupBy(row => row.Item).Select(rows => new TriedItem(
                rows.Key, Json(mask is null ? null : _items[rows.Key].Mask, RejectedRows.Ingested, _items[rows.Key].Ingested),
                [.. rows.Where(row => row.After is not null).Select(row => new TriedRow(Json(_made, RejectedRows.Rejected, row.After!), row.Why is null ? null : Json(_reasons, RejectedRows.Reasons, row.Why)))]))];
        }

        private static JsonElement Json(RejectedMask? mask, string part, string text) => JsonSerializer.Deserialize<JsonElement>(mask is null ? text : mask.Mask(part, text));
    }
}

/// <summary>A recipe as a cleanse step has it, without what is said of all its rows.</summary>
internal sealed record TriedRecipe
{
    [Field(Title = "Rules", Description = "What is done to each row, in this order.")]
    public IReadOnlyList<Rule> Rules { get; init; } = [];

    [Field(Title = "Checks", Description = "What is checked after the rules.")]
    public IReadOnlyList<Check> Checks { get; init; } = [];
}

/// <param name="Rules">Those of the step as they would be, as they stand in the pipeline.</param>
/// <param name="Checks">The same.</param>
/// <param name="Samples">How many items of each kind are shown, 0 to 100.</param>
internal sealed record TryRecipe(JsonArray? Rules = null, JsonArray? Checks = null, int Samples = 10);

/// <summary>What a recipe would make of open items; nothing was changed.</summary>
/// <param name="Open">Open items that the filter chooses.</param>
/// <param name="Looked">How many of them were looked at: the oldest 5,000, or fewer that are large. The counts below are of these.</param>
/// <param name="Rejected">Items that would be rejected again, or of which a row would be.</param>
/// <param name="Filtered">Items that a filter would leave out.</param>
/// <param name="Unfit">Items that cannot be tried: a value is none of the type that its column has by now.</param>
/// <param name="Reasons">Why items would be rejected; one may have several reasons.</param>
/// <param name="Fails">What would make the whole step fail.</param>
/// <param name="NotJudged">What of the recipe looks at other rows than these, and was left out.</param>
internal sealed record Tried(
    long Open, long Looked, long Passes, long Rejected, long Filtered, long Unfit, IReadOnlyList<TriedReason> Reasons, IReadOnlyList<TriedPart> Fails, IReadOnlyList<TriedPart> NotJudged,
    IReadOnlyList<TriedItem> PassesSample, IReadOnlyList<TriedItem> RejectedSample, IReadOnlyList<TriedItem> FilteredSample);

/// <param name="Path">The place in the recipe: <c>checks[2]</c>.</param>
internal sealed record TriedReason(string Rule, string Path, string? Column, long Items);

/// <param name="Path">The place in the recipe.</param>
internal sealed record TriedPart(string Path, string Message);

/// <param name="Before">As ingested; sensitive values are masked unless they are asked for.</param>
/// <param name="After">The rows that come of it: one, unless a rule makes several of it; none when it is filtered. At most 20.</param>
internal sealed record TriedItem(long Item, JsonElement Before, IReadOnlyList<TriedRow> After);

/// <param name="Reasons">Why it would be rejected; null: it would not be.</param>
internal sealed record TriedRow(JsonElement Values, JsonElement? Reasons);
