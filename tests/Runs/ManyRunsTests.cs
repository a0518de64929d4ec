using Qualiz.TestKit;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

public sealed class ManyRunsTests
{
    [Fact]
    public async Task Runs_that_all_want_to_dispatch_at_once_do_not_wait_for_each_others_connections()
    {
        // A pool of two, and a limit so low that every dispatch counts: who counted by a second connection would wait until the pool gives up.
        await using var runs = await StartAsync(settings: new Dictionary<string, string?> { ["Database:MaxConnections"] = "4", ["Runs:StepsPerProject"] = "2" });
        runs.Publish(Plan("two", Step("a"), Step("b", ["a"])));

        var started = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => runs.StartRunAsync("two")));

        await TestHost.UntilAsync(
            async () => (await Task.WhenAll(started.Select(runs.StateAsync))).Count(state => state != "running") is var waiting && waiting == 0 ? null : $"all runs in state running; {waiting} are not",
            TimeSpan.FromSeconds(12));
    }
}
