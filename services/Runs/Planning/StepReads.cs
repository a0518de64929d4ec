using System.Runtime.CompilerServices;
using System.Text.Json;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Plans;

namespace Qualiz.Runs.Planning;

/// <summary>What the expressions of a step read. Found once for each step of a plan.</summary>
internal sealed class StepReads
{
    private static readonly ConditionalWeakTable<PlanStep, StepReads> s_known = [];
    private readonly string? _element;

    private StepReads(PlanStep step)
    {
        _element = step.ForEach?.As;
        if (step.When is { } when && Condition.TryParse(when, out var condition, out _))
        {
            WhenReadsItem = step.ForEach is not null && condition.Paths.Any(IsItem);
            ReadsSteps |= condition.Paths.Any(IsStep);
            JudgedByWhen = condition.Paths.Select(JudgedStep).OfType<string>().ToHashSet();
        }

        ReadsSteps |= Texts(step.Config).Any(text => Template.Mentions(text) && ReadsStepsIn(text));
    }

    public static StepReads Of(PlanStep step) => s_known.GetValue(step, step => new StepReads(step));

    /// <summary>The condition is asked for each element, not for the step.</summary>
    public bool WhenReadsItem { get; }

    /// <summary>An expression may read other steps; when in doubt, true.</summary>
    public bool ReadsSteps { get; }

    /// <summary>Steps whose status the condition reads: it decides whether their failure or skipping is in the way, not the default.</summary>
    public IReadOnlySet<string> JudgedByWhen { get; } = new HashSet<string>();

    private bool ReadsStepsIn(string text)
    {
        try
        {
            return Template.Parse(text).Paths.Any(IsStep);
        }
        catch (ConditionException)
        {
            return true;
        }
    }

    private bool IsItem(ConditionPath path) => path.Root == "item" || path.Root == _element;

    private bool IsStep(ConditionPath path) => path.Root is not ("params" or "run" or "event") && !IsItem(path);

    /// <summary><c>clean.status</c> or <c>steps.clean.status</c>.</summary>
    private string? JudgedStep(ConditionPath path)
    {
        var at = path.Root == "steps" ? 1 : 0;
        return IsStep(path) && path.Segments.Count == at + 2 && path.Segments[at + 1].Name == "status" ? path.Segments[at].Name : null;
    }

    private static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(property => Texts(property.Value)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Texts),
        JsonValueKind.String when value.GetString()!.Contains('$', StringComparison.Ordinal) => [value.GetString()!],
        _ => [],
    };
}
