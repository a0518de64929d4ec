using Microsoft.Extensions.DependencyInjection;
using Qualiz.Platform.Messaging;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Messaging;

public sealed class SagaTests
{
    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task Concurrent_updates_of_one_saga_lose_nothing(TestBus bus)
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: bus);
        var id = Guid.NewGuid();

        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => host.SendAsync(CounterModule.Saga, new Add(id))));

        await host.UntilCounterAsync(id, 40);
        await host.UntilCountAsync(40, "SELECT count(*) FROM counters.note WHERE text LIKE 'event%'");
        (await host.Services.GetRequiredService<ErrorQueues>().CountAsync(default)).ShouldBe(0);
    }
}
