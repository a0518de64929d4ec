using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Qualiz.Contracts;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Planning;
using Qualiz.TestKit;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

public sealed class RunLifeTests
{
    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task Two_step_run_hands_the_first_output_to_the_second_and_completes(TestBus bus)
    {
        await using var runs = await StartAsync(bus);
        runs.Publish(Plan("two", Step("a"), Step("b", inputs: ["a"])));

        var run = await runs.StartRunAsync("two");
        (await runs.WorkAsync(Outcome(rows: 7))).StepId.ShouldBe("a");
        var second = await runs.WorkAsync();

        second.StepId.ShouldBe("b");
        second.Inputs.ShouldHaveSingleItem().Dataset!.Rows.ShouldBe(7);
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Events_of_a_run_are_numbered_without_a_gap_and_followed_live_and_from_the_middle()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("two", Step("a"), Step("b", inputs: ["a"])));
        var run = await runs.StartRunAsync("two");
        var live = FollowAsync(runs, run, null);
        await runs.WorkAsync();
        await runs.WorkAsync();

        var events = await live;

        events.Select(item => item.EventType).ShouldBe(
            ["RunQueued", "RunStarted", "StepStarted", "StepCompleted", "StepStarted", "StepCompleted", "RunCompleted"]);
        events.Select(item => item.EventId).ShouldBe(["1", "2", "3", "4", "5", "6", "7"]);
        (await FollowAsync(runs, run, "5")).Select(item => item.EventId).ShouldBe(["6", "7"]);
        using var nothingLeft = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/projects/{Project}/runs/{run}/events");
        nothingLeft.Headers.Add("Last-Event-ID", "7");
        using var response = await runs.Http.SendAsync(nothingLeft);
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await TestHost.UntilAsync(() => runs.Events.Count(e => e.RunId == run) == 7 ? null : "all seven events at a consumer of IEvent");
    }

    [Fact]
    public async Task Step_is_claimed_once_and_only_its_own_redelivered_command_takes_over()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        var received = await runs.ReceiveAsync();

        var first = await runs.ClaimAsync(received);
        first.ShouldNotBeNull();
        (await runs.ClaimAsync(received)).ShouldBeNull("a copy of the command must not start a second execution");
        (await runs.ClaimAsync((received.Command, Guid.NewGuid()), redelivered: true)).ShouldBeNull("another command's redelivery says nothing about this execution");
        var second = await runs.ClaimAsync(received, redelivered: true);

        second!.Fence.ShouldBeGreaterThan(first.Fence);
        await TestHost.UntilAsync(() => runs.Stops.Any(stop => stop.Fence == first.Fence) ? null : "a stop for the old execution");
        (await RenewAsync(runs, received.Command, first.Fence)).ShouldBeFalse("the old holder must stop");
        (await RenewAsync(runs, received.Command, second.Fence)).ShouldBeTrue();
        await runs.CompleteAsync(received.Command, first.Fence, Outcome(rows: 666));
        await runs.CompleteAsync(received.Command, second.Fence, Outcome(rows: 7));
        await runs.UntilAsync(run, "completed");
        (await runs.StepAsync(run, "a")).GetProperty("outputs").GetProperty("out").GetProperty("rows").GetInt64().ShouldBe(7);
    }

    [Fact]
    public async Task Claim_whose_answer_was_lost_is_given_again_at_once_and_nothing_counts_as_lost()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        var received = await runs.ReceiveAsync();
        var question = Guid.NewGuid();

        var unheard = await runs.ClaimAsync(received, claimId: question);
        var heard = await runs.ClaimAsync(received, claimId: question);

        heard!.Fence.ShouldBe(unheard!.Fence);
        (await runs.ClaimAsync(received)).ShouldBeNull("another delivery is another claim");
        await runs.CompleteAsync(received.Command, heard.Fence);
        await runs.UntilAsync(run, "completed");
        (await FollowAsync(runs, run, null)).Select(item => item.EventType).ShouldBe(
            ["RunQueued", "RunStarted", "StepStarted", "StepCompleted", "RunCompleted"]);
    }

    [Fact]
    public async Task Worker_that_was_cut_off_again_and_again_and_says_so_has_not_died()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        for (var outage = 0; outage < 5; outage++)
        {
            var received = await runs.ReceiveAsync();
            var fence = (await runs.ClaimAsync(received))!.Fence;
            await runs.LoseAsync(received.Command, fence);
            // The bus keeps the order of one sender here; what comes first, the loss or the word of life, makes no difference.
            if (outage % 2 == 0)
                await runs.FailAsync(received.Command, fence, StepErrorCodes.Infrastructure);
            else
                await TestHost.UntilAsync(async () => await RenewAsync(runs, received.Command, fence) ? "the loss to be known" : null);
        }

        await runs.WorkAsync();
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Worker_that_reports_before_it_is_missed_gives_the_step_back_and_uses_up_no_attempt()
    {
        await using var runs = await StartAsync(settings: new Dictionary<string, string?> { ["Runs:Lease"] = "00:00:01" });
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        for (var outage = 0; outage < 4; outage++)
        {
            var received = await runs.ReceiveAsync();
            received.Command.Attempt.ShouldBe(1);
            await runs.FailAsync(received.Command, (await runs.ClaimAsync(received))!.Fence, StepErrorCodes.Infrastructure, transient: true);
        }

        await runs.WorkAsync();
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Command_given_back_many_times_in_a_moment_costs_one_lost_execution()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        var received = await runs.ReceiveAsync();
        (await runs.ClaimAsync(received)).ShouldNotBeNull();
        var fence = 0L;
        for (var i = 0; i < 5; i++)
            fence = (await runs.ClaimAsync(received, redelivered: true)).ShouldNotBeNull().Fence;

        await runs.CompleteAsync(received.Command, fence);
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Every_message_delivered_twice_or_late_changes_nothing()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("two", Step("a"), Step("b", inputs: ["a"])));
        var run = await runs.StartRunAsync("two");
        var a = await runs.ReceiveAsync();
        var claim = (await runs.ClaimAsync(a))!;
        for (var i = 0; i < 3; i++)
        {
            await runs.CompleteAsync(a.Command, claim.Fence);
            await runs.Sender.SendAsync(Queues.RunSaga, new AdmitRun { RunId = run }, CancellationToken.None);
        }

        var b = await runs.ReceiveAsync();
        var last = (await runs.ClaimAsync(b))!;
        for (var i = 0; i < 3; i++)
        {
            await runs.CompleteAsync(b.Command, last.Fence);
            await runs.FailAsync(b.Command, last.Fence);
            await runs.CompleteAsync(a.Command, claim.Fence);
            await runs.Sender.SendAsync(Queues.RunSaga, new CancelRun { RunId = run, Actor = "test" }, CancellationToken.None);
            await runs.Sender.SendAsync(Queues.RunSaga, new LoseStep { RunId = run, StepId = "b", Fence = last.Fence }, CancellationToken.None);
            await runs.Sender.SendAsync(Queues.RunSaga, new ResumeStep { RunId = run, StepId = "b", Dispatch = 1 }, CancellationToken.None);
        }

        await runs.UntilAsync(run, "completed");
        // The bus keeps order on one queue in this set-up: once a marker run is done, all of the above has been handled.
        var marker = await runs.StartRunAsync("two");
        (await runs.WorkAsync()).RunId.ShouldBe(marker);
        await runs.WorkAsync();
        await runs.UntilAsync(marker, "completed");

        (await FollowAsync(runs, run, null)).Select(item => item.EventType).ShouldBe(
            ["RunQueued", "RunStarted", "StepStarted", "StepCompleted", "StepStarted", "StepCompleted", "RunCompleted"]);
        runs.TryReceive(out _).ShouldBeFalse("nothing may be dispatched again");
    }

    [Fact]
    public async Task Transient_failure_is_retried_and_the_attempt_is_counted()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a", retry: new RetryPolicy(1, TimeSpan.FromMilliseconds(50), 1, RetryOn.Transient))));
        var run = await runs.StartRunAsync("one");
        var first = await runs.ReceiveAsync();
        await runs.FailAsync(first.Command, (await runs.ClaimAsync(first))!.Fence, transient: true);

        var second = await runs.ReceiveAsync();
        second.Command.Attempt.ShouldBe(2);
        await runs.FailAsync(second.Command, (await runs.ClaimAsync(second))!.Fence, transient: true);

        await runs.UntilAsync(run, "failed");
        (await runs.GetAsync(run)).GetProperty("run").GetProperty("failedStep").GetString().ShouldBe("a");
    }

    [Fact]
    public async Task Step_whose_worker_dies_three_times_fails_and_says_so()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a", retry: new RetryPolicy(9, TimeSpan.Zero, 1, RetryOn.Any))));
        var run = await runs.StartRunAsync("one");
        for (var i = 1; i <= 3; i++)
        {
            var received = await runs.ReceiveAsync();
            received.Command.Dispatch.ShouldBe(i);
            var fence = (await runs.ClaimAsync(received))!.Fence;
            await runs.Sender.SendAsync(Queues.RunSaga, new LoseStep { RunId = run, StepId = "a", Fence = fence }, CancellationToken.None);
        }

        await runs.UntilAsync(run, "failed");
        var error = (await runs.GetAsync(run)).GetProperty("run").GetProperty("error");
        error.GetProperty("code").GetString().ShouldBe(StepErrorCodes.WorkerDied);
        error.GetProperty("message").GetString()!.ShouldStartWith("worker died 3 times");
    }

    [Fact]
    public async Task Lease_that_runs_out_is_noticed_and_the_step_goes_to_another_worker()
    {
        await using var runs = await StartAsync(settings: new Dictionary<string, string?> { ["Runs:Lease"] = "00:00:01", ["Runs:ReconcileEvery"] = "00:00:01" });
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        var first = await runs.ReceiveAsync();
        var lost = (await runs.ClaimAsync(first))!;

        var second = await runs.ReceiveAsync();
        second.Command.Dispatch.ShouldBe(2);
        await runs.CompleteAsync(first.Command, lost.Fence, Outcome(rows: 666));
        var claim = (await runs.ClaimAsync(second))!;
        await runs.CompleteAsync(second.Command, claim.Fence, Outcome(rows: 7));

        await runs.UntilAsync(run, "completed");
        (await runs.StepAsync(run, "a")).GetProperty("outputs").GetProperty("out").GetProperty("rows").GetInt64().ShouldBe(7);
    }

    [Fact]
    public async Task Dispatch_that_nobody_claims_is_sent_again_and_the_copy_is_the_same_dispatch()
    {
        await using var runs = await StartAsync(settings: new Dictionary<string, string?> { ["Runs:ResendAfter"] = "00:00:01", ["Runs:ReconcileEvery"] = "00:00:01" });
        runs.Publish(Plan("one", Step("a")));
        await runs.StartRunAsync("one");

        var first = await runs.ReceiveAsync();
        var copy = await runs.ReceiveAsync();

        copy.Command.Dispatch.ShouldBe(first.Command.Dispatch);
        copy.Id.ShouldNotBe(first.Id);
        (await runs.ClaimAsync(copy)).ShouldNotBeNull();
        (await runs.ClaimAsync(first)).ShouldBeNull();
    }

    [Fact]
    public async Task Host_that_dies_and_comes_back_goes_on_where_it_was()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("two", Step("a"), Step("b", inputs: ["a"])));
        var claimed = await runs.StartRunAsync("two");
        var received = await runs.ReceiveAsync();
        await runs.ClaimAsync(received);
        var unclaimed = await runs.StartRunAsync("two");
        await runs.ReceiveAsync();

        await runs.RestartAsync();

        for (var i = 0; i < 4; i++)
        {
            await runs.WorkAsync();
        }

        await runs.UntilAsync(claimed, "completed");
        await runs.UntilAsync(unclaimed, "completed");
    }

    [Fact]
    public async Task Cancel_stops_the_running_step_and_begins_no_other()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("two", Step("a"), Step("b", inputs: ["a"])));
        var run = await runs.StartRunAsync("two");
        var received = await runs.ReceiveAsync();
        var claim = (await runs.ClaimAsync(received))!;

        using var response = await runs.PostAsync(run, "cancel");

        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await TestHost.UntilAsync(() => runs.Stops.Any(stop => stop.Fence == claim.Fence) ? null : "a stop for the running step");
        (await RenewAsync(runs, received.Command, claim.Fence)).ShouldBeFalse();
        await runs.UntilAsync(run, "cancelling");
        await runs.FailAsync(received.Command, claim.Fence, StepErrorCodes.Cancelled);
        await runs.UntilAsync(run, "cancelled");
        (await runs.StepAsync(run, "b")).GetProperty("state").GetString().ShouldBe("cancelled");
        using var again = await runs.PostAsync(run, "cancel");
        again.StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task A_cancel_does_not_wait_for_a_worker_that_never_heard_that_it_has_the_step()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        var received = await runs.ReceiveAsync();
        var question = Guid.NewGuid();
        await runs.ClaimAsync(received, claimId: question);

        // The answer is lost; the run is cancelled before the worker asks again. Its lease would hold the run for half a minute.
        (await runs.PostAsync(run, "cancel")).EnsureSuccessStatusCode();
        await runs.UntilAsync(run, "cancelling");
        (await runs.ClaimAsync(received, claimId: question)).ShouldBeNull();
        await runs.UntilAsync(run, "cancelled");
    }

    [Fact]
    public async Task A_step_that_was_handed_back_goes_out_again_and_nobody_counts_as_dead()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        for (var stopped = 0; stopped < RunPlan.LostLimit + 1; stopped++)
        {
            var received = await runs.ReceiveAsync();
            var fence = (await runs.ClaimAsync(received))!.Fence;
            await runs.Sender.SendAsync(Queues.RunSaga, new LoseStep { RunId = run, StepId = "a", Fence = fence, HostRestarted = true }, default);
            // The command itself, should it come again, is an old one.
            await TestHost.UntilAsync(async () => (await runs.StepAsync(run, "a")).GetProperty("state").GetString() is "dispatched" ? null : "the step to go out again");
            (await runs.ClaimAsync(received, redelivered: true)).ShouldBeNull();
        }

        await runs.WorkAsync();
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Retry_goes_on_from_the_failed_step_of_the_same_run_and_keeps_good_outputs()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("two", Step("a"), Step("b", inputs: ["a"])));
        var run = await runs.StartRunAsync("two");
        await runs.WorkAsync(Outcome(rows: 7));
        var b = await runs.ReceiveAsync();
        await runs.FailAsync(b.Command, (await runs.ClaimAsync(b))!.Fence);
        await runs.UntilAsync(run, "failed");

        (await runs.PostAsync(run, "retry")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var again = await runs.WorkAsync();

        again.StepId.ShouldBe("b");
        again.Attempt.ShouldBe(2);
        again.Inputs.ShouldHaveSingleItem().Dataset!.Rows.ShouldBe(7);
        await runs.UntilAsync(run, "completed");
        (await runs.PostAsync(run, "retry")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Error_branch_runs_when_its_step_failed_and_again_when_the_retried_step_fails_again()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("branch", Step("a"), Step("b", inputs: ["a"]), Step("alarm", needs: ["a"], when: "a.status == 'failed'")));
        var run = await runs.StartRunAsync("branch");
        for (var i = 0; i < 2; i++)
        {
            var a = await runs.ReceiveAsync();
            a.Command.StepId.ShouldBe("a");
            await runs.FailAsync(a.Command, (await runs.ClaimAsync(a))!.Fence);
            (await runs.WorkAsync()).StepId.ShouldBe("alarm");
            await runs.UntilAsync(run, "failed");
            (await runs.StepAsync(run, "b")).GetProperty("state").GetString().ShouldBe("skipped");
            await runs.PostAsync(run, "retry");
        }

        (await runs.WorkAsync()).StepId.ShouldBe("a");
        (await runs.WorkAsync()).StepId.ShouldBe("b");
        await runs.UntilAsync(run, "completed");
        (await runs.StepAsync(run, "alarm")).GetProperty("state").GetString().ShouldBe("skipped");
    }

    [Fact]
    public async Task Same_idempotency_key_starts_one_run_even_at_the_same_moment()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));

        var started = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => runs.StartRunAsync("one", key: "k1")));

        started.Distinct().ShouldHaveSingleItem();
        runs.Publish(Plan("other", Step("a")));
        using var taken = await runs.PostStartAsync("other", key: "k1");
        taken.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await taken.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString()!.ShouldEndWith("idempotencyKeyTaken");
    }

    [Fact]
    public async Task Replayed_start_finds_its_run_although_the_pipeline_asks_for_more_by_now()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var started = await runs.StartRunAsync("one", key: "k1");
        runs.Publish(Plan("one", Step("a")) with { Params = [new PlanParam("day", "date", null, null, null)] });

        (await runs.StartRunAsync("one", key: "k1")).ShouldBe(started);
        using var fresh = await runs.PostStartAsync("one");
        fresh.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Pipeline_that_allows_one_run_lets_the_next_begin_when_the_first_ends()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")) with { Limits = new PlanLimits(1, WhenBusy.Queue, null) });
        var all = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => runs.StartRunAsync("one")));

        var order = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            var received = await runs.ReceiveAsync();
            runs.TryReceive(out _).ShouldBeFalse("only one run may be active");
            order.Add(received.Command.RunId);
            await runs.CompleteAsync(received.Command, (await runs.ClaimAsync(received))!.Fence);
        }

        order.ShouldBe(all, ignoreOrder: true);
        foreach (var run in all)
        {
            await runs.UntilAsync(run, "completed");
        }
    }

    [Fact]
    public async Task Busy_pipeline_that_rejects_says_so()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")) with { Limits = new PlanLimits(1, WhenBusy.Reject, null) });
        await runs.StartRunAsync("one");

        using var response = await runs.PostStartAsync("one");

        response.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString()!.ShouldEndWith("/busy");
    }

    [Fact]
    public async Task Deferred_step_holds_no_claim_and_comes_back_with_its_key()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        var received = await runs.ReceiveAsync();
        var claim = (await runs.ClaimAsync(received))!;
        await runs.Sender.SendAsync(
            Queues.RunSaga,
            new DeferStep { RunId = run, StepId = "a", Fence = claim.Fence, Key = "job-1", NextCheck = DateTimeOffset.UtcNow.AddMilliseconds(200) },
            CancellationToken.None);

        await runs.UntilStepAsync(run, "a", "deferred");
        (await RenewAsync(runs, received.Command, claim.Fence)).ShouldBeFalse();
        var back = await runs.ReceiveAsync();

        back.Command.Deferral.ShouldBe(new Deferral("job-1", 1));
        (await runs.ClaimAsync(received, redelivered: true)).ShouldBeNull("the first dispatch is over");
        await runs.CompleteAsync(back.Command, (await runs.ClaimAsync(back))!.Fence);
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Log_of_every_execution_of_a_step_is_read_from_the_first_on()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a", retry: new RetryPolicy(1, TimeSpan.Zero, 1, RetryOn.Any))));
        var run = await runs.StartRunAsync("one");
        var first = await runs.ReceiveAsync();
        var fence = (await runs.ClaimAsync(first))!.Fence;
        await runs.Sender.SendAsync(
            Queues.RunSaga,
            new DeferStep { RunId = run, StepId = "a", Fence = fence, Key = "job-1", NextCheck = DateTimeOffset.UtcNow, LogKey = await runs.WriteLogAsync(first.Command, fence, "began\n") },
            CancellationToken.None);
        var second = await runs.ReceiveAsync();
        fence = (await runs.ClaimAsync(second))!.Fence;
        await runs.FailAsync(second.Command, fence, outcome: Outcome() with { LogKey = await runs.WriteLogAsync(second.Command, fence, "failed\n") });
        var third = await runs.ReceiveAsync();
        (await runs.StepAsync(run, "a")).GetProperty("hasLog").GetBoolean().ShouldBeTrue();
        fence = (await runs.ClaimAsync(third))!.Fence;
        await runs.CompleteAsync(third.Command, fence, Outcome() with { LogKey = await runs.WriteLogAsync(third.Command, fence, "done\n") });
        await runs.UntilAsync(run, "completed");

        (await runs.Http.GetStringAsync($"/api/v1/projects/{Project}/runs/{run}/steps/a/log")).ShouldBe("began\nfailed\ndone\n");
    }

    [Fact]
    public async Task Step_that_finds_nothing_to_do_is_skipped_with_what_needs_it_and_the_run_completes()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("three", Step("a"), Step("b", inputs: ["a"]), Step("c")));
        var run = await runs.StartRunAsync("three");
        var received = new[] { await runs.ReceiveAsync(), await runs.ReceiveAsync() }.ToDictionary(item => item.Command.StepId);
        var skip = new SkipStep { RunId = run, StepId = "a", Fence = (await runs.ClaimAsync(received["a"]))!.Fence, Reason = "no new file was found" };
        await runs.Sender.SendAsync(Queues.RunSaga, skip, CancellationToken.None);
        await runs.Sender.SendAsync(Queues.RunSaga, skip, CancellationToken.None);
        await runs.CompleteAsync(received["c"].Command, (await runs.ClaimAsync(received["c"]))!.Fence);

        await runs.UntilAsync(run, "completed");
        var a = await runs.StepAsync(run, "a");
        a.GetProperty("state").GetString().ShouldBe("skipped");
        a.GetProperty("reason").GetString().ShouldBe("no new file was found");
        var b = await runs.StepAsync(run, "b");
        b.GetProperty("state").GetString().ShouldBe("skipped");
        b.GetProperty("reason").GetString().ShouldBe("a was skipped");
        (await FollowAsync(runs, run, null)).Count(item => item.EventType == nameof(StepSkipped)).ShouldBe(2);
    }

    [Fact]
    public async Task Error_in_a_configuration_found_at_run_time_points_into_the_pipeline_file()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("placed", Step("a") with { Places = new Dictionary<string, string> { ["."] = "3:3", ["with"] = "5:5", ["with.rules[2]"] = "8:11" } }) with { FileName = "placed.yaml" });
        var run = await runs.StartRunAsync("placed");
        var received = await runs.ReceiveAsync();
        await runs.FailAsync(received.Command, (await runs.ClaimAsync(received))!.Fence, path: "rules[2].columns[0]");
        await runs.UntilAsync(run, "failed");

        var place = (await runs.StepAsync(run, "a")).GetProperty("error").GetProperty("place");
        place.GetProperty("file").GetString().ShouldBe("placed.yaml");
        (place.GetProperty("line").GetInt32(), place.GetProperty("column").GetInt32()).ShouldBe((8, 11));
        place.GetProperty("path").GetString().ShouldBe("steps.a.with.rules[2].columns[0]");
        (await runs.GetAsync(run)).GetProperty("run").GetProperty("error").GetProperty("place").GetProperty("line").GetInt32().ShouldBe(8);
    }

    [Fact]
    public async Task State_is_written_when_the_run_completes_and_not_before()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("two", Step("a"), Step("b", inputs: ["a"])));
        var cursor = JsonSerializer.SerializeToElement(new { cursor = 41 });

        var failing = await runs.StartRunAsync("two");
        await runs.WorkAsync(Outcome(state: cursor));
        var b = await runs.ReceiveAsync();
        await runs.FailAsync(b.Command, (await runs.ClaimAsync(b))!.Fence);
        await runs.UntilAsync(failing, "failed");

        await runs.StartRunAsync("two");
        var fresh = await runs.ReceiveAsync();
        var claim = (await runs.ClaimAsync(fresh))!;
        claim.State.ShouldBeNull("the failed run must leave no state");
        await runs.CompleteAsync(fresh.Command, claim.Fence, Outcome(state: cursor));
        var completing = await runs.WorkAsync();
        await runs.UntilAsync(completing.RunId, "completed");

        await runs.StartRunAsync("two");
        (await runs.ClaimAsync(await runs.ReceiveAsync()))!.State!.Value.GetProperty("cursor").GetInt32().ShouldBe(41);
    }

    [Fact]
    public async Task Parameters_are_checked_and_filled_into_the_configuration()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("with-params", Step("a", config: new { day = "${params.day}", text = "from ${params.name}" })) with
        {
            Params =
            [
                new PlanParam("day", "date", null, JsonSerializer.SerializeToElement("${run.day}"), null),
                new PlanParam("name", "text", null, null, null),
                new PlanParam("count", "int64", null, JsonSerializer.SerializeToElement(1), null),
            ],
        });

        using var wrong = await runs.PostStartAsync("with-params", new { count = "many", nmae = "x" });
        wrong.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var paths = (await wrong.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("path").GetString());
        paths.ShouldBe(["params.nmae", "params.name", "params.count"], ignoreOrder: true);

        await runs.StartRunAsync("with-params", new { name = "me", count = "5" });
        var config = (await runs.ReceiveAsync()).Command.Config;
        config.GetProperty("day").GetString().ShouldBe(DateTime.UtcNow.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        config.GetProperty("text").GetString().ShouldBe("from me");
    }

    [Fact]
    public async Task Condition_and_configuration_see_what_earlier_steps_counted()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan(
            "facts",
            Step("a"),
            Step("b", inputs: ["a"], config: new { text = "${a.rowsIn} rows, ${a.counts.new} new, in run of ${run.pipeline}" }) with { When = "a.rejectedShare < 0.02 and a.counts.new == 2" },
            Step("c", inputs: ["a"]) with { When = "a.rows > 100" }));
        var run = await runs.StartRunAsync("facts");
        await runs.WorkAsync(Outcome(rows: 3) with { Counts = new Dictionary<string, long> { ["new"] = 2 } });

        var b = await runs.WorkAsync();

        b.Config.GetProperty("text").GetString().ShouldBe("3 rows, 2 new, in run of facts");
        await runs.UntilAsync(run, "completed");
        (await runs.StepAsync(run, "c")).GetProperty("state").GetString().ShouldBe("skipped");
    }

    [Fact]
    public async Task Run_of_another_project_is_not_found()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");

        foreach (var path in new[] { $"{run}", $"{run}/events", $"{run}/steps/a/log" })
        {
            using var response = await runs.Http.GetAsync($"/api/v1/projects/other/runs/{path}");
            response.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
        }

        foreach (var verb in new[] { "cancel", "retry" })
        {
            using var response = await runs.Http.PostAsync($"/api/v1/projects/other/runs/{run}/{verb}", null);
            response.StatusCode.ShouldBe(HttpStatusCode.NotFound, verb);
        }
    }

    [Fact]
    public async Task Run_whose_time_is_up_stops_and_fails()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")) with { Limits = new PlanLimits(null, WhenBusy.Queue, TimeSpan.FromMilliseconds(300)) });
        var run = await runs.StartRunAsync("one");
        var received = await runs.ReceiveAsync();
        var claim = (await runs.ClaimAsync(received))!;

        await runs.UntilAsync(run, "cancelling");
        await runs.FailAsync(received.Command, claim.Fence, StepErrorCodes.Cancelled);

        await runs.UntilAsync(run, "failed");
        (await runs.GetAsync(run)).GetProperty("run").GetProperty("error").GetProperty("code").GetString().ShouldBe("runTimeout");
    }

    [Fact]
    public async Task Steps_beyond_the_projects_share_wait_for_their_turn()
    {
        await using var runs = await StartAsync(settings: new Dictionary<string, string?> { ["Runs:StepsPerProject"] = "2" });
        runs.Publish(Plan("wide", Step("a"), Step("b"), Step("c")));
        var run = await runs.StartRunAsync("wide");
        var first = await runs.ReceiveAsync();
        var second = await runs.ReceiveAsync();

        await runs.UntilStepAsync(run, "c", "ready");
        await runs.CompleteAsync(first.Command, (await runs.ClaimAsync(first))!.Fence);
        await runs.CompleteAsync(second.Command, (await runs.ClaimAsync(second))!.Fence);
        (await runs.WorkAsync()).StepId.ShouldBe("c");

        await runs.UntilAsync(run, "completed");
    }

    private static async Task<bool> RenewAsync(RunsFixture runs, ExecuteStep command, long fence)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return (await runs.Requests.AskAsync<LeaseAnswer>(
            Queues.RunClaims, new RenewLease { RunId = command.RunId, StepId = command.StepId, Fence = fence }, patience.Token)).Continue;
    }

    /// <summary>All events after one, until the server says that the run has ended.</summary>
    private static async Task<List<SseItem<string>>> FollowAsync(RunsFixture runs, Guid run, string? after)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/projects/{Project}/runs/{run}/events");
        if (after is not null)
        {
            request.Headers.Add("Last-Event-ID", after);
        }

        using var response = await runs.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        response.EnsureSuccessStatusCode();
        var items = new List<SseItem<string>>();
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(patience.Token)).EnumerateAsync(patience.Token))
        {
            if (item.EventType != "keepAlive")
            {
                items.Add(item);
            }
        }

        return items;
    }
}
