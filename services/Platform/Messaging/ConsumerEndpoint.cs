using System.Reflection;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Qualiz.Contracts;
using Qualiz.Platform.Data;

namespace Qualiz.Platform.Messaging;

/// <summary>Joins a consumer to an endpoint: a scope for each message, and with a database the transaction and the inbox around it.</summary>
internal static class ConsumerEndpoint
{
    private static readonly MethodInfo s_handle = typeof(ConsumerEndpoint).GetMethod(nameof(Handle), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly MethodInfo s_answer = typeof(ConsumerEndpoint).GetMethod(nameof(Answer), BindingFlags.NonPublic | BindingFlags.Static)!;

    public static void Configure(IReceiveEndpointConfigurator endpoint, IServiceProvider services, Type consumer, string queue, QueueKind kind, Type? db)
    {
        var unit = db is null ? null : typeof(IUnitOfWork<>).MakeGenericType(db);
        foreach (var message in QueueRegistration.MessageTypesOf(consumer))
        {
            if (consumer.IsAssignableTo(typeof(IAnswers<>).MakeGenericType(message)))
                s_answer.MakeGenericMethod(consumer, message).Invoke(null, [endpoint, services]);
            else
                s_handle.MakeGenericMethod(consumer, message).Invoke(null, [endpoint, services, queue, kind, unit]);
        }
    }

    private static void Answer<TAnswers, TMessage>(IReceiveEndpointConfigurator endpoint, IServiceProvider services)
        where TAnswers : class, IAnswers<TMessage>
        where TMessage : class =>
        endpoint.Handler<TMessage>(async context =>
        {
            await using var scope = services.CreateAsyncScope();
            var answers = scope.ServiceProvider.GetRequiredService<TAnswers>();
            await TellingInfrastructureAsync(async () => await context.RespondAsync(await answers.AnswerAsync(context.Message, context.CancellationToken)));
        });

    private static void Handle<TConsumer, TMessage>(IReceiveEndpointConfigurator endpoint, IServiceProvider services, string queue, QueueKind kind, Type? unitType)
        where TConsumer : class, IConsumer<TMessage>
        where TMessage : class =>
        endpoint.Handler<TMessage>(async context =>
        {
            if (!Queues.Concerns(queue, context.Message))
                return;
            await using var scope = services.CreateAsyncScope();
            if (unitType is null)
            {
                var consumer = scope.ServiceProvider.GetRequiredService<TConsumer>();
                if (kind == QueueKind.Requests)
                    await TellingInfrastructureAsync(() => consumer.Consume(context));
                else
                    await consumer.Consume(context);
                return;
            }
            var unit = (IReceivingUnit)scope.ServiceProvider.GetRequiredService(unitType);
            if (!await unit.BeginReceivingAsync(context.MessageId, queue, null, context.CancellationToken))
                return;
            await scope.ServiceProvider.GetRequiredService<TConsumer>().Consume(context);
            await unit.CommitAsync(context.CancellationToken);
        });

    private static async Task TellingInfrastructureAsync(Func<Task> answer)
    {
        try
        {
            await answer();
        }
        catch (Exception exception) when (InfrastructureFault.Is(exception))
        {
            // The asker sees only the exception's type: say in it that asking again may help.
            throw new ServiceUnavailableException(exception);
        }
    }
}
