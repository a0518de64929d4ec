using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Queries;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Engine.Transforms;
using Qualiz.Platform.Operators;

namespace Qualiz.Tasks.Queries;

/// <summary>Runs one SELECT over the inputs. What its rows are made of is not accounted.</summary>
internal sealed class SqlOperator : IOperator<SqlConfig>
{
    public static OperatorDescription Description { get; } = new()
    {
        Kind = "sql",
        Title = "SQL",
        Description = "One SELECT over the inputs, in the SQL of DuckDB.",
        Icon = "code",
        MinInputs = 1,
        Outputs = [new OperatorPort(DataStep.OutPort, "Rows")],
        Accounts = null,
    };

    public async Task<StepResult> ExecuteAsync(SqlConfig config, StepContext step, CancellationToken ct)
    {
        var inputs = await DataStep.InputsAsync(step, ct);
        var outPath = step.Outputs.CreateFile(DataStep.OutPort);
        try
        {
            using var session = DataStep.Open(step, inputs, outPath);
            if (await DataStep.DamageAsync(session, inputs, ct) is { } damage)
                return new StepResult.Failed(damage);
            var query = Compile(session, config, inputs);
            var rows = inputs.Sum(input => input.Dataset.Dataset.Rows);
            var written = await session.WithProgressAsync(
                () => DatasetFiles.WriteAsync(session, query.Query, outPath, ct),
                share => step.Progress.Report(new StepProgress("sql", (long)(rows * share), share)),
                TimeProvider.System);
            var file = await step.Outputs.CommitAsync(outPath, written, ct) with { Origin = DataStep.Origin(step, config.Key.Count == 0 ? null : config.Key) };
            step.Log.LogInformation("{Rows} rows in, {Written} rows out", rows, written);
            return new StepResult.Completed(new StepOutcome
            {
                Outputs = new Dictionary<string, DatasetRef> { [DataStep.OutPort] = DatasetRef.Of(query.Schema, file) },
                Ledger = [.. inputs.Select(TransformRun.NotAccounted)],
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

    public Task<OutputInferred> InferOutputAsync(SqlConfig config, InferenceContext context, CancellationToken ct)
    {
        if (DataStep.Inputs(context, out var why) is not { } inputs)
            return Task.FromResult(OutputInferred.Unknown(why));
        try
        {
            using var session = DataStep.Open(context);
            var query = Compile(session, config, inputs);
            return Task.FromResult(new OutputInferred { Outputs = new Dictionary<string, DatasetSchema> { [DataStep.OutPort] = query.Schema } });
        }
        catch (RecipeException exception)
        {
            return Task.FromResult(new OutputInferred { Problems = [DataStep.Problem(exception)] });
        }
    }

    private static CompiledQuery Compile(EngineSession session, SqlConfig config, IReadOnlyList<RecipeInput> inputs)
    {
        var query = SqlQuery.Compile(session, config.Query, SqlQuery.Tables(inputs, config.Names), "query");
        for (var i = 0; i < config.Key.Count; i++)
        {
            if (query.Schema.Find(config.Key[i]) is { Hidden: false })
                continue;
            var known = query.Schema.Columns.Where(column => !column.Hidden).Select(column => column.Name).ToList();
            var nearest = NearestName.Find(config.Key[i], known);
            throw new RecipeException(
                RecipeException.ColumnUnknown, $"Column \"{config.Key[i]}\" does not exist{(nearest is null ? "." : $"; did you mean \"{nearest}\"?")}", $"key[{i}]")
            {
                Suggestion = nearest,
            };
        }
        return query;
    }
}
