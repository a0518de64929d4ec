using System.Globalization;

namespace Qualiz.Contracts.Runs.V1;

/// <summary>
/// How executions are named: a step by its name in the file, an element of a step with <c>forEach</c> by the step and its
/// number, <c>shop.3</c>. Step names hold no dot, so the two cannot be mixed up.
/// </summary>
public static class StepIds
{
    /// <param name="number">1, 2, ...</param>
    public static string Item(string step, int number) => string.Create(CultureInfo.InvariantCulture, $"{step}.{number}");

    public static bool IsItem(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return id.Contains('.', StringComparison.Ordinal);
    }

    /// <summary>The name in the pipeline file, of an element's execution too.</summary>
    public static string StepOf(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        var dot = id.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? id : id[..dot];
    }
}
