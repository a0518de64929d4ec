using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Operators;

namespace Qualiz.Tasks.Log;

/// <summary>Writes one line to the step's log.</summary>
internal sealed class LogOperator : IOperator<LogConfig>
{
    public static OperatorDescription Description { get; } = new()
    {
        Kind = "log",
        Title = "Log",
        Description = "Writes a message to the run's log.",
        Icon = "message",
        MaxInputs = 0,
        RunsIn = OperatorRunsIn.Host,
    };

    public Task<StepResult> ExecuteAsync(LogConfig config, StepContext step, CancellationToken ct)
    {
        var outcome = new StepOutcome { Outputs = new Dictionary<string, DatasetRef>(), Ledger = [] };
        if (config.Level == LogLine.Warning)
        {
            step.Log.LogWarning("{Message}", config.Message);
            outcome = outcome with { Warnings = [config.Message] };
        }
        else
        {
            step.Log.LogInformation("{Message}", config.Message);
        }

        return Task.FromResult<StepResult>(new StepResult.Completed(outcome));
    }
}
