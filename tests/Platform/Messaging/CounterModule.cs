using System.Collections.Concurrent;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Qualiz.Contracts;
using Qualiz.Platform.Data;
using Qualiz.Platform.Messaging;
using Qualiz.Platform.Messaging.Sagas;

namespace Qualiz.Platform.Tests.Messaging;

public sealed record Add(Guid CounterId, int Amount = 1, string? Team = null);

public sealed record AddThenFail(Guid CounterId);

public sealed record AddToTeam(string Team);

public sealed record Finish(Guid CounterId);

public sealed record WriteNote(Guid Id, string Text);

public sealed record AskCount(Guid CounterId);

public sealed record CountAnswer(int Count);

public sealed record CountUnknown(string Reason);

public sealed record Added : IEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required Guid ProjectId { get; init; }
    public required string Actor { get; init; }
    public Guid? RunId { get; init; }
    public required long Sequence { get; init; }
    public int Count { get; init; }

    public static Added Of(Guid counter, int count) => new()
    {
        Id = Guid.CreateVersion7(),
        OccurredAt = DateTimeOffset.UtcNow,
        ProjectId = counter,
        Actor = "test",
        Sequence = count,
        Count = count,
    };
}

public sealed class Counter : SagaStateMachineInstance
{
    public Guid CorrelationId { get; set; }
    public string CurrentState { get; set; } = "";
    public int Count { get; set; }
    public string? Team { get; set; }
}

public sealed class CounterMap : SagaMap<Counter>
{
    protected override void ConfigureState(EntityTypeBuilder<Counter> builder) => builder.ToTable("counter");
}

public sealed class Note
{
    public Guid Id { get; set; }
    public string Text { get; set; } = "";
}

public sealed class CounterDb(DbContextOptions<CounterDb> options) : DbContext(options)
{
    public DbSet<Counter> Counters => Set<Counter>();
    public DbSet<Note> Notes => Set<Note>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfiguration(new CounterMap());
        modelBuilder.Entity<Note>().ToTable("note");
    }
}

public sealed class CounterMachine : MassTransitStateMachine<Counter>
{
    public CounterMachine()
    {
        InstanceState(counter => counter.CurrentState);
        Event(() => Add, x => x.CorrelateById(context => context.Message.CounterId));
        Event(() => AddThenFail, x => x.CorrelateById(context => context.Message.CounterId));
        Event(() => AddToTeam, x => x.CorrelateBy((counter, context) => counter.Team == context.Message.Team));
        Event(() => Finish, x => x.CorrelateById(context => context.Message.CounterId));

        Initially(
            When(Add).ThenAsync(CountAsync).TransitionTo(Running),
            Ignore(AddThenFail));
        During(Running,
            When(Add).ThenAsync(CountAsync),
            When(AddThenFail)
                .ThenAsync(async context =>
                {
                    await CountAsync(context, 1);
                    throw new InvalidOperationException("on purpose");
                }),
            When(AddToTeam).ThenAsync(context => CountAsync(context, 1)),
            When(Finish).TransitionTo(Done));
        During(Done, Ignore(Add), Ignore(Finish), Ignore(AddToTeam), Ignore(AddThenFail));
    }

    public State Running { get; } = null!;
    public State Done { get; } = null!;
    public Event<Add> Add { get; } = null!;
    public Event<AddThenFail> AddThenFail { get; } = null!;
    public Event<AddToTeam> AddToTeam { get; } = null!;
    public Event<Finish> Finish { get; } = null!;

    private static Task CountAsync(BehaviorContext<Counter, Add> context)
    {
        context.Saga.Team ??= context.Message.Team;
        return CountAsync(context, context.Message.Amount);
    }

    private static Task CountAsync(BehaviorContext<Counter> context, int amount)
    {
        var unit = context.GetPayload<IServiceProvider>().GetRequiredService<IUnitOfWork<CounterDb>>();
        context.Saga.Count += amount;
        unit.Outbox.Publish(Added.Of(context.Saga.CorrelationId, context.Saga.Count));
        return Task.CompletedTask;
    }
}

/// <summary>What consumers saw, by test: each host has its own.</summary>
public sealed class Seen
{
    public ConcurrentQueue<object> Messages { get; } = new();
    public Func<object, Task> Before { get; set; } = _ => Task.CompletedTask;

    public int Count<T>() => Messages.OfType<T>().Count();
}

/// <summary>A durable consumer that writes a row and announces it.</summary>
public sealed class NoteConsumer(IUnitOfWork<CounterDb> unit, Seen seen) : IConsumer<WriteNote>
{
    public async Task Consume(ConsumeContext<WriteNote> context)
    {
        await seen.Before(context.Message);
        unit.Db.Notes.Add(new Note { Id = Guid.CreateVersion7(), Text = context.Message.Text });
        unit.Outbox.Publish(Added.Of(context.Message.Id, 0));
        seen.Messages.Enqueue(context.Message);
    }
}

/// <summary>As the audit will be: it knows no event.</summary>
public sealed class EventConsumer(IUnitOfWork<CounterDb> unit) : IConsumer<IEvent>
{
    public Task Consume(ConsumeContext<IEvent> context)
    {
        unit.Db.Notes.Add(new Note { Id = Guid.CreateVersion7(), Text = $"event {context.Message.ProjectId} {context.Message.Sequence}" });
        return Task.CompletedTask;
    }
}

public sealed class LiveConsumer(Seen seen) : IConsumer<Added>
{
    public Task Consume(ConsumeContext<Added> context)
    {
        seen.Messages.Enqueue(context.Message);
        return Task.CompletedTask;
    }
}

public sealed class CountConsumer(CounterDb db, Seen seen) : IConsumer<AskCount>
{
    public async Task Consume(ConsumeContext<AskCount> context)
    {
        await seen.Before(context.Message);
        if (await db.Counters.AsNoTracking().FirstOrDefaultAsync(counter => counter.CorrelationId == context.Message.CounterId) is { } counter)
            await context.RespondAsync(new CountAnswer(counter.Count));
        else
            await context.RespondAsync(new CountUnknown("no such counter"));
    }
}

/// <summary>The same as <see cref="CountConsumer"/>, in the form that needs no bus.</summary>
public sealed class CountAnswers(CounterDb db, Seen seen) : IAnswers<AskCount>
{
    public async Task<object> AnswerAsync(AskCount request, CancellationToken ct)
    {
        await seen.Before(request);
        return await db.Counters.AsNoTracking().FirstOrDefaultAsync(counter => counter.CorrelationId == request.CounterId, ct) is { } counter
            ? new CountAnswer(counter.Count)
            : new CountUnknown("no such counter");
    }
}

public static class CounterModule
{
    public const string Saga = "test.saga";
    public const string Notes = "test.notes";
    public const string Events = "test.events";
    public const string Questions = "test.questions";
    public const string Answers = "test.answers";

    public static IHostApplicationBuilder AddCounters(this IHostApplicationBuilder builder)
    {
        builder.AddCounterDatabase();
        builder.AddSaga<CounterMachine, Counter, CounterDb>(Saga);
        builder.AddBusConsumer<NoteConsumer>(Notes, typeof(CounterDb));
        builder.AddBusConsumer<EventConsumer>(Events, typeof(CounterDb));
        builder.AddBroadcastConsumer<LiveConsumer>();
        builder.AddRequestConsumer<CountConsumer>(Questions);
        builder.AddAnswers<CountAnswers>(Answers);
        return builder;
    }

    /// <summary>Writes messages, receives none.</summary>
    public static IHostApplicationBuilder AddCounterDatabase(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Seen>();
        builder.AddServiceDatabase<CounterDb>("counters");
        return builder;
    }
}
