using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Messaging;

namespace Qualiz.Platform.Operators.Execution;

/// <summary>What an execution asks and tells the other services.</summary>
internal interface IRunsLine
{
    /// <summary>Null when refused.</summary>
    Task<StepClaimed?> ClaimAsync(ClaimStep claim, CancellationToken ct);

    Task<bool> RenewAsync(RenewLease renewal, CancellationToken ct);

    Task<Answer<DatasetResolved, DatasetUnknown>> ResolveAsync(ResolveDataset question, CancellationToken ct);

    /// <summary>The repairs of rows that wait for a step; null: none.</summary>
    Task<DatasetRef?> PatchesAsync(GetPatches question, CancellationToken ct);

    /// <summary>Tells the saga a result; returns when the broker has it, however long that takes.</summary>
    Task ReportAsync(object result, CancellationToken ct);
}

internal sealed class BusRunsLine(IRequests requests, IMessageSender sender) : IRunsLine
{
    public async Task<StepClaimed?> ClaimAsync(ClaimStep claim, CancellationToken ct) =>
        (await requests.AskAsync<StepClaimed, ClaimRefused>(Queues.RunClaims, claim, ct)).First;

    public async Task<bool> RenewAsync(RenewLease renewal, CancellationToken ct) =>
        (await requests.AskAsync<LeaseAnswer>(Queues.RunClaims, renewal, ct)).Continue;

    public Task<Answer<DatasetResolved, DatasetUnknown>> ResolveAsync(ResolveDataset question, CancellationToken ct) =>
        requests.AskAsync<DatasetResolved, DatasetUnknown>(Queues.DatasetRequests, question, ct);

    public async Task<DatasetRef?> PatchesAsync(GetPatches question, CancellationToken ct) =>
        (await requests.AskAsync<PatchesFound>(Queues.DatasetRequests, question, ct)).Content;

    public Task ReportAsync(object result, CancellationToken ct) => sender.SendAsync(Queues.RunSaga, result, ct);
}
