using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Qualiz.Platform.Messaging;

internal static class SagaRepositoryRegistration
{
    public static ISagaRegistrationConfigurator<TState> PostgresRepository<TState, TDb>(this ISagaRegistrationConfigurator<TState> saga)
        where TState : class, SagaStateMachineInstance
        where TDb : DbContext => saga;
}
