using System.Globalization;
using System.Text.Json;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Text;

namespace Qualiz.Contracts.Files;

/// <summary>What no schema can say of a pipeline file: names, references, the graph, expressions, defaults.</summary>
internal sealed class PipelineFileCheck(ObjectNode root, IReadOnlyList<FileStep> steps, FilePlaces places)
{
    private const int MostSteps = 500;
    private readonly HashSet<string> _ids = [.. steps.Select(step => step.Id)];

    public void Run()
    {
        var first = root.Properties.Count > 0 ? root.Properties[0] : null;
        if (first is not null && first.Name != "qualiz" && root.Find("qualiz") is { } format)
        {
            places.Report("qualiz", format.NameRange, "\"qualiz: 1\" comes first in the file");
        }

        if (root.Find("steps") is { Value: ObjectNode { Properties.Count: 0 } } none)
        {
            places.Report("steps", none.NameRange, "a pipeline has at least one step");
        }

        if (steps.Count > MostSteps)
        {
            places.Report("steps", steps[MostSteps].IdRange, $"a pipeline has at most {MostSteps} steps");
            return;
        }

        var expressions = new ExpressionCheck(root, steps, places);
        CheckParams(expressions);
        foreach (var step in steps)
        {
            CheckStep(step, expressions);
        }

        CheckPublished();
        CheckCycles();
    }

    private void CheckParams(ExpressionCheck expressions)
    {
        if (root.Find("params")?.Value is not ObjectNode declared)
        {
            return;
        }

        foreach (var param in declared.Properties)
        {
            var path = $"params.{param.Name}";
            if (!Names.IsIdentifier(param.Name))
            {
                places.Report(path, param.NameRange, $"\"{param.Name}\" is no name of a parameter: a letter, then letters, digits, _ and -");
            }

            if (param.Value is not ObjectNode node)
            {
                continue;
            }

            var type = node.Find("type")?.Value is ScalarNode { Text: { } given } ? given : "text";
            var of = (node.Find("of")?.Value as ScalarNode)?.Text;
            if (of is not null && type != "list")
            {
                places.Report($"{path}.of", node.Find("of")!.NameRange, "\"of\" is the type of a list's elements; this is no list");
            }

            if (of == "list")
            {
                places.Report($"{path}.of", node.Find("of")!.Value.Range, "a list of lists is not possible");
            }

            if (node.Find("default")?.Value is { } value)
            {
                CheckDefault(value, type, of, $"{path}.default", expressions);
            }
        }
    }

    private void CheckDefault(DocumentNode value, string type, string? of, string path, ExpressionCheck expressions)
    {
        if (value is ScalarNode { Text: { } text } scalar && Template.Mentions(text))
        {
            try
            {
                expressions.Default(Template.Parse(text), scalar, path);
            }
            catch (ConditionException problem)
            {
                places.ReportInside(path, scalar, problem.Position, problem.Message, problem.Suggestion);
            }
        }
        else if (value is not ScalarNode { Value.ValueKind: JsonValueKind.Null } && ParamValues.Problem(type, of, value.ToJson()) is { } problem)
        {
            // A type that is not known is the structural check's to report.
            if (!problem.Contains("not known", StringComparison.Ordinal))
            {
                places.Report(path, value.Range, problem);
            }
        }
    }

    private void CheckStep(FileStep step, ExpressionCheck expressions)
    {
        if (!Names.IsIdentifier(step.Id))
        {
            places.Report(step.Path, step.IdRange, $"\"{step.Id}\" is no name of a step: a letter, then letters, digits, _ and -");
        }
        else if (Names.Reserved.Contains(step.Id))
        {
            places.Report(step.Path, step.IdRange, $"\"{step.Id}\" means something else in conditions; name the step otherwise");
        }

        var seen = new HashSet<string>();
        foreach (var input in step.Inputs)
        {
            var path = $"{step.Path}.inputs[{input.At}]";
            if (!seen.Add(input.Name))
            {
                places.Report(path, input.Node.Range, $"\"{input.Name}\" stands here twice");
            }
            else if (input.Dataset is not null)
            {
                CheckDataset(input, path);
            }
            else
            {
                CheckReference(input.Step!, input.Node, path, step);
            }
        }

        for (var at = 0; at < step.Needs.Count; at++)
        {
            CheckReference(step.Needs[at].Text!, step.Needs[at], $"{step.Path}.needs[{at}]", step);
        }

        if (step.When is { } when)
        {
            expressions.Condition(step, when, $"{step.Path}.when");
        }

        if (step.ForEach?.Find("as")?.Value is ScalarNode { Text: { } element } asNode && (Names.Reserved.Contains(element) && element != "item" || _ids.Contains(element)))
        {
            places.Report($"{step.Path}.forEach.as", asNode.Range, $"\"{element}\" means something else in ${{...}}; take another name");
        }

        if (step.ForEach?.Find("items")?.Value is ScalarNode { Text: { } items } itemsNode)
        {
            var path = $"{step.Path}.forEach.items";
            try
            {
                var template = Template.Parse(items);
                if (template.IsSingleValue)
                {
                    expressions.Template(template, itemsNode, EmptySchema, path, step);
                }
                else
                {
                    places.Report(path, itemsNode.Range, "should be a list, or one ${...} that gives a list");
                }
            }
            catch (ConditionException problem)
            {
                places.ReportInside(path, itemsNode, problem.Position, problem.Message, problem.Suggestion);
            }
        }
    }

    private static readonly JsonElement EmptySchema = JsonSerializer.SerializeToElement(new Dictionary<string, string>());

    private void CheckReference(string name, ScalarNode node, string path, FileStep step)
    {
        if (_ids.Contains(name))
        {
            return;
        }

        var suggestion = NearestName.Find(name, _ids.Where(id => id != step.Id));
        places.Report(path, node.Range, suggestion is null ? $"there is no step \"{name}\"" : $"there is no step \"{name}\"; did you mean \"{suggestion}\"?", suggestion);
    }

    private void CheckDataset(FileInput input, string path)
    {
        var reference = input.Dataset!;
        var at = reference.IndexOf('@', StringComparison.Ordinal);
        var name = at < 0 ? reference : reference[..at];
        if (name.Contains('/', StringComparison.Ordinal))
        {
            places.Report(path, input.Node.Range, "datasets of other projects are not supported yet by this version");
        }
        else if (!Names.IsName(name))
        {
            places.Report(path, input.Node.Range, $"\"{name}\" is no name of a dataset: a small letter, then small letters, digits, _ and -");
        }

        if (at >= 0 && !IsVersion(reference[(at + 1)..]))
        {
            places.Report(path, input.Node.Range, $"\"{reference[(at + 1)..]}\" is no version: write @12, @2026-11-20 or @run:<id>");
        }
    }

    private static bool IsVersion(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number > 0
        : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            || (text.StartsWith("run:", StringComparison.Ordinal) && Guid.TryParse(text.AsSpan(4), out _));

    private void CheckPublished()
    {
        foreach (var group in steps.Where(step => step.Publish is not null).GroupBy(step => step.Publish!.Text).Where(group => group.Count() > 1))
        {
            foreach (var step in group.Skip(1))
            {
                places.Report($"{step.Path}.publish", step.Publish!.Range, $"\"{group.Key}\" is published by {group.First().Id} already");
            }
        }
    }

    /// <summary>Depth first; a step met again on its own way down closes a cycle. Each cycle is told once.</summary>
    private void CheckCycles()
    {
        var byId = new Dictionary<string, FileStep>();
        foreach (var step in steps)
        {
            byId[step.Id] = step;
        }

        var done = new HashSet<string>();
        foreach (var step in steps)
        {
            var way = new List<string>();
            var branches = new Stack<IEnumerator<string>>();
            if (!done.Contains(step.Id))
            {
                Enter(step.Id);
            }

            while (branches.TryPeek(out var branch))
            {
                if (!branch.MoveNext())
                {
                    branches.Pop();
                    done.Add(way[^1]);
                    way.RemoveAt(way.Count - 1);
                    continue;
                }

                var next = branch.Current;
                var met = way.IndexOf(next);
                if (met >= 0)
                {
                    ReportCycle(byId[way[^1]], [.. way.Skip(met)]);
                }
                else if (byId.ContainsKey(next) && !done.Contains(next))
                {
                    Enter(next);
                }
            }

            void Enter(string id)
            {
                way.Add(id);
                branches.Push(byId[id].Dependencies.GetEnumerator());
            }
        }
    }

    /// <param name="way">Each step depends on the one after it, the last on the first.</param>
    private void ReportCycle(FileStep last, List<string> way)
    {
        // Told in the direction in which data would flow.
        way.Reverse();
        var cycle = string.Join(" -> ", way.Prepend(way[^1]));
        var input = last.Inputs.FirstOrDefault(candidate => candidate.Step == way[^1]);
        var need = last.Needs.Select((node, at) => (node, at)).FirstOrDefault(candidate => candidate.node.Text == way[^1]);
        if (input is not null)
        {
            places.Report($"{last.Path}.inputs[{input.At}]", input.Node.Range, $"the steps wait for each other: {cycle}");
        }
        else
        {
            places.Report($"{last.Path}.needs[{need.at}]", need.node?.Range ?? last.IdRange, $"the steps wait for each other: {cycle}");
        }
    }
}
