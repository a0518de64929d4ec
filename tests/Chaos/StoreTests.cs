using System.Net;
using Qualiz.Chaos.Tests.Harness;
using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests;

/// <summary>A store that cannot be used: steps wait in place without limit, it costs no attempt, and all is delivered once when it is back.</summary>
[Collection(nameof(Standalone))]
public sealed class DiskTests(StandaloneFixture fixture)
{
    [Fact]
    public Task A_full_disk_makes_steps_wait_until_there_is_space_again() => fixture.ProveAsync(() =>
        new StoreTests(fixture).ProveAsync(() => Task.FromResult(Disk.Fill(fixture.Instance.Store))));

    [Fact]
    public Task A_store_that_became_read_only_makes_steps_wait() => fixture.ProveAsync(() =>
        new StoreTests(fixture).ProveAsync(() => Disk.MakeReadOnlyAsync(fixture.Instance.Store)));

    [Fact]
    public Task A_store_whose_disk_was_unmounted_makes_steps_wait_and_nothing_is_written_below_it() => fixture.ProveAsync(async () =>
    {
        await new StoreTests(fixture).ProveAsync(() => Task.FromResult(Disk.TakeAway(fixture.Instance.Store)));
        using (Disk.TakeAway(fixture.Instance.Store))
            Directory.EnumerateFileSystemEntries(fixture.Instance.Store).ShouldBeEmpty();
    });
}

/// <inheritdoc cref="DiskTests"/>
[Collection(nameof(OnBucket))]
public sealed class BucketTests(BucketFixture fixture)
{
    [Fact]
    public Task A_store_that_is_killed_in_the_midst_of_runs_and_comes_back_loses_and_doubles_nothing() => fixture.ProveAsync(async () =>
    {
        var random = new Random(InstanceFixture.Seed);
        var bucket = fixture.Instance.Bucket!;
        for (var times = 1; times <= Math.Max(3, KillTests.Runs / 8); times++)
        {
            var runs = new List<Guid>();
            for (var i = 0; i < 3; i++)
                runs.Add(await fixture.Workload.StartAsync(fixture.Workload.Next()));
            await Task.Delay(random.Next(0, 1500));
            await bucket.KillAsync();
            // Longer than a lease: what waits must go on renewing its own.
            await Task.Delay(random.Next(500, times == 2 ? 12_000 : 4000));
            await bucket.StartAgainAsync();
            foreach (var run in runs)
                StoreTests.ShouldHaveCostNoAttempt(await fixture.Api.UntilEndAsync(run, TimeSpan.FromMinutes(3)));
        }
        await fixture.AllShouldBeAsIfNothingHappenedAsync();
    });

    [Fact]
    public Task A_store_that_is_away_makes_steps_wait_and_readers_are_told() => fixture.ProveAsync(async () =>
    {
        var earlier = await fixture.Workload.StartOrdersAsync(fixture.Workload.Next());
        await fixture.Api.UntilEndAsync(earlier, TimeSpan.FromMinutes(2));
        await new StoreTests(fixture).ProveAsync(async () =>
        {
            await fixture.Instance.Bucket!.KillAsync();
            // Nobody has read these before; what was (a published version, to measure it), may still be at hand.
            var (status, body) = await fixture.Api.TryGetAsync("Datasets", $"/api/v1/projects/{Api.Project}/runs/{earlier}/steps/read/outputs/out/rows");
            (status, body.Contains("storeUnavailable", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.ServiceUnavailable, true), body);
            (status, body) = await fixture.Api.TryGetAsync("Runs", $"/api/v1/projects/{Api.Project}/runs/{earlier}/steps/clean/log");
            (status, body.Contains("storeUnavailable", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.ServiceUnavailable, true), body);
            return new Back(fixture.Instance.Bucket);
        });
    });

    private sealed class Back(S3Server server) : IDisposable
    {
        public void Dispose() => server.StartAgainAsync().GetAwaiter().GetResult();
    }
}

internal sealed class StoreTests(InstanceFixture fixture)
{
    /// <param name="disrupt">Makes the store unusable; what it returns makes it usable again.</param>
    public async Task ProveAsync(Func<Task<IDisposable>> disrupt)
    {
        Guid fresh;
        Guid orders;
        using (await disrupt())
        {
            orders = await fixture.Workload.StartOrdersAsync(fixture.Workload.Next());
            fresh = await fixture.Workload.StartFreshAsync(fixture.Workload.Next());
            foreach (var run in (Guid[])[orders, fresh])
            {
                await TestHost.UntilAsync(async () =>
                {
                    var step = Api.Step(await fixture.Api.RunAsync(run), "read");
                    return step.GetProperty("progress").ToString().Contains("waiting: The ", StringComparison.Ordinal) ? null : $"a step that says that it waits: {step}";
                }, TimeSpan.FromSeconds(90));
                (await fixture.Api.StateAsync(run)).ShouldBe("running");
            }
        }
        foreach (var run in (Guid[])[orders, fresh])
            ShouldHaveCostNoAttempt(await fixture.Api.UntilEndAsync(run, TimeSpan.FromMinutes(2)));
        await fixture.AllShouldBeAsIfNothingHappenedAsync();
    }

    public static void ShouldHaveCostNoAttempt(System.Text.Json.JsonElement run)
    {
        foreach (var step in run.GetProperty("steps").EnumerateArray())
            step.GetProperty("attempt").GetInt32().ShouldBe(1, $"it is nobody's mistake and costs no attempt: {step}");
    }
}
