using MassTransit;
using MassTransit.Middleware;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Qualiz.Platform.Data;

namespace Qualiz.Platform.Messaging.Sagas;

/// <summary>
/// The saga repository: one read-committed transaction for each message, under an advisory lock on the saga's id (which a row
/// lock could not give for a row that is not there yet), with the row version as a second net. The transaction is the scope's
/// unit of work, so that activities write their rows and messages into it.
/// </summary>
internal sealed class SagaRepositoryContextFactory<TState, TDb>(IUnitOfWork<TDb> unitOfWork, SagaTurns turns, ILogger<SagaRepositoryContextFactory<TState, TDb>> logger)
    : ISagaRepositoryContextFactory<TState>, ILoadSagaRepositoryContextFactory<TState>, IQuerySagaRepositoryContextFactory<TState>
    where TState : class, SagaStateMachineInstance
    where TDb : DbContext
{
    private readonly UnitOfWork<TDb> _unit = (UnitOfWork<TDb>)unitOfWork;

    public async Task Send<T>(ConsumeContext<T> context, IPipe<SagaRepositoryContext<TState, T>> next) where T : class
    {
        var id = context.CorrelationId ?? throw new SagaException("The message names no saga", typeof(TState), typeof(T));
        // Messages of one saga wait for each other here, without a connection each.
        using var turn = await turns.TakeAsync(id, context.CancellationToken);
        if (!await BeginAsync(context, id))
            return;
        await next.Send(new SagaMessageContext<TState, TDb, T>(_unit, context, lockedId: id));
        await _unit.CommitAsync(context.CancellationToken);
    }

    public async Task SendQuery<T>(ConsumeContext<T> context, ISagaQuery<TState> query, IPipe<SagaRepositoryQueryContext<TState, T>> next) where T : class
    {
        if (!await BeginAsync(context, null))
            return;
        // Ids first, then one lock after the other in the order of the ids: two such messages cannot hold what the other wants.
        var ids = await _unit.Db.Set<TState>().Where(query.FilterExpression).Select(saga => saga.CorrelationId).ToListAsync(context.CancellationToken);
        ids.Sort();
        var sagas = new SagaMessageContext<TState, TDb, T>(_unit, context, lockedId: null);
        await next.Send(new DefaultSagaRepositoryQueryContext<TState, T>(sagas, ids));
        await _unit.CommitAsync(context.CancellationToken);
    }

    private async Task<bool> BeginAsync<T>(ConsumeContext<T> context, Guid? lockId) where T : class
    {
        var endpoint = context.ReceiveContext.InputAddress.AbsolutePath;
        endpoint = endpoint[(endpoint.LastIndexOf('/') + 1)..];
        if (await _unit.BeginReceivingAsync(context.MessageId, endpoint, lockId, context.CancellationToken))
            return true;
        logger.LogDebug("{Message} {MessageId} was handled before", typeof(T).Name, context.MessageId);
        return false;
    }

    public Task<T> Execute<T>(Func<LoadSagaRepositoryContext<TState>, Task<T>> asyncMethod, CancellationToken cancellationToken = default) where T : class =>
        asyncMethod(new SagaReadContext<TState, TDb>(_unit.Db, cancellationToken));

    public Task<T> Execute<T>(Func<QuerySagaRepositoryContext<TState>, Task<T>> asyncMethod, CancellationToken cancellationToken = default) where T : class =>
        asyncMethod(new SagaReadContext<TState, TDb>(_unit.Db, cancellationToken));

    public void Probe(ProbeContext context) => context.Add("persistence", "postgres");
}

/// <summary>For looking only: nothing is tracked or locked.</summary>
internal sealed class SagaReadContext<TState, TDb>(TDb db, CancellationToken ct)
    : BasePipeContext(ct), LoadSagaRepositoryContext<TState>, QuerySagaRepositoryContext<TState>
    where TState : class, SagaStateMachineInstance
    where TDb : DbContext
{
    public Task<TState> Load(Guid correlationId) =>
        db.Set<TState>().AsNoTracking().FirstOrDefaultAsync(saga => saga.CorrelationId == correlationId, CancellationToken)!;

    public async Task<SagaRepositoryQueryContext<TState>> Query(ISagaQuery<TState> query, CancellationToken cancellationToken = default)
    {
        var ids = await db.Set<TState>().AsNoTracking().Where(query.FilterExpression).Select(saga => saga.CorrelationId).ToListAsync(cancellationToken);
        return new DefaultSagaRepositoryQueryContext<TState>(this, ids);
    }
}
