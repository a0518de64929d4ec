using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Qualiz.Contracts;
using Qualiz.Platform.Data;
using Qualiz.Runs.Model;

namespace Qualiz.Runs.Saga;

/// <summary>Numbers a run's events, keeps them and publishes them, all in the caller's transaction and under the run's lock.</summary>
internal sealed class RunEvents(TimeProvider time)
{
    /// <summary>The actor of what the platform does by itself.</summary>
    public const string System = "system";

    /// <param name="happened">The event without its header.</param>
    public void Append<TEvent>(IUnitOfWork<RunsDb> work, RunState run, string actor, TEvent happened) where TEvent : EventRecord
    {
        happened = (TEvent)(happened with
        {
            Id = Guid.CreateVersion7(),
            OccurredAt = time.GetUtcNow(),
            ProjectId = run.ProjectId,
            Actor = actor,
            RunId = run.CorrelationId,
            Sequence = ++run.Sequence,
        });
        // Not by way of the context: nobody reads it back, and as a tracked entity it costs a round trip more and several times the work.
        work.AtCommit(new NpgsqlBatchCommand("INSERT INTO runs.event (run_id, sequence, type, occurred_at, body) VALUES ($1, $2, $3, $4, $5)")
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = run.CorrelationId },
                new NpgsqlParameter<long> { TypedValue = happened.Sequence },
                new NpgsqlParameter<string> { TypedValue = typeof(TEvent).Name },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = happened.OccurredAt },
                new NpgsqlParameter<string> { TypedValue = JsonSerializer.Serialize(happened, RunsDb.Json), NpgsqlDbType = NpgsqlDbType.Json },
            },
        });
        work.Outbox.Publish(happened);
    }
}
