using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Messaging;
using Qualiz.Runs.Starting;

namespace Qualiz.Runs.Claims;

/// <summary>Queue <c>runs.claims</c>: questions about steps, answered at once.</summary>
internal sealed class ClaimAnswers(StepClaims claims, ChildRuns children, ReinjectionStarter reinjections)
    : IAnswers<ClaimStep>, IAnswers<RenewLease>, IAnswers<CheckFence>, IAnswers<GetStepOutput>, IAnswers<GetStepInputs>, IAnswers<GetRunOutputs>, IAnswers<GetLastOutputs>, IAnswers<StartChildRun>, IAnswers<StartReinjection>
{
    public Task<object> AnswerAsync(ClaimStep request, CancellationToken ct) => claims.ClaimAsync(request, ct);

    public async Task<object> AnswerAsync(RenewLease request, CancellationToken ct) => await claims.RenewAsync(request, ct);

    public async Task<object> AnswerAsync(CheckFence request, CancellationToken ct) => await claims.CheckAsync(request, ct);

    public Task<object> AnswerAsync(GetStepOutput request, CancellationToken ct) => claims.OutputAsync(request, ct);

    public Task<object> AnswerAsync(GetStepInputs request, CancellationToken ct) => claims.InputsAsync(request, ct);

    public Task<object> AnswerAsync(GetRunOutputs request, CancellationToken ct) => claims.OutputsAsync(request, ct);

    public async Task<object> AnswerAsync(GetLastOutputs request, CancellationToken ct) => await claims.LastOutputsAsync(request, ct);

    public async Task<object> AnswerAsync(StartChildRun request, CancellationToken ct) => await children.EnsureAsync(request, ct);

    public Task<object> AnswerAsync(StartReinjection request, CancellationToken ct) => reinjections.StartAsync(request, ct);
}
