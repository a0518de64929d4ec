using System.Text.Json;
using Qualiz.Contracts;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.TestKit;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

/// <summary>Runs that a step of another run starts.</summary>
public sealed class ChildRunTests
{
    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task A_step_starts_a_run_once_and_comes_back_when_it_has_ended(TestBus bus)
    {
        await using var runs = await StartAsync(bus);
        runs.Publish(Plan("parent", Step("sub")));
        runs.Publish(Plan("child", Step("work")) with { Params = [new PlanParam("country", "text", null, null, null)] });
        var run = await runs.StartRunAsync("parent");
        var (command, fence) = await ClaimedAsync(runs);
        var asked = new StartChildRun { RunId = run, StepId = "sub", Fence = fence, Pipeline = "child", Params = JsonSerializer.SerializeToElement(new { country = "NO" }) };
        var child = (await AskAsync(runs, asked)).First!;
        // The question again, as after a lost answer: the same run.
        (await AskAsync(runs, asked)).First!.RunId.ShouldBe(child.RunId);
        await runs.Sender.SendAsync(
            Queues.RunSaga, new DeferStep { RunId = run, StepId = "sub", Fence = fence, Key = child.RunId.ToString(), NextCheck = DateTimeOffset.UtcNow.AddHours(1) }, default);
        await runs.UntilStepAsync(run, "sub", "deferred");

        var seen = await runs.GetAsync(child.RunId);
        var parent = seen.GetProperty("run").GetProperty("parent");
        (parent.GetProperty("runId").GetGuid(), parent.GetProperty("step").GetString()).ShouldBe((run, "sub"));
        seen.GetProperty("params").GetProperty("country").GetString().ShouldBe("NO");
        var listed = (await runs.GetAsync(run)).GetProperty("children").EnumerateArray().ShouldHaveSingleItem();
        (listed.GetProperty("runId").GetGuid(), listed.GetProperty("pipeline").GetString(), listed.GetProperty("state").GetString()).ShouldBe((child.RunId, "child", "running"));

        (await runs.WorkAsync()).RunId.ShouldBe(child.RunId);
        // An hour early: the child's end calls.
        var again = await runs.ReceiveAsync();
        (again.Command.RunId, again.Command.Deferral!.Key).ShouldBe((run, child.RunId.ToString()));
        var claim = (await runs.ClaimAsync(again))!;
        (await AskAsync(runs, asked with { Fence = claim.Fence })).First!.State.ShouldBe("completed");
        await runs.CompleteAsync(again.Command, claim.Fence);
        await runs.UntilAsync(run, "completed");
        command.StepId.ShouldBe("sub");
    }

    [Fact]
    public async Task A_cancel_of_the_parent_reaches_the_child_and_its_children()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("parent", Step("sub")));
        runs.Publish(Plan("child", Step("deeper")));
        runs.Publish(Plan("grandchild", Step("work")));
        var run = await runs.StartRunAsync("parent");
        var (_, fence) = await ClaimedAsync(runs);
        var child = (await AskAsync(runs, new StartChildRun { RunId = run, StepId = "sub", Fence = fence, Pipeline = "child" })).First!.RunId;
        await runs.Sender.SendAsync(Queues.RunSaga, new DeferStep { RunId = run, StepId = "sub", Fence = fence, Key = "x", NextCheck = DateTimeOffset.UtcNow.AddHours(1) }, default);
        var (_, childFence) = await ClaimedAsync(runs);
        var grandchild = (await AskAsync(runs, new StartChildRun { RunId = child, StepId = "deeper", Fence = childFence, Pipeline = "grandchild" })).First!.RunId;
        await runs.Sender.SendAsync(Queues.RunSaga, new DeferStep { RunId = child, StepId = "deeper", Fence = childFence, Key = "x", NextCheck = DateTimeOffset.UtcNow.AddHours(1) }, default);
        await runs.UntilStepAsync(child, "deeper", "deferred");
        await runs.ReceiveAsync();

        (await runs.PostAsync(run, "cancel")).EnsureSuccessStatusCode();
        await runs.UntilAsync(run, "cancelled");
        await runs.UntilAsync(child, "cancelled");
        await runs.UntilAsync(grandchild, "cancelled");
    }

    [Fact]
    public async Task A_step_whose_time_is_up_while_it_waits_fails_and_its_run_is_cancelled_and_each_attempt_has_time_of_its_own()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("parent", Step("sub", retry: new RetryPolicy(1, TimeSpan.Zero, 1, RetryOn.Transient)) with { Timeout = TimeSpan.FromSeconds(1) }));
        runs.Publish(Plan("child", Step("work")));
        var run = await runs.StartRunAsync("parent");
        var first = await WaitingAsync(runs, run, attempt: 1);
        var second = await WaitingAsync(runs, run, attempt: 2);
        await runs.UntilAsync(run, "failed");
        second.ShouldNotBe(first);
        foreach (var child in (Guid[])[first, second])
        {
            await runs.UntilAsync(child, "cancelled");
        }

        var error = (await runs.StepAsync(run, "sub")).GetProperty("error");
        (error.GetProperty("code").GetString(), error.GetProperty("message").GetString()).ShouldBe(("timeout", "The step took longer than its limit of 1s."));
    }

    [Fact]
    public async Task A_step_that_fails_while_its_run_goes_on_takes_it_along()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("parent", Step("sub")));
        runs.Publish(Plan("child", Step("work")));
        var run = await runs.StartRunAsync("parent");
        var (command, fence) = await ClaimedAsync(runs);
        var child = (await AskAsync(runs, new StartChildRun { RunId = run, StepId = "sub", Fence = fence, Pipeline = "child" })).First!.RunId;
        await runs.FailAsync(command, fence, StepErrorCodes.Timeout);
        await runs.FailAsync(command, fence, StepErrorCodes.Timeout);
        await runs.UntilAsync(run, "failed");
        await runs.UntilAsync(child, "cancelled");
    }

    [Fact]
    public async Task A_run_that_ends_before_its_step_begins_to_wait_calls_it_back_all_the_same()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("parent", Step("sub")));
        runs.Publish(Plan("child", Step("work")));
        var run = await runs.StartRunAsync("parent");
        var (_, fence) = await ClaimedAsync(runs);
        var child = (await AskAsync(runs, new StartChildRun { RunId = run, StepId = "sub", Fence = fence, Pipeline = "child" })).First!.RunId;
        (await runs.PostAsync(child, "cancel")).EnsureSuccessStatusCode();
        await runs.UntilAsync(child, "cancelled");
        await runs.Sender.SendAsync(Queues.RunSaga, new DeferStep { RunId = run, StepId = "sub", Fence = fence, Key = "x", NextCheck = DateTimeOffset.UtcNow.AddHours(1) }, default);
        await TestHost.UntilAsync(() =>
        {
            // The child's own step was dispatched before its cancel.
            while (runs.TryReceive(out var command))
            {
                if (command!.RunId == run)
                    return null;
            }

            return "the step to look again";
        });
    }

    /// <summary>The step starts its run, and waits for it for an hour.</summary>
    private static async Task<Guid> WaitingAsync(RunsFixture runs, Guid run, int attempt)
    {
        while (true)
        {
            var received = await runs.ReceiveAsync();
            if (received.Command.RunId != run)
                continue;
            received.Command.Attempt.ShouldBe(attempt);
            var fence = (await runs.ClaimAsync(received))!.Fence;
            var child = (await AskAsync(runs, new StartChildRun { RunId = run, StepId = "sub", Fence = fence, Pipeline = "child" })).First!.RunId;
            await runs.Sender.SendAsync(Queues.RunSaga, new DeferStep { RunId = run, StepId = "sub", Fence = fence, Key = "x", NextCheck = DateTimeOffset.UtcNow.AddHours(1) }, default);
            return child;
        }
    }

    [Fact]
    public async Task Circles_depths_and_strangers_are_refused()
    {
        await using var runs = await StartAsync();
        foreach (var name in (string[])["p1", "p2", "p3", "p4", "p5", "p6"])
            runs.Publish(Plan(name, Step("sub")));
        var run = await runs.StartRunAsync("p1");
        var (_, fence) = await ClaimedAsync(runs);
        (await RefusedAsync(runs, run, fence, "p1")).ShouldBe(("recursion", "The pipeline p1 cannot start itself."));
        (await RefusedAsync(runs, run, fence, "p9")).Code.ShouldBe("pipelineUnknown");
        (await RefusedAsync(runs, run, fence + 1, "p2")).Code.ShouldBe(StepErrorCodes.Infrastructure, "who does not hold the step starts nothing");
        (await RefusedAsync(runs, Guid.NewGuid(), fence, "p2")).Code.ShouldBe(StepErrorCodes.Infrastructure);
        for (var level = 2; level <= 5; level++)
        {
            run = (await AskAsync(runs, new StartChildRun { RunId = run, StepId = "sub", Fence = fence, Pipeline = $"p{level}" })).First!.RunId;
            (_, fence) = await ClaimedAsync(runs);
        }

        (await RefusedAsync(runs, run, fence, "p2")).ShouldBe(("recursion", "The pipeline p2 has started this one, 3 levels above; it cannot be started below itself."));
        (await RefusedAsync(runs, run, fence, "p6")).ShouldBe(("tooDeep", "Pipelines may start each other 5 levels deep."));
    }

    private static async Task<(ExecuteStep Command, long Fence)> ClaimedAsync(RunsFixture runs)
    {
        var received = await runs.ReceiveAsync();
        return (received.Command, (await runs.ClaimAsync(received))!.Fence);
    }

    private static Task<Platform.Messaging.Answer<ChildRun, ChildRunRefused>> AskAsync(RunsFixture runs, StartChildRun asked) =>
        runs.Requests.AskAsync<ChildRun, ChildRunRefused>(Queues.RunClaims, asked, default);

    private static async Task<(string Code, string Message)> RefusedAsync(RunsFixture runs, Guid run, long fence, string pipeline)
    {
        var error = (await AskAsync(runs, new StartChildRun { RunId = run, StepId = "sub", Fence = fence, Pipeline = pipeline })).Second.ShouldNotBeNull().Error;
        return (error.Code, error.Message);
    }
}
