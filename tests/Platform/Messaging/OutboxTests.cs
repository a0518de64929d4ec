using System.Diagnostics;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Telemetry;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Messaging;

public sealed class OutboxTests
{
    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task A_commit_sends_and_a_rollback_does_not(TestBus bus)
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: bus);
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var unit = scope.ServiceProvider.GetRequiredService<IUnitOfWork<CounterDb>>();
            await unit.BeginAsync(default);
            unit.Db.Notes.Add(new Note { Id = Guid.NewGuid(), Text = "rolled back" });
            unit.Outbox.Send(CounterModule.Notes, new WriteNote(Guid.NewGuid(), "rolled back"));
            await unit.Db.SaveChangesAsync();
        }

        await host.SendAsync(CounterModule.Notes, new WriteNote(Guid.NewGuid(), "committed"));

        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text = 'committed'");
        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text LIKE 'event%'");
        (await host.CountAsync("SELECT count(*) FROM counters.note WHERE text = 'rolled back'")).ShouldBe(0);
        host.Seen().Count<WriteNote>().ShouldBe(1);
    }

    [Fact]
    public async Task A_commit_after_a_failed_command_says_so()
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters());
        await using var scope = host.Services.CreateAsyncScope();
        var unit = scope.ServiceProvider.GetRequiredService<IUnitOfWork<CounterDb>>();
        await unit.BeginAsync(default);
        await using (var command = new NpgsqlCommand("SELECT 1 / 0", (NpgsqlConnection)Microsoft.EntityFrameworkCore.RelationalDatabaseFacadeExtensions.GetDbConnection(unit.Db.Database)))
            await Should.ThrowAsync<PostgresException>(() => command.ExecuteNonQueryAsync());

        await Should.ThrowAsync<PostgresException>(() => unit.CommitAsync(default));
    }

    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task What_a_process_committed_before_it_died_is_sent_after_the_next_start_however_old(TestBus bus)
    {
        var surroundings = await TestSurroundings.CreateAsync(bus);
        await using (await TestHost.StartAsync(surroundings, builder => builder.AddCounters()))
        {
            // Only to have the tables made.
        }
        var note = Guid.NewGuid();
        await CounterHost.CountAsync(surroundings.Database,
            """
            INSERT INTO bus.outbox (service, message_id, type, queue, body, endpoints, created_at)
            VALUES ('counters', $1, $2, 'test.notes', $3::json, $4, now() - interval '40 days') RETURNING 1
            """,
            note, OutgoingMessage.NameOf(typeof(WriteNote)), OutgoingMessage.ToJson(new WriteNote(note, "left behind")),
            bus == TestBus.InProcess ? new[] { CounterModule.Notes } : DBNull.Value);

        await using var host = await TestHost.StartAsync(surroundings, builder => builder.AddCounters());

        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text = 'left behind'");
        if (bus == TestBus.RabbitMq)
            await host.UntilCountAsync(0, "SELECT count(*) FROM bus.outbox WHERE sent_at IS NULL");
    }

    [Fact]
    public async Task An_event_half_of_whose_queues_have_handled_it_reaches_the_other_half_after_a_restart()
    {
        var surroundings = await TestSurroundings.CreateAsync(TestBus.InProcess);
        await using (await TestHost.StartAsync(surroundings, builder => builder.AddCounters()))
        {
            // Only to have the tables made.
        }
        var handled = Added.Of(Guid.NewGuid(), 1);
        var half = Added.Of(Guid.NewGuid(), 2);
        foreach (var message in new[] { handled, half })
        {
            await CounterHost.CountAsync(surroundings.Database,
                "INSERT INTO bus.outbox (service, message_id, type, body, endpoints) VALUES ('counters', $1, $2, $3::json, '{test.events,test.other}') RETURNING 1",
                message.Id, OutgoingMessage.NameOf(typeof(Added)), OutgoingMessage.ToJson(message));
            await CounterHost.CountAsync(surroundings.Database,
                "INSERT INTO bus.inbox (message_id, endpoint) SELECT $1, unnest($2::text[]) RETURNING 1",
                message.Id, message == handled ? new[] { "test.events", "test.other" } : ["test.other"]);
        }

        await using var host = await TestHost.StartAsync(surroundings, builder => builder.AddCounters());

        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text = 'event ' || $1 || ' 2'", half.ProjectId.ToString());
        (await host.CountAsync("SELECT count(*) FROM counters.note WHERE text = 'event ' || $1 || ' 1'", handled.ProjectId.ToString())).ShouldBe(0);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_sends_if_it_did_commit()
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters());
        var relay = host.Services.GetRequiredService<OutboxRelay>();
        OutgoingMessage Message(string text) =>
            new(Guid.CreateVersion7(), "counters", new WriteNote(Guid.NewGuid(), text), CounterModule.Notes, null, [CounterModule.Notes]);
        var (committed, lost) = (Message("did commit"), Message("did not"));

        relay.Doubt([lost]);
        relay.Doubt([committed]);
        // The server may finish the commit after the connection broke.
        await host.CountAsync(
            "INSERT INTO bus.outbox (service, message_id, type, queue, body, endpoints) VALUES ('counters', $1, $2, 'test.notes', $3::json, '{test.notes}') RETURNING 1",
            committed.Id, committed.TypeName, OutgoingMessage.ToJson(committed.Body));

        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text = 'did commit'");
        host.Seen().Count<WriteNote>().ShouldBe(1);
    }

    [Fact]
    public async Task What_an_instance_commits_it_sends_itself_while_another_holds_the_sweepers_lock()
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: TestBus.RabbitMq);
        await using var other = new NpgsqlConnection(host.Surroundings.Database);
        await other.OpenAsync();
        await using var hold = new NpgsqlCommand("SELECT pg_advisory_lock(hashtextextended('qualiz sweeper counters', 0))", other);
        await hold.ExecuteNonQueryAsync();

        await host.SendAsync(CounterModule.Notes, new WriteNote(Guid.NewGuid(), "handed over"));

        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text = 'handed over'");
        await host.UntilCountAsync(0, "SELECT count(*) FROM bus.outbox WHERE sent_at IS NULL");
    }

    [Fact]
    public async Task Every_message_sent_twice_changes_nothing()
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: TestBus.RabbitMq);
        var ids = Enumerable.Range(0, 5).Select(_ => Guid.NewGuid()).ToArray();
        await host.SendAsync(CounterModule.Saga, ids.SelectMany(id => new[] { new Add(id), new Add(id) }));
        await host.SendAsync(CounterModule.Notes, ids.Select(id => new WriteNote(id, "once")));
        await host.UntilCountAsync(0, "SELECT count(*) FROM bus.outbox WHERE sent_at IS NULL");
        await host.UntilCountAsync(15, "SELECT count(*) FROM counters.note WHERE text LIKE 'event%'");

        var sent = await host.CountAsync("WITH again AS (UPDATE bus.outbox SET sent_at = NULL, created_at = created_at - interval '1 hour' RETURNING 1) SELECT count(*) FROM again");
        sent.ShouldBe(30);
        await host.UntilCountAsync(0, "SELECT count(*) FROM bus.outbox WHERE sent_at IS NULL");
        // A last message behind them tells when they are through.
        await host.SendAsync(CounterModule.Notes, new WriteNote(Guid.NewGuid(), "last"));
        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text = 'last'");

        foreach (var id in ids)
            await host.UntilCounterAsync(id, 2);
        await host.UntilCountAsync(5, "SELECT count(*) FROM counters.note WHERE text = 'once'");
        await host.UntilCountAsync(16, "SELECT count(*) FROM counters.note WHERE text LIKE 'event%'");
        await host.NothingGivenUpAsync();
    }

    [Fact]
    public async Task An_event_published_before_its_consumer_ever_ran_arrives()
    {
        var surroundings = await TestSurroundings.CreateAsync(TestBus.RabbitMq);
        var completed = RunCompletedOf(Guid.NewGuid());
        await using (var publisher = await TestHost.StartAsync(surroundings, builder => builder.AddCounterDatabase()))
        {
            await publisher.WriteAsync(unit =>
            {
                unit.Outbox.Publish(completed);
                unit.Outbox.Send(CounterModule.Notes, new WriteNote(Guid.NewGuid(), "early command"));
            });
            await publisher.UntilCountAsync(0, "SELECT count(*) FROM bus.outbox WHERE sent_at IS NULL");
        }

        await using var host = await TestHost.StartAsync(surroundings, builder =>
        {
            builder.AddCounters();
            builder.AddBusConsumer<CompletedConsumer>(Queues.NotifyEvents, typeof(CounterDb));
        });

        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text = 'early command'");
        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text = 'completed ' || $1", completed.Id.ToString());
    }

    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task A_queue_that_a_message_does_not_concern_neither_waits_for_it_nor_handles_it(TestBus bus)
    {
        await using var host = await TestHost.StartAsync(builder =>
        {
            builder.AddCounterDatabase();
            builder.AddBusConsumer<CompletedConsumer>(Queues.DatasetEvents, typeof(CounterDb));
            builder.AddBusConsumer<CompletedConsumer>(Queues.NotifyEvents, typeof(CounterDb));
        }, bus: bus);
        var nothing = RunCompletedOf(Guid.NewGuid());
        var something = RunCompletedOf(Guid.NewGuid()) with { Published = [new PublishedOutput("customers", "clean", new DatasetRef { Files = [], Schema = new DatasetSchema { Columns = [] }, Rows = 0, Bytes = 0 }, null)] };

        await host.WriteAsync(unit =>
        {
            unit.Outbox.Publish(nothing);
            unit.Outbox.Publish(something);
        });

        await host.UntilCountAsync(3, "SELECT count(*) FROM counters.note");
        await host.UntilCountAsync(1, "SELECT count(*) FROM bus.inbox WHERE message_id = $1", nothing.Id);
        await host.UntilCountAsync(2, "SELECT count(*) FROM bus.inbox WHERE message_id = $1", something.Id);
        if (bus == TestBus.InProcess)
            await host.UntilCountAsync(1, $"SELECT count(*) FROM bus.outbox WHERE message_id = $1 AND endpoints = ARRAY['{Queues.NotifyEvents}']", nothing.Id);
        await host.NothingGivenUpAsync();
    }

    private static RunCompleted RunCompletedOf(Guid id)
    {
        // By its JSON: the event's fields are not this test's business.
        var json = $$"""
            {"id":"{{id}}","occurredAt":"2026-11-22T10:00:00Z","projectId":"{{id}}","actor":"test","runId":"{{id}}","sequence":1,
             "header":{"id":"{{id}}","occurredAt":"2026-11-22T10:00:00Z","projectId":"{{id}}","actor":"test","runId":"{{id}}","sequence":1},
             "project":"p","pipeline":"p","pipelineId":"{{id}}","pipelineVersion":1,"published":[]}
            """;
        return (RunCompleted)OutgoingMessage.BodyOf(OutgoingMessage.NameOf(typeof(RunCompleted)), json)!;
    }

    public sealed class CompletedConsumer(IUnitOfWork<CounterDb> unit) : IConsumer<RunCompleted>
    {
        public Task Consume(ConsumeContext<RunCompleted> context)
        {
            unit.Db.Notes.Add(new Note { Id = Guid.NewGuid(), Text = $"completed {context.Message.Id}" });
            return Task.CompletedTask;
        }
    }

    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task Timers_fire_once_when_due_though_two_hosts_look_and_one_restarts(TestBus bus)
    {
        var surroundings = await TestSurroundings.CreateAsync(TestBus.RabbitMq);
        if (bus == TestBus.InProcess)
            surroundings = TestSurroundings.Create(bus, surroundings.Database, null);
        var due = DateTimeOffset.UtcNow.AddSeconds(4);
        await using (var writer = await TestHost.StartAsync(surroundings, builder => builder.AddCounters()))
        {
            await writer.WriteAsync(unit =>
            {
                for (var i = 0; i < 50; i++)
                    unit.Outbox.SendAt(due, CounterModule.Notes, new WriteNote(Guid.NewGuid(), "rang"));
            });
            (await writer.CountAsync("SELECT count(*) FROM bus.timer")).ShouldBe(50);
        }

        await using var one = await TestHost.StartAsync(surroundings, builder => builder.AddCounters());
        await using var two = bus == TestBus.RabbitMq ? await TestHost.StartAsync(surroundings, builder => builder.AddCounters()) : null;

        await one.UntilCountAsync(50, "SELECT count(*) FROM counters.note WHERE text = 'rang'");
        DateTimeOffset.UtcNow.ShouldBeGreaterThan(due);
        (await one.CountAsync("SELECT count(*) FROM bus.timer")).ShouldBe(0);
    }

    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task A_broken_store_is_waited_for_and_costs_no_message(TestBus bus)
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: bus);
        var attempts = 0;
        host.Seen().Before = _ => Interlocked.Increment(ref attempts) <= 5 ? throw new IOException("the store is away") : Task.CompletedTask;

        await host.SendAsync(CounterModule.Notes, new WriteNote(Guid.NewGuid(), "in the end"));

        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text = 'in the end'", TimeSpan.FromSeconds(60));
        attempts.ShouldBe(6);
        await host.NothingGivenUpAsync();
    }

    [Theory]
    [InlineData(TestBus.InProcess, CounterModule.Questions)]
    [InlineData(TestBus.InProcess, CounterModule.Answers)]
    [InlineData(TestBus.RabbitMq, CounterModule.Questions)]
    [InlineData(TestBus.RabbitMq, CounterModule.Answers)]
    public async Task Requests_are_answered_and_asked_again_while_the_other_side_is_broken(TestBus bus, string queue)
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: bus);
        var id = Guid.NewGuid();
        await host.SendAsync(CounterModule.Saga, new Add(id, 4));
        await host.UntilCounterAsync(id, 4);
        var requests = host.Services.GetRequiredService<IRequests>();
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var attempts = 0;
        host.Seen().Before = _ => Interlocked.Increment(ref attempts) <= 2 ? throw new NpgsqlException("away", new IOException()) : Task.CompletedTask;

        (await requests.AskAsync<CountAnswer>(queue, new AskCount(id), time.Token)).Count.ShouldBe(4);
        attempts.ShouldBe(3);
        (await requests.AskAsync<CountAnswer, CountUnknown>(queue, new AskCount(id), time.Token)).First!.Count.ShouldBe(4);
        (await requests.AskAsync<CountAnswer, CountUnknown>(queue, new AskCount(Guid.NewGuid()), time.Token)).Second.ShouldNotBeNull();

        host.Seen().Before = _ => throw new InvalidOperationException("a mistake");
        var failure = await Should.ThrowAsync<RequestFailedException>(() => requests.AskAsync<CountAnswer>(queue, new AskCount(id), time.Token));
        failure.Message.ShouldContain("a mistake");
        // Called where it is, the exception itself comes back; over the bus only what is told of it.
        (failure.InnerException is InvalidOperationException).ShouldBe(bus == TestBus.InProcess && queue == CounterModule.Answers);
        await host.NothingGivenUpAsync();
    }

    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task One_trace_goes_from_the_commit_through_the_outbox_to_the_handler(TestBus bus)
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: bus);
        var seen = new TaskCompletionSource<ActivityTraceId?>();
        host.Seen().Before = _ =>
        {
            seen.TrySetResult(Activity.Current?.TraceId);
            return Task.CompletedTask;
        };

        using var activity = QualizTelemetry.Activities.StartActivity("a request");
        activity.ShouldNotBeNull();
        await host.SendAsync(CounterModule.Notes, new WriteNote(Guid.NewGuid(), "traced"));

        (await seen.Task.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBe(activity.TraceId);
    }

    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task The_janitor_deletes_what_is_done_and_nothing_else(TestBus bus)
    {
        await using var host = await TestHost.StartAsync(builder => builder.AddCounters(), bus: bus);
        await host.SendAsync(CounterModule.Notes, new WriteNote(Guid.NewGuid(), "done"));
        await host.UntilCountAsync(1, "SELECT count(*) FROM counters.note WHERE text LIKE 'event%'");
        if (bus == TestBus.RabbitMq)
            await host.UntilCountAsync(0, "SELECT count(*) FROM bus.outbox WHERE sent_at IS NULL");
        // Not for this process: it stays undone.
        await host.CountAsync(
            "INSERT INTO bus.outbox (service, message_id, type, queue, body, endpoints) VALUES ('other', gen_random_uuid(), 'x', 'q', '{}', '{q}') RETURNING 1");
        var janitor = ActivatorUtilities.CreateInstance<BusJanitor>(host.Services);

        await janitor.CleanAsync(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, default);

        (await host.CountAsync("SELECT count(*) FROM bus.outbox")).ShouldBe(1);
        (await host.CountAsync("SELECT count(*) FROM bus.inbox")).ShouldBe(0);
    }
}
