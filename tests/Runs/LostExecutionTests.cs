using Microsoft.Extensions.DependencyInjection;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Messaging;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

/// <summary>What counts against a step, and what against the infrastructure between it and us.</summary>
public sealed class LostExecutionTests
{
    private static readonly Dictionary<string, string?> s_quick = new() { ["Runs:Lease"] = "00:00:01", ["Runs:ReconcileEvery"] = "00:00:01" };

    [Fact]
    public async Task Leases_that_run_out_while_nobody_could_renew_them_do_not_fail_the_step()
    {
        await using var runs = await StartAsync(settings: s_quick);
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        for (var i = 0; i < 4; i++)
        {
            (await runs.ClaimAsync(await runs.ReceiveAsync())).ShouldNotBeNull();
            // As when the broker or the database goes away and comes back.
            runs.Host.Services.GetRequiredService<Uptime>().Interrupted();
        }

        await runs.WorkAsync();
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Leases_that_run_out_although_all_was_well_fail_the_step()
    {
        await using var runs = await StartAsync(settings: s_quick);
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        for (var i = 0; i < 3; i++)
            (await runs.ClaimAsync(await runs.ReceiveAsync())).ShouldNotBeNull();

        await runs.UntilAsync(run, "failed");
        (await runs.GetAsync(run)).GetProperty("run").GetProperty("error").GetProperty("code").GetString().ShouldBe(StepErrorCodes.WorkerDied);
    }
}
