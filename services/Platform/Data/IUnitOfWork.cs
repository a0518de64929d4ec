using Microsoft.EntityFrameworkCore;
using Npgsql;
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

    /// <summary>The same with a query under the lock, in one round trip.</summary>
    Task<T> LockAndReadAsync<T>(Guid id, NpgsqlBatchCommand query, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken ct);

    /// <summary>Adds a command to those that go to the server together with COMMIT, after the tracked changes.</summary>
    void AtCommit(NpgsqlBatchCommand command);

    /// <summary>Saves tracked changes, writes the outbox rows, commits, and wakes the relay.</summary>
    Task CommitAsync(CancellationToken ct);
}
