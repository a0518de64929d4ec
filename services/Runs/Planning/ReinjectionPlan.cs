using Qualiz.Contracts.Plans;

namespace Qualiz.Runs.Planning;

/// <summary>How rejected rows can come into the result of a run that is over: a pure function of the plan.</summary>
/// <param name="Again">The steps that are done again: the one that rejected them and all that depend on it.</param>
/// <param name="Delta">The repaired rows can flow alone.</param>
/// <param name="Objection">Why it cannot be done at all; null: it can.</param>
internal sealed record ReinjectionPlan(IReadOnlySet<string> Again, bool Delta, string? Objection)
{
    /// <param name="whole">All rows are wanted done again.</param>
    public static ReinjectionPlan Of(PipelinePlan plan, string stepId, bool whole)
    {
        var again = new HashSet<string> { stepId };
        if (!plan.Steps.Any(step => step.Id == stepId))
        {
            return new ReinjectionPlan(again, false, $"The pipeline's version has no step \"{stepId}\".");
        }

        while (plan.Steps.Where(step => !again.Contains(step.Id) && step.Dependencies.Any(again.Contains)).Select(step => step.Id).ToList() is { Count: > 0 } more)
        {
            again.UnionWith(more);
        }

        var steps = plan.Steps.Where(step => again.Contains(step.Id)).ToList();
        if (steps.Exists(step => step.Delta is null))
        {
            return new ReinjectionPlan(again, false, "The pipeline's version was saved before its steps said what they can do with repaired rows. Save it again and take the newest version, or repair the rows with the next run.");
        }

        var why = whole ? "all rows are to be done again" : steps.Select(step => WhyWhole(step, isFirst: step.Id == stepId, again)).FirstOrDefault(reason => reason is not null);
        return new ReinjectionPlan(again, why is null, why is not null && steps.Find(step => step.Adds) is { } adds
            ? $"Step \"{adds.Id}\" would deliver rows a second time: it appends, and {why}. Deliver by upsert or replace, or repair the rows with the next run."
            : null);
    }

    /// <summary>Why a step must see all rows; null: it need not.</summary>
    private static string? WhyWhole(PlanStep step, bool isFirst, HashSet<string> again) =>
        step.Delta != true ? $"step \"{step.Id}\" has to see all rows"
        : step.ForEach is not null ? $"step \"{step.Id}\" is done for each element of a list"
        : StepReads.Of(step).ReadsSteps ? $"step \"{step.Id}\" reads the figures of other steps"
        : !isFirst && step.Inputs.Any(input => input.Step is null || !again.Contains(input.Step)) ? $"step \"{step.Id}\" has another input"
        : null;
}
