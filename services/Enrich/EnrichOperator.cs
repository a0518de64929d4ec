using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Operators;

namespace Qualiz.Enrich;

/// <summary>Looks rows up in a dataset of the project and computes columns. Rows that fail leave by <c>rejected</c>, keys without a match by <c>unmatched</c>.</summary>
internal sealed class EnrichOperator : IOperator<EnrichConfig>
{
    public const string UnmatchedPort = "unmatched";

    public async Task<StepResult> ExecuteAsync(EnrichConfig config, StepContext step, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(step);
        var inputs = new List<RecipeInput>();
        foreach (var input in step.Inputs)
            inputs.Add(new RecipeInput(input.Name, await LocalAsync(step, input.Dataset, ct).ConfigureAwait(false)));
        var lookup = config.Lookup is null ? null : await FindAsync(config.Lookup, step, ct).ConfigureAwait(false);
        var outPath = step.Outputs.CreateFile("out");
        var rejectedPath = step.Outputs.CreateFile(RejectedRows.Port);
        var unmatchedPath = step.Outputs.CreateFile(UnmatchedPort);
        try
        {
            using var session = EngineSession.Open(new EngineOptions
            {
                MemoryBytes = step.Grant.MemoryBytes,
                Threads = step.Grant.Threads,
                Scratch = step.Scratch,
                Paths = [.. inputs.SelectMany(input => input.Dataset.Paths), .. lookup?.Dataset.Paths ?? [], outPath, rejectedPath, unmatchedPath],
            });
            var plan = EnrichPlan.Make(session, config, new StackedInputs(inputs, EnrichPlan.Added(config)), lookup);
            if (lookup is not null)
                step.Log.LogInformation("Looks up in {Dataset} ({Rows} rows)", lookup.Name, lookup.Dataset.Dataset.Rows);
            var rows = inputs.Sum(input => input.Dataset.Dataset.Rows);
            await session.WithProgressAsync(
                async () =>
                {
                    if (plan.LookupTable is not null)
                        await session.ExecuteAsync(plan.LookupTable, ct).ConfigureAwait(false);
                    return await session.ExecuteAsync($"CREATE TEMP TABLE {Sql.Identifier(plan.Table)} AS {plan.Evaluation}", ct).ConfigureAwait(false);
                },
                share => step.Progress.Report(new StepProgress("enrich", (long)(rows * share), share)),
                TimeProvider.System).ConfigureAwait(false);
            var counts = await EnrichCounts.ReadAsync(session, plan, inputs.Count, ct).ConfigureAwait(false);
            if (InputRows.Check(counts.In, rows) is { } damage)
                return new StepResult.Failed(damage);
            return await FinishAsync(config, step, session, plan, counts, lookup, (outPath, rejectedPath, unmatchedPath), ct).ConfigureAwait(false);
        }
        catch (RecipeException exception)
        {
            return new StepResult.Failed(exception.ToStepError());
        }
        catch (EngineException exception) when (exception.EndsStep)
        {
            return new StepResult.Failed(exception.ToStepError());
        }
    }

    public Task<OutputInferred> InferOutputAsync(EnrichConfig config, InferenceContext context, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(context);
        if (context.Inputs.FirstOrDefault(input => input.Schema is null) is { } unknown)
            return Task.FromResult(OutputInferred.Unknown($"the columns of {unknown.Name} are not known"));
        Lookup? lookup = null;
        if (config.Lookup is not null)
        {
            if (context.Dataset(config.Lookup) is not { } schema)
                return Task.FromResult(OutputInferred.Unknown($"the columns of {config.Lookup} are not known"));
            lookup = new Lookup(config.Lookup, EmptyDataset.Of(schema));
        }
        try
        {
            using var session = EngineSession.Open(new EngineOptions { MemoryBytes = context.Grant.MemoryBytes, Threads = 1, Scratch = context.Scratch });
            var inputs = new StackedInputs([.. context.Inputs.Select(input => new RecipeInput(input.Name, EmptyDataset.Of(input.Schema!)))], EnrichPlan.Added(config));
            var plan = EnrichPlan.Make(session, config, inputs, lookup);
            return Task.FromResult(new OutputInferred
            {
                Outputs = new Dictionary<string, DatasetSchema>
                {
                    ["out"] = plan.Schema,
                    [RejectedRows.Port] = RejectedRows.Schema([.. context.Inputs.SelectMany(input => input.Schema!.Columns), .. plan.Schema.Columns]),
                    [UnmatchedPort] = plan.UnmatchedSchema,
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

    private static async Task<Lookup> FindAsync(string reference, StepContext step, CancellationToken ct)
    {
        var found = await step.Datasets.ResolveAsync(reference, ct).ConfigureAwait(false);
        return new Lookup(
            string.Create(CultureInfo.InvariantCulture, $"dataset:{found.Name}@{found.Version}"),
            await LocalAsync(step, found.Content, ct).ConfigureAwait(false));
    }

    private static async Task<LocalDataset> LocalAsync(StepContext step, DatasetRef dataset, CancellationToken ct) =>
        new(dataset, await step.GetLocalPathsAsync(dataset, ct).ConfigureAwait(false));

    private static async Task<StepResult> FinishAsync(
        EnrichConfig config, StepContext step, EngineSession session, EnrichPlan plan, EnrichCounts counts, Lookup? lookup,
        (string Out, string Rejected, string Unmatched) paths, CancellationToken ct)
    {
        var table = Sql.Identifier(plan.Table);
        var reasons = Sql.Identifier(plan.Reasons);
        var rejectedRows = await DatasetFiles.WriteAsync(
            session,
            $"""
            SELECT {Sql.Identifiers(HiddenColumns.Names)}, CAST({Sql.Identifier(plan.Ingested)} AS JSON) AS {RejectedRows.Ingested},
              CAST({Sql.Identifier(plan.Rejected)} AS JSON) AS {RejectedRows.Rejected}, CAST('[' || {reasons} || ']' AS JSON) AS {RejectedRows.Reasons}
            FROM {table} WHERE {reasons} IS NOT NULL
            """,
            paths.Rejected, ct).ConfigureAwait(false);
        var unmatchedKeys = await DatasetFiles.WriteAsync(session, plan.Unmatched, paths.Unmatched, ct).ConfigureAwait(false);
        var rejected = RejectedRows.Schema([.. step.Inputs.SelectMany(input => input.Dataset.Schema.Columns), .. plan.Schema.Columns]);
        var outputs = new Dictionary<string, DatasetRef>
        {
            [RejectedRows.Port] = DatasetRef.Of(rejected, await step.Outputs.CommitAsync(paths.Rejected, rejectedRows, ct).ConfigureAwait(false)),
            [UnmatchedPort] = DatasetRef.Of(plan.UnmatchedSchema, await step.Outputs.CommitAsync(paths.Unmatched, unmatchedKeys, ct).ConfigureAwait(false)),
        };
        var outcome = new StepOutcome
        {
            Outputs = outputs,
            Ledger = [.. counts.Inputs.Select((line, i) => Ledger(step.Inputs[i].Name, line, plan))],
            Counts = Counts(counts, plan, lookup),
            Warnings = Warnings(config, counts, lookup),
        };
        foreach (var (name, rows) in outcome.Counts.OrderBy(count => count.Key, StringComparer.Ordinal))
            step.Log.LogInformation("{Count}: {Rows}", name, rows);
        foreach (var warning in outcome.Warnings)
            step.Log.LogWarning("{Warning}", warning);

        // Over a limit the enriched rows go nowhere; what is wrong with the others is kept.
        if (Failure(config, counts, plan, lookup) is { } error)
            return new StepResult.Failed(error, outcome);
        var outRows = await DatasetFiles.WriteAsync(
            session, $"SELECT {Sql.Identifiers(plan.Schema.Columns.Select(column => column.Name))} FROM {table} WHERE {reasons} IS NULL", paths.Out, ct).ConfigureAwait(false);
        outputs["out"] = DatasetRef.Of(plan.Schema, await step.Outputs.CommitAsync(paths.Out, outRows, ct).ConfigureAwait(false));
        return new StepResult.Completed(outcome);
    }

    private static StepError? Failure(EnrichConfig config, EnrichCounts counts, EnrichPlan plan, Lookup? lookup)
    {
        var fatal = plan.Failures.Where(failure => failure.Fatal).Select(failure => (Failure: failure, Rows: counts.Failed(failure.Id))).Where(entry => entry.Rows > 0).ToList();
        if (fatal.Count > 0)
        {
            var messages = fatal.Select(entry => entry.Failure.Rule switch
            {
                "noMatch" => string.Create(CultureInfo.InvariantCulture, $"{entry.Rows:N0} rows have no match in {lookup!.Name}."),
                "severalMatches" => string.Create(CultureInfo.InvariantCulture, $"{entry.Rows:N0} rows have several matches in {lookup!.Name}; onMultiple: first takes the first."),
                _ => string.Create(CultureInfo.InvariantCulture, $"{entry.Failure.Label} cannot be computed for {entry.Rows:N0} rows."),
            });
            return new StepError { Code = fatal[0].Failure.Rule == "severalMatches" ? "lookupNotUnique" : fatal[0].Failure.Rule == "noMatch" ? "noMatch" : "checkFailed", Message = string.Join(" ", messages), Path = fatal[0].Failure.Path };
        }
        if (config.MaxUnmatched is not { } limit || counts.Unmatched <= limit.Value * counts.In)
            return null;
        // Rounded up, so that 5.04 % does not read as 5.0 % with a limit of 5 %.
        var share = Math.Ceiling(1000m * counts.Unmatched / counts.In) / 10;
        return new StepError
        {
            Code = "tooManyUnmatched",
            Message = string.Create(CultureInfo.InvariantCulture, $"{share:0.#} % of rows have no match in {lookup!.Name}, limit {limit.Value * 100:0.####} %"),
            Path = "maxUnmatched",
        };
    }

    private static StepLedger Ledger(string input, EnrichInputCounts line, EnrichPlan plan) => new()
    {
        Input = input,
        In = line.In,
        Added = line.Total - line.In,
        Out = line.Total - line.Rejected,
        Rejected = line.Rejected,
        Reasons =
        [
            .. line.Total > line.In ? [new LedgerReason("added", "severalMatches", line.Total - line.In)] : Array.Empty<LedgerReason>(),
            .. plan.Failures.Where(failure => failure.Rejects && line.Failed.GetValueOrDefault(failure.Id) > 0)
                .Select(failure => new LedgerReason("rejected", failure.Label, line.Failed[failure.Id])).OrderByDescending(reason => reason.Rows),
        ],
    };

    private static Dictionary<string, long> Counts(EnrichCounts counts, EnrichPlan plan, Lookup? lookup)
    {
        var result = new Dictionary<string, long>();
        if (lookup is not null)
        {
            result["matched"] = counts.In - counts.Unmatched;
            result["unmatched"] = counts.Unmatched;
        }
        for (var i = 0; i < plan.Changes.Count; i++)
            result[plan.Changes[i]] = counts.Inputs.Sum(line => line.Changed[i]);
        foreach (var failure in plan.Failures.Where(failure => !failure.Rejects && counts.Failed(failure.Id) > 0))
            result[$"emptied.{failure.Label}"] = counts.Failed(failure.Id);
        return result;
    }

    private static List<string> Warnings(EnrichConfig config, EnrichCounts counts, Lookup? lookup)
    {
        var warnings = new List<string>();
        if (lookup is { Dataset.Dataset.Rows: 0 })
            warnings.Add($"{lookup.Name} has no rows.");
        else if (counts.Unmatched > 0 && config.OnMissing == OnMissing.Keep)
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"{counts.Unmatched:N0} rows have no match in {lookup!.Name} and were kept as they are."));
        return warnings;
    }
}
