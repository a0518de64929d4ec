using MassTransit;
using Qualiz.Contracts.Datasets.V1;

namespace Qualiz.Datasets.Resolving;

internal sealed class ResolveDatasetConsumer(Resolver resolver) : IConsumer<ResolveDataset>, IConsumer<DescribeDataset>
{
    public async Task Consume(ConsumeContext<ResolveDataset> context)
    {
        var request = context.Message;
        var answer = await resolver.ResolveAsync(request.Project, request.RunId, request.Reference, request.ReadsLike, context.CancellationToken);
        if (answer.Version is { } version)
            await context.RespondAsync(new DatasetResolved { Dataset = answer.Dataset!.Name, Version = version.Number, Content = version.Content });
        else
            await context.RespondAsync(new DatasetUnknown { Message = answer.Problem! });
    }

    public async Task Consume(ConsumeContext<DescribeDataset> context)
    {
        var request = context.Message;
        var answer = await resolver.DescribeAsync(request.Project, request.Reference, context.CancellationToken);
        if (answer.Version is { } version)
            await context.RespondAsync(new DatasetDescribed { Version = version.Number, Schema = version.Content.Schema });
        else
            await context.RespondAsync(new DatasetUnknown { Message = answer.Problem! });
    }
}
