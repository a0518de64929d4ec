using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Files;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Text;
using Qualiz.Contracts.Values;

namespace Qualiz.Contracts.Plans;

/// <summary>The operators that a file may use.</summary>
public sealed class OperatorCatalogue(IEnumerable<OperatorManifest> manifests)
{
    private readonly Dictionary<string, List<OperatorManifest>> _kinds =
        manifests.GroupBy(manifest => manifest.Kind).ToDictionary(group => group.Key, group => group.OrderByDescending(manifest => manifest.Major).ToList());

    public IEnumerable<string> Kinds => _kinds.Keys;

    /// <summary>Newest first; empty when there is no such operator.</summary>
    public IReadOnlyList<OperatorManifest> Find(string kind) => _kinds.TryGetValue(kind, out var found) ? found : [];
}

/// <summary>What came of a file: a plan, or problems; warnings may come with a plan.</summary>
public sealed record CompiledPipeline
{
    /// <summary>Null when any problem is an error.</summary>
    public PipelinePlan? Plan { get; init; }

    /// <summary>All of them, the file's own included, in the order of the file.</summary>
    public required IReadOnlyList<FileProblem> Problems { get; init; }

    /// <summary>Which connections it names, and where.</summary>
    public required IReadOnlyList<ConnectionUse> Connections { get; init; }
}

/// <param name="Step">The step that may ask for it.</param>
/// <param name="Path">From the document's root.</param>
public sealed record ConnectionUse(string Connection, string Step, string Path, TextRange? At);

/// <summary>Turns a pipeline file and what the operators say of themselves into a plan.</summary>
public static class PipelineCompiler
{
    private static readonly ObjectNode NoSettings = new([], null);

    public static CompiledPipeline Compile(PipelineFile file, OperatorCatalogue operators)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(operators);
        if (file.Root is null)
        {
            return new CompiledPipeline { Problems = file.Problems, Connections = [] };
        }

        var problems = new List<FileProblem>(file.Problems);
        var places = new FilePlaces(file.Text, file.FileName, problems);
        var connections = new List<ConnectionUse>();
        var manifests = new Dictionary<string, OperatorManifest>();
        foreach (var step in file.Steps)
        {
            if (FindOperator(step, operators, places) is { } manifest)
            {
                manifests[step.Id] = manifest;
            }
        }

        // The paths were told by the file's own check where they stand outside "with"; this one looks inside it.
        var expressions = new ExpressionCheck(file.Root, file.Steps, places);
        foreach (var step in file.Steps)
        {
            CheckInputs(step, manifests, places);
            if (manifests.TryGetValue(step.Id, out var manifest))
            {
                CheckSettings(step, manifest, expressions, places, connections);
            }
        }

        CheckNotify(file, places, connections);
        WarnOfLateThatNobodyHears(file, places);
        var found = PipelineFile.Sorted(problems);
        return new CompiledPipeline
        {
            Plan = file.Model is { } model && found.All(problem => problem.Severity != ProblemSeverity.Error) ? Plan(model, file, manifests) : null,
            Problems = found,
            Connections = connections,
        };
    }

    private static OperatorManifest? FindOperator(FileStep step, OperatorCatalogue operators, FilePlaces places)
    {
        if (step.Uses?.Text is not { } uses)
        {
            return null;
        }

        var path = $"{step.Path}.uses";
        var at = uses.IndexOf('@', StringComparison.Ordinal);
        var kind = at < 0 ? uses : uses[..at];
        var candidates = operators.Find(kind);
        if (candidates.Count == 0)
        {
            var suggestion = NearestName.Find(kind, operators.Kinds);
            var known = operators.Kinds.Order(StringComparer.Ordinal).ToList();
            var help = suggestion is not null ? $"; did you mean \"{suggestion}\"?" : known.Count is > 0 and <= 20 ? $"; there is {string.Join(", ", known)}" : "";
            places.Report(path, step.Uses.Range, $"\"{kind}\" is no operator{help}", suggestion);
            return null;
        }

        if (at < 0)
        {
            return candidates[0];
        }

        var manifest = candidates.FirstOrDefault(candidate => uses.AsSpan(at + 1).SequenceEqual(candidate.Major.ToString(CultureInfo.InvariantCulture)));
        if (manifest is null)
        {
            places.Report(path, step.Uses.Range, $"{kind} has no version {uses[(at + 1)..]}; there is {string.Join(", ", candidates.Select(candidate => $"{kind}@{candidate.Major}"))}");
        }

        return manifest;
    }

    private static void CheckInputs(FileStep step, Dictionary<string, OperatorManifest> manifests, FilePlaces places)
    {
        foreach (var input in step.Inputs.Where(input => input.Step is not null))
        {
            if (!manifests.TryGetValue(input.Step!, out var source))
            {
                continue;
            }

            var ports = source.Outputs.Select(port => port.Name).ToList();
            if (ports.Contains(input.Port ?? "out"))
            {
                continue;
            }

            var suggestion = input.Port is null ? null : NearestName.Find(input.Port, ports);
            var message = (ports.Count, input.Port) switch
            {
                (0, _) => $"{input.Step} ({source.Kind}) has no output; to come after it, write needs: [{input.Step}]",
                (_, null) => $"{input.Step} ({source.Kind}) has several outputs: write {string.Join(" or ", ports.Select(port => $"{input.Step}.{port}"))}",
                _ => $"{input.Step} ({source.Kind}) has no output \"{input.Port}\"{(suggestion is null ? $"; there is {string.Join(", ", ports)}" : $"; did you mean \"{suggestion}\"?")}",
            };
            places.Report($"{step.Path}.inputs[{input.At}]", input.Node.Range, message, suggestion);
        }

        if (!manifests.TryGetValue(step.Id, out var manifest))
        {
            return;
        }

        var at = step.Node.Find("inputs");
        if (step.Inputs.Count < manifest.MinInputs && (at is null || at.Value is ListNode))
        {
            places.Report(step.Path, at?.NameRange ?? step.IdRange, manifest.MinInputs == 1
                ? $"{manifest.Kind} needs an input: write inputs: [step]"
                : $"{manifest.Kind} needs at least {manifest.MinInputs} inputs, has {step.Inputs.Count}");
        }
        else if (manifest.MaxInputs is { } most && step.Inputs.Count > most)
        {
            places.Report($"{step.Path}.inputs", at?.NameRange, most == 0
                ? $"{manifest.Kind} takes no input; to come after a step, write needs: [{step.Inputs[0].Step ?? "step"}]"
                : $"{manifest.Kind} takes at most {most} {(most == 1 ? "input" : "inputs")}, has {step.Inputs.Count}");
        }

        if (step.Publish is { } publish && manifest.Outputs.All(port => port.Name != "out"))
        {
            places.Report($"{step.Path}.publish", publish.Range, $"{manifest.Kind} has no output to publish");
        }
    }

    private static void CheckSettings(
        FileStep step, OperatorManifest manifest, ExpressionCheck expressions, FilePlaces places, List<ConnectionUse> connections)
    {
        if (step.With is not (null or ObjectNode or ScalarNode { Value.ValueKind: JsonValueKind.Null }))
        {
            return;
        }

        var settings = step.With as ObjectNode ?? NoSettings;
        var prefix = $"{step.Path}.with";
        var place = step.Node.Find("with")?.NameRange ?? step.IdRange;
        foreach (var problem in SchemaValidator.Validate(settings, manifest.ConfigSchema,
            (template, node, schema, path) => expressions.Template(template, node, schema, Join(prefix, path), step)))
        {
            places.Report(Join(prefix, problem.Path), problem.At ?? place, problem.Message, problem.Suggestion);
        }

        connections.AddRange(FieldFinder.Find(settings, manifest.ConfigSchema, FieldFormat.Connection)
            .Where(found => found.Value.Text is not null)
            .Select(found => new ConnectionUse(found.Value.Text!, step.Id, Join(prefix, found.Path), found.Value.Range)));
    }

    private static string Join(string prefix, string path) => path.Length == 0 ? prefix : $"{prefix}.{path}";

    /// <summary>Addresses of messages about the run. A connection that one names is used by no step.</summary>
    private static void CheckNotify(PipelineFile file, FilePlaces places, List<ConnectionUse> connections)
    {
        if (file.Root!.Find("notify")?.Value is not ListNode entries)
        {
            return;
        }

        for (var i = 0; i < entries.Items.Count; i++)
        {
            if ((entries.Items[i] as ObjectNode)?.Find("to")?.Value is not ListNode to)
            {
                continue;
            }

            for (var j = 0; j < to.Items.Count; j++)
            {
                var path = $"notify[{i}].to[{j}]";
                if (to.Items[j] is not ScalarNode { Text: { } address })
                {
                    continue;
                }

                if (ConnectionOf(address) is { } connection)
                {
                    connections.Add(new ConnectionUse(connection, "", path, to.Items[j].Range));
                }
                else if (!address.StartsWith("email:", StringComparison.Ordinal) || !EmailAddress.IsOne(address["email:".Length..]))
                {
                    places.Report(path, to.Items[j].Range, $"\"{address}\" is no address; write email:name@example.org (one address an entry), slack:connection or webhook:connection");
                }
            }
        }
    }

    private static void WarnOfLateThatNobodyHears(PipelineFile file, FilePlaces places)
    {
        if (file.Root!.Find("late") is { } late && file.Model is { } model && !Notify(model).Any(entry => entry.When.Contains(PlanNotifyOn.Late)))
        {
            places.Report("late", late.NameRange, "nobody is told of late runs; add late to a \"when\" under notify", null, ProblemSeverity.Warning);
        }
    }

    private static string? ConnectionOf(string address) =>
        ((string[])["slack:", "webhook:"]).Where(prefix => address.StartsWith(prefix, StringComparison.Ordinal) && address.Length > prefix.Length)
            .Select(prefix => address[prefix.Length..]).FirstOrDefault();

    /// <summary>Who owns a pipeline hears of its failures, if nobody else is named and the owner has an address.</summary>
    private static IReadOnlyList<PlanNotification> Notify(PipelineModel model)
    {
        if (model.Notify.Count > 0)
        {
            return
            [
                .. model.Notify.Select(entry => new PlanNotification(
                    [.. entry.When.Values.Select(on => (PlanNotifyOn)on)],
                    entry.To,
                    entry.Digest switch
                    {
                        Digest.Hourly => TimeSpan.FromHours(1),
                        Digest.Daily => TimeSpan.FromDays(1),
                        Digest.Weekly => TimeSpan.FromDays(7),
                        _ => null,
                    })),
            ];
        }

        return model.Owner is { } owner && EmailAddress.IsOne(owner)
            ? [new PlanNotification([PlanNotifyOn.Failed, PlanNotifyOn.Recovered, PlanNotifyOn.Late], [$"email:{owner}"], null)]
            : [];
    }

    /// <summary>Watched when the file says what is late, or somebody is to be told.</summary>
    private static PlanLate? Late(PipelineModel model)
    {
        var late = model.Late ?? (Notify(model).Any(notification => notification.When.Contains(PlanNotifyOn.Late)) ? new LateModel() : null);
        return late is null ? null : new PlanLate(
            late.By is { } by && TimeOnly.TryParseExact(by, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null, late.Times);
    }

    private static PipelinePlan Plan(PipelineModel model, PipelineFile file, Dictionary<string, OperatorManifest> manifests) => new()
    {
        Pipeline = model.Pipeline,
        FileName = file.FileName,
        Params = [.. model.Params.Select(param => new PlanParam(param.Key, Word(param.Value.Type), param.Value.Of is { } of ? Word(of) : null, DefaultOf(param.Value), param.Value.Title))],
        Limits = new PlanLimits(
            model.Limits?.Concurrency, model.Limits?.WhenBusy == WhenBusyModel.Reject ? WhenBusy.Reject : WhenBusy.Queue, model.Limits?.Timeout?.Value),
        Keep = model.Keep is { } keep ? new PlanKeep(keep.Intermediate?.Value, keep.Runs?.Value) { Quarantine = keep.Quarantine } : null,
        Notify = Notify(model),
        Late = Late(model),
        Steps = [.. file.Steps.Select(step => PlanStep(step, model.Steps[step.Id], model.Retry, manifests[step.Id]))],
    };

    /// <summary>A default of null is none: a parameter has a value or is required.</summary>
    private static JsonElement? DefaultOf(ParamModel param) => param.Default is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } value ? value : null;

    private static string Word(ParamType type) => JsonSerializer.SerializeToElement(type, ConfigJson.Options).GetString()!;

    private static PlanStep PlanStep(FileStep step, StepModel model, RetryModel? pipelineRetry, OperatorManifest manifest) =>
        PlanStep(step, model, pipelineRetry, manifest, (step.With as ObjectNode ?? NoSettings).ToJson());

    private static PlanStep PlanStep(FileStep step, StepModel model, RetryModel? pipelineRetry, OperatorManifest manifest, JsonElement config) => new()
    {
        Id = step.Id,
        Operator = manifest.Kind,
        Major = manifest.Major,
        Config = config,
        Delta = manifest.Delta && !manifest.Whole.Any(setting => ConfigSettings.MayHave(config, setting)),
        Adds = manifest.AddsUnless is { } unless && !unless.Any(setting => ConfigSettings.Has(config, setting)),
        Inputs = [.. step.Inputs.Select(input => new PlanInput(input.Name, input.Step, input.Step is null ? null : input.Port ?? "out", input.Dataset is null ? null : input.Name))],
        Needs = [.. step.Needs.Select(need => need.Text!)],
        When = model.When,
        ForEach = model.ForEach is { } each
            ? new PlanForEach(each.Items, each.As, each.Parallel, each.OnError == ForEachOnError.Continue ? OnItemError.Continue : OnItemError.Fail)
            : null,
        Retry = Retry(model.Retry, pipelineRetry),
        Timeout = model.Timeout?.Value,
        Publish = model.Publish,
        Places = PlanPlaces.Of(step),
    };

    private static RetryPolicy Retry(RetryModel? step, RetryModel? pipeline) => (step ?? pipeline) is null
        ? RetryPolicy.None
        : new RetryPolicy(
            step?.Times ?? pipeline?.Times ?? 0,
            step?.Wait?.Value ?? pipeline?.Wait?.Value ?? TimeSpan.FromSeconds(10),
            step?.Backoff ?? pipeline?.Backoff ?? 2,
            (step?.On ?? pipeline?.On) == RetryOnModel.Any ? RetryOn.Any : RetryOn.Transient);
}
