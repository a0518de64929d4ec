using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Platform.Data;
using Qualiz.Platform.Storage;
using Qualiz.Runs.Model;
using Qualiz.Runs.Retention;
using Qualiz.TestKit;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

public sealed class RetentionTests
{
    [Fact]
    public async Task Only_old_finished_runs_that_nothing_keeps_are_let_go_and_then_they_are_not_retried()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a", publish: "golden")));
        var old = new List<Guid>();
        for (var i = 0; i < 4; i++)
        {
            old.Add(await runs.StartRunAsync("one"));
            var received = await runs.ReceiveAsync();
            var claim = await runs.ClaimAsync(received);
            if (i == 1)
                await runs.FailAsync(received.Command, claim!.Fence);
            else
                await runs.CompleteAsync(received.Command, claim!.Fence);
            await runs.UntilAsync(old[i], i == 1 ? "failed" : "completed");
        }
        (await runs.Http.PutAsync($"/api/v1/projects/{Project}/runs/{old[0]}/pin", null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        var live = await runs.StartRunAsync("one");
        var working = await runs.ReceiveAsync();
        var active = (await runs.ClaimAsync(working))!;
        await SqlAsync(runs, "update runs.run set finished_at = finished_at - interval '8 days' where finished_at is not null");

        var stranger = Guid.CreateVersion7();
        Guid[] all = [.. old, live, stranger];
        // A look changes nothing.
        (await ReviewAsync(runs, all, release: false)).Where(run => run is { Known: true, Keep: false }).Select(run => run.RunId).ShouldBe([old[1]]);
        (await ReviewAsync(runs, all, release: false)).Count(run => run is { Known: true, Keep: false }).ShouldBe(1);
        var reviewed = (await ReviewAsync(runs, all, release: true)).ToDictionary(run => run.RunId);
        // The newest three are kept for their number, the first by its pin.
        reviewed.Values.Where(run => run is { Known: true, Keep: false }).Select(run => run.RunId).ShouldBe([old[1]]);
        reviewed[stranger].Known.ShouldBeFalse();
        reviewed[live].Finished.ShouldBeFalse();
        reviewed[live].Active.ShouldBe([new ActiveFence("a", active.Fence)]);
        reviewed[old[0]].Published.ShouldBe([new PublishedStep("golden", "a")]);
        reviewed[old[1]].Published.ShouldBeEmpty();
        reviewed[old[0]].Files.ShouldBe(["demo/x/out-0001.parquet"]);

        using var retried = await runs.PostAsync(old[1], "retry");
        retried.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await retried.Content.ReadAsStringAsync()).ShouldContain("removed (retention); start a new run");
        (await runs.Http.PutAsync($"/api/v1/projects/{Project}/runs/{old[1]}/pin", null)).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        // A retry that was on its way already changes nothing either.
        await runs.Sender.SendAsync(Queues.RunSaga, new RetryRun { RunId = old[1], Actor = "late" }, default);
        await runs.CompleteAsync(working.Command, active.Fence);
        await runs.UntilAsync(live, "completed");
        (await runs.StateAsync(old[1])).ShouldBe("failed");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rejected_rows_are_waited_for_only_where_somebody_is_to_settle_them(bool quarantine)
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")) with { Keep = new PlanKeep(null, null) { Quarantine = quarantine } });
        var run = await runs.StartRunAsync("one");
        var rejected = DatasetRef.Of(new DatasetSchema { Columns = [new DatasetColumn { Name = "reasons", Type = "text" }] }, new DataFile { Key = $"{Project}/{run}/a/1/rejected-0001.parquet", Rows = 2, Bytes = 1, Sha256 = "" });
        var outcome = Outcome();
        await runs.WorkAsync(outcome with { Outputs = new Dictionary<string, DatasetRef>(outcome.Outputs) { ["rejected"] = rejected } });
        await runs.UntilAsync(run, "completed");
        var found = await runs.Requests.AskAsync<RunOutputsFound, RunUnknown>(
            Queues.RunClaims, new GetRunOutputs { Project = Project, RunId = run }, new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        found.First.ShouldNotBeNull().Quarantine.ShouldBe(quarantine);
        (await ReviewAsync(runs, [run], release: false)).Single().Rejecting.ShouldBe(quarantine ? ["a"] : []);
    }

    [Fact]
    public async Task What_a_step_remembers_is_named_until_a_later_run_remembers_something_else()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        async Task<(Guid Run, string Key)> RememberAsync()
        {
            var run = await runs.StartRunAsync("one");
            var key = $"{Project}/{run}/a/1/ids-0001.parquet";
            var state = JsonSerializer.SerializeToElement(new { entities = "people", ids = new { files = new[] { new { key } } } });
            await runs.WorkAsync(Outcome() with { State = state });
            await runs.UntilAsync(run, "completed");
            return (run, key);
        }

        var first = await RememberAsync();
        (await ReviewAsync(runs, [first.Run], release: false))[0].Remembered.ShouldBe([first.Key]);
        await SqlAsync(runs, $"delete from runs.run where id = '{first.Run}'");
        var gone = (await ReviewAsync(runs, [first.Run], release: false))[0];
        (gone.Known, gone.Remembered.Single()).ShouldBe((false, first.Key));

        var second = await RememberAsync();
        var reviewed = (await ReviewAsync(runs, [first.Run, second.Run], release: false)).ToDictionary(run => run.RunId);
        reviewed[first.Run].Remembered.ShouldBeEmpty();
        reviewed[second.Run].Remembered.ShouldBe([second.Key]);
        reviewed[second.Run].Files.ShouldContain(second.Key);
        var pipeline = await ScalarAsync<Guid>(runs, "select pipeline_id from runs.run");
        (await ReviewAsync(runs, [second.Run], release: false, deleted: [pipeline]))[0].Remembered.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_state_that_is_set_by_hand_keeps_the_files_it_names_and_names_only_files_of_the_project_that_are_there()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var address = $"/api/v1/projects/{Project}/pipelines/one/state/a";
        static object State(string key) => new { entities = "people", ids = new { files = new[] { new { key } } } };
        async Task<HttpStatusCode> SetAsync(object state)
        {
            using var answer = await runs.Http.PutAsJsonAsync(address, state);
            return answer.StatusCode;
        }

        var run = await runs.StartRunAsync("one");
        await runs.WorkAsync();
        await runs.UntilAsync(run, "completed");
        var key = $"{Project}/{run}/a/1/ids-0001.parquet";
        (await SetAsync(State(key))).ShouldBe(HttpStatusCode.UnprocessableEntity, "there is no such file yet");
        var store = runs.Host.Services.GetRequiredService<IObjectStore>();
        foreach (var stored in new[] { key, $"other/{run}/a/1/ids-0001.parquet" })
            await store.PutAsync(stored, new MemoryStream([1]), default);
        foreach (var strange in new[] { $"other/{run}/a/1/ids-0001.parquet", $"{Project}/../other/{run}/a/1/ids-0001.parquet", "ids-0001.parquet" })
            (await SetAsync(State(strange))).ShouldBe(HttpStatusCode.UnprocessableEntity, strange);
        (await SetAsync(State(key))).ShouldBe(HttpStatusCode.NoContent);
        (await ReviewAsync(runs, [run], release: false))[0].Remembered.ShouldBe([key]);

        // Let go, it stays as long as it is named; once forgotten it is not named again.
        await SqlAsync(runs, "update runs.run set finished_at = finished_at - interval '8 days'");
        (await ReviewAsync(runs, [run], release: true, keepRuns: 0))[0].Keep.ShouldBeFalse();
        (await SetAsync(State(key))).ShouldBe(HttpStatusCode.NoContent);
        (await SetAsync(new { cursor = 1 })).ShouldBe(HttpStatusCode.NoContent);
        (await ReviewAsync(runs, [run], release: false))[0].Remembered.ShouldBeEmpty();
        (await SetAsync(State(key))).ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task A_review_that_waits_for_one_run_holds_no_other()
    {
        await using var runs = await StartAsync();
        Guid[] ids = [.. new[] { Guid.CreateVersion7(), Guid.CreateVersion7() }.Order()];
        await using var scope = runs.Host.Services.CreateAsyncScope();
        var work = scope.ServiceProvider.GetRequiredService<IUnitOfWork<RunsDb>>();
        // As the end of a run does, which then takes the lock of the older run that started it.
        await work.LockAsync(ids[1], default);
        var review = ReviewAsync(runs, ids, release: true);
        await TestHost.UntilAsync(async () => await ScalarAsync<long>(runs, "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())") > 0 ? null : "the review to wait");
        var bytes = ids[0].ToByteArray();
        var key = BitConverter.ToInt64(bytes) ^ BitConverter.ToInt64(bytes, 8);
        (await ScalarAsync<bool>(runs, $"select pg_try_advisory_lock({key})")).ShouldBeTrue();
        await work.CommitAsync(default);
        (await review).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_pipeline_says_how_long_and_a_deleted_one_keeps_nothing_for_its_number()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")) with { Keep = new PlanKeep(TimeSpan.FromHours(1), null) });
        var run = await runs.StartRunAsync("one");
        await runs.WorkAsync();
        await runs.UntilAsync(run, "completed");
        await SqlAsync(runs, "update runs.run set finished_at = finished_at - interval '2 hours'");
        var pipeline = await ScalarAsync<Guid>(runs, "select pipeline_id from runs.run");
        (await ReviewAsync(runs, [run], release: false))[0].Keep.ShouldBeTrue();
        (await ReviewAsync(runs, [run], release: false, deleted: [pipeline]))[0].Keep.ShouldBeFalse();
        (await ReviewAsync(runs, [run], release: false, keepRuns: 0))[0].Keep.ShouldBeFalse();
        (await ReviewAsync(runs, [run], release: false, project: "other"))[0].Known.ShouldBeFalse();
        await SqlAsync(runs, "update runs.run set finished_at = now() - interval '30 minutes'");
        (await ReviewAsync(runs, [run], release: false, deleted: [pipeline]))[0].Keep.ShouldBeTrue();
    }

    [Fact]
    public async Task History_goes_after_its_time_with_steps_and_events_and_pins_keep_it()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        runs.Publish(Plan("short", Step("a")) with { Keep = new PlanKeep(null, TimeSpan.FromDays(1)) });
        var ids = new List<Guid>();
        foreach (var pipeline in new[] { "one", "one", "short", "short" })
        {
            ids.Add(await runs.StartRunAsync(pipeline));
            await runs.WorkAsync();
            await runs.UntilAsync(ids[^1], "completed");
        }
        await runs.Http.PutAsync($"/api/v1/projects/{Project}/runs/{ids[1]}/pin", null);
        await SqlAsync(runs, "update runs.run set finished_at = now() - interval '100 days' where pipeline = 'one'");
        await SqlAsync(runs, $"update runs.run set finished_at = now() - interval '2 days' where id = '{ids[2]}'");
        var janitor = runs.Host.Services.GetServices<IHostedService>().OfType<RunJanitor>().Single();
        (await janitor.CleanAsync(default)).ShouldBe(2);
        (await janitor.CleanAsync(default)).ShouldBe(0);
        (await ScalarAsync<long>(runs, "select count(*) from runs.run")).ShouldBe(2);
        (await ScalarAsync<long>(runs, "select count(distinct run_id) from runs.step")).ShouldBe(2);
        (await ScalarAsync<long>(runs, "select count(distinct run_id) from runs.event")).ShouldBe(2);
        (await runs.Http.GetAsync($"/api/v1/projects/{Project}/runs/{ids[0]}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await runs.StateAsync(ids[1])).ShouldBe("completed");
    }

    [Fact]
    public async Task A_full_disk_holds_new_runs_says_why_and_lets_them_go_when_there_is_room()
    {
        // More than a disk can have: it is full.
        var full = new Dictionary<string, string?> { ["Store:MinFree"] = "1.1", ["Runs:ReconcileEvery"] = "00:00:01" };
        await using var runs = await StartAsync(settings: full);
        runs.Publish(Plan("one", Step("a")));
        runs.Publish(Plan("limited", Step("a")) with { Limits = new PlanLimits(1, WhenBusy.Reject, null) });
        var one = await runs.StartRunAsync("one");
        var limited = await runs.StartRunAsync("limited");
        foreach (var run in new[] { one, limited })
        {
            var held = (await runs.GetAsync(run)).GetProperty("run");
            held.GetProperty("state").GetString().ShouldBe("queued");
            held.GetProperty("waitsFor").GetString()!.ShouldContain("new runs wait until there is 110 %");
        }
        // It can be cancelled while it waits.
        var third = await runs.StartRunAsync("one");
        (await runs.PostAsync(third, "cancel")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await runs.UntilAsync(third, "cancelled");

        await runs.RestartAsync(new Dictionary<string, string?>(full) { ["Store:MinFree"] = "0" });
        await runs.WorkAsync();
        await runs.WorkAsync();
        await runs.UntilAsync(one, "completed");
        await runs.UntilAsync(limited, "completed");
        (await runs.GetAsync(one)).GetProperty("run").TryGetProperty("waitsFor", out var still).ShouldBe(still.ValueKind != System.Text.Json.JsonValueKind.Undefined);
        (await ScalarAsync<long>(runs, "select count(*) from runs.run where held is not null and state <> 'Cancelled'")).ShouldBe(0);
    }

    [Fact]
    public async Task A_pin_needs_a_run_and_twice_is_once()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        var address = $"/api/v1/projects/{Project}/runs/{run}/pin";
        (await runs.Http.PutAsync($"/api/v1/projects/{Project}/runs/{Guid.NewGuid()}/pin", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await runs.Http.PutAsync($"/api/v1/projects/other/runs/{run}/pin", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await runs.Http.PutAsync($"/api/v1/projects/{Project}/runs/nonsense/pin", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        foreach (var _ in new[] { 1, 2 })
            (await runs.Http.PutAsync(address, null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        foreach (var _ in new[] { 1, 2 })
            (await runs.Http.DeleteAsync(address)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await TestHost.UntilAsync(() => runs.Events.Count(happened => happened.RunId == run) is var count && count >= 4 ? null : $"four events, there are {count}");
    }

    private static async Task<IReadOnlyList<ReviewedRun>> ReviewAsync(
        RunsFixture runs, Guid[] ids, bool release, int keepRuns = 3, Guid[]? deleted = null, string project = Project) => (await runs.Requests.AskAsync<RunsReviewed>(
        Queues.RunReviews,
        new ReviewRuns { Project = project, RunIds = ids, KeepRuns = keepRuns, KeepFor = TimeSpan.FromDays(7), DeletedPipelines = deleted ?? [], Release = release },
        new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token)).Runs;

    private static async Task SqlAsync(RunsFixture runs, string sql)
    {
        await using var database = NpgsqlDataSource.Create(runs.Host.Surroundings.Database);
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<T> ScalarAsync<T>(RunsFixture runs, string sql)
    {
        await using var database = NpgsqlDataSource.Create(runs.Host.Surroundings.Database);
        await using var command = database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
