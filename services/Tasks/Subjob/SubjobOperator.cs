using System.Text.Json;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Operators;

namespace Qualiz.Tasks.Subjob;

/// <summary>
/// Runs another pipeline and ends as it does. In between it is deferred: Runs lets it come back when the child has ended; the looks in between, ever
/// rarer, are for the case that this word is lost.
/// </summary>
internal sealed class SubjobOperator(IRequests requests, TimeProvider time) : IOperator<SubjobConfig>
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    public static OperatorDescription Description { get; } = new()
    {
        Kind = "subjob",
        Title = "Sub-job",
        Description = "Runs another pipeline and waits for its end.",
        Icon = "workflow",
        MaxInputs = 0,
        RunsIn = OperatorRunsIn.Host,
    };

    public async Task<StepResult> ExecuteAsync(SubjobConfig config, StepContext step, CancellationToken ct)
    {
        var answer = await requests.AskAsync<ChildRun, ChildRunRefused>(
            Queues.RunClaims,
            new StartChildRun
            {
                RunId = step.Command.RunId,
                StepId = step.Command.StepId,
                Fence = step.Fence,
                Pipeline = config.Pipeline,
                Version = config.Version,
                Params = config.Params.Count == 0 ? null : JsonSerializer.SerializeToElement(config.Params),
                Day = config.Day,
            },
            ct);
        if (answer.First is not { } child)
            return new StepResult.Failed(answer.Second!.Error);
        if (step.Command.Deferral is null)
            step.Log.LogInformation("Run {Child} of {Pipeline} version {Version} was started", child.RunId, config.Pipeline, child.PipelineVersion);
        switch (child.State)
        {
            case "completed":
                step.Log.LogInformation("Run {Child} completed", child.RunId);
                return new StepResult.Completed(Nothing);
            case "failed" or "cancelled":
                var why = child.State == "cancelled" ? $"Run {child.RunId} of {config.Pipeline} was cancelled."
                    : $"Run {child.RunId} of {config.Pipeline} failed{(child.FailedStep is null ? "" : $" in {child.FailedStep}")}: {child.Error?.Message}";
                return config.OnFailure == OnChildFailure.Continue
                    ? new StepResult.Completed(Nothing with { Warnings = [why] })
                    : new StepResult.Failed(new StepError { Code = child.State == "cancelled" ? "childCancelled" : "childFailed", Message = why });
            default:
                // 2, 4, 8 ... seconds.
                var wait = TimeSpan.FromSeconds(2 * Math.Pow(2, Math.Min(step.Command.Deferral?.Count ?? 0, 10)));
                return new StepResult.Deferred(child.RunId.ToString(), time.GetUtcNow() + (wait < LongestWait ? wait : LongestWait));
        }
    }

    private static StepOutcome Nothing { get; } = new() { Outputs = new Dictionary<string, DatasetRef>(), Ledger = [] };
}
