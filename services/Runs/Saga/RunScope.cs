using System.Text.Json;
using System.Text.Json.Nodes;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Plans;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Saga;

/// <summary>What conditions and <c>${...}</c> see of a run: <c>params</c>, <c>run</c> and <c>steps</c> (docs/conditions.md).</summary>
internal static class RunScope
{
    public static IScope Of(RunState run, IEnumerable<StepState> steps) => new JsonScope(JsonSerializer.SerializeToElement(
        new { run.Params, Run = Facts(run), Steps = steps.ToDictionary(step => step.StepId, step => StepFacts.From(Word(step.State), step.Outcome)) },
        StepFacts.Json));

    /// <summary>For an element of a step with <c>forEach</c>: its value too, as <c>item</c> and under the name given with <c>as</c>.</summary>
    public static IScope Of(RunState run, IEnumerable<StepState> steps, PlanForEach? each, JsonElement? item)
    {
        if (each is null || item is not { } value)
        {
            return Of(run, steps);
        }

        var scope = new JsonObject
        {
            ["params"] = JsonSerializer.SerializeToNode(run.Params),
            ["run"] = JsonSerializer.SerializeToNode(Facts(run), StepFacts.Json),
            ["steps"] = JsonSerializer.SerializeToNode(steps.ToDictionary(step => step.StepId, step => StepFacts.From(Word(step.State), step.Outcome)), StepFacts.Json),
            ["item"] = JsonSerializer.SerializeToNode(value),
        };
        scope[each.As] = JsonSerializer.SerializeToNode(value);
        return new JsonScope(JsonSerializer.SerializeToElement(scope));
    }

    /// <summary>What parameter defaults see: <c>run</c> alone.</summary>
    public static IScope OfStart(RunState run) => new JsonScope(JsonSerializer.SerializeToElement(new { Run = Facts(run) }, StepFacts.Json));

    private static RunFacts Facts(RunState run) => new()
    {
        Id = run.CorrelationId,
        Project = run.Project,
        Pipeline = run.Pipeline,
        Version = run.PipelineVersion,
        Day = run.Day,
        Interval = new IntervalFacts(run.IntervalStart, run.IntervalEnd),
        Cause = run.Cause,
    };

    private static string Word(StepStatus status) => status switch
    {
        StepStatus.Completed => "completed",
        StepStatus.Failed => "failed",
        StepStatus.Skipped => "skipped",
        StepStatus.Cancelled => "cancelled",
        StepStatus.Running or StepStatus.Spread => "running",
        _ => "waiting",
    };
}
