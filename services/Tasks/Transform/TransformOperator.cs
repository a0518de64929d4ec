using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Transforms;
using Qualiz.Platform.Operators;

namespace Qualiz.Tasks.Transform;

/// <summary>Selects, filters, joins, stacks, aggregates, sorts, samples and pivots rows, in the order that the configuration says.</summary>
internal sealed class TransformOperator : IOperator<TransformConfig>
{
    public static OperatorDescription Description { get; } = new()
    {
        Kind = "transform",
        Title = "Transform",
        Description = "Selects, filters, joins, stacks, aggregates, sorts, samples and pivots rows.",
        Icon = "shuffle",
        MinInputs = 1,
        Outputs = [new OperatorPort(DataStep.OutPort, "Rows")],
        Accounts = ["added", "merged", "filtered"],
    };

    public async Task<StepResult> ExecuteAsync(TransformConfig config, StepContext step, CancellationToken ct)
    {
        var inputs = await DataStep.InputsAsync(step, ct);
        var outPath = step.Outputs.CreateFile(DataStep.OutPort);
        try
        {
            using var session = DataStep.Open(step, inputs, outPath);
            if (await DataStep.DamageAsync(session, inputs, ct) is { } damage)
                return new StepResult.Failed(damage);
            var plan = TransformCompiler.Compile(session, config.Operations, inputs);
            var rows = inputs.Sum(input => input.Dataset.Dataset.Rows);
            var result = await session.WithProgressAsync(
                () => TransformRun.ExecuteAsync(session, plan, outPath, ct),
                share => step.Progress.Report(new StepProgress("transform", (long)(rows * share), share)),
                TimeProvider.System);
            var file = await step.Outputs.CommitAsync(outPath, result.Out, ct);
            if (!plan.Accounted)
                file = file with { Origin = DataStep.Origin(step, plan.Key) };
            foreach (var line in result.Ledger.Where(line => line.Accounted))
            {
                step.Log.LogInformation("{Input}: {In} in, {Out} out, {Added} added, {Merged} merged, {Filtered} filtered", line.Input, line.In, line.Out, line.Added, line.Merged, line.Filtered);
                foreach (var reason in line.Reasons)
                    step.Log.LogInformation("{Input}: {Rows} {Kind} by {Reason}", line.Input, reason.Rows, reason.Kind, reason.Reason);
            }
            foreach (var warning in result.Warnings)
                step.Log.LogWarning("{Warning}", warning);
            return new StepResult.Completed(new StepOutcome
            {
                Outputs = new Dictionary<string, DatasetRef> { [DataStep.OutPort] = DatasetRef.Of(plan.Schema, file) },
                Ledger = result.Ledger,
                Warnings = result.Warnings,
            });
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

    public Task<OutputInferred> InferOutputAsync(TransformConfig config, InferenceContext context, CancellationToken ct)
    {
        if (DataStep.Inputs(context, out var why) is not { } inputs)
            return Task.FromResult(OutputInferred.Unknown(why));
        using var session = DataStep.Open(context);
        var check = TransformCompiler.Check(session, config.Operations, inputs);
        return Task.FromResult(new OutputInferred
        {
            Outputs = check.Plan is { } plan ? new Dictionary<string, DatasetSchema> { [DataStep.OutPort] = plan.Schema } : new Dictionary<string, DatasetSchema>(),
            Problems = [.. check.Problems.Select(DataStep.Problem)],
            NotChecked = check.DependsOnValues ? "the columns of its pivot are those of the data" : null,
        });
    }
}
