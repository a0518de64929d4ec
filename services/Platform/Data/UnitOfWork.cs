using System.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Qualiz.Contracts;
using Qualiz.Platform.Messaging;

namespace Qualiz.Platform.Data;

/// <summary>What the platform needs of a unit of work around a received message.</summary>
internal interface IReceivingUnit
{
    /// <summary>Begins with the inbox row, behind a lock when there is one, in a single round trip.</summary>
    /// <returns>False when this endpoint has handled the message already.</returns>
    Task<bool> BeginReceivingAsync(Guid? messageId, string endpoint, Guid? lockId, CancellationToken ct);

    Task CommitAsync(CancellationToken ct);
}

internal sealed class UnitOfWork<TDb>(TDb db, ServiceDatabases databases, MessageRoutes routes, OutboxRelay relay)
    : IUnitOfWork<TDb>, IReceivingUnit, IAsyncDisposable
    where TDb : DbContext
{
    private readonly OutboxBuffer _outbox = new(databases.Of(typeof(TDb)).Name, routes);
    private readonly List<NpgsqlBatchCommand> _atCommit = [];
    private NpgsqlConnection? _connection;
    private NpgsqlTransaction? _transaction;

    public TDb Db => db;
    public IOutbox Outbox => _outbox;

    public async Task BeginAsync(CancellationToken ct)
    {
        if (_transaction is not null)
            return;
        await db.Database.OpenConnectionAsync(ct);
        _connection = (NpgsqlConnection)db.Database.GetDbConnection();
        // Npgsql sends BEGIN together with the first command.
        _transaction = await _connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, ct);
        await db.Database.UseTransactionAsync(_transaction, ct);
        // Nothing here goes on after a failed save, so a savepoint round each would be a round trip for nothing.
        db.Database.AutoSavepointsEnabled = false;
    }

    public async Task<bool> BeginReceivingAsync(Guid? messageId, string endpoint, Guid? lockId, CancellationToken ct)
    {
        await BeginAsync(ct);
        await using var batch = _connection!.CreateBatch();
        if (lockId is { } id)
            batch.BatchCommands.Add(LockCommand(id));
        NpgsqlBatchCommand? inbox = null;
        if (messageId is { } message)
        {
            inbox = new NpgsqlBatchCommand("INSERT INTO bus.inbox (message_id, endpoint) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            {
                Parameters = { new NpgsqlParameter<Guid> { TypedValue = message }, new NpgsqlParameter<string> { TypedValue = endpoint } },
            };
            batch.BatchCommands.Add(inbox);
        }
        if (batch.BatchCommands.Count > 0)
            await batch.ExecuteNonQueryAsync(ct);
        return inbox is null || inbox.RecordsAffected == 1;
    }

    /// <summary>Taken to the end of the transaction.</summary>
    public async Task LockAsync(Guid id, CancellationToken ct)
    {
        await BeginAsync(ct);
        await using var batch = _connection!.CreateBatch();
        batch.BatchCommands.Add(LockCommand(id));
        await batch.ExecuteNonQueryAsync(ct);
    }

    public async Task<T> LockAndReadAsync<T>(Guid id, NpgsqlBatchCommand query, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken ct)
    {
        await BeginAsync(ct);
        await using var batch = _connection!.CreateBatch();
        batch.BatchCommands.Add(LockCommand(id));
        batch.BatchCommands.Add(query);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        return await read(reader, ct);
    }

    public void AtCommit(NpgsqlBatchCommand command) => _atCommit.Add(command);

    private static NpgsqlBatchCommand LockCommand(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes);
        var key = BitConverter.ToInt64(bytes) ^ BitConverter.ToInt64(bytes[8..]);
        return new NpgsqlBatchCommand("SELECT pg_advisory_xact_lock($1)") { Parameters = { new NpgsqlParameter<long> { TypedValue = key } } };
    }

    public async Task CommitAsync(CancellationToken ct)
    {
        await BeginAsync(ct);
        await db.SaveChangesAsync(ct);
        await NumberEventsAsync(ct);

        var committed = _outbox.Messages.ToArray();
        await using (var batch = _connection!.CreateBatch())
        {
            foreach (var command in _atCommit)
                batch.BatchCommands.Add(command);
            foreach (var message in committed.Where(MessageRoutes.IsDurable))
                batch.BatchCommands.Add(Row(message));
            foreach (var timer in _outbox.Timers)
                batch.BatchCommands.Add(Row(timer));
            // COMMIT of a transaction that has failed reports success and rolls back; any other command reports the failure.
            if (batch.BatchCommands.Count == 0)
                batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1"));
            batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
            try
            {
                // Not to be cancelled: half-way through nobody would know the outcome.
                await batch.ExecuteNonQueryAsync(CancellationToken.None);
            }
            catch
            {
                relay.Doubt(committed);
                throw;
            }
        }

        relay.Relay(committed);
        if (_outbox.Timers.Count > 0)
            relay.TimerSet(_outbox.Timers.Min(timer => timer.DueAt));
        _outbox.Clear();
        _atCommit.Clear();
        await EndAsync();
    }

    /// <summary>
    /// Gives events that belong to no run their place in the order of their project. Last of all, so that the project's row is
    /// locked for no longer than the commit takes, and in one order, so that nobody waits for each other.
    /// </summary>
    private async Task NumberEventsAsync(CancellationToken ct)
    {
        var projects = _outbox.Messages
            .Select((message, index) => (Event: message.Body as EventRecord, index))
            .Where(message => message.Event is { RunId: null, Sequence: 0 })
            .GroupBy(message => message.Event!.ProjectId)
            .OrderBy(project => project.Key)
            .ToList();
        foreach (var project in projects)
        {
            await using var command = new NpgsqlCommand(
                """
                INSERT INTO bus.event_number AS number (project_id, last) VALUES ($1, $2)
                ON CONFLICT (project_id) DO UPDATE SET last = number.last + $2 RETURNING last
                """,
                _connection, _transaction);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = project.Key });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = project.Count() });
            var next = (long)(await command.ExecuteScalarAsync(ct))! - project.Count();
            foreach (var (happened, index) in project)
                _outbox.Messages[index] = _outbox.Messages[index] with { Body = happened! with { Sequence = ++next } };
        }
    }

    private static NpgsqlBatchCommand Row(OutgoingMessage message) =>
        new("INSERT INTO bus.outbox (service, message_id, type, queue, body, traceparent, endpoints) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = message.Service },
                new NpgsqlParameter<Guid> { TypedValue = message.Id },
                new NpgsqlParameter<string> { TypedValue = message.TypeName },
                new NpgsqlParameter { Value = (object?)message.Queue ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                new NpgsqlParameter<string> { TypedValue = OutgoingMessage.ToJson(message.Body), NpgsqlDbType = NpgsqlDbType.Json },
                new NpgsqlParameter { Value = (object?)message.TraceParent ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                new NpgsqlParameter { Value = (object?)message.Endpoints ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            },
        };

    private NpgsqlBatchCommand Row(OutgoingTimer timer) =>
        new("INSERT INTO bus.timer (id, service, due_at, queue, type, body, traceparent) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = timer.Id },
                new NpgsqlParameter<string> { TypedValue = databases.Of(typeof(TDb)).Name },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = timer.DueAt },
                new NpgsqlParameter<string> { TypedValue = timer.Queue },
                new NpgsqlParameter<string> { TypedValue = OutgoingMessage.NameOf(timer.Body.GetType()) },
                new NpgsqlParameter<string> { TypedValue = OutgoingMessage.ToJson(timer.Body), NpgsqlDbType = NpgsqlDbType.Json },
                new NpgsqlParameter { Value = (object?)timer.TraceParent ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            },
        };

    private async Task EndAsync()
    {
        if (_transaction is null)
            return;
        await _transaction.DisposeAsync();
        _transaction = null;
        await db.Database.UseTransactionAsync(null);
        await db.Database.CloseConnectionAsync();
    }

    /// <summary>Without a commit: rolls back.</summary>
    public async ValueTask DisposeAsync() => await EndAsync();
}
