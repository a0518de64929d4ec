using System.Diagnostics;
using System.Globalization;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Operators;

/// <summary>Operators in child processes, with real children.</summary>
public sealed class EngineWorkerTests : IAsyncLifetime
{
    /// <summary>Far above what it takes, and far below a hang.</summary>
    private static readonly TimeSpan Seconds = TimeSpan.FromSeconds(20);
    private readonly ExecutorRig _rig = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        var workers = _rig.Pool.ProcessIds;
        await _rig.DisposeAsync();
        await Processes.UntilGoneAsync(workers, Seconds);
    }

    [Fact]
    public async Task A_worker_writes_outputs_logs_and_is_used_again()
    {
        var command = ExecutorRig.Command("probe", new { @do = "write", text = "a,b", number = 7 });
        var written = (await _rig.ResultAsync(command)).ShouldBeOfType<CompleteStep>();
        var file = written.Outcome.Outputs["out"].Files.ShouldHaveSingleItem();
        file.Key.ShouldBe($"demo/{command.RunId:D}/clean/{written.Fence}/out-0001.parquet");
        File.Exists(Path.Combine(_rig.Store, file.Key)).ShouldBeTrue();
        Directory.GetFiles(Path.GetDirectoryName(Path.Combine(_rig.Store, file.Key))!).Length.ShouldBe(1);
        written.Outcome.Counts["pid"].ShouldNotBe(Environment.ProcessId);

        var logged = (await _rig.ResultAsync("probe", new { @do = "complete", text = "hello" })).ShouldBeOfType<CompleteStep>();
        (await File.ReadAllTextAsync(Path.Combine(_rig.Store, logged.Outcome.LogKey!))).ShouldContain("Said hello");
        logged.Outcome.Counts["pid"].ShouldBe(written.Outcome.Counts["pid"]);
        logged.Outcome.Counts["memory"].ShouldBe(300_000_000);
    }

    [Fact]
    public async Task What_a_worker_prints_does_not_disturb_the_protocol() =>
        (await _rig.ResultAsync("probe", new { @do = "print" })).ShouldBeOfType<CompleteStep>();

    [Fact]
    public async Task A_worker_gets_a_connection_over_the_pipe_and_no_secret_otherwise()
    {
        (await _rig.ResultAsync("probe", new { @do = "connect", text = "crm" })).ShouldBeOfType<CompleteStep>().Outcome.Counts["length of password"].ShouldBe(7);
        (await _rig.ResultAsync("probe", new { @do = "connect", text = "other" })).ShouldBeOfType<FailStep>().Error.Code.ShouldBe("connectionRefused");
        var seen = (await _rig.ResultAsync("probe", new { @do = "environment" })).ShouldBeOfType<CompleteStep>().Outcome.Warnings;
        foreach (var name in seen[0].Split(' '))
            name.ShouldBeOneOf("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "DOTNET_ROOT", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH", "DOTNET_gcConcurrent", "DOTNET_GCConserveMemory", "DOTNET_TieredCompilation");
        seen[1].ShouldBe($"engine-worker {Environment.ProcessId}");
    }

    [Fact]
    public async Task A_worker_looks_up_a_dataset_of_the_runs_own_project()
    {
        var content = new DatasetRef { Files = [], Schema = new DatasetSchema { Columns = [] }, Rows = 3, Bytes = 1 };
        _rig.Line.Resolve = question => question is { Project: "demo", Reference: "dataset:us-zip" }
            ? new(new DatasetResolved { Dataset = "us-zip", Version = 2, Content = content }, null)
            : new(null, new DatasetUnknown { Message = $"There is no {question.Reference}." });
        var found = (await _rig.ResultAsync("probe", new { @do = "lookUp", text = "dataset:us-zip" })).ShouldBeOfType<CompleteStep>().Outcome.Counts;
        (found["version"], found["rows"]).ShouldBe((2, 3));
        var failed = (await _rig.ResultAsync("probe", new { @do = "lookUp", text = "dataset:uk-zip" })).ShouldBeOfType<FailStep>().Error;
        (failed.Code, failed.Message).ShouldBe(("datasetUnknown", "There is no dataset:uk-zip."));
    }

    [Fact]
    public async Task An_exception_in_a_worker_fails_the_step_and_spares_the_worker()
    {
        var failed = (await _rig.ResultAsync("probe", new { @do = "throw", text = "secret value 4711" })).ShouldBeOfType<FailStep>();
        failed.Error.Code.ShouldBe("unexpected");
        failed.Error.Message.ShouldContain("InvalidOperationException");
        failed.Error.Message.ShouldNotContain("4711");
        _rig.Pool.ProcessIds.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_killed_worker_loses_the_step_and_the_next_execution_gets_a_new_one()
    {
        var command = ExecutorRig.Command("probe", new { @do = "sleep" });
        _rig.Line.Lease = Seconds;
        var step = _rig.ExecuteAsync(command);
        var worker = (await Processes.FromProgressAsync(_rig.Line, 1))[0];
        Processes.Kill(worker);
        await step;
        var lost = _rig.Line.Reports.ShouldHaveSingleItem().ShouldBeOfType<LoseStep>();
        lost.Fence.ShouldBe(1);

        var done = (await _rig.ResultAsync(command with { Dispatch = 2, Config = ExecutorRig.Command("probe", new { @do = "complete" }).Config })).ShouldBeOfType<CompleteStep>();
        done.Fence.ShouldBe(2);
        done.Outcome.Counts["pid"].ShouldNotBe(worker);
    }

    [Fact]
    public async Task A_worker_that_ends_by_a_native_fault_loses_the_step() =>
        (await _rig.ResultAsync("probe", new { @do = "crash" })).ShouldBeOfType<LoseStep>();

    [Fact]
    public async Task A_worker_killed_between_two_steps_costs_nothing()
    {
        var first = (await _rig.ResultAsync("probe", new { @do = "complete" })).ShouldBeOfType<CompleteStep>().Outcome.Counts["pid"];
        Processes.Kill((int)first);
        (await _rig.ResultAsync("probe", new { @do = "complete" })).ShouldBeOfType<CompleteStep>().Outcome.Counts["pid"].ShouldNotBe(first);
    }

    [Fact]
    public async Task A_cancel_ends_the_worker_and_what_it_started_within_seconds()
    {
        _rig.Line.Lease = Seconds;
        var command = ExecutorRig.Command("probe", new { @do = "spawn" });
        var step = _rig.ExecuteAsync(command);
        var ids = await Processes.FromProgressAsync(_rig.Line, 2);
        ids.ShouldAllBe(id => Processes.IsAlive(id));
        _rig.Active.Stop(new StopStep { RunId = command.RunId, StepId = command.StepId, Fence = 1 });
        await step.WaitAsync(Seconds);
        await Processes.UntilGoneAsync(ids, Seconds);
        _rig.Line.Reports.ShouldHaveSingleItem().ShouldBeOfType<FailStep>().Error.Code.ShouldBe("cancelled");
    }

    [Fact]
    public async Task A_step_over_its_time_ends_with_its_worker()
    {
        _rig.Line.Lease = Seconds;
        var step = _rig.ExecuteAsync(ExecutorRig.Command("probe", new { @do = "spawn" }, TimeSpan.FromSeconds(4)));
        var ids = await Processes.FromProgressAsync(_rig.Line, 2);
        await step.WaitAsync(Seconds);
        await Processes.UntilGoneAsync(ids, Seconds);
        _rig.Line.Reports.ShouldHaveSingleItem().ShouldBeOfType<FailStep>().Error.Code.ShouldBe("timeout");
    }

    [Fact]
    public async Task A_worker_that_lost_its_lease_is_ended_and_says_that_it_lives_and_the_next_one_completes()
    {
        var command = ExecutorRig.Command("probe", new { @do = "sleep" });
        _rig.Line.Lease = TimeSpan.FromSeconds(2);
        var slow = _rig.ExecuteAsync(command);
        var worker = await Processes.FromProgressAsync(_rig.Line, 1);
        _rig.Line.Renew = _ => null;
        await slow;
        await Processes.UntilGoneAsync(worker, Seconds);
        // With its own fence: what Runs has given to somebody else in the meantime it does not touch.
        var cutOff = _rig.Line.Reports.ShouldHaveSingleItem().ShouldBeOfType<FailStep>();
        (cutOff.Fence, cutOff.Error.Code).ShouldBe((1, StepErrorCodes.Infrastructure));

        _rig.Line.Renew = _ => true;
        await _rig.ExecuteAsync(command with { Dispatch = 2, Config = ExecutorRig.Command("probe", new { @do = "complete" }).Config });
        _rig.Line.Reports.OfType<CompleteStep>().ShouldHaveSingleItem().Fence.ShouldBe(2);
    }

    [Fact]
    public async Task A_step_that_takes_far_more_memory_than_granted_is_ended()
    {
        await using var rig = new ExecutorRig(new() { ["Engine:MemoryBytes"] = "100000000" });
        var failed = (await rig.ResultAsync("probe", new { @do = "allocate", number = 900 })).ShouldBeOfType<FailStep>();
        failed.Error.Code.ShouldBe("resourcesExceeded");
        failed.Error.Message.ShouldContain("memory");
    }

    [Theory]
    [InlineData("spawn")]
    public async Task No_child_outlives_a_killed_host(string action)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(EngineWorkerTests).Assembly.Location, ParentProgram.Argument, action]) { RedirectStandardOutput = true };
        using var host = Process.Start(start)!;
        var ids = (await host.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)))!.Split(' ').Select(id => int.Parse(id, CultureInfo.InvariantCulture)).ToArray();
        ids.ShouldAllBe(id => Processes.IsAlive(id));
        host.Kill();
        await host.WaitForExitAsync();
        await Processes.UntilGoneAsync(ids, Seconds);
    }

    [Fact]
    public async Task A_host_that_cannot_start_workers_waits_until_it_is_told_to_stop()
    {
        await using var rig = new ExecutorRig(new() { ["Engine:WorkerCommand:0"] = "/bin/false" });
        var command = ExecutorRig.Command("probe", new { @do = "complete" });
        // Long enough that a busy machine does not let it lapse, which would end the step for another reason.
        rig.Line.Lease = TimeSpan.FromSeconds(9);
        var step = rig.ExecuteAsync(command);
        await TestHost.UntilAsync(() => rig.Line.Renewals.Any(renewal => renewal.Progress?.Phase == "waiting: No engine worker could be started.") ? null : "the reason in the progress");
        rig.Active.Stop(new StopStep { RunId = command.RunId, StepId = command.StepId, Fence = 1 });
        await step;
        rig.Line.Reports.ShouldHaveSingleItem().ShouldBeOfType<FailStep>().Error.Code.ShouldBe("cancelled");
    }

    [Fact]
    public async Task Twenty_steps_at_once_never_exceed_the_budget()
    {
        var most = 0L;
        using var done = new CancellationTokenSource();
        var watching = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                most = Math.Max(most, _rig.Budget.Granted);
                Thread.Yield();
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _rig.ExecuteAsync(ExecutorRig.Command("probe", new { @do = "sleep", number = 50 }))));
        await done.CancelAsync();
        await watching;
        _rig.Line.Reports.Count.ShouldBe(20);
        _rig.Line.Reports.ShouldAllBe(report => report is CompleteStep);
        most.ShouldBeInRange(300_000_000, 600_000_000);
        _rig.Budget.Granted.ShouldBe(0);
        _rig.Pool.ProcessIds.Count.ShouldBe(2);
    }
}
