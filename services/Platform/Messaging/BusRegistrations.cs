using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Qualiz.Platform.Messaging.Sagas;

namespace Qualiz.Platform.Messaging;

/// <summary>Everything that the modules of this process receive.</summary>
internal sealed class BusRegistrations
{
    private readonly List<QueueRegistration> _queues = [];

    public IReadOnlyList<QueueRegistration> Queues => _queues;
    public List<Type> Broadcasts { get; } = [];

    public static BusRegistrations Of(IHostApplicationBuilder builder)
    {
        if (builder.Properties.TryGetValue(typeof(BusRegistrations), out var found))
            return (BusRegistrations)found;
        var registrations = new BusRegistrations();
        builder.Properties[typeof(BusRegistrations)] = registrations;
        builder.Services.AddSingleton(registrations);
        return registrations;
    }

    public void Add(QueueRegistration registration)
    {
        foreach (var other in _queues.Where(other => other.Queue == registration.Queue))
        {
            if (other.Kind != registration.Kind || other.Db != registration.Db)
                throw new InvalidOperationException($"Queue '{registration.Queue}' is registered in two different ways ({other.Consumer.Name}, {registration.Consumer.Name}).");

            // One message would run two handlers under one inbox row: the second would be taken for a repetition.
            var doubled = other.MessageTypes.FirstOrDefault(type =>
                registration.MessageTypes.Any(mine => mine.IsAssignableFrom(type) || type.IsAssignableFrom(mine)));
            if (doubled is not null)
                throw new InvalidOperationException(
                    $"{other.Consumer.Name} and {registration.Consumer.Name} both receive {doubled.Name} on queue '{registration.Queue}'; give one of them its own queue.");
        }
        _queues.Add(registration);
    }
}

internal enum QueueKind
{
    Messages,
    Requests,
    Saga,
}

internal record QueueRegistration(string Queue, QueueKind Kind, Type Consumer, Type? Db, int Concurrency)
{
    /// <summary>What arrives by subscription or by name.</summary>
    public virtual IReadOnlyList<Type> MessageTypes { get; } = MessageTypesOf(Consumer);

    /// <summary>True when the inbox tells which messages have been handled.</summary>
    public bool HasInbox => Db is not null;

    public static IReadOnlyList<Type> MessageTypesOf(Type consumer) =>
        [.. consumer.GetInterfaces().Where(type => type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(IConsumer<>) || type.GetGenericTypeDefinition() == typeof(IAnswers<>)))
            .Select(type => type.GetGenericArguments()[0])];
}

internal abstract record SagaRegistration(string Queue, Type Consumer, Type Db, int Concurrency)
    : QueueRegistration(Queue, QueueKind.Saga, Consumer, Db, Concurrency)
{
    public abstract void Register(IBusRegistrationConfigurator configurator);

    public abstract void Configure(IReceiveEndpointConfigurator endpoint, IBusRegistrationContext context);
}

internal sealed record SagaRegistration<TMachine, TState, TDb>(string Queue, int Concurrency)
    : SagaRegistration(Queue, typeof(TMachine), typeof(TDb), Concurrency)
    where TMachine : MassTransitStateMachine<TState>
    where TState : class, SagaStateMachineInstance
    where TDb : DbContext
{
    public override IReadOnlyList<Type> MessageTypes { get; } =
        [.. typeof(TMachine).GetProperties()
            .Where(property => property.PropertyType.IsGenericType && property.PropertyType.GetGenericTypeDefinition() == typeof(Event<>))
            .Select(property => property.PropertyType.GetGenericArguments()[0])];

    public override void Register(IBusRegistrationConfigurator configurator) =>
        configurator.AddSagaStateMachine<TMachine, TState>().PostgresRepository<TState, TDb>();

    public override void Configure(IReceiveEndpointConfigurator endpoint, IBusRegistrationContext context) =>
        endpoint.ConfigureSaga<TState>(context);
}
