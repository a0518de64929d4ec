using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Operators;

namespace Qualiz.Tasks;

/// <summary>What operators that make one dataset of their inputs have in common.</summary>
internal static class DataStep
{
    public const string OutPort = "out";

    /// <summary>The inputs, brought to this machine.</summary>
    public static async Task<IReadOnlyList<RecipeInput>> InputsAsync(StepContext step, CancellationToken ct)
    {
        var inputs = new List<RecipeInput>();
        foreach (var input in step.Inputs)
            inputs.Add(new RecipeInput(input.Name, new LocalDataset(input.Dataset, await step.GetLocalPathsAsync(input.Dataset, ct))));
        return inputs;
    }

    /// <summary>The inputs without their rows; null, with the reason, when the columns of one are not known.</summary>
    public static IReadOnlyList<RecipeInput>? Inputs(InferenceContext context, out string why)
    {
        var unknown = context.Inputs.FirstOrDefault(input => input.Schema is null);
        why = unknown is null ? "" : $"the columns of {unknown.Name} are not known";
        return unknown is null ? [.. context.Inputs.Select(input => new RecipeInput(input.Name, EmptyDataset.Of(input.Schema!)))] : null;
    }

    public static EngineSession Open(StepContext step, IReadOnlyList<RecipeInput> inputs, string outPath) => EngineSession.Open(new EngineOptions
    {
        MemoryBytes = step.Grant.MemoryBytes,
        Threads = step.Grant.Threads,
        Scratch = step.Scratch,
        Paths = [.. inputs.SelectMany(input => input.Dataset.Paths), outPath],
    });

    public static EngineSession Open(InferenceContext context) => EngineSession.Open(new EngineOptions
    {
        MemoryBytes = context.Grant.MemoryBytes,
        Threads = context.Grant.Threads,
        Scratch = context.Scratch,
    });

    /// <summary>Each input is counted before it is used: what is made of them has no count of its own.</summary>
    public static async Task<StepError?> DamageAsync(EngineSession session, IReadOnlyList<RecipeInput> inputs, CancellationToken ct)
    {
        foreach (var input in inputs.Where(input => input.Dataset.Paths.Count > 0))
        {
            var rows = await session.ScalarAsync<long>($"SELECT CAST(sum(num_rows) AS BIGINT) FROM parquet_file_metadata({Sql.List(input.Dataset.Paths)})", ct);
            if (InputRows.Check(rows, input.Dataset.Dataset.Rows, input.Name) is { } damage)
                return damage;
        }

        return null;
    }

    /// <summary>
    /// The identity of rows that are none of those that came in: the step and run that made them, their place in the file, and the hash of
    /// <paramref name="key"/> (null: of all columns). It follows from the place, so the file need not hold it.
    /// </summary>
    public static RowOrigin Origin(StepContext step, IReadOnlyList<string>? key) => new()
    {
        Source = string.Create(CultureInfo.InvariantCulture, $"{step.Command.Pipeline}.{step.Command.StepId}@{step.Command.RunId:N}"),
        Key = key,
    };

    public static ConfigProblem Problem(RecipeException exception) => RecipeProblem.Of(exception, exception.Path);
}
