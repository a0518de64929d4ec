using System.Collections.Concurrent;
using System.Text.Json;
using Qualiz.Contracts;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Files;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Platform.Messaging;

namespace Qualiz.Pipelines.Authoring;

/// <summary>What could be told of a step without running it.</summary>
/// <param name="Checked">Whether its settings were held against the columns that it gets.</param>
/// <param name="NotChecked">Why not.</param>
/// <param name="Certainty">How well <paramref name="Outputs"/> are known; null when nothing is.</param>
/// <param name="Outputs">The columns of each port, as far as they are known.</param>
internal sealed record StepCheck(string Step, bool Checked, string? NotChecked, SchemaCertainty? Certainty, IReadOnlyDictionary<string, DatasetSchema> Outputs)
{
    public static StepCheck Unknown(string step, string why) => new(step, false, why, null, new Dictionary<string, DatasetSchema>());
}

/// <summary>What the inference of a plan needs to know beforehand.</summary>
internal sealed record InferenceSetting
{
    public required string Project { get; init; }
    public required PipelineFile File { get; init; }
    public required PipelinePlan Plan { get; init; }
    public required IReadOnlyDictionary<(string Kind, int Major), (OperatorManifest Manifest, bool Available)> Operators { get; init; }

    /// <summary>The connections that a step names and that hold no secret.</summary>
    public required ILookup<string, OpenConnection> Connections { get; init; }

    /// <summary>The plan of the last completed run and what its steps gave.</summary>
    public (PipelinePlan Plan, LastOutputs Outputs)? Last { get; init; }
    public required DateOnly Today { get; init; }
}

/// <summary>
/// Walks through a plan along its data and asks each operator what its step gives. Whoever is silent, or does not know, leaves
/// the steps behind it unchecked; only what an operator is sure of is an error.
/// </summary>
internal sealed class StepInference(IRequests requests, InferenceSetting setting, CancellationToken ct)
{
    /// <summary>An operator answers within four seconds, if only to say that it cannot tell.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Lazy<Task<StepCheck>>> _steps = [];
    private readonly ConcurrentDictionary<string, Lazy<Task<DatasetSchema?>>> _datasets = [];
    private readonly ConcurrentBag<FileProblem> _problems = [];
    private readonly JsonElement _scope = Scope(setting);

    public async Task<(IReadOnlyList<FileProblem> Problems, IReadOnlyList<StepCheck> Steps)> RunAsync()
    {
        var checks = await Task.WhenAll(setting.Plan.Steps.Select(step => OfStep(step.Id)));
        return ([.. _problems], checks);
    }

    private Task<StepCheck> OfStep(string id) => _steps.GetOrAdd(id, _ => new Lazy<Task<StepCheck>>(() => CheckAsync(setting.Plan.Step(id)))).Value;

    private async Task<StepCheck> CheckAsync(PlanStep step)
    {
        var inputs = await Task.WhenAll(step.Inputs.Select(InputAsync));
        var (manifest, available) = setting.Operators.GetValueOrDefault((step.Operator, step.Major));
        if (manifest is { Infers: false, Outputs.Count: 0 } && step.Inputs.Count == 0)
            return new StepCheck(step.Id, true, null, SchemaCertainty.Exact, new Dictionary<string, DatasetSchema>());
        if (manifest is null or { Infers: false })
            return LastOr(step, "its operator cannot tell before a run");
        if (!available)
            return LastOr(step, "its operator is not running");
        JsonElement config;
        try
        {
            config = Template.Fill(step.Config, _scope);
        }
        catch (ConditionException)
        {
            return LastOr(step, "its settings hold a ${...} that only a run can fill in");
        }

        var assumed = !JsonElement.DeepEquals(config, step.Config);
        var named = FieldFinder.Find(DocumentNode.From(config), manifest.ConfigSchema, FieldFormat.Dataset).Select(field => field.Value.Text).OfType<string>().Distinct();
        var datasets = await Task.WhenAll(named.Select(async reference => new InferInput(reference, await DatasetAsync(reference))));
        if (await AskAsync(step, config, assumed, inputs, datasets) is not { } answer)
            return LastOr(step, "its operator did not answer in time");
        var certainty = inputs.Select(input => input.Certainty ?? SchemaCertainty.Exact).Append(answer.Certainty).Min();
        foreach (var problem in answer.Problems)
            _problems.Add(Problem(step, problem, certainty, assumed));
        return answer.NotChecked is { } why ? LastOr(step, why) : new StepCheck(step.Id, true, null, certainty, answer.Outputs);
    }

    private async Task<(InferInput Input, SchemaCertainty? Certainty)> InputAsync(PlanInput input)
    {
        if (input.Dataset is { } reference)
            return (new InferInput(input.Name, await DatasetAsync(reference)), null);
        var before = await OfStep(input.Step!);
        return (new InferInput(input.Name, before.Outputs.GetValueOrDefault(input.Port ?? "out")), before.Certainty);
    }

    private async Task<OutputInferred?> AskAsync(PlanStep step, JsonElement config, bool assumed, (InferInput Input, SchemaCertainty? Certainty)[] inputs, InferInput[] datasets) =>
        await AskAsync<OutputInferred>(OperatorManifest.InferenceQueue(step.Operator, step.Major), new InferOutput
        {
            Project = setting.Project,
            Operator = step.Operator,
            Major = step.Major,
            Config = config,
            Assumed = assumed,
            Inputs = [.. inputs.Select(input => input.Input)],
            Datasets = datasets,
            Last = LastOf(step),
            Connections = [.. setting.Connections[step.Id]],
        });

    private Task<DatasetSchema?> DatasetAsync(string reference) => _datasets.GetOrAdd(reference, _ => new Lazy<Task<DatasetSchema?>>(() => DescribeAsync(reference))).Value;

    /// <summary>Null for a dataset that is not there: another pipeline may still make it.</summary>
    private async Task<DatasetSchema?> DescribeAsync(string reference)
    {
        using var limit = Limit();
        try
        {
            return (await requests.AskAsync<DatasetDescribed, DatasetUnknown>(
                Queues.DatasetRequests, new DescribeDataset { Project = setting.Project, Reference = reference }, limit.Token)).First?.Schema;
        }
        catch (Exception exception) when (IsSilence(exception))
        {
            return null;
        }
    }

    private async Task<T?> AskAsync<T>(string queue, object question) where T : class
    {
        using var limit = Limit();
        try
        {
            return await requests.AskAsync<T>(queue, question, limit.Token);
        }
        catch (Exception exception) when (IsSilence(exception))
        {
            return null;
        }
    }

    private CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        return limit;
    }

    /// <summary>Whatever keeps an answer away: nobody is refused a pipeline for it.</summary>
    public static bool IsSilence(Exception exception) => exception is OperationCanceledException or RequestFailedException;

    private FileProblem Problem(PlanStep step, ConfigProblem problem, SchemaCertainty certainty, bool assumed)
    {
        var path = $"steps.{step.Id}.with{(problem.Path.Length == 0 ? "" : $".{problem.Path}")}";
        var sure = problem.Needs is not { } needed || certainty >= needed;
        var message = sure ? problem.Message : $"{problem.Message} (going by the last run or a part of the data)";
        return setting.File.ProblemAt(path, assumed ? null : problem.Position, message, problem.Suggestion, sure ? ProblemSeverity.Error : ProblemSeverity.Warning);
    }

    private StepCheck LastOr(PlanStep step, string why) =>
        LastOf(step) is { } outputs ? new StepCheck(step.Id, false, why, SchemaCertainty.Guess, outputs) : StepCheck.Unknown(step.Id, why);

    private IReadOnlyDictionary<string, DatasetSchema>? LastOf(PlanStep step) =>
        setting.Last is { } last && last.Outputs.Steps.TryGetValue(step.Id, out var outputs) && IsAsBefore(step, last.Plan) ? outputs : null;

    /// <summary>The same operator with the same settings on the same data: then it may give the same columns again.</summary>
    private bool IsAsBefore(PlanStep step, PipelinePlan before) =>
        before.Steps.FirstOrDefault(other => other.Id == step.Id) is { } last
        && last.Operator == step.Operator && last.Major == step.Major
        && JsonElement.DeepEquals(last.Config, step.Config)
        && last.Inputs.SequenceEqual(step.Inputs)
        && step.Inputs.All(input => input.Step is null || IsAsBefore(setting.Plan.Step(input.Step), before));

    /// <summary>What is known of a run that is not there: today, and the defaults of its parameters.</summary>
    private static JsonElement Scope(InferenceSetting setting)
    {
        var run = new
        {
            project = setting.Project,
            pipeline = setting.Plan.Pipeline,
            day = setting.Today,
            interval = new { start = setting.Today.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc), end = setting.Today.AddDays(1).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc) },
        };
        var runScope = JsonSerializer.SerializeToElement(new { run });
        var values = new Dictionary<string, JsonElement>();
        foreach (var param in setting.Plan.Params)
        {
            if (param.Default is not { } value)
                continue;
            try
            {
                values[param.Name] = Template.Fill(value, runScope);
            }
            catch (ConditionException)
            {
                // It needs something of a real run; what reads it is not checked.
            }
        }

        return JsonSerializer.SerializeToElement(new { run, @params = values });
    }
}
