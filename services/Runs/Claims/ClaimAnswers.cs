using MassTransit;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Starting;

namespace Qualiz.Runs.Claims;

/// <summary>Queue <c>runs.claims</c>: questions about steps, answered at once.</summary>
internal sealed class ClaimConsumer(StepClaims claims, ChildRuns children)
    : IConsumer<ClaimStep>, IConsumer<RenewLease>, IConsumer<CheckFence>, IConsumer<GetStepOutput>, IConsumer<GetRunOutputs>, IConsumer<GetLastOutputs>, IConsumer<StartChildRun>
{
    public async Task Consume(ConsumeContext<ClaimStep> context) =>
        await context.RespondAsync(await claims.ClaimAsync(context.Message, context.CancellationToken));

    public async Task Consume(ConsumeContext<RenewLease> context) =>
        await context.RespondAsync(await claims.RenewAsync(context.Message, context.CancellationToken));

    public async Task Consume(ConsumeContext<CheckFence> context) =>
        await context.RespondAsync(await claims.CheckAsync(context.Message, context.CancellationToken));

    public async Task Consume(ConsumeContext<GetStepOutput> context) =>
        await context.RespondAsync(await claims.OutputAsync(context.Message, context.CancellationToken));

    public async Task Consume(ConsumeContext<StartChildRun> context) =>
        await context.RespondAsync(await children.EnsureAsync(context.Message, context.CancellationToken));

    public async Task Consume(ConsumeContext<GetLastOutputs> context) =>
        await context.RespondAsync(await claims.LastOutputsAsync(context.Message, context.CancellationToken));

    public async Task Consume(ConsumeContext<GetRunOutputs> context) =>
        await context.RespondAsync(await claims.OutputsAsync(context.Message, context.CancellationToken));
}
