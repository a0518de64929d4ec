using Microsoft.Extensions.DependencyInjection;
using Qualiz.Platform.Messaging;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Messaging;

/// <summary>These stop servers, so nothing else runs beside them.</summary>
[CollectionDefinition(nameof(OutageTests), DisableParallelization = true)]
[Collection(nameof(OutageTests))]
public sealed class OutageTests
{
    [Fact]
    public async Task While_the_broker_is_away_commits_go_on_and_nothing_is_lost()
    {
        var server = await RabbitMqServer.SharedAsync();
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: TestBus.RabbitMq);
        var id = Guid.NewGuid();
        await host.SendAsync(CounterModule.Saga, new Add(id));
        await host.UntilCounterAsync(id, 1);

        await server.ControlAsync("--quiet", "stop_app");
        for (var i = 0; i < 20; i++)
            await host.SendAsync(CounterModule.Saga, new Add(id));
        (await host.CountAsync("SELECT count(*) FROM bus.outbox WHERE sent_at IS NULL")).ShouldBeGreaterThanOrEqualTo(20);
        await server.ControlAsync("--quiet", "start_app");

        await TestHost.UntilAsync(async () =>
            await host.CountAsync("SELECT count FROM counters.counter WHERE correlation_id = $1", id) is var count && count == 21 ? null : $"21 counted; there are {count}",
            TimeSpan.FromSeconds(90));
        // Live events only matter now: what was published before this process had its own queue back is gone. From then on it hears again.
        var before = host.Seen().Count<Added>();
        await TestHost.UntilAsync(async () =>
        {
            await host.SendAsync(CounterModule.Saga, new Add(id));
            await Task.Delay(TimeSpan.FromMilliseconds(500));
            return host.Seen().Count<Added>() > before ? null : "a live event after the outage";
        }, TimeSpan.FromSeconds(90));
        await host.UntilCountAsync(0, "SELECT count(*) FROM bus.outbox WHERE sent_at IS NULL", TimeSpan.FromSeconds(60));
        await host.NothingGivenUpAsync();
    }

    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task While_the_database_is_away_consumers_keep_their_messages(TestBus bus)
    {
        var postgres = await PostgresServer.StartPrivateAsync();
        var broker = bus == TestBus.RabbitMq ? await (await RabbitMqServer.SharedAsync()).CreateVirtualHostAsync() : null;
        await using var host = await TestHost.StartAsync(
            TestSurroundings.Create(bus, await postgres.CreateDatabaseAsync(), broker), builder => builder.AddCounters());
        var id = Guid.NewGuid();
        await host.SendAsync(CounterModule.Saga, new Add(id));
        await host.UntilCounterAsync(id, 1);

        await postgres.StopAsync();
        var sender = host.Services.GetRequiredService<IMessageSender>();
        for (var i = 0; i < 10; i++)
            await sender.SendAsync(CounterModule.Saga, new Add(id), default);
        await sender.SendAsync(CounterModule.Notes, new WriteNote(Guid.NewGuid(), "kept"), default);
        await postgres.StartAgainAsync();

        await TestHost.UntilAsync(async () =>
            await host.CountAsync("SELECT count FROM counters.counter WHERE correlation_id = $1", id) is var count && count == 11 ? null : $"11 counted; there are {count}",
            TimeSpan.FromSeconds(90));
        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text = 'kept'", TimeSpan.FromSeconds(60));
        await host.NothingGivenUpAsync();
    }

    [Fact]
    public async Task A_host_stopped_while_the_database_is_away_gives_its_messages_back_to_the_broker()
    {
        var postgres = await PostgresServer.StartPrivateAsync();
        var broker = await (await RabbitMqServer.SharedAsync()).CreateVirtualHostAsync();
        var surroundings = TestSurroundings.Create(TestBus.RabbitMq, await postgres.CreateDatabaseAsync(), broker);
        var id = Guid.NewGuid();
        await using (var stopped = await TestHost.StartAsync(surroundings, builder => builder.AddCounters()))
        {
            await postgres.StopAsync();
            for (var i = 0; i < 10; i++)
                await stopped.Services.GetRequiredService<IMessageSender>().SendAsync(CounterModule.Saga, new Add(id), default);
        }
        await postgres.StartAgainAsync();

        await using var host = await TestHost.StartAsync(surroundings, builder => builder.AddCounters());

        await host.UntilCounterAsync(id, 10);
        await host.NothingGivenUpAsync();
    }
}
