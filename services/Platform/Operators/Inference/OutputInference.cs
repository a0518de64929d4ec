using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Qualiz.Contracts.Operators.V1;
using Qualiz.Platform.Operators.Workers;
using Qualiz.Platform.Storage;

namespace Qualiz.Platform.Operators.Inference;

/// <summary>
/// Asks this process's operators about steps that are not run: where the step itself would run, but without claim and budget.
/// Somebody waits for the answer at a screen, so it never waits behind steps; it is kept small instead.
/// </summary>
internal sealed class OutputInference(
    IServiceProvider services, IObjectStore store, EngineWorkerPool workers, ScratchFolders scratchFolders, ILogger<OutputInference> log)
    : IDisposable
{
    /// <summary>Less than the asker's patience: it should hear why there is no answer.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(4);
    private static readonly ResourceGrant Grant = new(256L * 1024 * 1024, 1, 256L * 1024 * 1024);

    /// <summary>Beside the steps at work, no more than this many workers.</summary>
    private const int AtOnce = 2;

    private readonly SemaphoreSlim _turns = new(AtOnce);

    public static InferenceContext Context(InferOutput request, IObjectStore store, string scratch, ResourceGrant grant) => new()
    {
        Request = request,
        Store = store,
        Scratch = scratch,
        Grant = grant,
        Connections = new OpenConnections(request.Connections),
    };

    public async Task<OutputInferred> InferAsync(OperatorRegistration registration, InferOutput request, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Limit);
        string? scratch = null;
        var turn = false;
        try
        {
            await _turns.WaitAsync(limit.Token);
            turn = true;
            scratch = scratchFolders.Create();
            return registration.Description.RunsIn == OperatorRunsIn.EngineWorker
                ? await workers.InferAsync(new InferenceJob(request, scratch, Grant, Activity.Current?.Id), limit.Token)
                : await registration.InferAsync(services, Context(request, store, scratch, Grant), limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            return OutputInferred.Unknown("it took too long");
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            log.LogWarning(exception, "Operator {Operator} could not say what a step gives.", request.Operator);
            return OutputInferred.Unknown("the operator failed to answer");
        }
        finally
        {
            if (scratch is not null)
                ScratchFolders.Remove(scratch);
            if (turn)
                _turns.Release();
        }
    }

    public void Dispose() => _turns.Dispose();

    private sealed class OpenConnections(IReadOnlyList<OpenConnection> open) : IConnections
    {
        public Task<Connection> OpenAsync(string name, CancellationToken ct) =>
            open.FirstOrDefault(connection => connection.Name == name) is { } found
                ? Task.FromResult(new Connection(found.Name, found.Type, found.Settings))
                : throw new ConnectionException($"the connection {name} is only opened in a run");
    }
}
