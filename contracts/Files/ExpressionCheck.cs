using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Schemas;
using Qualiz.Contracts.Text;

namespace Qualiz.Contracts.Files;

/// <summary>Checks the paths of conditions and templates against what will be there, and says of which kind they are.</summary>
internal sealed class ExpressionCheck
{
    private readonly FilePlaces _places;
    private readonly Dictionary<string, string> _params;
    private readonly HashSet<string> _steps;
    private readonly Dictionary<string, HashSet<string>> _before;

    public ExpressionCheck(ObjectNode root, IReadOnlyList<FileStep> steps, FilePlaces places)
    {
        _places = places;
        _params = ParamsOf(root);
        _steps = [.. steps.Select(step => step.Id)];
        _before = Before(steps);
    }

    /// <summary>The parameters and their types, as far as they are understood.</summary>
    public static Dictionary<string, string> ParamsOf(ObjectNode root) =>
        root.Find("params")?.Value is ObjectNode declared
            ? declared.Properties.ToDictionary(
                param => param.Name, param => (param.Value as ObjectNode)?.Find("type")?.Value is ScalarNode { Text: { } type } ? type : "text")
            : [];

    public void Condition(FileStep step, ScalarNode node, string path)
    {
        if (!Conditions.Condition.TryParse(node.Text!, out var condition, out var error))
        {
            _places.ReportInside(path, node, error.Position, error.Message, error.Suggestion);
            return;
        }

        foreach (var read in condition.Paths)
        {
            KindOf(read, step, node, path);
        }
    }

    /// <summary>A template in a step's settings.</summary>
    public TemplateKind Template(Template template, ScalarNode node, System.Text.Json.JsonElement schema, string path, FileStep step)
    {
        var kinds = template.Paths.Select(read => KindOf(read, step, node, path)).ToList();
        var format = schema.TryGetProperty("format", out var given) ? given.GetString() : null;
        if (format == FieldFormat.Connection)
        {
            _places.Report(path, node.Range, "a connection is named, not filled in, so that it is known which connections a version uses");
        }
        else if (format is FieldFormat.Expression or FieldFormat.CodeSql && template.Paths.FirstOrDefault(read => !IsHarmless(read)) is { } harmful)
        {
            _places.ReportInside(path, node, harmful.Position, $"{harmful} is text and could change what the expression does; only numbers, dates and true/false are filled in here");
        }

        return template.SinglePath is not null ? kinds[0]
            : template.IsSingleValue ? TemplateKind.Bool
            : TemplateKind.Text;
    }

    /// <summary>A template in the default of a parameter: only the run is there by then.</summary>
    public void Default(Template template, ScalarNode node, string path)
    {
        foreach (var read in template.Paths)
        {
            if (read.Root != "run")
            {
                _places.ReportInside(path, node, read.Position, "a default can read only the run: ${run.day}, ${run.interval.start}, ...");
            }
            else
            {
                KindOf(read, null, node, path);
            }
        }
    }

    private bool IsHarmless(ConditionPath path) => path.Root switch
    {
        "params" => path.Segments.Count > 1 && _params.TryGetValue(path.Segments[1].Name, out var type) && ParamValues.IsHarmlessInSql(type),
        "run" => path.Segments.Count > 1 && path.Segments[1].Name is "id" or "day" or "version" or "interval",
        "item" or "event" => false,
        _ => true,
    };

    private TemplateKind KindOf(ConditionPath read, FileStep? step, ScalarNode node, string path)
    {
        switch (read.Root)
        {
            case "params":
                return Member(read, 1, _params.Keys, "parameter", node, path) is { } param ? OfParam(read, _params[param]) : TemplateKind.Unknown;
            case "run":
                if (Member(read, 1, RunFacts.Names, "part of run", node, path) is not { } fact)
                {
                    return TemplateKind.Unknown;
                }

                if (fact == "interval")
                {
                    return read.Segments.Count == 2 ? TemplateKind.Structure : Member(read, 2, ["start", "end"], "part of run.interval", node, path) is null ? TemplateKind.Unknown : TemplateKind.Text;
                }

                return fact == "version" ? TemplateKind.WholeNumber : TemplateKind.Text;
            case "event":
                return TemplateKind.Unknown;
            case "steps":
                return Member(read, 1, _steps, "step", node, path) is { } named ? OfStep(read, 1, named, step, node, path) : TemplateKind.Unknown;
        }

        var element = step?.ForEach?.Find("as")?.Value is ScalarNode { Text: { } given } ? given : "item";
        if (step?.ForEach is not null && (read.Root == element || read.Root == "item"))
        {
            return TemplateKind.Unknown;
        }

        if (_steps.Contains(read.Root))
        {
            return OfStep(read, 0, read.Root, step, node, path);
        }

        string[] roots = ["params", "run", "event", "steps", .. _steps, .. step?.ForEach is null ? [] : new[] { element }];
        var suggestion = NearestName.Find(read.Root, roots);
        var isParam = suggestion is null && _params.ContainsKey(read.Root);
        _places.ReportInside(path, node, read.Position,
            suggestion is not null ? $"there is no \"{read.Root}\" here; did you mean \"{suggestion}\"?"
            : isParam ? $"there is no \"{read.Root}\" here; did you mean \"params.{read.Root}\"?"
            : $"there is no \"{read.Root}\" here: params, run, event and the steps before this one can be read", suggestion ?? (isParam ? $"params.{read.Root}" : null));
        return TemplateKind.Unknown;
    }

    private static TemplateKind OfParam(ConditionPath read, string type) => read.Segments.Count > 2 ? TemplateKind.Unknown : ParamValues.KindOf(type);

    private TemplateKind OfStep(ConditionPath read, int at, string name, FileStep? step, ScalarNode node, string path)
    {
        if (step is null || !_before[step.Id].Contains(name))
        {
            // With an input that is not there nobody can say what comes before; that is told already.
            if (step is not null && step.Id != name && !_before[step.Id].IsSubsetOf(_steps))
            {
                return TemplateKind.Unknown;
            }

            _places.ReportInside(path, node, read.Segments[at].Position, step?.Id == name
                ? "a step cannot read its own result"
                : $"\"{name}\" does not come before this step; add it to its needs");
            return TemplateKind.Unknown;
        }

        if (read.Segments.Count == at + 1)
        {
            return TemplateKind.Structure;
        }

        return Member(read, at + 1, StepFacts.Names, $"part of {name}", node, path) switch
        {
            null => TemplateKind.Unknown,
            "status" => TemplateKind.Text,
            "rejectedShare" => TemplateKind.Number,
            "counts" => read.Segments.Count > at + 2 ? TemplateKind.WholeNumber : TemplateKind.Structure,
            _ => TemplateKind.WholeNumber,
        };
    }

    private string? Member(ConditionPath read, int at, IEnumerable<string> known, string what, ScalarNode node, string path)
    {
        var names = known.ToList();
        if (read.Segments.Count <= at)
        {
            _places.ReportInside(path, node, read.Position, $"say which {what.Split(' ')[0]}: {read.Root}.{names.FirstOrDefault() ?? "name"}");
            return null;
        }

        var segment = read.Segments[at];
        if (segment.Index is null && names.Contains(segment.Name))
        {
            return segment.Name;
        }

        var suggestion = NearestName.Find(segment.Name, names);
        var help = suggestion is not null ? $"; did you mean \"{suggestion}\"?" : names.Count is > 0 and <= 12 ? $"; there is {string.Join(", ", names)}" : "";
        _places.ReportInside(path, node, segment.Position, $"\"{segment.Name}\" is no {what}{help}", suggestion);
        return null;
    }

    /// <summary>For each step all that come before it, by any number of edges; cycles do no harm.</summary>
    private static Dictionary<string, HashSet<string>> Before(IReadOnlyList<FileStep> steps)
    {
        var direct = new Dictionary<string, List<string>>();
        foreach (var step in steps)
        {
            direct[step.Id] = [.. step.Dependencies];
        }

        var all = new Dictionary<string, HashSet<string>>();
        foreach (var step in steps)
        {
            var found = new HashSet<string>();
            var open = new Stack<string>(direct[step.Id]);
            while (open.TryPop(out var next))
            {
                if (found.Add(next) && direct.TryGetValue(next, out var further))
                {
                    further.ForEach(open.Push);
                }
            }

            all[step.Id] = found;
        }

        return all;
    }
}
