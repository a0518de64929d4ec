using MassTransit;
using Qualiz.Contracts.Operators.V1;

namespace Qualiz.Platform.Operators.Inference;

/// <summary>The receiving end of one operator's inference queue. The type argument gives each operator an endpoint of its own.</summary>
internal sealed class InferOutputConsumer<TOperator>(OutputInference inference, OperatorCatalog catalog) : IConsumer<InferOutput>
    where TOperator : class
{
    public async Task Consume(ConsumeContext<InferOutput> context)
    {
        var request = context.Message;
        var registration = catalog.Find(request.Operator, request.Major)
            ?? throw new InvalidOperationException($"This queue does not serve operator {request.Operator} v{request.Major}.");
        await context.RespondAsync(await inference.InferAsync(registration, request, context.CancellationToken));
    }
}
