using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Errors;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Operators;

namespace Qualiz.Cleanse;

/// <summary>Finds cells that are probably wrong, from the rows alone. All rows leave by <c>out</c>, what was found by <c>cells</c>.</summary>
internal sealed class DetectOperator : IOperator<DetectConfig>
{
    public async Task<StepResult> ExecuteAsync(DetectConfig config, StepContext step, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(step);
        var inputs = new List<RecipeInput>();
        foreach (var input in step.Inputs)
            inputs.Add(new RecipeInput(input.Name, new LocalDataset(input.Dataset, await step.GetLocalPathsAsync(input.Dataset, ct).ConfigureAwait(false))));
        var rowsPath = step.Outputs.CreateFile("out");
        var cellsPath = step.Outputs.CreateFile(CellReport.Port);
        try
        {
            using var session = EngineSession.Open(new EngineOptions
            {
                MemoryBytes = step.Grant.MemoryBytes,
                Threads = step.Grant.Threads,
                Scratch = step.Scratch,
                Paths = [.. inputs.SelectMany(input => input.Dataset.Paths), rowsPath, cellsPath],
            });
            var rows = inputs.Sum(input => input.Dataset.Dataset.Rows);
            step.Progress.Report(new StepProgress("detect", 0, null));
            var result = await CellReport.WriteAsync(session, inputs, Options(config), rowsPath, cellsPath, ct).ConfigureAwait(false);
            if (InputRows.Check(result.Inputs.Sum(), rows) is { } damage)
                return new StepResult.Failed(damage);
            step.Progress.Report(new StepProgress("detect", rows, 1));
            return await FinishAsync(config, step, result, rowsPath, cellsPath, ct).ConfigureAwait(false);
        }
        catch (RecipeException exception)
        {
            return new StepResult.Failed(exception.ToStepError());
        }
        catch (EngineException exception) when (exception.EndsStep)
        {
            return new StepResult.Failed(exception.ToStepError());
        }
    }

    public Task<OutputInferred> InferOutputAsync(DetectConfig config, InferenceContext context, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(context);
        if (context.Inputs.FirstOrDefault(input => input.Schema is null) is { } unknown)
            return Task.FromResult(OutputInferred.Unknown($"the columns of {unknown.Name} are not known"));
        try
        {
            var columns = StackedInputs.Stack([.. context.Inputs.Select(input => (input.Name, input.Schema!))]);
            CellReport.Looked(columns, Options(config));
            return Task.FromResult(new OutputInferred { Outputs = Schemas(config, columns) });
        }
        catch (RecipeException exception)
        {
            return Task.FromResult(new OutputInferred { Problems = [RecipeProblem.Of(exception, exception.Path)], Certainty = SchemaCertainty.Guess });
        }
    }

    private static async Task<StepResult> FinishAsync(DetectConfig config, StepContext step, CellReportResult result, string rowsPath, string cellsPath, CancellationToken ct)
    {
        var found = result.Cells.Values.Sum();
        var schemas = Schemas(config, StackedInputs.Stack([.. step.Inputs.Select(input => (input.Name, input.Dataset.Schema))]));
        var outcome = new StepOutcome
        {
            Outputs = new Dictionary<string, DatasetRef>
            {
                ["out"] = DatasetRef.Of(schemas["out"], await step.Outputs.CommitAsync(rowsPath, result.Inputs.Sum(), ct).ConfigureAwait(false)),
                [CellReport.Port] = DatasetRef.Of(schemas[CellReport.Port], await step.Outputs.CommitAsync(cellsPath, found, ct).ConfigureAwait(false)),
            },
            Ledger = [.. step.Inputs.Select((input, i) => new StepLedger { Input = input.Name, In = result.Inputs[i], Out = result.Inputs[i] })],
            Counts = new Dictionary<string, long>
            {
                ["errors"] = result.Cells.GetValueOrDefault(CellKind.Error),
                ["toNormalise"] = result.Cells.GetValueOrDefault(CellKind.Normalise),
                ["missing"] = result.Cells.GetValueOrDefault(CellKind.Missing),
                ["repaired"] = result.Repaired,
            },
            Warnings = result.Parts > 1 ? [string.Create(CultureInfo.InvariantCulture, $"The rows did not fit into memory at once: they were looked at in {result.Parts} parts of which each is like the whole.")] : [],
        };
        step.Log.LogInformation("{Cells} cells are probably wrong, {Repaired} of them repaired", found, result.Repaired);
        return new StepResult.Completed(outcome);
    }

    private static Dictionary<string, DatasetSchema> Schemas(DetectConfig config, IReadOnlyList<DatasetColumn> columns) => new()
    {
        ["out"] = CellReport.RowSchema(columns, (double?)config.Repair?.Value),
        [CellReport.Port] = CellReport.Schema(columns),
    };

    private static CellReportOptions Options(DetectConfig config) => new(config.Columns, (double)config.Report.Value, (double?)config.Repair?.Value);
}
