using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Matching;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Operators;

namespace Qualiz.Dedup;

/// <summary>Makes entities of rows (product.md 7). What is the same, and what lives on, is decided in Engine/Matching.</summary>
internal sealed class DedupOperator : IOperator<DedupConfig>
{
    private static readonly string[] Ports = ["entities", "members", "pairs", "provenance", "changes"];

    public async Task<StepResult> ExecuteAsync(DedupConfig config, StepContext step, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(step);
        var inputs = new List<RecipeInput>();
        foreach (var input in step.Inputs)
            inputs.Add(new RecipeInput(input.Name, await LocalAsync(step, input.Dataset, ct).ConfigureAwait(false)));
        EntityMemory? memory;
        try
        {
            memory = config.Entities is null ? null : await RememberAsync(config.Entities, step, ct).ConfigureAwait(false);
        }
        catch (FileNotFoundException)
        {
            return new StepResult.Failed(new StepError
            {
                Code = "entitySetLost",
                Message = $"What the last run left of the entity set {config.Entities} is gone. Reset the step's state to begin anew, with new ids.",
                Path = "entities",
            });
        }
        var decisions = config.Decisions is null ? null : await LocalAsync(step, (await step.Datasets.ResolveAsync(config.Decisions, ct).ConfigureAwait(false)).Content, ct).ConfigureAwait(false);
        var paths = Ports.Concat(["ids", "rows"]).ToDictionary(port => port, port => step.Outputs.CreateFile(port));
        var rows = inputs.Sum(input => input.Dataset.Dataset.Rows);
        var all = rows + (memory?.Rows?.Dataset.Rows ?? 0);
        var held = Matcher.Beside(config.Match, all, step.Grant.MemoryBytes);
        if (EngineMemory(step.Grant.MemoryBytes - held, all) < EngineBytesPerRow * all)
            held = 0;
        var engine = EngineMemory(step.Grant.MemoryBytes - held, all);
        try
        {
            using var session = EngineSession.Open(new EngineOptions
            {
                MemoryBytes = engine,
                Threads = (int)Math.Clamp(engine / ThreadMemory, 1, step.Grant.Threads),
                Scratch = step.Scratch,
                TablesOnDisk = true,
                Paths = [.. inputs.SelectMany(input => input.Dataset.Paths), .. memory?.Ids?.Paths ?? [], .. memory?.Rows?.Paths ?? [], .. decisions?.Paths ?? [], .. paths.Values],
            });
            step.Progress.Report(new StepProgress("match", 0, null));
            var matcher = await Matcher.RunAsync(session, new StackedInputs(inputs), new MatchConfig(config.Keys, config.Match, config.Survivorship) { MemoryBytes = held, Decisions = decisions, Remembered = memory?.Rows }, ct).ConfigureAwait(false);
            if (InputRows.Check(matcher.Report.Rows, rows) is { } damage)
                return new StepResult.Failed(damage);
            foreach (var compared in matcher.Report.Compared)
                step.Log.LogInformation("Compares {Column}", compared);
            foreach (var found in matcher.Report.Found)
                step.Log.LogInformation("Found: {Fact}", found);
            step.Progress.Report(new StepProgress("entities", rows, null));
            var tables = await EntityTables.MakeAsync(matcher, memory, step.Command.RunId.ToString(), ct).ConfigureAwait(false);
            return await FinishAsync(config, step, session, matcher.Report, tables, paths, ct).ConfigureAwait(false);
        }
        catch (RecipeException exception)
        {
            return new StepResult.Failed(exception.ToStepError());
        }
        catch (MatchException exception)
        {
            return new StepResult.Failed(new StepError { Code = exception.Code, Message = exception.Message, Path = exception.Path });
        }
        catch (EngineException exception) when (exception.EndsStep)
        {
            return new StepResult.Failed(exception.ToStepError());
        }
    }

    public Task<OutputInferred> InferOutputAsync(DedupConfig config, InferenceContext context, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(context);
        if (context.Inputs.FirstOrDefault(input => input.Schema is null) is { } unknown)
            return Task.FromResult(OutputInferred.Unknown($"the columns of {unknown.Name} are not known"));
        try
        {
            var columns = StackedInputs.Stack([.. context.Inputs.Select(input => (input.Name, input.Schema!))]);
            Matcher.Check(new MatchConfig(config.Keys, config.Match, config.Survivorship), columns);
            if (config.Decisions is { } decisions && context.Dataset(decisions) is { } schema)
                Matcher.CheckDecisions(schema.Columns);
            return Task.FromResult(new OutputInferred
            {
                Outputs = new Dictionary<string, DatasetSchema>
                {
                    ["entities"] = EntityTables.EntitySchema(columns),
                    ["members"] = EntityTables.MemberSchema,
                    ["pairs"] = EntityTables.PairSchema,
                    ["provenance"] = EntityTables.ProvenanceSchema(columns),
                    ["changes"] = EntityTables.ChangeSchema,
                },
            });
        }
        catch (RecipeException exception)
        {
            return Task.FromResult(new OutputInferred
            {
                Problems = [RecipeProblem.Of(exception, exception.Path)],
                Certainty = SchemaCertainty.Guess,
            });
        }
    }

    /// <summary>A thread that joins or sorts takes about so much that cannot be spilled (DuckDB's guide to performance, "Environment", gives 125 MB).</summary>
    private const long ThreadMemory = 125L << 20;

    /// <summary>With less the engine could not go on, so that then nothing is held beside it.</summary>
    private const long EngineBytesPerRow = 170;

    /// <summary>
    /// What of the grant the engine may plan with. Beside it there are the groups of rows (eight bytes a row at most), the runtime, and what the engine takes without counting it, above all
    /// to write Parquet: all of that took up to 450 MB with 10 million rows and two threads.
    /// </summary>
    private static long EngineMemory(long granted, long rows) => Math.Max(granted / 2, granted - (8 * rows) - (400L << 20));

    private static async Task<StepResult> FinishAsync(
        DedupConfig config, StepContext step, EngineSession session, MatchReport report, EntityTables tables, Dictionary<string, string> paths, CancellationToken ct)
    {
        var ports = new Dictionary<string, EntityPort>
        {
            ["entities"] = tables.EntityRows,
            ["members"] = tables.Members,
            ["pairs"] = tables.Pairs,
            ["provenance"] = tables.Provenance,
            ["changes"] = tables.Changes,
        };
        var outputs = new Dictionary<string, DatasetRef>();
        foreach (var (name, port) in ports)
            outputs[name] = await WriteAsync(step, session, port, paths[name], ct).ConfigureAwait(false);
        var state = tables.Ids is null ? null : (JsonElement?)JsonSerializer.SerializeToElement(
            new EntitySetState(config.Entities!, await WriteAsync(step, session, tables.Ids, paths["ids"], ct).ConfigureAwait(false))
            {
                Rows = await WriteAsync(step, session, tables.Rows!, paths["rows"], ct).ConfigureAwait(false),
                Until = Until(config, step),
            }, EntitySetState.Options);
        var review = await session.ScalarAsync<long>($"SELECT count(*) FROM ({tables.Pairs.Query}) WHERE decision = 'review'", ct).ConfigureAwait(false);
        var outcome = new StepOutcome
        {
            Outputs = outputs,
            Ledger =
            [
                .. step.Inputs.Select((input, i) => new StepLedger
                {
                    Input = input.Name,
                    In = report.Inputs.ElementAtOrDefault(i),
                    Out = tables.Ledger.ElementAtOrDefault(i).Out,
                    Merged = tables.Ledger.ElementAtOrDefault(i).Merged,
                    Reasons = tables.Ledger.ElementAtOrDefault(i).Merged > 0 ? [new LedgerReason("merged", "sameEntity", tables.Ledger[i].Merged)] : [],
                }),
            ],
            Counts = new Dictionary<string, long> { ["entities"] = outputs["entities"].Rows, ["pairs"] = outputs["pairs"].Rows, ["review"] = review, ["largest"] = tables.Report.Largest, ["cut"] = tables.Report.Cut },
            State = state,
            // An id is for ever, whatever time the run that gave it was about.
            StateGrows = true,
            Warnings = report.Warnings,
        };
        step.Log.LogInformation("{Rows} rows are {Entities} entities; {Review} pairs to review", report.Rows, outputs["entities"].Rows, review);
        step.Log.LogInformation("The largest entity has {Largest} rows, its weakest link a probability of {Weakest:0.0000}; {Cut} pairs were likely enough and cut", tables.Report.Largest, tables.Report.Weakest ?? 1, tables.Report.Cut);
        foreach (var warning in report.Warnings)
            step.Log.LogWarning("{Warning}", warning);
        return new StepResult.Completed(outcome);
    }

    private static async Task<DatasetRef> WriteAsync(StepContext step, EngineSession session, EntityPort port, string path, CancellationToken ct)
    {
        var rows = await DatasetFiles.WriteAsync(session, port.Query, path, ct).ConfigureAwait(false);
        var file = await step.Outputs.CommitAsync(path, rows, ct).ConfigureAwait(false);
        return DatasetRef.Of(port.Schema, file);
    }

    private static async Task<EntityMemory> RememberAsync(string set, StepContext step, CancellationToken ct)
    {
        var state = StateOf(set, step);
        var ids = state is null ? null : await LocalAsync(step, state.Ids, ct).ConfigureAwait(false);
        // What is here whole is matched by itself.
        var rows = state?.Rows is { } kept && step.Inputs.Any(input => input.Dataset.Partial) ? await LocalAsync(step, kept, ct).ConfigureAwait(false) : null;
        return new EntityMemory(ids, step.Command.RunId.ToString()) { IsEarlier = state?.Until > step.Command.Interval.End, Rows = rows };
    }

    /// <summary>Another set begins with nothing.</summary>
    private static EntitySetState? StateOf(string set, StepContext step) =>
        step.State is { ValueKind: JsonValueKind.Object } json && json.Deserialize<EntitySetState>(EntitySetState.Options) is { } state && state.Entities == set ? state : null;

    /// <summary>A time that is still to come stands in nobody's way, so it counts as now.</summary>
    private static DateTimeOffset Until(DedupConfig config, StepContext step)
    {
        var (now, end) = (TimeProvider.System.GetUtcNow(), step.Command.Interval.End);
        var until = now < end ? now : end;
        return StateOf(config.Entities!, step)?.Until is { } before && before > until ? before : until;
    }

    private static async Task<LocalDataset> LocalAsync(StepContext step, DatasetRef dataset, CancellationToken ct) =>
        new(dataset, await step.GetLocalPathsAsync(dataset, ct).ConfigureAwait(false));
}

/// <summary>What the step keeps for its next run: references to who was in which entity and to the members' rows, never the rows themselves.</summary>
internal sealed record EntitySetState(string Entities, DatasetRef Ids)
{
    /// <summary>The members' rows, with which what is new is matched; null where a build from before that wrote the state.</summary>
    public DatasetRef? Rows { get; init; }

    /// <summary>The end of the latest time that a run has been about; null where it was not written down yet.</summary>
    public DateTimeOffset? Until { get; init; }

    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);
}
