using Microsoft.EntityFrameworkCore;
using Qualiz.Platform.Messaging;

namespace Qualiz.Platform.Data;

internal sealed class UnitOfWork<TDb>(TDb db) : IUnitOfWork<TDb> where TDb : DbContext
{
    public TDb Db => db;
    public IOutbox Outbox => throw new InvalidOperationException();
    public Task BeginAsync(CancellationToken ct) => Task.CompletedTask;
    public Task CommitAsync(CancellationToken ct) => Db.SaveChangesAsync(ct);
}
