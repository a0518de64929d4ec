using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Operators;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Operators;

/// <summary>The protocol of an execution, with operators that run in the host.</summary>
public sealed class StepExecutorTests : IAsyncLifetime
{
    /// <summary>Two thirds of it must outlast any pause of a busy machine, or a claim is given up that the test wants kept.</summary>
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(3);

    private readonly ExecutorRig _rig = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task A_refused_claim_runs_nothing_and_reports_nothing()
    {
        _rig.Line.Refuse = true;
        await _rig.ExecuteAsync(ExecutorRig.Command("hostprobe", new { @do = "throw" }));
        _rig.Line.Claims.Count.ShouldBe(1);
        _rig.Line.Reports.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_claim_says_which_dispatch_and_whether_it_is_a_redelivery()
    {
        var command = ExecutorRig.Command("hostprobe", new { @do = "complete" });
        await _rig.ExecuteAsync(command, redelivered: true);
        var claim = _rig.Line.Claims.ShouldHaveSingleItem();
        claim.Dispatch.ShouldBe(1);
        claim.Redelivered.ShouldBeTrue();
        claim.CommandId.ShouldNotBe(Guid.Empty);
    }

    [Fact]
    public async Task A_claim_says_whether_the_step_reads_on_from_what_the_last_run_left()
    {
        await _rig.ExecuteAsync(ExecutorRig.Command("hostprobe", new { @do = "complete" }));
        await _rig.ExecuteAsync(ExecutorRig.Command("hostprobe", new { @do = "complete", number = 3 }));
        _rig.Line.Claims.Select(claim => claim.KeepsState).ShouldBe([false, true]);
    }

    [Theory]
    [InlineData("""{"from": {"onlyNew": true}}""", true)]
    [InlineData("""{"from": {"onlyNew": "true"}}""", true)]
    [InlineData("""{"from": {"onlyNew": false}}""", false)]
    [InlineData("""{"from": {"onlyNew": "false"}}""", false)]
    [InlineData("""{"from": {}}""", false)]
    [InlineData("""{"from": "x"}""", false)]
    [InlineData("""{"incremental": {"cursor": "at"}}""", true)]
    [InlineData("""{"incremental": null}""", false)]
    public void A_setting_that_is_off_keeps_no_state(string config, bool keeps)
    {
        var registration = new OperatorRegistration<HostProbeOperator, ProbeConfig>(
            new OperatorDescription { Kind = "x", Title = "X", Description = "X", Icon = "x", KeepsState = ["incremental", "from.onlyNew"] });
        registration.KeepsState(System.Text.Json.JsonDocument.Parse(config).RootElement).ShouldBe(keeps);
        registration.Manifest.KeepsState.ShouldBe(["incremental", "from.onlyNew"]);
    }

    [Fact]
    public async Task A_completed_step_reports_its_files_under_its_fence_and_its_log()
    {
        var command = ExecutorRig.Command("hostprobe", new { @do = "write", text = "a,b", number = 7 });
        var done = (await _rig.ResultAsync(command)).ShouldBeOfType<CompleteStep>();
        var file = done.Outcome.Outputs["out"].Files.ShouldHaveSingleItem();
        file.Key.ShouldBe($"demo/{command.RunId:D}/clean/{done.Fence}/out-0001.parquet");
        file.Rows.ShouldBe(7);
        var stored = await File.ReadAllBytesAsync(Path.Combine(_rig.Store, file.Key));
        file.Bytes.ShouldBe(stored.Length);
        file.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(stored)));
        // The file that was never committed is gone; nothing was logged.
        Directory.GetFiles(Path.GetDirectoryName(Path.Combine(_rig.Store, file.Key))!).Length.ShouldBe(1);
        done.Outcome.LogKey.ShouldBeNull();
    }

    [Fact]
    public async Task A_log_is_kept_as_lines_of_JSON()
    {
        var done = (await _rig.ResultAsync("hostprobe", new { @do = "complete", text = "Ærlig \"talt\"" })).ShouldBeOfType<CompleteStep>();
        done.Outcome.LogKey!.ShouldEndWith("/log.ndjson");
        var line = JsonDocument.Parse((await File.ReadAllLinesAsync(Path.Combine(_rig.Store, done.Outcome.LogKey!))).ShouldHaveSingleItem()).RootElement;
        line.GetProperty("level").GetString().ShouldBe("info");
        line.GetProperty("message").GetString().ShouldBe("Said Ærlig \"talt\"");
        line.GetProperty("time").GetDateTimeOffset().ShouldBeInRange(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task A_failed_step_keeps_its_log_too()
    {
        var failed = (await _rig.ResultAsync("hostprobe", new { @do = "fail", text = "Column b is missing." })).ShouldBeOfType<FailStep>();
        failed.Error.Code.ShouldBe("probe");
        (await File.ReadAllTextAsync(Path.Combine(_rig.Store, failed.Outcome!.LogKey!))).ShouldContain("Column b is missing.");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_made_of_a_partial_input_is_partial(bool partial)
    {
        var schema = new DatasetSchema { Columns = [] };
        StepInput[] inputs = [new() { Name = "a", Dataset = DatasetRef.Of(schema) }, new() { Name = "b", Dataset = DatasetRef.Of(schema) with { Partial = partial } }];
        var done = (await _rig.ResultAsync(ExecutorRig.Command("hostprobe", new { @do = "write", text = "a,b", number = 7 }, inputs: inputs))).ShouldBeOfType<CompleteStep>();
        done.Outcome.Outputs["out"].Partial.ShouldBe(partial);
    }

    [Theory]
    [InlineData("""{"do": "complete", "txt": "x"}""", "txt", "did you mean \"text\"")]
    [InlineData("""{"do": "complet"}""", "do", "did you mean \"complete\"")]
    [InlineData("""{"text": "x"}""", "", "\"do\" is missing")]
    [InlineData("""{"do": "complete", "number": "seven"}""", "number", "whole number")]
    public async Task A_wrong_configuration_fails_the_step_before_any_effect(string config, string path, string message)
    {
        var command = ExecutorRig.Command("hostprobe", new { }) with { Config = JsonDocument.Parse(config).RootElement };
        var failed = (await _rig.ResultAsync(command)).ShouldBeOfType<FailStep>();
        failed.Error.Code.ShouldBe("configInvalid");
        failed.Error.Path.ShouldBe(path);
        failed.Error.Message.ShouldContain(message);
        failed.Error.Transient.ShouldBeFalse();
    }

    [Fact]
    public async Task An_exception_fails_the_step_without_telling_its_text()
    {
        var failed = (await _rig.ResultAsync("hostprobe", new { @do = "throw", text = "secret value 4711" })).ShouldBeOfType<FailStep>();
        failed.Error.Code.ShouldBe("unexpected");
        failed.Error.Transient.ShouldBeTrue();
        JsonSerializer.Serialize(failed).ShouldNotContain("4711");
        (await File.ReadAllTextAsync(Path.Combine(_rig.Store, failed.Outcome!.LogKey!))).ShouldNotContain("4711");
    }

    [Fact]
    public async Task A_deferred_step_says_what_it_waits_for()
    {
        var deferred = (await _rig.ResultAsync("hostprobe", new { @do = "defer", text = "job 12" })).ShouldBeOfType<DeferStep>();
        deferred.Key.ShouldBe("job 12");
        deferred.NextCheck.ShouldBe(DateTimeOffset.UnixEpoch);
    }

    [Fact]
    public async Task A_step_ends_when_its_time_is_up()
    {
        var failed = (await _rig.ResultAsync("hostprobe", new { @do = "sleep" }, TimeSpan.FromMilliseconds(200))).ShouldBeOfType<FailStep>();
        failed.Error.Code.ShouldBe("timeout");
    }

    [Fact]
    public async Task A_refused_renewal_stops_the_step()
    {
        _rig.Line.Lease = s_lease;
        _rig.Line.Renew = _ => false;
        var failed = (await _rig.ResultAsync("hostprobe", new { @do = "sleep" })).ShouldBeOfType<FailStep>();
        failed.Error.Code.ShouldBe("cancelled");
    }

    [Fact]
    public async Task A_stop_reaches_the_step_that_it_names_and_no_other()
    {
        var command = ExecutorRig.Command("hostprobe", new { @do = "sleep" });
        var step = _rig.ExecuteAsync(command);
        await TestHost.UntilAsync(() => _rig.Active.Count == 1 ? null : "a claim");
        _rig.Active.Stop(new StopStep { RunId = command.RunId, StepId = command.StepId, Fence = 99 });
        _rig.Line.Reports.ShouldBeEmpty();
        _rig.Active.Stop(new StopStep { RunId = command.RunId, StepId = command.StepId, Fence = 1 });
        await step;
        _rig.Line.Reports.ShouldHaveSingleItem().ShouldBeOfType<FailStep>().Error.Code.ShouldBe("cancelled");
        _rig.Active.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_step_that_cannot_renew_stops_itself_and_says_so_once_it_can()
    {
        _rig.Line.Lease = TimeSpan.FromMilliseconds(600);
        _rig.Line.Renew = _ => null;
        var brokerBack = new TaskCompletionSource();
        var stopped = new TaskCompletionSource();
        _rig.Line.BeforeReport = (_, ct) =>
        {
            stopped.SetResult();
            return brokerBack.Task.WaitAsync(ct);
        };
        var step = _rig.ExecuteAsync(ExecutorRig.Command("hostprobe", new { @do = "sleep" }));
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var heartbeats = _rig.Line.Renewals.Count;
        _rig.Line.Renew = _ => false;
        await TestHost.UntilAsync(() => _rig.Line.Renewals.Count > heartbeats ? null : "a refused heartbeat");
        brokerBack.SetResult();
        await step;
        _rig.Line.Reports.ShouldHaveSingleItem().ShouldBeOfType<FailStep>().Error.Code.ShouldBe(StepErrorCodes.Infrastructure);
    }

    [Fact]
    public async Task A_step_renews_three_times_a_lease_and_tells_its_progress()
    {
        _rig.Line.Lease = s_lease;
        var step = _rig.ExecuteAsync(ExecutorRig.Command("hostprobe", new { @do = "sleep" }));
        await TestHost.UntilAsync(() => _rig.Line.Renewals.Count >= 6 ? null : "six renewals");
        _rig.Line.Renewals.Last().Progress.ShouldNotBeNull();
        step.IsCompleted.ShouldBeFalse();
        _rig.Line.Renew = _ => false;
        await step;
    }

    [Fact]
    public async Task While_the_result_cannot_be_sent_the_lease_is_renewed_and_the_command_not_acknowledged()
    {
        _rig.Line.Lease = s_lease;
        var brokerBack = new TaskCompletionSource();
        _rig.Line.BeforeReport = (_, ct) => brokerBack.Task.WaitAsync(ct);
        var step = _rig.ExecuteAsync(ExecutorRig.Command("hostprobe", new { @do = "complete" }));
        await TestHost.UntilAsync(() => _rig.Line.Renewals.Count >= 4 ? null : "renewals while the result waits");
        step.IsCompleted.ShouldBeFalse();
        brokerBack.SetResult();
        await step;
        _rig.Line.Reports.ShouldHaveSingleItem().ShouldBeOfType<CompleteStep>();
    }

    [Fact]
    public async Task A_result_that_nobody_wants_any_more_is_given_up()
    {
        _rig.Line.Lease = s_lease;
        _rig.Line.BeforeReport = (_, ct) => Task.Delay(Timeout.Infinite, ct);
        var step = _rig.ExecuteAsync(ExecutorRig.Command("hostprobe", new { @do = "complete" }));
        await TestHost.UntilAsync(() => _rig.Line.Renewals.IsEmpty ? "a renewal" : null);
        _rig.Line.Renew = _ => false;
        await step;
        _rig.Line.Reports.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_store_that_is_away_is_waited_for_and_uses_up_no_attempt()
    {
        var flag = Path.Combine(_rig.Folder, "back");
        var step = _rig.ExecuteAsync(ExecutorRig.Command("hostprobe", new { @do = "storeAway", text = flag }));
        await TestHost.UntilAsync(() => _rig.Line.Claims.IsEmpty ? "a claim" : null);
        step.IsCompleted.ShouldBeFalse();
        await File.WriteAllTextAsync(flag, "");
        await step;
        var done = _rig.Line.Reports.ShouldHaveSingleItem().ShouldBeOfType<CompleteStep>();
        (await File.ReadAllTextAsync(Path.Combine(_rig.Store, done.Outcome.LogKey!))).ShouldContain("The object store is not usable now.");
    }

    [Fact]
    public async Task A_stopping_process_hands_the_step_back_which_counts_against_nobody_and_takes_up_no_other()
    {
        var command = ExecutorRig.Command("hostprobe", new { @do = "sleep" });
        var step = _rig.ExecuteAsync(command);
        await TestHost.UntilAsync(() => _rig.Active.Count == 1 ? null : "a claim");
        _rig.ShutDown();
        await step;
        var back = _rig.Line.Reports.ShouldHaveSingleItem().ShouldBeOfType<LoseStep>();
        (back.RunId, back.Fence, back.HostRestarted).ShouldBe((command.RunId, 1, true));

        await Should.ThrowAsync<OperationCanceledException>(_rig.ExecuteAsync(ExecutorRig.Command("hostprobe", new { @do = "complete" })));
        _rig.Line.Claims.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_stopping_process_that_cannot_tell_gives_the_command_back_to_its_queue()
    {
        _rig.Line.BeforeReport = (_, _) => throw new TimeoutException("the broker is away");
        var step = _rig.ExecuteAsync(ExecutorRig.Command("hostprobe", new { @do = "sleep" }));
        await TestHost.UntilAsync(() => _rig.Active.Count == 1 ? null : "a claim");
        _rig.ShutDown();
        await Should.ThrowAsync<OperationCanceledException>(step);
    }

    [Fact]
    public async Task A_dataset_reference_is_resolved_for_the_run()
    {
        var content = new DatasetRef { Files = [], Schema = new DatasetSchema { Columns = [] }, Rows = 3, Bytes = 1 };
        _rig.Line.Resolve = question => question.Reference == "dataset:countries"
            ? new(new DatasetResolved { Dataset = "countries", Version = 2, Content = content }, null)
            : new(null, new DatasetUnknown { Message = "There is no dataset contries." });
        var good = ExecutorRig.Command("hostprobe", new { @do = "complete" }, inputs: [new StepInput { Name = "dataset:countries", Reference = "dataset:countries" }]);
        (await _rig.ResultAsync(good)).ShouldBeOfType<CompleteStep>();
        var bad = ExecutorRig.Command("hostprobe", new { @do = "complete" }, inputs: [new StepInput { Name = "dataset:contries", Reference = "dataset:contries" }]);
        var failed = (await _rig.ResultAsync(bad)).ShouldBeOfType<FailStep>();
        failed.Error.Code.ShouldBe("datasetUnknown");
        failed.Error.Path.ShouldBe("inputs[0]");
    }

    [Fact]
    public async Task A_connection_is_asked_for_under_the_fence()
    {
        var done = (await _rig.ResultAsync("hostprobe", new { @do = "connect", text = "crm" })).ShouldBeOfType<CompleteStep>();
        done.Outcome.Counts["length of password"].ShouldBe(7);
        var request = _rig.Exchange.Requests.ShouldHaveSingleItem();
        request.Fence.ShouldBe(done.Fence);
        request.StepId.ShouldBe("clean");
    }

    [Fact]
    public async Task A_connection_that_is_refused_fails_the_step_with_the_reason()
    {
        var failed = (await _rig.ResultAsync("hostprobe", new { @do = "connect", text = "crn" })).ShouldBeOfType<FailStep>();
        failed.Error.Code.ShouldBe("connectionRefused");
        failed.Error.Message.ShouldBe("There is no connection crn.");
    }

    [Fact]
    public async Task A_log_has_a_limit()
    {
        var buffer = new Qualiz.Platform.Operators.StepLogBuffer();
        for (var i = 0; i < 6000; i++)
            buffer.Write(new(DateTimeOffset.UnixEpoch, Microsoft.Extensions.Logging.LogLevel.Information, new string('x', 1000)));
        var text = Encoding.UTF8.GetString(buffer.Read().ToArray());
        text.Length.ShouldBeInRange(4 * 1024 * 1024, (4 * 1024 * 1024) + 4096);
        text.TrimEnd().Split('\n')[^1].ShouldContain("cut off");
        await Task.CompletedTask;
    }
}
