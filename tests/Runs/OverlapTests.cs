using System.Net;
using System.Text.Json;
using Npgsql;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

/// <summary>Runs of one pipeline that read on from what the last one left, at the same time.</summary>
public class OverlapTests
{
    private static readonly string[] Read = ["read"];

    [Fact]
    public async Task A_step_that_keeps_state_waits_for_the_run_before_and_reads_on_from_what_it_leaves()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("read"), Step("deliver", inputs: Read)));
        var first = await runs.StartRunAsync("one");
        await runs.WorkAsync(Left(1), keepsState: true);
        var delivery = await runs.ReceiveAsync();

        var second = await runs.StartRunAsync("one");
        (await runs.ClaimAsync(await runs.ReceiveAsync(), keepsState: true)).ShouldBeNull("the first run has not delivered yet what it read");
        var waits = await runs.StepAsync(second, "read");
        waits.GetProperty("state").GetString().ShouldBe("deferred");
        waits.GetProperty("reason").GetString()!.ShouldStartWith($"waits for run {first},");
        (await ScalarAsync(runs, $"select body ->> 'reason' from runs.event where run_id = '{second}' and type like '%StepDeferred'")).ShouldBe(waits.GetProperty("reason").GetString());

        // Whoever goes down meanwhile: nothing of it is in memory.
        await runs.RestartAsync();
        await runs.CompleteAsync(delivery.Command, (await runs.ClaimAsync(delivery))!.Fence);
        await runs.UntilAsync(first, "completed");
        var (again, claim) = await ClaimedAsync(runs);
        (again.Command.RunId, Cursor(claim)).ShouldBe((second, 1));
        (await runs.StepAsync(second, "read")).GetProperty("reason").ValueKind.ShouldBe(JsonValueKind.Null);
        await runs.CompleteAsync(again.Command, claim.Fence, Left(2));
        await runs.WorkAsync();
        await runs.UntilAsync(second, "completed");
        Cursor((await NextAsync(runs)).Claim).ShouldBe(2);
    }

    [Fact]
    public async Task Runs_that_read_several_sources_do_not_wait_for_each_other_in_a_circle()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("crm"), Step("shop")));
        var first = await runs.StartRunAsync("one");
        var (a, b) = (await runs.ReceiveAsync(), await runs.ReceiveAsync());
        var second = await runs.StartRunAsync("one");
        var (c, d) = (await runs.ReceiveAsync(), await runs.ReceiveAsync());

        // The second's other source, before the first run has come to that.
        var one = await runs.ClaimAsync(a, keepsState: true);
        (await runs.ClaimAsync(d, keepsState: true)).ShouldBeNull();
        (await runs.ClaimAsync(c, keepsState: true)).ShouldBeNull();
        var other = await runs.ClaimAsync(b, keepsState: true);
        await runs.CompleteAsync(a.Command, one!.Fence, Left(1));
        await runs.CompleteAsync(b.Command, other!.Fence, Left(1));
        await runs.UntilAsync(first, "completed");
        await runs.WorkAsync(Left(2), keepsState: true);
        await runs.WorkAsync(Left(2), keepsState: true);
        await runs.UntilAsync(second, "completed");
    }

    [Fact]
    public async Task Of_those_that_wait_the_oldest_goes_first()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("read")));
        await runs.StartRunAsync("one");
        var first = await ClaimedAsync(runs);
        var waiting = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            waiting.Add(await runs.StartRunAsync("one"));
            (await runs.ClaimAsync(await runs.ReceiveAsync(), keepsState: true)).ShouldBeNull();
        }

        await runs.CompleteAsync(first.Received.Command, first.Claim.Fence, Left(1));
        for (var i = 0; i < 3; i++)
        {
            var next = await ClaimedAsync(runs);
            (next.Received.Command.RunId, Cursor(next.Claim)).ShouldBe((waiting[i], i + 1));
            await runs.CompleteAsync(next.Received.Command, next.Claim.Fence, Left(i + 2));
            await runs.UntilAsync(waiting[i], "completed");
        }
    }

    [Fact]
    public async Task A_paused_run_is_named_and_cancelling_it_lets_the_others_go_on()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("read"), Step("deliver", inputs: Read)));
        var first = await runs.StartRunAsync("one");
        await runs.WorkAsync(Left(1), keepsState: true);
        await runs.ReceiveAsync();
        (await runs.PostAsync(first, "pause")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await runs.UntilAsync(first, "paused");

        var second = await runs.StartRunAsync("one");
        (await runs.ClaimAsync(await runs.ReceiveAsync(), keepsState: true)).ShouldBeNull();
        (await runs.StepAsync(second, "read")).GetProperty("reason").GetString()!.ShouldEndWith("is paused: resume or cancel it");

        (await runs.PostAsync(first, "cancel")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var (again, claim) = await ClaimedAsync(runs);
        (again.Command.RunId, claim.State).ShouldBe((second, null));
        await runs.CompleteAsync(again.Command, claim.Fence, Left(2));
        await runs.WorkAsync();
        await runs.UntilAsync(second, "completed");
    }

    [Fact]
    public async Task A_run_that_waits_can_be_cancelled_and_nobody_waits_for_it()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", ForEach(Step("read"), new[] { "x", "y" }, parallel: 2)));
        await runs.StartRunAsync("one");
        var held = await ClaimedAsync(runs);
        var other = await ClaimedAsync(runs);
        var second = await runs.StartRunAsync("one");
        (await runs.ClaimAsync(await runs.ReceiveAsync(), keepsState: true)).ShouldBeNull();
        (await runs.ClaimAsync(await runs.ReceiveAsync(), keepsState: true)).ShouldBeNull();
        (await runs.ItemsAsync(second, "read")).ShouldAllBe(item => item.GetProperty("state").GetString() == "deferred");
        var third = await runs.StartRunAsync("one");
        (await runs.ClaimAsync(await runs.ReceiveAsync(), keepsState: true)).ShouldBeNull();
        (await runs.ClaimAsync(await runs.ReceiveAsync(), keepsState: true)).ShouldBeNull();

        (await runs.PostAsync(second, "cancel")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await runs.UntilAsync(second, "cancelled");
        await runs.CompleteAsync(held.Received.Command, held.Claim.Fence, Left(1));
        await runs.CompleteAsync(other.Received.Command, other.Claim.Fence, Left(1));
        for (var i = 0; i < 2; i++)
        {
            var next = await ClaimedAsync(runs);
            (next.Received.Command.RunId, Cursor(next.Claim)).ShouldBe((third, 1));
            await runs.CompleteAsync(next.Received.Command, next.Claim.Fence, Left(2));
        }

        await runs.UntilAsync(third, "completed");
    }

    [Fact]
    public async Task Steps_that_keep_no_state_and_other_pipelines_do_not_wait()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("read")));
        runs.Publish(Plan("two", Step("read")));
        await runs.StartRunAsync("one");
        await ClaimedAsync(runs);
        await runs.StartRunAsync("one");
        (await runs.ClaimAsync(await runs.ReceiveAsync())).ShouldNotBeNull();
        await runs.StartRunAsync("two");
        (await runs.ClaimAsync(await runs.ReceiveAsync(), keepsState: true)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_failed_run_is_retried_unless_another_one_reads_on_from_the_same_place()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("read"), Step("deliver", inputs: Read)));
        var failed = await FailedAsync(runs);

        // One that fails too leaves everything as it was.
        var second = await runs.StartRunAsync("one");
        var held = await ClaimedAsync(runs);
        using (var refused = await runs.PostAsync(failed, "retry"))
        {
            refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
            (await refused.Content.ReadAsStringAsync()).ShouldContain($"Run {second} reads on from the same state");
        }

        await runs.FailAsync(held.Received.Command, held.Claim.Fence);
        await runs.UntilAsync(second, "failed");
        (await runs.PostAsync(failed, "retry")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var delivery = await runs.ReceiveAsync();
        delivery.Command.StepId.ShouldBe("deliver");
        // It has its turn again, for what its good step has read.
        var third = await runs.StartRunAsync("one");
        (await runs.ClaimAsync(await runs.ReceiveAsync(), keepsState: true)).ShouldBeNull();
        await runs.CompleteAsync(delivery.Command, (await runs.ClaimAsync(delivery))!.Fence);
        await runs.UntilAsync(failed, "completed");
        var next = await ClaimedAsync(runs);
        (next.Received.Command.RunId, Cursor(next.Claim)).ShouldBe((third, 1));
    }

    [Fact]
    public async Task A_run_that_was_overtaken_while_it_waited_to_be_retried_fails_before_it_delivers()
    {
        await using var runs = await StartAsync();
        var plan = Plan("one", Step("read"), Step("deliver", inputs: Read));
        runs.Publish(plan with { Limits = new PlanLimits(1, WhenBusy.Queue, null) });
        var failed = await FailedAsync(runs);
        var second = await runs.StartRunAsync("one");
        var read = await runs.ReceiveAsync();
        // The second run has the one place; it has not begun to read.
        (await runs.PostAsync(failed, "retry")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await runs.UntilAsync(failed, "queued");
        var claim = await runs.ClaimAsync(read, keepsState: true);
        await runs.CompleteAsync(read.Command, claim!.Fence, Left(2));
        await runs.WorkAsync();
        await runs.UntilAsync(second, "completed");

        await runs.UntilAsync(failed, "failed");
        (await runs.GetAsync(failed)).GetProperty("run").GetProperty("error").GetProperty("code").GetString().ShouldBe(StepErrorCodes.Overtaken);
        runs.TryReceive(out _).ShouldBeFalse();
        (await runs.PostAsync(failed, "retry")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        Cursor((await NextAsync(runs)).Claim).ShouldBe(2);
    }

    [Fact]
    public async Task An_older_run_that_reads_later_leaves_what_it_has_read()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("read")));
        var older = await runs.StartRunAsync("one");
        var failing = await ClaimedAsync(runs);
        await runs.FailAsync(failing.Received.Command, failing.Claim.Fence);
        await runs.UntilAsync(older, "failed");
        var younger = await runs.StartRunAsync("one");
        await runs.WorkAsync(Left(1), keepsState: true);
        await runs.UntilAsync(younger, "completed");

        (await runs.PostAsync(older, "retry")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var (again, claim) = await ClaimedAsync(runs);
        Cursor(claim).ShouldBe(1);
        await runs.CompleteAsync(again.Command, claim.Fence, Left(2));
        await runs.UntilAsync(older, "completed");
        Cursor((await NextAsync(runs)).Claim).ShouldBe(2);
    }

    [Fact]
    public async Task A_run_whose_state_was_written_by_somebody_else_fails_and_leaves_it()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("read")));
        var run = await runs.StartRunAsync("one");
        var (read, claim) = await ClaimedAsync(runs);
        await ScalarAsync(runs, "insert into runs.state (pipeline_id, step_id, value, version, run_id, updated_at) select pipeline_id, 'read', '{\"cursor\": 7}', gen_random_uuid(), id, now() from runs.run");
        await runs.CompleteAsync(read.Command, claim.Fence, Left(1));
        await runs.UntilAsync(run, "failed");
        var error = (await runs.GetAsync(run)).GetProperty("run").GetProperty("error");
        error.GetProperty("code").GetString().ShouldBe(StepErrorCodes.Overtaken);
        error.GetProperty("message").GetString()!.ShouldContain("\"read\" has moved on");
        Cursor((await NextAsync(runs)).Claim).ShouldBe(7);
    }

    private static async Task<object?> ScalarAsync(RunsFixture runs, string sql)
    {
        await using var database = NpgsqlDataSource.Create(runs.Host.Surroundings.Database);
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private static StepOutcome Left(int cursor) => Outcome(state: JsonSerializer.SerializeToElement(new { cursor }));

    private static int Cursor(StepClaimed claim) => claim.State!.Value.GetProperty("cursor").GetInt32();

    /// <summary>A run whose first step has read, and whose second failed.</summary>
    private static async Task<Guid> FailedAsync(RunsFixture runs)
    {
        var run = await runs.StartRunAsync("one");
        await runs.WorkAsync(Left(1), keepsState: true);
        var deliver = await runs.ReceiveAsync();
        await runs.FailAsync(deliver.Command, (await runs.ClaimAsync(deliver))!.Fence);
        await runs.UntilAsync(run, "failed");
        return run;
    }

    /// <summary>The next step that gets its turn; those that come and must wait are passed over.</summary>
    private static async Task<((ExecuteStep Command, Guid Id) Received, StepClaimed Claim)> ClaimedAsync(RunsFixture runs)
    {
        while (true)
        {
            var received = await runs.ReceiveAsync();
            if (await runs.ClaimAsync(received, keepsState: true) is { } claim)
                return (received, claim);
        }
    }

    /// <summary>What a further run of the pipeline is given to read on from.</summary>
    private static async Task<((ExecuteStep Command, Guid Id) Received, StepClaimed Claim)> NextAsync(RunsFixture runs)
    {
        await runs.StartRunAsync("one");
        return await ClaimedAsync(runs);
    }
}
