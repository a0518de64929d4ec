using Qualiz.Chaos.Tests.Harness;
using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests;

/// <summary>One thing goes wrong in mid-step; each ends as architecture.md says.</summary>
[Collection(nameof(Standalone))]
public sealed class StandaloneDisruptionTests(StandaloneFixture fixture)
{
    private readonly Instance _instance = fixture.Instance;
    private readonly Held _held = fixture.Held;

    [Fact]
    public Task A_step_whose_worker_dies_three_times_fails_and_delivers_once_when_the_run_is_retried() => fixture.ProveAsync(async () =>
    {
        Guid run;
        await using (await _held.LockAsync())
        {
            run = await _held.StartAsync();
            long fence = 0;
            for (var times = 1; times <= 3; times++)
            {
                (fence, _) = await _held.UntilWaitingAsync(run, fence);
                foreach (var worker in _instance.Host.EngineWorkers())
                    ServiceProcess.Kill(worker);
                await TestHost.UntilAsync(async () => await _held.LostAsync(run) is var lost && lost == times ? null : $"{times} lost executions ({lost})");
            }
            var failed = await fixture.Api.UntilEndAsync(run, TimeSpan.FromSeconds(60), "failed");
            failed.GetProperty("run").GetProperty("error").GetProperty("code").GetString().ShouldBe("workerDied");
            failed.GetProperty("run").GetProperty("failedStep").GetString().ShouldBe("deliver");
        }
        await fixture.Api.RetryAsync(run);
        await _held.ShouldBeDeliveredOnceAsync(run);
    });
}

/// <inheritdoc cref="StandaloneDisruptionTests"/>
[Collection(nameof(Distributed))]
public sealed class DistributedDisruptionTests(DistributedFixture fixture)
{
    private readonly Instance _instance = fixture.Instance;
    private readonly Held _held = fixture.Held;

    [Fact]
    public Task A_slow_worker_that_comes_back_after_its_lease_does_not_count() => fixture.ProveAsync(async () =>
    {
        Guid run;
        ServiceProcess slow;
        await using (await _held.LockAsync())
        {
            run = await _held.StartAsync();
            var first = await _held.UntilWaitingAsync(run);
            slow = _instance.Of("Deliver").Single(process => process.Id == first.Process);
            slow.Pause();
            var second = await _held.UntilWaitingAsync(run, first.Fence);
            second.Process.ShouldNotBe(first.Process);
        }
        try
        {
            await _held.ShouldBeDeliveredOnceAsync(run);
        }
        finally
        {
            slow.Continue();
        }
        // Its own result came too late: it is told so, lets go of the command and goes on.
        await UntilNothingIsHeldAsync();
        await _instance.UntilReadyAsync(slow);
        await _held.ShouldBeDeliveredOnceAsync(run);
        (await _held.LostAsync(run)).ShouldBe(1);
    });

    [Fact]
    public Task A_connection_cut_in_mid_step_delivers_once() => fixture.ProveAsync(async () =>
    {
        Guid run;
        await using (await _held.LockAsync())
        {
            run = await _held.StartAsync();
            await _held.UntilWaitingAsync(run);
            await _instance.RabbitMq!.ControlAsync("--quiet", "close_all_connections", "cut by a test");
        }
        await _held.ShouldBeDeliveredOnceAsync(run);
        await UntilNothingIsHeldAsync();
        await fixture.NothingShouldBeGivenUpAsync();
    });

    /// <summary>infra sets 24 hours; a broker set up by somebody else may be less patient.</summary>
    [Fact]
    public Task A_step_longer_than_the_brokers_patience_delivers_once() => fixture.ProveAsync(async () =>
    {
        await SetConsumerTimeoutAsync(timeout: 4000, tick: 500);
        try
        {
            Guid run;
            await using (await _held.LockAsync())
            {
                run = await _held.StartAsync();
                var first = await _held.UntilWaitingAsync(run);
                // The broker took the command back and somebody got it again.
                await _held.UntilWaitingAsync(run, first.Fence);
            }
            await _held.ShouldBeDeliveredOnceAsync(run);
        }
        finally
        {
            await SetConsumerTimeoutAsync(timeout: 86_400_000, tick: 60_000);
        }
        await UntilNothingIsHeldAsync();
        await fixture.NothingShouldBeGivenUpAsync();
    });

    /// <summary>The worst moment to lose a broker is when everybody has just come back to it.</summary>
    [Fact]
    public Task A_broker_that_dies_again_while_all_reconnect_leaves_nobody_deaf() => fixture.ProveAsync(async () =>
    {
        var random = new Random(InstanceFixture.Seed);
        for (var times = 0; times < Math.Max(2, KillTests.Runs / 5); times++)
        {
            await _instance.RabbitMq!.KillAsync();
            await _instance.RabbitMq.StartAgainAsync();
            await Task.Delay(random.Next(0, 9000));
            await _instance.RabbitMq.KillAsync();
            await _instance.RabbitMq.StartAgainAsync();
            foreach (var process in _instance.All)
                await _instance.UntilReadyAsync(process);
            // More than any replica takes in turn: one that hears nothing would be met, and must notice it and give itself up.
            var runs = new List<Guid>();
            for (var i = 0; i < 8; i++)
                runs.Add(await fixture.Workload.StartOrdersAsync(fixture.Workload.Next()));
            foreach (var run in runs)
                await fixture.Api.UntilEndAsync(run, TimeSpan.FromMinutes(3));
        }
        await fixture.AllShouldBeAsIfNothingHappenedAsync();
    });

    [Fact]
    public Task Every_message_delivered_twice_changes_nothing() => fixture.ProveAsync(async () =>
    {
        await using (var copier = await Copier.StartAsync(_instance.RabbitMq!.Address))
        {
            var runs = new List<Guid>();
            for (var i = 0; i < 6; i++)
                runs.Add(await fixture.Workload.StartAsync(fixture.Workload.Next()));
            foreach (var run in runs)
                await fixture.Api.UntilEndAsync(run, TimeSpan.FromMinutes(2));
            copier.Copies.ShouldBeGreaterThan(runs.Count * 10);
            copier.Renamed.ShouldBeGreaterThan(runs.Count * 2);
            await fixture.AllShouldBeAsIfNothingHappenedAsync();
        }
        await fixture.NothingShouldBeGivenUpAsync();
        await fixture.Listener.ShouldHaveHeardAllAsync(_instance);
    });

    /// <summary>A channel learns both when it is opened.</summary>
    private async Task SetConsumerTimeoutAsync(int timeout, int tick)
    {
        await _instance.RabbitMq!.ControlAsync("--quiet", "eval", $"application:set_env(rabbit, consumer_timeout, {timeout}), application:set_env(rabbit, channel_tick_interval, {tick}).");
        await _instance.RabbitMq.ControlAsync("--quiet", "close_all_connections", "new settings");
    }

    private Task UntilNothingIsHeldAsync() => TestHost.UntilAsync(async () =>
    {
        var queues = (await _instance.RabbitMq!.ControlAsync("--quiet", "list_queues", "name", "messages")).Split('\n')
            .Where(line => line.StartsWith("operator.", StringComparison.Ordinal) && !line.EndsWith("\t0", StringComparison.Ordinal) && !line.Contains("_error", StringComparison.Ordinal)).ToArray();
        return queues.Length == 0 ? null : $"operators' queues without messages: {string.Join(", ", queues)}";
    }, TimeSpan.FromSeconds(90));
}
