using Microsoft.EntityFrameworkCore;
using Qualiz.Contracts.Files;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Text;
using Qualiz.Pipelines.Model;
using Qualiz.Pipelines.Operators;
using Qualiz.Platform.Http;

namespace Qualiz.Pipelines.Authoring;

/// <summary>What came of a file.</summary>
internal sealed record CheckedPipeline(PipelineFile File, CompiledPipeline Result, IReadOnlyList<StepCheck> Steps);

/// <summary>Compiles a file against the operators and connections that the project has, and checks its steps against the columns they will meet.</summary>
internal sealed class PipelineChecker(OperatorRegistry operators, ColumnChecker columns, PipelinesDb db)
{
    /// <param name="name">The name in the address, which the file must repeat; null when there is none.</param>
    public async Task<CheckedPipeline> CheckAsync(Guid projectId, string? name, string text, string fileName, CancellationToken ct)
    {
        var file = PipelineFile.Parse(text, fileName);
        var views = await operators.ListAsync(ct);
        // Silent operators are in it too: a pipeline may be saved while a service restarts.
        var compiled = PipelineCompiler.Compile(file, new OperatorCatalogue(views.Select(view => view.Manifest)));
        var problems = compiled.Problems.ToList();
        if (compiled.Connections.Count > 0)
        {
            var known = await db.Connections.Where(connection => connection.ProjectId == projectId).Select(connection => connection.Name).ToListAsync(ct);
            foreach (var use in compiled.Connections.Where(use => !known.Contains(use.Connection)))
            {
                var nearest = NearestName.Find(use.Connection, known);
                var help = nearest is not null ? $"; did you mean \"{nearest}\"?"
                    : known.Count is > 0 and <= 12 ? $"; there is {string.Join(", ", known.Order(StringComparer.Ordinal))}"
                    : "";
                problems.Add(new FileProblem(
                    fileName, use.At?.Start.Line ?? 1, use.At?.Start.Column ?? 1, use.Path, $"\"{use.Connection}\" is no connection of this project{help}", nearest));
            }
        }

        if (name is not null && file.Model is { } model && model.Pipeline != name && file.Locate("pipeline") is { } at)
            problems.Add(new FileProblem(fileName, at.Line, at.Column, "pipeline", $"the file names the pipeline \"{model.Pipeline}\", the address \"{name}\""));

        var inferred = await columns.CheckAsync(
            projectId, file, problems.Any(problem => problem.Severity == ProblemSeverity.Error) ? compiled with { Plan = null } : compiled, views, ct);
        problems.AddRange(inferred.Problems);
        var sorted = problems.OrderBy(problem => problem.Line).ThenBy(problem => problem.Column).ToList();
        var isGood = sorted.All(problem => problem.Severity != ProblemSeverity.Error);
        return new CheckedPipeline(file, compiled with { Problems = sorted, Plan = isGood ? compiled.Plan : null }, inferred.Steps);
    }
}

internal static class FileProblems
{
    public static ApiError ToApiError(this FileProblem problem) => new(
        problem.Message, problem.Path, problem.File, problem.Line, problem.Column, problem.Suggestion, problem.Severity == ProblemSeverity.Warning ? "warning" : null);
}
