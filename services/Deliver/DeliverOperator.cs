using Npgsql;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Contracts.Text;
using Qualiz.Deliver.Files;
using Qualiz.Deliver.Postgres;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Sessions;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Deliver;

/// <summary>Brings a dataset to where others read it: all of it or nothing, and once.</summary>
internal sealed class DeliverOperator(OutboundGuard outbound, IConfiguration configuration) : IOperator<DeliverConfig>
{
    public async Task<StepResult> ExecuteAsync(DeliverConfig config, StepContext step, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(step);
        try
        {
            var input = step.Inputs.Count == 1 ? step.Inputs[0] : throw new DeliveryException("inputCount", "Deliver has exactly one input.");
            var columns = input.Dataset.Schema.Columns.Where(column => config.Hidden || !column.Hidden).ToList();
            if (columns.Count == 0)
                throw new DeliveryException("columnsMissing", "The input has no columns to deliver.");
            var rows = new DeliveryRows(new LocalDataset(input.Dataset, await step.GetLocalPathsAsync(input.Dataset, ct).ConfigureAwait(false)), columns);
            CheckKey(config, columns);
            var delivered = config.To.Connection is { } connection
                ? await ToPostgresAsync(config, step, rows, connection, ct).ConfigureAwait(false)
                : await FileDelivery.RunAsync(config, step, rows, Roots(), ct).ConfigureAwait(false);
            return new StepResult.Completed(new StepOutcome
            {
                Outputs = new Dictionary<string, DatasetRef>(),
                Ledger = [new StepLedger { Input = input.Name, In = input.Dataset.Rows, Out = delivered.Rows }],
                Counts = delivered.Counts,
                Warnings = delivered.Warnings,
            });
        }
        catch (DeliveryException exception)
        {
            return new StepResult.Failed(exception.Error);
        }
        catch (EngineException exception) when (exception.EndsStep)
        {
            return new StepResult.Failed(exception.ToStepError());
        }
    }

    /// <summary>Rows leave here, so there is no output; the key must be among the columns.</summary>
    public Task<OutputInferred> InferOutputAsync(DeliverConfig config, InferenceContext context, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(context);
        if (context.Inputs is not [{ Schema: { } schema }])
            return Task.FromResult(OutputInferred.Unknown($"the columns of {(context.Inputs is [var input, ..] ? input.Name : "the input")} are not known"));
        var columns = schema.Columns.Where(column => config.Hidden || !column.Hidden).ToList();
        return Task.FromResult(new OutputInferred
        {
            Problems = [.. UnknownKeys(config, columns).Select(unknown => new ConfigProblem
            {
                Code = "columnUnknown",
                Path = $"key[{unknown.At}]",
                Message = unknown.Message,
                Suggestion = unknown.Nearest,
                Needs = SchemaCertainty.Names,
            })],
        });
    }

    private async Task<Delivered> ToPostgresAsync(DeliverConfig config, StepContext step, DeliveryRows rows, string name, CancellationToken ct)
    {
        Connection connection;
        try
        {
            connection = await step.Connections.OpenAsync(name, ct).ConfigureAwait(false);
        }
        catch (ConnectionException exception)
        {
            throw new DeliveryException("connectionRefused", exception.Message, "to.connection");
        }
        await using var source = await SignInAsync(connection, step, ct).ConfigureAwait(false);
        return await new PostgresDelivery(source, config, step, rows).RunAsync(ct).ConfigureAwait(false);
    }

    private async Task<NpgsqlDataSource> SignInAsync(Connection connection, StepContext step, CancellationToken ct)
    {
        try
        {
            return (await PostgresConnection.OpenAsync(connection, outbound, $"{step.Command.Pipeline}/{step.Command.StepId}", ct).ConfigureAwait(false)).Build();
        }
        catch (ArgumentException error)
        {
            throw new DeliveryException("connectionInvalid", $"The connection \"{connection.Name}\" {error.Message}.", "to.connection");
        }
        catch (OutboundRefusedException error)
        {
            throw new DeliveryException("addressRefused", error.Message, "to.connection");
        }
    }

    private static void CheckKey(DeliverConfig config, List<DatasetColumn> columns)
    {
        foreach (var (at, message, _) in UnknownKeys(config, columns))
            throw new DeliveryException("columnUnknown", message, $"key[{at}]");
    }

    private static IEnumerable<(int At, string Message, string? Nearest)> UnknownKeys(DeliverConfig config, List<DatasetColumn> columns)
    {
        for (var i = 0; i < config.Key.Count; i++)
        {
            if (columns.Exists(column => column.Name == config.Key[i]))
                continue;
            var nearest = NearestName.Find(config.Key[i], columns.Select(column => column.Name));
            yield return (i, $"Column \"{config.Key[i]}\" does not exist{(nearest is null ? "." : $"; did you mean \"{nearest}\"?")}", nearest);
        }
    }

    // A list, or one text as environment variables have it.
    private string[] Roots()
    {
        var section = configuration.GetSection("Folders:Roots");
        return section.Value is { Length: > 0 } one
            ? one.Split([';', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : section.Get<string[]>() ?? [];
    }
}

/// <summary>The rows to deliver and which of their columns.</summary>
internal sealed record DeliveryRows(LocalDataset Dataset, IReadOnlyList<DatasetColumn> Columns)
{
    public long Count => Dataset.Dataset.Rows;

    public EngineSession Open(StepContext step, params IEnumerable<string> paths) => EngineSession.Open(new EngineOptions
    {
        MemoryBytes = step.Grant.MemoryBytes,
        Threads = step.Grant.Threads,
        Scratch = step.Scratch,
        Paths = [.. Dataset.Paths, .. paths],
    });

    public string Relation => DatasetFiles.Relation(Dataset, [.. Columns.Select(column => column.Name)]);
}

internal sealed record Delivered(long Rows, IReadOnlyDictionary<string, long> Counts, IReadOnlyList<string> Warnings);

/// <summary>The delivery cannot be made. The message holds no row values.</summary>
internal sealed class DeliveryException(StepError error) : Exception(error.Message)
{
    /// <summary>What a person does whose older rows are wanted all the same.</summary>
    public const string DoAgain = "A new run (rerun) delivers all the same.";

    public DeliveryException(string code, string message, string? path = null, bool transient = false)
        : this(new StepError { Code = code, Message = message, Path = path, Transient = transient })
    {
    }

    public StepError Error => error;
}
