using System.Text.Json;
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
        work.Db.Events.Add(new EventRow
        {
            RunId = run.CorrelationId,
            Sequence = happened.Sequence,
            Type = typeof(TEvent).Name,
            OccurredAt = happened.OccurredAt,
            Body = JsonSerializer.Serialize(happened, RunsDb.Json),
        });
        work.Outbox.Publish(happened);
    }
}
