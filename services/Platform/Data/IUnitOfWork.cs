using Microsoft.EntityFrameworkCore;
using Qualiz.Platform.Messaging;

namespace Qualiz.Platform.Data;

/// <summary>
/// One transaction of a service: its rows and its messages commit together. Scoped. Inside a consumer or saga the
/// platform has begun it already (with the inbox row) and commits it after the handler; an HTTP handler begins and
/// commits it itself.
/// </summary>
public interface IUnitOfWork<TDb> where TDb : DbContext
{
    /// <summary>Its connection is open and inside the transaction from <see cref="BeginAsync"/> on.</summary>
    TDb Db { get; }
    IOutbox Outbox { get; }

    /// <summary>Begins the transaction (read committed); does nothing when one is open.</summary>
    Task BeginAsync(CancellationToken ct);

    /// <summary>Begins when need be and waits for the lock on an id, held to the end of the transaction: the lock under which a saga of that id is handled.</summary>
    Task LockAsync(Guid id, CancellationToken ct);

    /// <summary>Saves tracked changes, writes the outbox rows, commits, and wakes the relay.</summary>
    Task CommitAsync(CancellationToken ct);
}
