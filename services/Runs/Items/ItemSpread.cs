using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Qualiz.Contracts.Conditions;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Runs.Model;
using Qualiz.Runs.Planning;
using Qualiz.Runs.Saga;

namespace Qualiz.Runs.Items;

/// <summary>
/// A step with <c>forEach</c>: its elements are rows like steps, with claim, fence, retries and log of their own, worked off
/// some at a time. The step keeps a tally, so that an element's end costs the same however many there are.
/// </summary>
internal sealed class ItemSpread(
    IUnitOfWork<RunsDb> work, RunSteps steps, StepChanges changes, StepDispatch dispatch, RunEvents events, TimeProvider time)
{
    private const int MostItems = 100_000;

    /// <summary>The step's turn has come. A step that did it before, and whose elements still hold, goes on with those that are not completed.</summary>
    public async Task BeginAsync(RunState run, PipelinePlan plan, StepState step, CancellationToken ct)
    {
        var each = plan.Of(step).ForEach!;
        step.StartedAt = time.GetUtcNow();
        step.Worker = null;
        step.Progress = null;
        var count = step.Items?.Count ?? 0;
        if (step.Items is null)
        {
            IReadOnlyList<JsonElement> items;
            try
            {
                items = Elements(each, RunScope.Of(run, (await steps.AllAsync(run, ct)).Values));
            }
            catch (ConditionException problem)
            {
                changes.GiveUp(run, plan, step, new StepError { Code = StepErrorCodes.ConfigInvalid, Message = problem.Message, Path = "forEach.items" }, null);
                return;
            }

            if (items.Count == 0)
            {
                changes.Skip(run, step, "forEach has no elements");
                return;
            }

            count = items.Count;
            await WriteAsync(run, step, items, ct);
            step.Items = new ItemTally(count, 0, 0, 0, 0, 0);
        }
        else
        {
            await AgainAsync(step, ct);
        }

        step.State = StepStatus.Spread;
        events.Append(work, run, RunEvents.System, new StepSpread { StepId = step.StepId, Attempt = step.Attempt, Items = count });
        await GoOnAsync(run, plan, step, ct);
    }

    /// <summary>Begins further elements as far as the step allows, and ends the step when none is left.</summary>
    public async Task GoOnAsync(RunState run, PipelinePlan plan, StepState step, CancellationToken ct)
    {
        var each = plan.Of(step).ForEach!;
        if (!run.IsPaused)
        {
            await FillAsync(run, plan, step, each, ct);
        }

        var tally = step.Items!;
        if (tally.Active > 0 || (tally.Ended < tally.Count && !HasStopped(run, step, each)))
        {
            return;
        }

        if (run.IsCancelling)
        {
            await EndCancelledAsync(step, ct);
            return;
        }

        await EndAsync(run, plan, step, each, ct);
    }

    /// <summary>An element that was under way has changed; if that was its end, the step hears of it.</summary>
    public async Task HearAsync(RunState run, PipelinePlan plan, StepState step, StepState item, CancellationToken ct)
    {
        if (run.IsCancelling && !item.State.IsFinal() && item.State != StepStatus.Running)
        {
            changes.Finish(item, StepStatus.Cancelled);
        }

        if (item.State.IsFinal() && step.State == StepStatus.Spread)
        {
            step.Items = step.Items!.With(item.State) with { Active = step.Items.Active - 1 };
            await GoOnAsync(run, plan, step, ct);
        }
    }

    /// <summary>The run is cancelled: elements that nobody works on end here, the others are told to stop.</summary>
    public async Task CancelAsync(StepState step, CancellationToken ct)
    {
        var running = await steps.ItemsOf(step).Where(item => item.State == StepStatus.Running).ToListAsync(ct);
        running.ForEach(changes.Stop);
        var now = time.GetUtcNow();
        await steps.ItemsOf(step)
            .Where(item => item.State == StepStatus.Pending || item.State == StepStatus.Ready || item.State == StepStatus.Dispatched
                || item.State == StepStatus.Deferred || item.State == StepStatus.BackingOff)
            .ExecuteUpdateAsync(item => item.SetProperty(i => i.State, StepStatus.Cancelled).SetProperty(i => i.FinishedAt, now), ct);
        step.Items = step.Items! with { Active = running.Count };
        if (running.Count == 0)
        {
            await EndCancelledAsync(step, ct);
        }
    }

    /// <summary>What its elements rejected is kept, as that of a step which completed before its run was cancelled.</summary>
    private async Task EndCancelledAsync(StepState step, CancellationToken ct)
    {
        var ended = await EndedAsync(step, ct);
        step.Outcome = ended.Count == 0 ? null : ItemStack.Of(step.StepId, step.Items!.Count, ended).Outcome;
        changes.Finish(step, StepStatus.Cancelled);
    }

    /// <summary>The elements that have something to show, in their order. All are read, once.</summary>
    private async Task<List<EndedItem>> EndedAsync(StepState step, CancellationToken ct)
    {
        // What this event has changed must be seen by the query.
        await work.Db.SaveChangesAsync(ct);
        return await steps.ItemsOf(step).AsNoTracking()
            .Where(item => item.State == StepStatus.Completed || item.State == StepStatus.Failed || (item.State == StepStatus.Cancelled && item.Outcome != null))
            .OrderBy(item => item.Ordinal)
            .Select(item => new EndedItem(item.Ordinal, item.State == StepStatus.Completed, item.Outcome, item.Error))
            .ToListAsync(ct);
    }

    /// <summary>What the elements of these steps want remembered; of two with the same value, the later one's.</summary>
    public async Task RememberAsync(RunState run, string[] ofSteps, Guid version, CancellationToken ct)
    {
        await work.Db.SaveChangesAsync(ct);
        await ExecuteAsync(
            """
            insert into runs.state (pipeline_id, step_id, value, version, run_id, updated_at, read_until)
            select distinct on (s.memory_key) @pipelineId, s.memory_key, s.outcome -> 'state', @version, s.run_id, @now,
                   greatest(least(@intervalEnd, @now), case when known.read_until > @intervalEnd then known.read_until end)
              from runs.step s
              left join runs.state known on known.pipeline_id = @pipelineId and known.step_id = s.memory_key
             where s.run_id = @runId and s.parent = any(@ofSteps) and s.state = 'Completed' and s.outcome -> 'state' is not null
               and (coalesce(known.read_until <= @intervalEnd, true) or coalesce((s.outcome ->> 'stateGrows')::boolean, false))
             order by s.memory_key, s.ordinal desc
            on conflict (pipeline_id, step_id) do update
               set value = excluded.value, version = excluded.version, run_id = excluded.run_id, updated_at = excluded.updated_at, read_until = excluded.read_until
             where @holds or runs.state.run_id <= excluded.run_id
            """,
            new { pipelineId = run.PipelineId, runId = run.CorrelationId, ofSteps, version, holds = run.HoldsState, intervalEnd = run.IntervalEnd, now = time.GetUtcNow() },
            ct);
    }

    private async Task FillAsync(RunState run, PipelinePlan plan, StepState step, PlanForEach each, CancellationToken ct)
    {
        while (step.Items is { } tally && tally.Active < each.Parallel && tally.Cursor < tally.Count && !HasStopped(run, step, each))
        {
            // By number from the last one on: whatever has become of the earlier ones is not looked at again.
            var next = await steps.ItemsOf(step)
                .Where(item => item.Ordinal > tally.Cursor && item.State == StepStatus.Pending)
                .OrderBy(item => item.Ordinal).Take(Math.Min(each.Parallel - tally.Active, 100)).ToListAsync(ct);
            if (next.Count == 0)
            {
                step.Items = tally with { Cursor = tally.Count };
                return;
            }

            foreach (var item in next.TakeWhile(_ => !HasStopped(run, step, each)))
            {
                step.Items = step.Items with { Cursor = item.Ordinal };
                await BeginItemAsync(run, plan, item, ct);
                step.Items = item.State.IsFinal() ? step.Items.With(item.State) : step.Items with { Active = step.Items.Active + 1 };
            }
        }
    }

    private async Task BeginItemAsync(RunState run, PipelinePlan plan, StepState item, CancellationToken ct)
    {
        var planned = plan.Of(item);
        item.Attempt++;
        if (StepReads.Of(planned).WhenReadsItem)
        {
            try
            {
                var others = StepReads.Of(planned).ReadsSteps ? (await steps.AllAsync(run, ct)).Values : (IEnumerable<StepState>)[];
                if (!Condition.Parse(planned.When!).Evaluate(RunScope.Of(run, others, planned.ForEach, item.Item)))
                {
                    changes.Skip(run, item, $"condition is false: {planned.When}");
                    return;
                }
            }
            catch (ConditionException problem)
            {
                changes.GiveUp(run, plan, item, new StepError
                {
                    Code = "conditionInvalid",
                    Message = $"The condition \"{planned.When}\" has no answer: {problem.Message}.",
                    Path = "when",
                }, null);
                return;
            }
        }

        await dispatch.SendAsync(run, plan, item, ct);
    }

    /// <summary>No further element begins.</summary>
    private static bool HasStopped(RunState run, StepState step, PlanForEach each) =>
        run.IsCancelling || (each.OnError == OnItemError.Fail && step.Items!.Failed > 0);

    private async Task EndAsync(RunState run, PipelinePlan plan, StepState step, PlanForEach each, CancellationToken ct)
    {
        var tally = step.Items!;
        if (tally.Skipped == tally.Count)
        {
            changes.Skip(run, step, tally.Count == 1 ? "its one element was skipped" : $"all {tally.Count} elements were skipped");
            return;
        }

        if (tally.Ended < tally.Count)
        {
            var now = time.GetUtcNow();
            await steps.ItemsOf(step).Where(item => item.State == StepStatus.Pending)
                .ExecuteUpdateAsync(item => item.SetProperty(i => i.State, StepStatus.Cancelled).SetProperty(i => i.FinishedAt, now), ct);
        }

        var ended = await EndedAsync(step, ct);
        var (outcome, conflict) = ItemStack.Of(step.StepId, tally.Count, ended);
        var first = ended.FirstOrDefault(item => !item.IsGood)?.Error;
        if (conflict is not null)
        {
            changes.GiveUp(run, plan, step, conflict, outcome);
        }
        else if (first is not null && (each.OnError == OnItemError.Fail || tally.Completed == 0))
        {
            var number = ended.First(item => !item.IsGood).Number;
            changes.GiveUp(run, plan, step, first with
            {
                Message = string.Create(CultureInfo.InvariantCulture, $"{tally.Failed} of {tally.Count} elements failed; {StepIds.Item(step.StepId, number)}: {first.Message}"),
                Transient = false,
            }, outcome);
        }
        else
        {
            changes.Complete(run, step, outcome);
        }
    }

    private static IReadOnlyList<JsonElement> Elements(PlanForEach each, IScope scope)
    {
        var given = Template.Fill(each.Items, scope);
        switch (given.ValueKind)
        {
            case JsonValueKind.Array:
                return given.GetArrayLength() <= MostItems ? [.. given.EnumerateArray()] : throw TooMany(given.GetArrayLength());
            case JsonValueKind.Number when given.TryGetInt64(out var count) && count >= 0:
                return count <= MostItems ? [.. Enumerable.Range(1, (int)count).Select(number => JsonSerializer.SerializeToElement(number))] : throw TooMany(count);
            default:
                throw new ConditionException("forEach.items gives neither a list nor a whole number", 0);
        }

        static ConditionException TooMany(long count) =>
            new(string.Create(CultureInfo.InvariantCulture, $"forEach has {count:N0} elements; {MostItems:N0} are allowed"), 0);
    }

    /// <summary>All elements in one statement. Rows of an earlier round stay, so that their dispatch numbers go on growing.</summary>
    private async Task WriteAsync(RunState run, StepState step, IReadOnlyList<JsonElement> items, CancellationToken ct)
    {
        await ExecuteAsync(
            """
            insert into runs.step (run_id, step_id, ordinal, project, operator, state, parent, item, memory_key)
            select @runId, @step || '.' || number, number, @project, @kind, 'Pending', @step, item::jsonb, memory_key
              from unnest(@numbers, @items, @keys) as given (number, item, memory_key)
            on conflict (run_id, step_id) do update
               set state = 'Pending', item = excluded.item, memory_key = excluded.memory_key, retries = 0, lost = 0, lost_at = null, lost_fences = '{}', resends = 0,
                   outcome = null, error = null, reason = null, deferral = null, deadline = null, progress = null, due_at = null, started_at = null, finished_at = null
            """,
            new
            {
                runId = run.CorrelationId,
                step = step.StepId,
                project = run.Project,
                kind = step.Operator,
                numbers = Enumerable.Range(1, items.Count).ToArray(),
                items = items.Select(item => item.GetRawText()).ToArray(),
                keys = items.Select(item => MemoryKey(step.StepId, item)).ToArray(),
            },
            ct);
        await ExecuteAsync(
            "delete from runs.step where run_id = @runId and parent = @step and ordinal > @count",
            new { runId = run.CorrelationId, step = step.StepId, count = items.Count },
            ct);
    }

    /// <summary>After a retry by hand: completed elements keep their outputs, the others begin anew.</summary>
    private async Task AgainAsync(StepState step, CancellationToken ct)
    {
        var again = await ExecuteAsync(
            """
            update runs.step
               set state = 'Pending', retries = 0, lost = 0, lost_at = null, lost_fences = '{}', resends = 0,
                   outcome = null, error = null, reason = null, deferral = null, deadline = null, progress = null, due_at = null, started_at = null, finished_at = null
             where run_id = @runId and parent = @step and state <> 'Completed'
            """,
            new { runId = step.RunId, step = step.StepId },
            ct);
        step.Items = step.Items! with { Cursor = 0, Active = 0, Completed = step.Items.Count - again, Failed = 0, Skipped = 0 };
    }

    private Task<int> ExecuteAsync(string sql, object parameters, CancellationToken ct) => work.Db.Database.GetDbConnection().ExecuteAsync(
        new CommandDefinition(sql, parameters, work.Db.Database.CurrentTransaction!.GetDbTransaction(), cancellationToken: ct));

    /// <summary>An element remembers by its value, not by its place in the list: a country that is added first changes nothing for the others.</summary>
    private static string MemoryKey(string step, JsonElement item)
    {
        var text = item.ValueKind == JsonValueKind.String ? item.GetString()! : item.GetRawText();
        return text.Length <= 100 && item.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)
            ? $"{step}[{text}]"
            : $"{step}[#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32]}]";
    }
}

/// <param name="Number">1, 2, ...</param>
internal sealed record EndedItem(int Number, bool IsGood, StepOutcome? Outcome, StepError? Error);
