using MassTransit;
using MassTransit.Configuration;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;

namespace Qualiz.Platform.Messaging.Sagas;

internal static class SagaRepositoryRegistration
{
    /// <summary>Keeps the saga's instances in <typeparamref name="TDb"/>, by our own repository (docs/adr/0001).</summary>
    public static ISagaRegistrationConfigurator<TState> PostgresRepository<TState, TDb>(this ISagaRegistrationConfigurator<TState> saga)
        where TState : class, SagaStateMachineInstance
        where TDb : DbContext =>
        saga.Repository(services =>
        {
            // Load and query first: the last one fills what is missing with "not supported".
            services.RegisterLoadSagaRepository<TState, SagaRepositoryContextFactory<TState, TDb>>();
            services.RegisterQuerySagaRepository<TState, SagaRepositoryContextFactory<TState, TDb>>();
            services.RegisterSagaRepository<TState, TDb, SagaConsumeContextFactory<TDb, TState>, SagaRepositoryContextFactory<TState, TDb>>();
        });
}
