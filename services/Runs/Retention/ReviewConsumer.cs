using MassTransit;
using Qualiz.Contracts.Runs.V1;

namespace Qualiz.Runs.Retention;

/// <summary>Queue <c>runs.reviews</c>: what the collector of old data asks.</summary>
internal sealed class ReviewConsumer(RunReviewer reviewer) : IConsumer<ReviewRuns>
{
    public async Task Consume(ConsumeContext<ReviewRuns> context) =>
        await context.RespondAsync(await reviewer.ReviewAsync(context.Message, context.CancellationToken));
}
