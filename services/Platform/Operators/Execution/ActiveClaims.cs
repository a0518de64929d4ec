using System.Collections.Concurrent;
using MassTransit;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Platform.Operators.Execution;

/// <summary>The executions of this process.</summary>
internal sealed class ActiveClaims
{
    private readonly ConcurrentDictionary<(Guid RunId, string StepId, long Fence), StepClaim> _claims = [];

    public int Count => _claims.Count;

    public void Add(StepClaim claim) => _claims[(claim.RunId, claim.StepId, claim.Fence)] = claim;

    public void Remove(StepClaim claim) => _claims.TryRemove((claim.RunId, claim.StepId, claim.Fence), out _);

    public void Stop(StopStep stop)
    {
        if (_claims.TryGetValue((stop.RunId, stop.StepId, stop.Fence), out var claim))
            claim.Stop(StopReason.Refused);
    }
}

/// <summary>Every process hears every stop; the one that works on the step obeys.</summary>
internal sealed class StopStepConsumer(ActiveClaims claims) : IConsumer<StopStep>
{
    public Task Consume(ConsumeContext<StopStep> context)
    {
        claims.Stop(context.Message);
        return Task.CompletedTask;
    }
}
