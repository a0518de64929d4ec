using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Operators;

namespace Qualiz.Tasks.Wait;

/// <summary>Ends when its time has come. In between it is deferred: it holds no worker and survives restarts.</summary>
internal sealed class WaitOperator(TimeProvider time) : IOperator<WaitConfig>
{
    public static OperatorDescription Description { get; } = new()
    {
        Kind = "wait",
        Title = "Wait",
        Description = "Pauses the run for a time or until a moment.",
        Icon = "clock",
        MaxInputs = 0,
        RunsIn = OperatorRunsIn.Host,
    };

    public Task<StepResult> ExecuteAsync(WaitConfig config, StepContext step, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        // The first execution fixes the moment; "for" must not begin anew each time the step comes back.
        var due = step.Command.Deferral is { Key: { } key } && DateTimeOffset.TryParse(key, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var fixedDue)
            ? fixedDue
            : config.Until ?? now + config.For!.Value.ToTimeSpan();
        return Task.FromResult<StepResult>(now >= due
            ? new StepResult.Completed(new StepOutcome { Outputs = new Dictionary<string, DatasetRef>(), Ledger = [] })
            : new StepResult.Deferred(due.ToString("O", CultureInfo.InvariantCulture), due));
    }
}
