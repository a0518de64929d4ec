using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Qualiz.Platform.Data;

namespace Qualiz.Platform.Messaging;

/// <summary>What a module receives. Registrations of all modules of a process are collected and wired once, when the host is built.</summary>
public static class BusRegistration
{
    /// <summary>
    /// A durable queue that competing processes share. With <paramref name="db"/> the handler runs inside that service's
    /// transaction (<see cref="IUnitOfWork{TDb}"/>), begun with the inbox row and committed after it, so that a message that is
    /// delivered twice acts once. Without it there is neither transaction nor inbox: the handler must bear repetition, and on the
    /// in-process bus the message does not survive the process, so its sender must be able to send again.
    /// </summary>
    /// <param name="concurrency">Messages handled, and fetched, at once.</param>
    public static IHostApplicationBuilder AddBusConsumer<TConsumer>(
        this IHostApplicationBuilder builder, string queue, Type? db = null, int concurrency = 8)
        where TConsumer : class, IConsumer
    {
        builder.Services.TryAddScoped<TConsumer>();
        BusRegistrations.Of(builder).Add(new QueueRegistration(queue, QueueKind.Messages, typeof(TConsumer), db, concurrency));
        return builder;
    }

    /// <summary>
    /// Answers requests (<see cref="IRequests"/>). An exception goes back to the asker, who asks again when it is broken
    /// infrastructure; a request is never kept.
    /// </summary>
    public static IHostApplicationBuilder AddRequestConsumer<TConsumer>(this IHostApplicationBuilder builder, string queue, int concurrency = 16)
        where TConsumer : class, IConsumer
    {
        builder.Services.TryAddScoped<TConsumer>();
        BusRegistrations.Of(builder).Add(new QueueRegistration(queue, QueueKind.Requests, typeof(TConsumer), null, concurrency));
        return builder;
    }

    /// <summary>As <see cref="AddRequestConsumer{TConsumer}"/>, for a class that implements <see cref="IAnswers{TRequest}"/>.</summary>
    public static IHostApplicationBuilder AddAnswers<TAnswers>(this IHostApplicationBuilder builder, string queue, int concurrency = 16)
        where TAnswers : class
    {
        builder.Services.TryAddScoped<TAnswers>();
        BusRegistrations.Of(builder).Add(new QueueRegistration(queue, QueueKind.Requests, typeof(TAnswers), null, concurrency));
        return builder;
    }

    /// <summary>Every process gets its own copy, on a queue that goes with the process. For what only matters now: live updates, stops.</summary>
    public static IHostApplicationBuilder AddBroadcastConsumer<TConsumer>(this IHostApplicationBuilder builder) where TConsumer : class, IConsumer
    {
        builder.Services.TryAddScoped<TConsumer>();
        BusRegistrations.Of(builder).Broadcasts.Add(typeof(TConsumer));
        return builder;
    }

    /// <summary>
    /// A saga whose state is a row of <typeparamref name="TDb"/>. Its activities share the scope's <see cref="IUnitOfWork{TDb}"/>:
    /// state, business rows, inbox row and outgoing messages commit together, under a lock per saga id.
    /// </summary>
    public static IHostApplicationBuilder AddSaga<TMachine, TState, TDb>(this IHostApplicationBuilder builder, string queue, int concurrency = 24)
        where TMachine : MassTransitStateMachine<TState>
        where TState : class, SagaStateMachineInstance
        where TDb : DbContext
    {
        BusRegistrations.Of(builder).Add(new SagaRegistration<TMachine, TState, TDb>(queue, concurrency));
        return builder;
    }
}
