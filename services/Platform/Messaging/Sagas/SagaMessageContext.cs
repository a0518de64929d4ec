using MassTransit;
using MassTransit.Context;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;
using Qualiz.Platform.Data;

namespace Qualiz.Platform.Messaging.Sagas;

/// <summary>One message and the sagas it concerns, inside the unit of work.</summary>
internal sealed class SagaMessageContext<TState, TDb, TMessage>(UnitOfWork<TDb> unit, ConsumeContext<TMessage> context, Guid? lockedId)
    : ConsumeContextScope<TMessage>(context, unit.Db), SagaRepositoryContext<TState, TMessage>
    where TState : class, SagaStateMachineInstance
    where TDb : DbContext
    where TMessage : class
{
    private static readonly Func<TDb, Guid, CancellationToken, Task<TState?>> s_find = EF.CompileAsyncQuery(
        (TDb db, Guid id, CancellationToken ct) => db.Set<TState>().FirstOrDefault(saga => saga.CorrelationId == id));

    private readonly ConsumeContext<TMessage> _context = context;
    private readonly HashSet<Guid> _locked = lockedId is { } id ? [id] : [];

    /// <summary>Nothing goes to the database before the saga has decided.</summary>
    public Task<SagaConsumeContext<TState, TMessage>> Add(TState instance) =>
        CreateSagaConsumeContext(_context, instance, SagaConsumeContextMode.Add);

    /// <summary>Null when it is there already. The lock makes looking first safe.</summary>
    public async Task<SagaConsumeContext<TState, TMessage>> Insert(TState instance)
    {
        if (await LockAndFindAsync(instance.CorrelationId) is not null)
            return null!;
        unit.Db.Add(instance);
        await unit.Db.SaveChangesAsync(CancellationToken);
        return await CreateSagaConsumeContext(_context, instance, SagaConsumeContextMode.Insert);
    }

    /// <summary>Null when absent; else tracked, and locked until the commit.</summary>
    public async Task<SagaConsumeContext<TState, TMessage>> Load(Guid correlationId) =>
        await LockAndFindAsync(correlationId) is { } instance
            ? await CreateSagaConsumeContext(_context, instance, SagaConsumeContextMode.Load)
            : null!;

    private async Task<TState?> LockAndFindAsync(Guid id)
    {
        if (_locked.Add(id))
            await unit.LockAsync(id, CancellationToken);
        return await s_find(unit.Db, id, CancellationToken);
    }

    public Task Save(SagaConsumeContext<TState> context)
    {
        unit.Db.Add(context.Saga);
        return Task.CompletedTask;
    }

    /// <summary>Tracked: the commit saves it together with what the activities changed.</summary>
    public Task Update(SagaConsumeContext<TState> context) => Task.CompletedTask;

    public Task Delete(SagaConsumeContext<TState> context)
    {
        unit.Db.Remove(context.Saga);
        return Task.CompletedTask;
    }

    public Task Discard(SagaConsumeContext<TState> context) => Task.CompletedTask;

    public Task Undo(SagaConsumeContext<TState> context)
    {
        unit.Db.Entry(context.Saga).State = EntityState.Unchanged;
        return Task.CompletedTask;
    }

    public Task<SagaConsumeContext<TState, T>> CreateSagaConsumeContext<T>(ConsumeContext<T> consumeContext, TState instance, SagaConsumeContextMode mode)
        where T : class =>
        Task.FromResult<SagaConsumeContext<TState, T>>(new DefaultSagaConsumeContext<TState, T>(consumeContext, instance));
}
