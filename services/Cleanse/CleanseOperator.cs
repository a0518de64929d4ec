using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Suggestions;
using Qualiz.Platform.Operators;

namespace Qualiz.Cleanse;

/// <summary>Runs a recipe on the stacked inputs. Clean rows leave by <c>out</c>, rejected rows with their reasons by <c>rejected</c>.</summary>
internal sealed class CleanseOperator : IOperator<CleanseConfig>
{
    public async Task<StepResult> ExecuteAsync(CleanseConfig config, StepContext step, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(step);
        var inputs = new List<RecipeInput>();
        foreach (var input in step.Inputs)
            inputs.Add(new RecipeInput(input.Name, await LocalAsync(input.Dataset, step, ct).ConfigureAwait(false), input.OnlyPatched));
        var rules = new Recipe(config.Rules, config.Checks);
        var references = new Dictionary<string, LocalDataset>(StringComparer.Ordinal);
        foreach (var name in rules.References)
        {
            try
            {
                references[name] = await LocalAsync((await step.Datasets.ResolveAsync(name, ct).ConfigureAwait(false)).Content, step, ct).ConfigureAwait(false);
            }
            catch (DatasetException exception)
            {
                var at = config.Checks.ToList().FindIndex(check => !check.Off && check.Reference?.Dataset == name);
                return new StepResult.Failed(new StepError { Code = "datasetUnknown", Message = exception.Message, Path = string.Create(CultureInfo.InvariantCulture, $"checks[{at}].{config.Checks[at].Reference!.Value.Field}") });
            }
        }
        using var masks = new MaskKeys(step.Command.Project);
        foreach (var key in rules.Keys)
        {
            if (await AddKeyAsync(masks, key, config, step, ct).ConfigureAwait(false) is { } refused)
                return new StepResult.Failed(refused);
        }
        var outPath = step.Outputs.CreateFile("out");
        var rejectedPath = step.Outputs.CreateFile(RejectedRows.Port);
        var files = new RecipeFiles(outPath, rejectedPath, config.Changes == ChangeLogMode.Off ? null : step.Outputs.CreateFile(ChangeLog.Port))
        {
            ChangesPerRule = config.Changes == ChangeLogMode.Full ? null : config.ChangesPerRule,
        };
        var patches = step.Patches is null ? [] : await step.GetLocalPathsAsync(step.Patches, ct).ConfigureAwait(false);
        var patchedPath = patches.Count == 0 ? null : step.Outputs.CreateFile(RowPatches.Port);
        try
        {
            if (config.Auto is { } least)
                rules = rules with { Suggested = await SuggestAsync(inputs, (double)least.Value, step, ct).ConfigureAwait(false) };
            using var session = EngineSession.Open(new EngineOptions
            {
                MemoryBytes = step.Grant.MemoryBytes,
                Threads = step.Grant.Threads,
                Scratch = step.Scratch,
                Paths =
                [
                    .. inputs.SelectMany(input => input.Dataset.Paths), .. references.Values.SelectMany(dataset => dataset.Paths), outPath, rejectedPath, .. patches,
                    .. ((string?[])[files.Changes, patchedPath]).OfType<string>(),
                ],
            });
            var recipe = RecipeCompiler.Compile(session, rules, inputs, references, masks);
            var patched = patchedPath is null ? null : await RowPatches.ApplyAsync(session, inputs, patches, step.Scratch, patchedPath, recipe.Hidden, ct).ConfigureAwait(false);
            if (patched is not null)
            {
                inputs = [.. patched.Inputs];
                recipe = RecipeCompiler.Compile(session, rules, inputs, references, masks);
            }
            var rows = inputs.Sum(input => input.Dataset.Dataset.Rows);
            var result = await session.WithProgressAsync(
                () => RecipeRun.ExecuteAsync(session, recipe, files, ct),
                share => step.Progress.Report(new StepProgress("cleanse", (long)(rows * share), share)),
                TimeProvider.System).ConfigureAwait(false);
            if (InputRows.Check(result.In, rows) is { } damage)
                return new StepResult.Failed(damage);
            return await FinishAsync(config, step, recipe, result, files, patched is null ? null : (patched, patchedPath!), rules.Suggested, ct).ConfigureAwait(false);
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

    public Task<OutputInferred> InferOutputAsync(CleanseConfig config, InferenceContext context, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(context);
        if (context.Inputs.FirstOrDefault(input => input.Schema is null) is { } unknown)
            return Task.FromResult(OutputInferred.Unknown($"the columns of {unknown.Name} are not known"));
        using var session = EngineSession.Open(new EngineOptions { MemoryBytes = context.Grant.MemoryBytes, Threads = context.Grant.Threads, Scratch = context.Scratch });
        return Task.FromResult(new RecipeInference(session, config, context.Inputs).Run());
    }

    /// <summary>
    /// What the rows speak for as they came in. The answer depends on them alone, so a step that is done again does the same. No such rule gives a column another type or name.
    /// Sensitive columns are left alone: rules hold values.
    /// </summary>
    private static async Task<IReadOnlyList<Rule>> SuggestAsync(IReadOnlyList<RecipeInput> inputs, double least, StepContext step, CancellationToken ct)
    {
        step.Progress.Report(new StepProgress("suggest", 0, null));
        var found = await SuggestionFinder.FindAsync(
            new StackedInputs(inputs).ToDataset(), unmask: false,
            new EngineOptions { MemoryBytes = Math.Min(step.Grant.MemoryBytes, SuggestionFinder.MemoryBytes), Threads = step.Grant.Threads, Scratch = step.Scratch }, ct).ConfigureAwait(false);
        var taken = found.Items.Where(item => item.Rule is not null && item.Confidence >= least).ToList();
        foreach (var (item, i) in taken.Select((item, i) => (item, i)))
            step.Log.LogInformation("auto[{Number}]: {What}, {Rows} of {Looked} rows ({Confidence} sure)", i, item.Message, item.Affected, found.Looked, item.Confidence);
        return [.. taken.Select(item => item.Rule!.Value.Deserialize<Rule>(ConfigJson.Options)!)];
    }

    /// <summary>Takes a key from its connection; the answer says why there is none.</summary>
    private static async Task<StepError?> AddKeyAsync(MaskKeys masks, string name, CleanseConfig config, StepContext step, CancellationToken ct)
    {
        string message;
        try
        {
            var connection = await step.Connections.OpenAsync(name, ct).ConfigureAwait(false);
            if (connection.Type == MaskKeys.ConnectionType && connection.Settings.GetValueOrDefault(MaskKeys.Setting) is { Length: > 0 } secret)
            {
                masks.Add(name, secret);
                return null;
            }
            message = $"\"{name}\" is a {connection.Type} connection; masking needs one of type {MaskKeys.ConnectionType}.";
        }
        catch (ConnectionException exception)
        {
            message = exception.Message;
        }
        var at = config.Rules.ToList().FindIndex(rule => rule is MaskRule { Off: false } mask && mask.Key == name);
        return new StepError { Code = "connectionRefused", Message = message, Path = string.Create(CultureInfo.InvariantCulture, $"rules[{at}].key") };
    }

    private static async Task<LocalDataset> LocalAsync(DatasetRef dataset, StepContext step, CancellationToken ct) =>
        new(dataset, await step.GetLocalPathsAsync(dataset, ct).ConfigureAwait(false));

    private static async Task<StepResult> FinishAsync(
        CleanseConfig config, StepContext step, CompiledRecipe recipe, RecipeResult result, RecipeFiles files, (PatchedInputs Result, string Path)? patched, IReadOnlyList<Rule>? suggested, CancellationToken ct)
    {
        var rejected = await step.Outputs.CommitAsync(files.Rejected, result.Rejected, ct).ConfigureAwait(false);
        var columns = step.Inputs.SelectMany(input => input.Dataset.Schema.Columns).ToList();
        var outputs = new Dictionary<string, DatasetRef> { [RejectedRows.Port] = DatasetRef.Of(RejectedRows.Schema([.. columns, .. recipe.Schema.Columns]), rejected) };
        if (files.Changes is not null)
            outputs[ChangeLog.Port] = DatasetRef.Of(ChangeLog.Schema(SensitivityTags.Strictest(columns)), await step.Outputs.CommitAsync(files.Changes, result.Changes, ct).ConfigureAwait(false));
        var counts = Counts(result);
        if (suggested is not null)
            counts["suggested"] = suggested.Count;
        if (patched is var (applied, path))
        {
            outputs[RowPatches.Port] = DatasetRef.Of(RowPatches.Schema, await step.Outputs.CommitAsync(path, applied.Lines, ct).ConfigureAwait(false));
            counts["patched"] = applied.Rows;
            step.Log.LogInformation("{Rows} rows changed by repairs", applied.Rows);
        }
        var outcome = new StepOutcome
        {
            Outputs = outputs,
            Ledger = [.. result.Inputs.Select(Ledger)],
            Counts = counts,
            Warnings = result.Warnings,
        };
        foreach (var line in outcome.Ledger)
        {
            step.Log.LogInformation("{Input}: {In} in, {Out} out, {Rejected} rejected, {Filtered} filtered", line.Input, line.In, line.Out, line.Rejected, line.Filtered);
            foreach (var reason in line.Reasons)
                step.Log.LogInformation("{Input}: {Rows} {Kind} by {Reason}", line.Input, reason.Rows, reason.Kind, reason.Reason);
        }
        foreach (var warning in result.Warnings)
            step.Log.LogWarning("{Warning}", warning);

        // Over a limit the clean rows go nowhere; what is wrong with the others is kept.
        if (Failure(config, result, isDelta: step.Inputs.All(input => input.OnlyPatched)) is { } error)
            return new StepResult.Failed(error, outcome);
        var clean = await step.Outputs.CommitAsync(files.Out, result.Out, ct).ConfigureAwait(false);
        outputs["out"] = DatasetRef.Of(recipe.Schema, clean);
        return new StepResult.Completed(outcome);
    }

    /// <param name="isDelta">Some rows are done again alone: the limit is for all of them, and those have passed it.</param>
    private static StepError? Failure(CleanseConfig config, RecipeResult result, bool isDelta)
    {
        if (result.Fatal.Count > 0)
            return new StepError { Code = "checkFailed", Message = string.Join(" ", result.Fatal.Select(failure => failure.Message)), Path = result.Fatal[0].Path };
        // Of all rows there were: one that was exploded may be rejected as often as it became a row.
        var rows = result.In + result.Added;
        if (isDelta || config.MaxRejected is not { } limit || result.Rejected <= limit.Value * rows)
            return null;
        // Exact in the comparison above; here rounded up, so that 5.04 % does not read as 5.0 % with a limit of 5 %.
        var share = Math.Ceiling(1000m * result.Rejected / rows) / 10;
        return new StepError
        {
            Code = "tooManyRejected",
            Message = string.Create(CultureInfo.InvariantCulture, $"{share:0.#} % of rows rejected, limit {limit.Value * 100:0.####} %"),
            Path = "maxRejected",
        };
    }

    private static StepLedger Ledger(RecipeInputResult input) => new()
    {
        Input = input.Name,
        In = input.In,
        Added = input.Added,
        Out = input.Out,
        Rejected = input.Rejected,
        Filtered = input.Filtered,
        Reasons =
        [
            .. input.Rejections.OrderByDescending(reason => reason.Value).Select(reason => new LedgerReason("rejected", reason.Key, reason.Value)),
            .. input.Filters.OrderByDescending(reason => reason.Value).Select(reason => new LedgerReason("filtered", reason.Key, reason.Value)),
        ],
    };

    private static Dictionary<string, long> Counts(RecipeResult result)
    {
        var counts = result.Changed.ToDictionary(change => $"changed.{change.Key}", change => change.Value);
        foreach (var failure in result.Tolerated)
        {
            var verb = failure.Else switch { Else.Null => "emptied", Else.Default => "defaulted", _ => "kept" };
            counts[$"{verb}.{failure.Label}"] = counts.GetValueOrDefault($"{verb}.{failure.Label}") + failure.Rows;
        }
        return counts;
    }
}
