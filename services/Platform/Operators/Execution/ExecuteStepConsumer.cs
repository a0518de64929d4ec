using MassTransit;
using Microsoft.Extensions.Hosting;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Platform.Operators.Execution;

/// <summary>The receiving end of one operator's queue. The type argument gives each operator an endpoint of its own.</summary>
internal sealed class ExecuteStepConsumer<TOperator>(StepExecutor executor, OperatorCatalog catalog, IHostApplicationLifetime lifetime) : IConsumer<ExecuteStep>
    where TOperator : class
{
    public async Task Consume(ConsumeContext<ExecuteStep> context)
    {
        var command = context.Message;
        var registration = catalog.Find(command.Operator, command.Major)
            ?? throw new InvalidOperationException($"This queue does not serve operator {command.Operator} v{command.Major}.");
        using var shutdown = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping, context.CancellationToken);
        await executor.ExecuteAsync(
            registration,
            new Delivery(command, context.MessageId ?? Guid.Empty, context.ReceiveContext.Redelivered, context.SentTime is { } sent ? new DateTimeOffset(sent, TimeSpan.Zero) : null),
            shutdown.Token);
    }
}
