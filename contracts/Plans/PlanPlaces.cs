using System.Globalization;
using Qualiz.Contracts.Files;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Contracts.Plans;

/// <summary>Carries places of the pipeline file in a plan, so that errors found at run time point into the file.</summary>
public static class PlanPlaces
{
    /// <summary>The step itself: an empty name is not carried by every serialiser.</summary>
    private const string Whole = ".";

    /// <summary>Keys of a step that an error may be about; any other path is one of its settings.</summary>
    private static readonly string[] OwnKeys = ["inputs", "needs", "when", "forEach", "uses", "publish", "timeout", "retry"];

    /// <summary>The error with its place in the file, as near as the file's text goes.</summary>
    public static StepError Locate(this PipelinePlan plan, string stepId, StepError error)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(error);
        if (error.Place is not null || error.Path is not { } path || plan.FileName is not { } file)
        {
            return error;
        }

        var step = plan.Step(stepId);
        var isOwn = Array.Exists(OwnKeys, key => path == key || path.StartsWith(key + ".", StringComparison.Ordinal) || path.StartsWith(key + "[", StringComparison.Ordinal));
        if (!isOwn || step.Places.ContainsKey(With(path)))
        {
            path = With(path);
        }

        for (var known = path; ; known = Shorten(known))
        {
            if (step.Places.TryGetValue(known, out var place))
            {
                var at = place.Split(':');
                return error with
                {
                    Place = new FilePlace(
                        file, int.Parse(at[0], CultureInfo.InvariantCulture), int.Parse(at[1], CultureInfo.InvariantCulture), $"steps.{stepId}{(path.Length == 0 ? "" : "." + path)}"),
                };
            }

            if (known == Whole)
            {
                return error;
            }
        }
    }

    /// <summary>The places of a step's parts, all that an error can name.</summary>
    internal static Dictionary<string, string> Of(FileStep step)
    {
        var places = new Dictionary<string, string>();
        Add(places, Whole, step.IdRange ?? step.Node.Range);
        Walk(step.Node, "", places);
        return places;
    }

    private static void Walk(DocumentNode node, string path, Dictionary<string, string> places)
    {
        switch (node)
        {
            case ObjectNode parent:
                foreach (var property in parent.Properties)
                {
                    var name = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
                    Add(places, name, property.Value is ObjectNode ? property.NameRange ?? property.Value.Range : property.Value.Range ?? property.NameRange);
                    Walk(property.Value, name, places);
                }

                break;
            case ListNode list:
                for (var at = 0; at < list.Items.Count; at++)
                {
                    Add(places, $"{path}[{at}]", list.Items[at].Range);
                    Walk(list.Items[at], $"{path}[{at}]", places);
                }

                break;
        }
    }

    private static void Add(Dictionary<string, string> places, string path, TextRange? range)
    {
        if (range is { } at)
        {
            places[path] = string.Create(CultureInfo.InvariantCulture, $"{at.Start.Line}:{at.Start.Column}");
        }
    }

    private static string With(string path) => path.Length == 0 ? "with" : path[0] == '[' ? "with" + path : "with." + path;

    /// <summary><c>with.rules[2].value</c>, <c>with.rules[2]</c>, <c>with.rules</c>, <c>with</c>, the step.</summary>
    private static string Shorten(string path)
    {
        var cut = path.AsSpan().LastIndexOfAny('.', '[');
        return cut < 0 ? Whole : path[..cut];
    }
}
