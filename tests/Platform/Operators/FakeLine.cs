using System.Collections.Concurrent;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Operators.Execution;

namespace Qualiz.Platform.Tests.Operators;

/// <summary>The other services, as one execution sees them.</summary>
internal sealed class FakeLine : IRunsLine
{
    private long _fence;

    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);
    public bool Refuse { get; set; }

    /// <summary>Answers a heartbeat; null hangs until the asker gives up.</summary>
    public Func<RenewLease, bool?> Renew { get; set; } = _ => true;
    public Func<object, CancellationToken, Task> BeforeReport { get; set; } = (_, _) => Task.CompletedTask;
    public Func<ResolveDataset, Answer<DatasetResolved, DatasetUnknown>> Resolve { get; set; } =
        question => new(null, new DatasetUnknown { Message = $"There is no {question.Reference}." });

    public ConcurrentQueue<ClaimStep> Claims { get; } = [];
    public ConcurrentQueue<RenewLease> Renewals { get; } = [];
    public ConcurrentQueue<object> Reports { get; } = [];

    public Task<StepClaimed?> ClaimAsync(ClaimStep claim, CancellationToken ct)
    {
        Claims.Enqueue(claim);
        return Task.FromResult(Refuse ? null : new StepClaimed { Fence = Interlocked.Increment(ref _fence), Lease = Lease });
    }

    public async Task<bool> RenewAsync(RenewLease renewal, CancellationToken ct)
    {
        Renewals.Enqueue(renewal);
        if (Renew(renewal) is { } answer)
            return answer;
        await Task.Delay(Timeout.Infinite, ct);
        return false;
    }

    public Task<Answer<DatasetResolved, DatasetUnknown>> ResolveAsync(ResolveDataset question, CancellationToken ct) => Task.FromResult(Resolve(question));

    public Func<GetPatches, DatasetRef?> Patches { get; set; } = _ => throw new InvalidOperationException("This operator applies no patches.");

    public Task<DatasetRef?> PatchesAsync(GetPatches question, CancellationToken ct) => Task.FromResult(Patches(question));

    public async Task ReportAsync(object result, CancellationToken ct)
    {
        await BeforeReport(result, ct);
        ct.ThrowIfCancellationRequested();
        Reports.Enqueue(result);
    }
}

internal sealed class FakeExchange : IConnectionExchange
{
    public ConcurrentQueue<ConnectionRequest> Requests { get; } = [];

    public Task<Connection> ExchangeAsync(ConnectionRequest request, CancellationToken ct)
    {
        Requests.Enqueue(request);
        return request.Connection == "crm"
            ? Task.FromResult(new Connection("crm", "postgres", new Dictionary<string, string> { ["password"] = "hunter2" }))
            : throw new ConnectionException($"There is no connection {request.Connection}.");
    }
}
