using MassTransit;
using MassTransit.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Messaging.Sagas;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Messaging;

public sealed class SagaTests
{
    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task Concurrent_first_messages_and_updates_make_one_row_and_lose_nothing(TestBus bus)
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: bus);
        var id = Guid.NewGuid();

        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => host.SendAsync(CounterModule.Saga, new Add(id))));

        await host.UntilCounterAsync(id, 40);
        // The consumer of IEvent knows no event and hears them all.
        await host.UntilCountAsync(40, "SELECT count(DISTINCT text) FROM counters.note WHERE text LIKE 'event%'");
        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.counter");
        await host.UntilAsync(40);
        await host.NothingGivenUpAsync();
    }

    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task A_failing_activity_rolls_back_its_state_and_sends_nothing(TestBus bus)
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: bus);
        var id = Guid.NewGuid();
        await host.SendAsync(CounterModule.Saga, new Add(id));
        await host.UntilCounterAsync(id, 1);

        await host.SendAsync(CounterModule.Saga, new AddThenFail(id));
        await TestHost.UntilAsync(async () =>
            await host.Services.GetRequiredService<ErrorQueues>().CountAsync(default) is var count && count == 1 ? null : $"one message given up; there are {count}");

        await host.SendAsync(CounterModule.Saga, new Add(id));
        await host.UntilCounterAsync(id, 2);
        await host.UntilAsync(2);
        (await host.CountAsync("SELECT count(*) FROM bus.inbox WHERE endpoint = 'test.saga'")).ShouldBe(2);
    }

    [Fact]
    public async Task Each_event_delivered_again_in_each_state_changes_nothing()
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters());
        var id = Guid.NewGuid();
        var delivered = new List<(object Message, Guid Id)>();
        var deliveries = 0;
        // After each event, all events so far come again, with the ids that they had.
        foreach (var message in new object[] { new Add(id, 1, "red"), new AddToTeam("red"), new Add(id, 5), new Finish(id), new Add(id) })
        {
            delivered.Add((message, Guid.CreateVersion7()));
            foreach (var (body, messageId) in delivered)
            {
                await host.DeliverAsync(CounterModule.Saga, body, messageId);
                deliveries++;
            }
            await host.UntilCountAsync(delivered.Count, "SELECT count(*) FROM bus.inbox WHERE endpoint = 'test.saga'");
        }

        deliveries.ShouldBe(15);
        await host.UntilCounterAsync(id, 7);
        await host.UntilAsync(3);
        (await host.CountAsync("SELECT count(*) FROM counters.counter WHERE current_state = 'Done'")).ShouldBe(1);
        await host.NothingGivenUpAsync();
    }

    [Fact]
    public async Task An_event_correlated_by_a_query_reaches_every_saga_that_matches()
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters());
        var (red1, red2, blue) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await host.SendAsync(CounterModule.Saga, new Add(red1, 1, "red"), new Add(red2, 1, "red"), new Add(blue, 1, "blue"));
        await host.UntilCountAsync(3, "SELECT count(*) FROM counters.counter");

        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => host.SendAsync(CounterModule.Saga, new AddToTeam("red"))));

        await host.UntilCounterAsync(red1, 11);
        await host.UntilCounterAsync(red2, 11);
        await host.UntilCounterAsync(blue, 1);
        await host.NothingGivenUpAsync();
    }

    [Fact]
    public async Task A_finished_saga_stays_and_ignores_what_comes_late()
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters());
        var id = Guid.NewGuid();
        await host.SendAsync(CounterModule.Saga, new Add(id));
        await host.UntilCounterAsync(id, 1);
        await host.SendAsync(CounterModule.Saga, new Finish(id));
        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.counter WHERE current_state = 'Done'");

        await host.SendAsync(CounterModule.Saga, new Add(id, 10), new Finish(id));

        await host.UntilCountAsync(4, "SELECT count(*) FROM bus.inbox WHERE endpoint = 'test.saga'");
        (await host.CountAsync("SELECT count FROM counters.counter WHERE current_state = 'Done'")).ShouldBe(1);
        await host.NothingGivenUpAsync();
    }

    [Fact]
    public async Task The_row_version_refuses_a_change_made_without_the_lock()
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters());
        var id = Guid.NewGuid();
        await host.SendAsync(CounterModule.Saga, new Add(id));
        await host.UntilCounterAsync(id, 1);
        await using var one = host.Services.CreateAsyncScope();
        await using var two = host.Services.CreateAsyncScope();
        var first = one.ServiceProvider.GetRequiredService<CounterDb>();
        var second = two.ServiceProvider.GetRequiredService<CounterDb>();
        (await first.Counters.SingleAsync()).Count = 10;
        (await second.Counters.SingleAsync()).Count = 20;
        await first.SaveChangesAsync();

        await Should.ThrowAsync<DbUpdateConcurrencyException>(() => second.SaveChangesAsync());
    }

    [Fact]
    public async Task The_test_harness_runs_on_the_real_repository()
    {
        // The host migrates the database; the harness then works on the same one with the same repository.
        await using var host = await TestHost.StartAsync(builder => builder.AddCounterDatabase());
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        foreach (var (key, value) in host.Surroundings.Settings)
            builder.Configuration[key] = value;
        builder.AddCounters();
        builder.Services.AddSingleton(provider => new MessageRoutes(provider.GetRequiredService<BusRegistrations>(), builder.Configuration));
        builder.Services.AddSingleton<OutboxRelay>();
        builder.Services.AddSingleton<SagaTurns>();
        builder.Services.AddMassTransitTestHarness(x => x.AddSagaStateMachine<CounterMachine, Counter>().PostgresRepository<Counter, CounterDb>());
        await using var provider = builder.Services.BuildServiceProvider(validateScopes: true);
        var harness = provider.GetRequiredService<ITestHarness>();
        await harness.Start();
        var id = Guid.NewGuid();

        await harness.Bus.Publish(new Add(id, 3));

        (await harness.Consumed.Any<Add>()).ShouldBeTrue();
        var saga = harness.GetSagaStateMachineHarness<CounterMachine, Counter>();
        (await saga.Exists(id, machine => machine.Running)).ShouldBe(id);
        (await host.CountAsync("SELECT count FROM counters.counter WHERE correlation_id = $1", id)).ShouldBe(3);
    }
}
