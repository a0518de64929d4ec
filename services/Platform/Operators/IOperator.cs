using System.Text.Json;
using Microsoft.Extensions.Logging;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Storage;

namespace Qualiz.Platform.Operators;

/// <summary>
/// An operator: the code behind a word after <c>uses:</c>. It runs after a claim, may run again after a crash, and
/// reports only through what it returns. Registered with <c>AddOperator</c>.
/// </summary>
public interface IOperator<in TConfig> where TConfig : class
{
    /// <summary>
    /// Does the step. A mistake in the data or the configuration is a <see cref="StepResult.Failed"/>; an exception means broken
    /// infrastructure and counts as a transient failure.
    /// </summary>
    /// <param name="config">Bound strictly and validated; all parameters are filled in.</param>
    /// <param name="ct">Cancelled when the claim is lost, the run is cancelled or the step's time is up.</param>
    Task<StepResult> ExecuteAsync(TConfig config, StepContext step, CancellationToken ct);

    /// <summary>
    /// Says, without running the step, which columns it would give and whether its configuration fits the columns it gets. It has
    /// seconds, changes nothing, and holds back where it does not know: a pipeline is refused for what is reported here. An
    /// operator that does not implement it is not asked.
    /// </summary>
    /// <param name="config">Bound strictly and validated.</param>
    Task<OutputInferred> InferOutputAsync(TConfig config, InferenceContext context, CancellationToken ct) =>
        Task.FromResult(OutputInferred.Unknown("the operator cannot tell before a run"));
}

/// <summary>Everything an inference may use.</summary>
public sealed class InferenceContext
{
    public required InferOutput Request { get; init; }
    public IReadOnlyList<InferInput> Inputs => Request.Inputs;

    /// <summary>The columns of a dataset that the configuration names; null: not known.</summary>
    public DatasetSchema? Dataset(string reference) => Request.Datasets.FirstOrDefault(dataset => dataset.Name == reference)?.Schema;
    public required IObjectStore Store { get; init; }

    /// <summary>An empty folder of this inference alone; deleted afterwards.</summary>
    public required string Scratch { get; init; }

    /// <summary>Small: no more than a sample can be looked at.</summary>
    public required ResourceGrant Grant { get; init; }

    /// <summary>Opens connections that hold no secret and refuses all others.</summary>
    public required IConnections Connections { get; init; }
}

/// <summary>Everything an execution may use.</summary>
public sealed class StepContext
{
    public required ExecuteStep Command { get; init; }
    public required long Fence { get; init; }

    /// <summary>The inputs in the order of the file, <c>dataset:</c> references resolved.</summary>
    public required IReadOnlyList<ResolvedInput> Inputs { get; init; }
    public required IStepOutputs Outputs { get; init; }
    public required IObjectStore Store { get; init; }

    /// <summary>An empty folder of this execution alone; deleted afterwards.</summary>
    public required string Scratch { get; init; }

    /// <summary>What the host granted: bytes of memory and threads for this execution.</summary>
    public required ResourceGrant Grant { get; init; }

    /// <summary>Goes to the step's own log, which the run page shows. Never row values, never secrets.</summary>
    public required ILogger Log { get; init; }
    public required IProgress<StepProgress> Progress { get; init; }
    public required IConnections Connections { get; init; }

    /// <summary>Datasets that the configuration names (lookups, lists of allowed values), beside the inputs.</summary>
    public IDatasets Datasets { get; init; } = NoDatasets.Instance;

    /// <summary>What the last completed run left for this step, or null.</summary>
    public JsonElement? State { get; init; }

    /// <summary>Repairs of rows that wait for this step (see GetPatches), or null; only for operators that say they apply them.</summary>
    public DatasetRef? Patches { get; init; }

    /// <summary>Brings a dataset to this machine: the path of each of its files, in their order.</summary>
    public async Task<IReadOnlyList<string>> GetLocalPathsAsync(DatasetRef dataset, CancellationToken ct)
    {
        var paths = new List<string>();
        foreach (var file in dataset.Files)
            paths.Add(await Store.GetLocalPathAsync(file.Key, Scratch, ct).ConfigureAwait(false));
        return paths;
    }
}

/// <param name="Name">As written in the pipeline file.</param>
/// <param name="OnlyPatched">Of these rows only the ones that <see cref="StepContext.Patches"/> re-injects count.</param>
public sealed record ResolvedInput(string Name, DatasetRef Dataset, bool OnlyPatched = false);

/// <param name="MemoryBytes">What the step's native engine may use.</param>
/// <param name="ScratchBytes">How much the execution may keep in <see cref="StepContext.Scratch"/>; 0: not limited.</param>
public sealed record ResourceGrant(long MemoryBytes, int Threads, long ScratchBytes = 0);

/// <summary>Hands out the places an execution writes to and turns finished files into a <see cref="DatasetRef"/>.</summary>
public interface IStepOutputs
{
    /// <summary>A local path to write <paramref name="port"/>'s next file to; nobody reads it before <see cref="CommitAsync"/>.</summary>
    string CreateFile(string port, string extension = ".parquet");

    /// <summary>Makes a written file durable under <c>&lt;project&gt;/&lt;run&gt;/&lt;step&gt;/&lt;fence&gt;/</c> and measures its size and SHA-256.</summary>
    Task<DataFile> CommitAsync(string path, long rows, CancellationToken ct);
}

/// <summary>Exchanges a connection's name for its settings and secret, under this execution's fence; audited.</summary>
public interface IConnections
{
    /// <exception cref="ConnectionException">No such connection, the pipeline version does not use it, or the fence is old.</exception>
    Task<Connection> OpenAsync(string name, CancellationToken ct);
}

/// <param name="Type">postgres, ...</param>
/// <param name="Settings">All settings, secrets included. Never logged, never sent on.</param>
public sealed record Connection(string Name, string Type, IReadOnlyDictionary<string, string> Settings)
{
    public override string ToString() => $"{Type} connection {Name}";
}

public sealed class ConnectionException(string message) : Exception(message);

/// <summary>Turns a reference (<c>dataset:name</c>, <c>dataset:name@12</c>) into its content; the first answer is pinned with the run.</summary>
public interface IDatasets
{
    /// <exception cref="DatasetException">There is no such dataset or version in the run's project.</exception>
    Task<ResolvedDataset> ResolveAsync(string reference, CancellationToken ct);
}

/// <param name="Name">The dataset's own name, without prefix and version.</param>
public sealed record ResolvedDataset(string Name, int Version, DatasetRef Content);

/// <summary>The message is shown to a person.</summary>
public sealed class DatasetException(string message) : Exception(message);

internal sealed class NoDatasets : IDatasets
{
    public static readonly NoDatasets Instance = new();

    public Task<ResolvedDataset> ResolveAsync(string reference, CancellationToken ct) =>
        throw new DatasetException($"There is no {reference}.");
}

/// <summary>How an execution ended.</summary>
public abstract record StepResult
{
    private StepResult()
    {
    }

    public sealed record Completed(StepOutcome Outcome) : StepResult;

    /// <param name="Outcome">What is kept all the same: rejected rows, ledger.</param>
    public sealed record Failed(StepError Error, StepOutcome? Outcome = null) : StepResult;

    /// <summary>
    /// There is nothing to do: the step counts as skipped, and so do the steps that need it; the run may complete. Nothing is
    /// kept of such an execution but its log.
    /// </summary>
    /// <param name="Reason">One clause for a person, e.g. <c>no new file was found</c>.</param>
    public sealed record Skipped(string Reason) : StepResult;

    /// <summary>Wait without holding a worker; the step comes back with <see cref="ExecuteStep.Deferral"/>.</summary>
    public sealed record Deferred(string Key, DateTimeOffset NextCheck) : StepResult;
}
