using System.Net;
using Qualiz.Contracts;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.TestKit;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

public sealed class PauseTests
{
    [Fact]
    public async Task Paused_run_lets_its_running_step_finish_begins_nothing_and_goes_on_when_resumed()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("three", Step("a"), Step("b", inputs: ["a"]), Step("c")));
        var run = await runs.StartRunAsync("three");
        var received = new[] { await runs.ReceiveAsync(), await runs.ReceiveAsync() }.ToDictionary(item => item.Command.StepId);
        var fence = (await runs.ClaimAsync(received["a"]))!.Fence;

        (await runs.PostAsync(run, "pause", new { reason = "maintenance" })).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await runs.UntilAsync(run, "paused");
        (await runs.ClaimAsync(received["c"])).ShouldBeNull("what was sent and not begun waits");
        (await runs.PostAsync(run, "pause")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        await runs.CompleteAsync(received["a"].Command, fence);
        await runs.UntilStepAsync(run, "a", "completed");

        await runs.RestartAsync();
        await runs.UntilAsync(run, "paused");
        runs.TryReceive(out _).ShouldBeFalse("nothing begins while the run is paused");

        (await runs.PostAsync(run, "resume")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await runs.ClaimAsync(received["c"])).ShouldBeNull("the copy of before is an old dispatch");
        new[] { (await runs.WorkAsync()).StepId, (await runs.WorkAsync()).StepId }.ShouldBe(["b", "c"], ignoreOrder: true);
        await runs.UntilAsync(run, "completed");
        (await runs.PostAsync(run, "resume")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Step_whose_wait_ends_or_whose_worker_dies_during_a_pause_goes_on_after_it()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("two", Step("a"), Step("b")));
        var run = await runs.StartRunAsync("two");
        var received = new[] { await runs.ReceiveAsync(), await runs.ReceiveAsync() }.ToDictionary(item => item.Command.StepId);
        await runs.Sender.SendAsync(
            Queues.RunSaga,
            new DeferStep { RunId = run, StepId = "a", Fence = (await runs.ClaimAsync(received["a"]))!.Fence, Key = "job", NextCheck = DateTimeOffset.UtcNow.AddMilliseconds(700) },
            CancellationToken.None);
        var fence = (await runs.ClaimAsync(received["b"]))!.Fence;
        await runs.UntilStepAsync(run, "a", "deferred");
        await runs.PostAsync(run, "pause");
        await runs.LoseAsync(received["b"].Command, fence);

        await runs.UntilStepAsync(run, "a", "ready");
        await runs.UntilStepAsync(run, "b", "ready");
        runs.TryReceive(out _).ShouldBeFalse();
        for (var i = 0; i < 2; i++)
            await runs.Sender.SendAsync(Queues.RunSaga, new ResumeRun { RunId = run, Actor = "test" }, CancellationToken.None);

        var a = await runs.WorkAsync();
        var b = await runs.WorkAsync();
        (a.StepId == "a" ? a : b).Deferral.ShouldBe(new Deferral("job", 1));
        await runs.UntilAsync(run, "completed");
        runs.TryReceive(out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Elements_wait_for_the_end_of_a_pause_too()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), 5, parallel: 2)));
        var run = await runs.StartRunAsync("each");
        var first = await runs.ReceiveAsync();
        await runs.ReceiveAsync();
        var fence = (await runs.ClaimAsync(first))!.Fence;
        await runs.PostAsync(run, "pause");
        await runs.CompleteAsync(first.Command, fence);
        await TestHost.UntilAsync(async () => (await runs.StepAsync(run, "a")).GetProperty("items").GetProperty("completed").GetInt32() == 1 ? null : "the running element's end");
        runs.TryReceive(out _).ShouldBeFalse();

        await runs.PostAsync(run, "resume");
        for (var i = 0; i < 4; i++)
            await runs.WorkAsync();
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Paused_run_keeps_its_slot_can_be_cancelled_and_its_time_limit_stands_still()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")) with { Limits = new PlanLimits(1, WhenBusy.Queue, TimeSpan.FromSeconds(1)) });
        var run = await runs.StartRunAsync("one");
        await runs.ReceiveAsync();
        await runs.PostAsync(run, "pause");
        var waiting = await runs.StartRunAsync("one");

        // The second run's own limit would have ended the first one too, were its time not standing still.
        await Task.Delay(TimeSpan.FromSeconds(1.5));
        (await runs.StateAsync(run)).ShouldBe("paused");
        (await runs.StateAsync(waiting)).ShouldBe("queued");
        await runs.PostAsync(run, "cancel");
        await runs.UntilAsync(run, "cancelled");
        (await runs.WorkAsync()).RunId.ShouldBe(waiting);
        await runs.UntilAsync(waiting, "completed");
    }

    [Fact]
    public async Task Run_that_is_paused_before_its_turn_gives_its_place_away_and_begins_only_when_resumed()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")) with { Limits = new PlanLimits(1, WhenBusy.Queue, null) });
        var first = await runs.StartRunAsync("one");
        var working = await runs.ReceiveAsync();
        var (held, next) = (await runs.StartRunAsync("one"), await runs.StartRunAsync("one"));
        (await runs.PostAsync(held, "pause")).EnsureSuccessStatusCode();
        await runs.UntilAsync(held, "paused");

        await runs.CompleteAsync(working.Command, (await runs.ClaimAsync(working))!.Fence);
        var second = await runs.ReceiveAsync();
        second.Command.RunId.ShouldBe(next);
        // A word that was on its way when the run was paused.
        await runs.Sender.SendAsync(Queues.RunSaga, new AdmitRun { RunId = held }, CancellationToken.None);
        (await runs.PostAsync(held, "resume")).EnsureSuccessStatusCode();
        await runs.UntilAsync(held, "queued");
        await runs.Sender.SendAsync(Queues.RunSaga, new AdmitRun { RunId = held }, CancellationToken.None);
        await runs.CompleteAsync(second.Command, (await runs.ClaimAsync(second))!.Fence);
        (await runs.WorkAsync()).RunId.ShouldBe(held);
        await runs.UntilAsync(held, "completed");
        await runs.UntilAsync(first, "completed");
    }

    [Fact]
    public async Task Run_that_is_paused_before_its_turn_can_be_cancelled()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")) with { Limits = new PlanLimits(1, WhenBusy.Queue, null) });
        await runs.StartRunAsync("one");
        var held = await runs.StartRunAsync("one");
        (await runs.PostAsync(held, "pause")).EnsureSuccessStatusCode();
        await runs.UntilAsync(held, "paused");
        (await runs.PostAsync(held, "cancel")).EnsureSuccessStatusCode();
        await runs.UntilAsync(held, "cancelled");
    }
}
