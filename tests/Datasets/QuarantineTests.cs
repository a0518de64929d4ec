using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using MiniExcelLibs;
using MiniExcelLibs.Csv;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Datasets.V1;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Engine.Datasets;
using Qualiz.Engine.Recipes;
using Qualiz.TestKit;
using Xunit.Abstractions;

namespace Qualiz.Datasets.Tests;

public sealed class QuarantineTests(DatasetsHost host, ITestOutputHelper output) : IClassFixture<DatasetsHost>
{
    private readonly Guid _pipeline = Guid.NewGuid();

    [Fact]
    public async Task Rejected_rows_come_into_the_queue_once_however_often_the_end_is_told()
    {
        var project = host.NewProject();
        var run = await RejectAsync(project, [Row("k1", 1, "a"), Row("k2", 2, null), Row("k2", 3, null)]);
        await TellAsync(project, run);
        var items = await ItemsAsync(project);
        items.Count.ShouldBe(3);
        items.ShouldAllBe(item => item.GetProperty("times").GetInt32() == 1 && item.GetProperty("state").GetString() == "open");
        items[0].GetProperty("values").GetProperty("email").GetString().ShouldBe("a");
        items[0].GetProperty("reasons")[0].GetProperty("rule").GetString().ShouldBe("notNull");
        items[0].GetProperty("firstRun").GetGuid().ShouldBe(run);
        (await AccountAsync(project, run)).ShouldBe("3 rejected = 3 open");

        // Rejected again is the same item.
        var second = await RejectAsync(project, [Row("k1", 1, "a"), Row("k2", 2, null), Row("k4", 9, "new")]);
        var again = await ItemsAsync(project);
        again.Select(item => (item.GetProperty("key").GetString(), item.GetProperty("times").GetInt32())).ShouldBe([("k1", 2), ("k2", 2), ("k2", 1), ("k4", 1)]);
        again[0].GetProperty("lastRun").GetGuid().ShouldBe(second);
        (await AccountAsync(project, second)).ShouldBe("3 rejected = 3 open");
        var told = host.Fakes.Events.OfType<RowsQuarantined>().Single(happened => happened.SourceRunId == second);
        (told.Rejected, told.New, told.Open, told.RunId).ShouldBe((3, 1, 4, null));
    }

    [Fact]
    public async Task Rows_that_nobody_is_to_settle_do_not_come_into_the_queue()
    {
        var project = host.NewProject();
        var waited = await RejectAsync(project, [Row("k1", 1, "a")]);
        var unwanted = Guid.CreateVersion7();
        host.Fakes.Runs[unwanted] = host.Fakes.Runs[waited] with { Quarantine = false };
        await host.Sender.PublishAsync(host.Completed(project, unwanted) with { Id = Guid.NewGuid() }, default);
        await TestHost.UntilAsync(() => host.Fakes.Asked.Contains(unwanted) ? null : "a question for what the run wrote");
        await RejectAsync(project, [Row("k2", 2, "b")]);
        (await ItemsAsync(project)).Select(item => item.GetProperty("key").GetString()).ShouldBe(["k1", "k2"]);
        host.Fakes.Events.OfType<RowsQuarantined>().ShouldNotContain(happened => happened.SourceRunId == unwanted);
        (await ItemsAsync(project))[0].GetProperty("times").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task The_account_of_a_run_adds_up_through_repairs_dismissals_and_reinjection()
    {
        var project = host.NewProject();
        var rows = Enumerable.Range(1, 412).Select(i => Row($"key{i}", i, i <= 371 ? "bad" : i <= 401 ? "test" : "odd")).ToArray();
        await AsksForPatchesAsync(project);
        var a = await RejectAsync(project, rows);
        (await AccountAsync(project, a)).ShouldBe("412 rejected = 412 open");
        var items = await ItemsAsync(project);
        foreach (var chunk in new[] { (Action: "repair", From: 0, To: 371), (Action: "dismiss", From: 371, To: 401) })
        {
            foreach (var item in items[chunk.From..chunk.To])
            {
                using var response = await ActAsync(project, item, chunk.Action, chunk.Action == "repair" ? new { changes = new { email = "good" } } : new { note = "a test record" });
                ((int)response.StatusCode).ShouldBe(200, await response.Content.ReadAsStringAsync());
            }
        }
        (await AccountAsync(project, a)).ShouldBe("412 rejected = 371 repaired, waiting for the next run + 30 dismissed + 11 open");

        var patches = await PatchesAsync(project);
        patches.Count.ShouldBe(371);
        var b = await RejectAsync(project, rows[371..], applied: [.. patches.Select((patch, i) => (patch.Patch, true, rows[i].Row, rows[i].Key))]);
        (await AccountAsync(project, a)).ShouldBe($"412 rejected = 371 repaired (run {b}) + 30 dismissed + 11 open");
        (await AccountAsync(project, b)).ShouldBe("41 rejected = 30 dismissed + 11 open");
        var account = await host.GetAsync(project, $"runs/{a}/quarantine");
        account.GetProperty("steps")[0].GetProperty("balances").GetBoolean().ShouldBeTrue();
        account.GetProperty("steps")[0].GetProperty("repaired")[0].GetProperty("runId").GetGuid().ShouldBe(b);

        // The source still sends the bad rows: the repair sticks, in this run and the next.
        (await PatchesAsync(project)).Count.ShouldBe(371);
        host.Fakes.Events.OfType<RowsQuarantined>().Single(happened => happened.SourceRunId == b).Reinjected.ShouldBe(371);
    }

    [Theory]
    [InlineData("out")]
    [InlineData("patched")]
    public async Task Rejected_rows_come_in_whole_though_what_tells_of_earlier_ones_is_gone(string port)
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        await RejectAsync(project, [Row("k1", 1, "bad"), Row("k2", 2, "odd")]);
        using (var repaired = await ActAsync(project, (await ItemsAsync(project))[0], "repair", new { changes = new { email = "good" } }))
            repaired.EnsureSuccessStatusCode();
        var patch = (await PatchesAsync(project)).ShouldHaveSingleItem().Patch;
        var run = await RejectAsync(project, [Row("k3", 3, "new")], applied: [(patch, true, 1, "k1")], clean: [("k2", "s@2")], gone: port);
        var told = host.Fakes.Events.OfType<RowsQuarantined>().Single(happened => happened.SourceRunId == run);
        (told.Rejected, told.New, told.Reinjected, told.Settled).ShouldBe((1, 1, port == "out" ? 1 : 0, port == "out" ? 0 : 1));
        (await ItemsAsync(project)).Count.ShouldBe(3);
        (await AccountAsync(project, run)).ShouldBe("1 rejected = 1 open");
    }

    /// <summary>The collector waits for it before it lets go of what else the run left.</summary>
    [Fact]
    public async Task The_end_of_a_run_whose_rejected_rows_are_gone_has_arrived_all_the_same()
    {
        var project = host.NewProject();
        var run = await RejectAsync(project, [Row("k1", 1, "bad")], gone: RejectedRows.Port);
        (await ItemsAsync(project)).ShouldBeEmpty();
        await using var database = NpgsqlDataSource.Create(host.Database);
        await using var connection = await database.OpenConnectionAsync();
        (await connection.QuerySingleAsync<(long, int)>("select rejected, cardinality(files) from datasets.quarantine_batch where run_id = @run", new { run })).ShouldBe((0L, 0));
    }

    [Fact]
    public async Task A_repair_lapses_when_the_source_sends_something_else()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        await RejectAsync(project, [Row("k1", 1, "bad"), Row("k2", 2, "bad")]);
        await RepairAllAsync(project, "good");
        var patch = (await PatchesAsync(project)).Select(found => found.Patch).ToList();
        // k1 comes with other values and passes; k2 comes with others and is rejected again.
        var next = await RejectAsync(project, [Row("k2", 2, "worse")], applied: [(0, false, 1, "k1"), (0, false, 2, "k2")]);
        var items = await ItemsAsync(project);
        items.Select(item => (item.GetProperty("key").GetString(), item.GetProperty("state").GetString())).ShouldBe([("k1", "superseded"), ("k2", "superseded"), ("k2", "open")]);
        (await PatchesAsync(project)).ShouldBeEmpty();
        host.Fakes.Events.OfType<RowsQuarantined>().Single(happened => happened.SourceRunId == next).Superseded.ShouldBe(2);
        patch.Count.ShouldBe(2);
    }

    /// <summary>Each reads two datasets, and only so many may be read at once.</summary>
    [Fact]
    public async Task Steps_of_many_runs_that_end_at_once_do_not_wait_for_each_other()
    {
        // Each instance of these tests has a pipeline of its own.
        var runs = Enumerable.Range(0, 16).Select(_ => (Tests: new QuarantineTests(host, output), Project: host.NewProject())).ToArray();
        var patches = new Dictionary<string, long>();
        foreach (var (tests, project) in runs)
        {
            await tests.AsksForPatchesAsync(project);
            await tests.RejectAsync(project, [Row("k1", 1, "bad"), Row("k2", 2, "bad")]);
            await tests.RepairAllAsync(project, "good");
            patches[project] = (await tests.PatchesAsync(project)).Single(patch => patch.Key == "k1").Patch;
        }
        await Task.WhenAll(runs.Select(run => run.Tests.RejectAsync(run.Project, [Row("k2", 2, "bad")], applied: [(patches[run.Project], true, 1, "k1")])));
        foreach (var (tests, project) in runs)
            (await tests.ItemsAsync(project)).Count(item => item.GetProperty("state").GetString() == "reinjected").ShouldBe(1);
    }

    /// <summary>A connection goes back to its pool as it is: what it held then would be held for as long as the process lives.</summary>
    [Fact]
    public async Task Rows_that_are_broken_off_while_they_get_their_numbers_keep_nobody_waiting()
    {
        await using var source = NpgsqlDataSource.Create(host.Database);
        await using var connection = await source.OpenConnectionAsync();
        await using var other = await source.OpenConnectionAsync();
        var holding = await other.BeginTransactionAsync();
        await other.ExecuteAsync("alter sequence datasets.quarantine_item_id cache 1", transaction: holding);
        var rejecting = RejectAsync(host.NewProject(), [Row("k1", 1, "a")]);
        await TestHost.UntilAsync(async () =>
            await connection.ExecuteScalarAsync<long>("select count(pg_cancel_backend(pid)) from pg_stat_activity where query like '%nextval(%' and wait_event_type = 'Lock'") > 0
                ? null : "rows that wait for their numbers");
        await holding.RollbackAsync();
        await rejecting;
        // All work is over: a lock that is left belongs to a connection in the pool.
        await TestHost.UntilAsync(async () =>
            await connection.ExecuteScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and state like '%in transaction%'") == 0 ? null : "the end of all transactions");
        (await connection.ExecuteScalarAsync<long>("select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())")).ShouldBe(0);
    }

    [Fact]
    public async Task A_repair_that_does_not_help_or_does_not_fit_gives_the_row_back()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        await RejectAsync(project, [Row("k1", 1, "bad"), Row("k2", 2, "bad"), Row("k3", 3, "bad")]);
        await RepairAllAsync(project, "good");
        var patches = (await PatchesAsync(project)).ToDictionary(patch => patch.Key, patch => patch.Patch);
        // k3 was not sent this time: it goes on waiting.
        await RejectAsync(project, [Row("k1", 1, "bad"), Row("k2", 2, "bad")], applied: [(patches["k1"], true, 1, "k1"), (patches["k2"], false, 2, "k2")]);
        var items = await ItemsAsync(project);
        items.Select(item => item.GetProperty("state").GetString()).ShouldBe(["open", "open", "repaired"]);
        items[0].GetProperty("note").GetString()!.ShouldContain("in spite of its repair");
        items[1].GetProperty("note").GetString()!.ShouldContain("does not fit");
        items[0].GetProperty("times").GetInt32().ShouldBe(2);
        (await PatchesAsync(project)).Single().Key.ShouldBe("k3");
    }

    [Fact]
    public async Task A_run_that_fails_rejects_rows_and_reinjects_none_until_its_retry_completes()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        var first = await RejectAsync(project, [Row("k1", 1, "bad")]);
        await RepairAllAsync(project, "good");
        var patch = (await PatchesAsync(project)).Single().Patch;
        var second = await RejectAsync(project, [Row("k2", 2, "bad")], applied: [(patch, true, 1, "k1")], completed: false);
        (await ItemsAsync(project)).Select(item => item.GetProperty("state").GetString()).ShouldBe(["repaired", "open"]);
        await TellAsync(project, second, completed: true);
        await TestHost.UntilAsync(async () => (await AccountAsync(project, first)).Contains("repaired (run", StringComparison.Ordinal) ? null : "the reinjection");
        var items = await ItemsAsync(project);
        items.Select(item => (item.GetProperty("state").GetString(), item.GetProperty("times").GetInt32())).ShouldBe([("reinjected", 1), ("open", 1)]);
        (await AccountAsync(project, second)).ShouldBe("1 rejected = 1 open");
    }

    [Fact]
    public async Task What_an_element_that_failed_let_through_is_in_no_result_and_brings_nothing_back()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        const string old = "shop/no.csv@0123456789abcdef", today = "shop/no.csv@fedcba9876543210";
        var first = await RejectAsync(project, [Row("k1", 1, "bad"), Row("k2", 2, "bad"), Row("k3", 3, "bad") with { Source = old }]);
        foreach (var item in (await ItemsAsync(project))[..2])
            (await ActAsync(project, item, "repair", new { changes = new { email = "good" } })).IsSuccessStatusCode.ShouldBeTrue();
        var patches = (await PatchesAsync(project)).ToDictionary(patch => patch.Key, patch => patch.Patch);

        // The run completed; the element with k1 and the new file failed after it had rejected k4 and, in spite of its repair, k2.
        var second = await RejectAsync(
            project, [Row("k2", 2, "good"), Row("k4", 4, "bad") with { Source = today }], clean: [("k9", "s@1")],
            failed: [(patches["k1"], true, 1, "k1"), (patches["k2"], true, 2, "k2")]);
        (await ItemsAsync(project)).Select(item => (item.GetProperty("key").GetString(), item.GetProperty("state").GetString()))
            .ShouldBe([("k1", "repaired"), ("k2", "open"), ("k3", "open"), ("k4", "open")]);
        (await AccountAsync(project, first)).ShouldBe("3 rejected = 1 repaired, waiting for the next run + 2 open");
        (await AccountAsync(project, second)).ShouldBe("2 rejected = 2 open");
        (await PatchesAsync(project)).Single().Key.ShouldBe("k1");
    }

    [Fact]
    public async Task Rows_that_were_exploded_from_one_are_told_apart_by_their_values()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        // Three elements of one row: the same key, the same place.
        var first = await RejectAsync(project, [Row("k1", 1, "a"), Row("k1", 1, "b"), Row("k1", 1, "c")]);
        foreach (var item in (await ItemsAsync(project))[..2])
            (await ActAsync(project, item, "repair", new { changes = new { email = "good" } })).IsSuccessStatusCode.ShouldBeTrue();
        var patches = await PatchesAsync(project);

        // The first passes with its repair, the second does not in spite of it, and nobody has repaired the third.
        var second = await RejectAsync(
            project, [Row("k1", 1, "still bad"), Row("k1", 1, "c")], applied: [(patches[0].Patch, true, 1, "k1"), (patches[1].Patch, true, 1, "k1"), (0, false, 1, "k1")],
            clean: [("k1", "s@1")], values: new Dictionary<long, string> { [patches[0].Patch] = "good", [patches[1].Patch] = "still bad", [0] = "c" });
        (await ItemsAsync(project)).Select(item => (item.GetProperty("values").GetProperty("email").GetString(), item.GetProperty("state").GetString(), item.GetProperty("times").GetInt32()))
            .ShouldBe([("a", "reinjected", 1), ("b", "open", 2), ("c", "open", 2)]);
        (await AccountAsync(project, first)).ShouldBe($"3 rejected = 1 repaired (run {second}) + 2 open");
        (await PatchesAsync(project)).Single().Patch.ShouldBe(patches[0].Patch);
    }

    [Fact]
    public async Task Another_row_without_a_key_that_passes_settles_nothing()
    {
        var project = host.NewProject();
        await RejectAsync(project, [Row(HiddenColumns.EmptyKey, 1, "bad"), Row("k2", 2, "bad")]);
        await RejectAsync(project, [], clean: [(HiddenColumns.EmptyKey, "s@2"), ("k2", "s@2")]);
        (await ItemsAsync(project)).Select(item => item.GetProperty("state").GetString()).ShouldBe(["open", "settled"]);
        using var session = Engine.Sessions.EngineSession.Open(new Engine.Sessions.EngineOptions { MemoryBytes = 64 << 20, Threads = 1, Scratch = Path.GetTempPath() });
        session.Scalar<string>($"SELECT {HiddenColumns.KeyExpression([("id", Engine.Types.ColumnType.Int64)])} FROM (SELECT NULL::BIGINT AS id)").ShouldBe(HiddenColumns.EmptyKey);
    }

    [Fact]
    public async Task A_retry_counts_its_last_attempt_alone()
    {
        var project = host.NewProject();
        var run = await RejectAsync(project, [Row("k1", 1, "bad"), Row("k2", 2, "bad")], completed: false);
        await RejectAsync(project, [Row("k2", 2, "bad"), Row("k3", 3, "bad")], run: run);
        await TestHost.UntilAsync(async () => (await ItemsAsync(project)).Any(item => item.GetProperty("key").GetString() == "k3") ? null : "a row of the second attempt");
        (await AccountAsync(project, run)).ShouldBe("2 rejected = 2 open");
        (await ItemsAsync(project)).Select(item => (item.GetProperty("key").GetString(), item.GetProperty("times").GetInt32())).ShouldBe([("k2", 1), ("k3", 1)]);
    }

    [Fact]
    public async Task What_the_source_puts_right_settles_and_opens_again_when_it_is_rejected_again()
    {
        var project = host.NewProject();
        var file = "/in/customers.csv@0123456789abcdef";
        var first = await RejectAsync(project, [Row("k1", 1, "bad"), Row("k2", 2, "bad"), Row("k3", 3, "bad") with { Source = file }, Row("k4", 4, "bad") with { Source = "crm:sales.customers@0123456789abcdef" }]);
        // k1 passes now; the file came again in another version without k3; of the table other rows came; k2 was not sent.
        await RejectAsync(project, [], clean: [("k1", "s@1"), ("k9", "/in/customers.csv@ffffffffffffffff"), ("k8", "crm:sales.customers@ffffffffffffffff")]);
        await TestHost.UntilAsync(async () => await AccountAsync(project, first) is "4 rejected = 2 settled by the source + 2 open" ? null : await AccountAsync(project, first));
        (await ItemsAsync(project)).Select(item => item.GetProperty("state").GetString()).ShouldBe(["settled", "open", "settled", "open"]);
        await RejectAsync(project, [Row("k1", 1, "bad")]);
        (await ItemsAsync(project)).Single(item => item.GetProperty("key").GetString() == "k1").GetProperty("state").GetString().ShouldBe("open");
    }

    [Fact]
    public async Task A_run_that_ends_after_a_later_one_settles_and_lapses_nothing_that_the_later_one_rejected()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        var earlier = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddMinutes(-1));
        await RejectAsync(project, [Row("k1", 1, "bad"), Row("k2", 2, "bad")]);
        (await ActAsync(project, (await ItemsAsync(project))[1], "repair", new { changes = new { email = "good" } })).EnsureSuccessStatusCode();
        // It read what the source had before: k1 was good then, and k2 had other values.
        await RejectAsync(project, [], clean: [("k1", "s@1"), ("k2", "s@1")], applied: [(0, false, 2, "k2")], run: earlier);
        (await ItemsAsync(project)).Select(item => item.GetProperty("state").GetString()).ShouldBe(["open", "repaired"]);
        (await PatchesAsync(project)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Other_values_under_a_declared_key_are_the_same_item_unless_it_was_dismissed_for_the_old_ones()
    {
        var project = host.NewProject();
        await RejectAsync(project, [Row("k1", 1, "bad"), Row("k2", 2, "bad")]);
        (await ActAsync(project, (await ItemsAsync(project))[1], "dismiss", new { })).EnsureSuccessStatusCode();
        await RejectAsync(project, [Row("k1", 1, "worse"), Row("k2", 2, "bad")]);
        var items = await ItemsAsync(project);
        items.Select(item => (item.GetProperty("values").GetProperty("email").GetString(), item.GetProperty("state").GetString(), item.GetProperty("times").GetInt32()))
            .ShouldBe([("worse", "open", 2), ("bad", "dismissed", 2)]);
        await RejectAsync(project, [Row("k2", 2, "worse")]);
        (await ItemsAsync(project))[1].GetProperty("state").GetString().ShouldBe("open");
    }

    [Fact]
    public async Task A_change_names_the_revision_it_was_made_on_and_fits_the_state()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        await RejectAsync(project, [Row("k1", 1, "bad")]);
        var item = (await ItemsAsync(project))[0];
        var id = item.GetProperty("id").GetInt64();
        ((int)(await PostAsync(project, $"quarantine/{id}/dismiss", new { }, null)).StatusCode).ShouldBe(428);
        ((int)(await PostAsync(project, $"quarantine/{id}/dismiss", new { }, "\"99\"")).StatusCode).ShouldBe(412);
        ((int)(await PostAsync(project, "quarantine/999999/dismiss", new { }, "\"1\"")).StatusCode).ShouldBe(404);
        ((int)(await PostAsync(project, "quarantine/nonsense/dismiss", new { }, "\"1\"")).StatusCode).ShouldBe(404);
        var other = host.NewProject();
        ((int)(await PostAsync(other, $"quarantine/{id}/dismiss", new { }, "\"1\"")).StatusCode).ShouldBe(404);
        ((int)(await PostAsync(project, $"quarantine/{id}/undo", new { }, "\"1\"")).StatusCode).ShouldBe(409);
        foreach (var (body, status) in new (object, int)[]
        {
            (new { changes = new { } }, 422),
            (new { }, 400),
            (new { changes = new { emial = "x" } }, 422),
            (new { changes = new { email = "bad" } }, 422),
            (new { changes = new { email = "•••" } }, 422),
            (new { changes = new { email = "a\0b" } }, 422),
            (new { changes = "email=x" }, 400),
            (new { changes = new { email = "x" }, note = new string('n', 3000) }, 422),
        })
        {
            using var refused = await PostAsync(project, $"quarantine/{id}/repair", body, "\"1\"");
            ((int)refused.StatusCode).ShouldBe(status, JsonSerializer.Serialize(body));
        }
        using (var misspelt = await PostAsync(project, $"quarantine/{id}/repair", new { changes = new { emial = "x" } }, "\"1\""))
            (await misspelt.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!.ShouldContain("did you mean \"email\"");

        using var repaired = await ActAsync(project, item, "repair", new { changes = new { email = "good" }, note = "asked them" });
        repaired.Headers.ETag!.Tag.ShouldBe("\"2\"");
        var view = await repaired.Content.ReadFromJsonAsync<JsonElement>();
        view.GetProperty("state").GetString().ShouldBe("repaired");
        view.GetProperty("patch").GetProperty("changes").GetProperty("email").GetString().ShouldBe("good");
        var first = view.GetProperty("patch").GetProperty("number").GetInt64();
        // Repaired again, another way: one patch counts.
        view = await (await ActAsync(project, view, "repair", new { changes = new { email = "better" } })).Content.ReadFromJsonAsync<JsonElement>();
        (await PatchesAsync(project)).Single().Patch.ShouldBeGreaterThan(first);
        view = await (await ActAsync(project, view, "undo", new { })).Content.ReadFromJsonAsync<JsonElement>();
        view.GetProperty("state").GetString().ShouldBe("open");
        (await PatchesAsync(project)).ShouldBeEmpty();
        view = await (await ActAsync(project, view, "assign", new { assignee = "kim" })).Content.ReadFromJsonAsync<JsonElement>();
        (await ItemsAsync(project, "?assignee=kim")).Count.ShouldBe(1);
        view = await (await ActAsync(project, view, "due", new { due = "2020-01-02" })).Content.ReadFromJsonAsync<JsonElement>();
        view.GetProperty("due").GetString().ShouldBe("2020-01-02");
        (await ItemsAsync(project, "?due=overdue")).Count.ShouldBe(1);
        (await ItemsAsync(project, "?due=2020-01-02")).Count.ShouldBe(1);
        (await ItemsAsync(project, "?due=2020-01-01")).ShouldBeEmpty();
        using (var wrong = await host.Client.GetAsync(new Uri(DatasetsHost.Url(project, "quarantine?due=soon"), UriKind.Relative)))
            ((int)wrong.StatusCode).ShouldBe(400);
        view = await (await ActAsync(project, view, "due", new { due = (string?)null })).Content.ReadFromJsonAsync<JsonElement>();
        (await ItemsAsync(project, "?due=overdue")).ShouldBeEmpty();
        view = await (await ActAsync(project, view, "dismiss", new { note = "spam" })).Content.ReadFromJsonAsync<JsonElement>();
        view = await (await ActAsync(project, view, "reopen", new { })).Content.ReadFromJsonAsync<JsonElement>();
        view.GetProperty("state").GetString().ShouldBe("open");
        host.Fakes.Events.OfType<QuarantineChanged>().Where(happened => happened.Project == project).Select(happened => happened.Change)
            .ShouldBe(["repaired", "repaired", "undone", "assigned", "due", "due", "dismissed", "reopened"], ignoreOrder: true);
        JsonSerializer.Serialize(host.Fakes.Events.OfType<QuarantineChanged>().Where(happened => happened.Project == project)).ShouldNotContain("better");
    }

    [Fact]
    public async Task A_step_that_applies_no_repairs_takes_none()
    {
        var project = host.NewProject();
        await RejectAsync(project, [Row("k1", 1, "bad")]);
        var item = (await ItemsAsync(project))[0];
        item.GetProperty("repairable").GetBoolean().ShouldBeFalse();
        using var refused = await ActAsync(project, item, "repair", new { changes = new { email = "good" } });
        ((int)refused.StatusCode).ShouldBe(409);
        using var all = await PostAsync(project, "quarantine/bulk?rule=notNull", new { action = "repair", changes = new { email = "good" } }, null);
        ((int)all.StatusCode).ShouldBe(409);
    }

    [Fact]
    public async Task All_rows_with_a_reason_are_changed_together_and_counted_first()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        var run = await RejectAsync(project, [.. Enumerable.Range(0, 30).Select(i => Row($"k{i}", i, i % 3 == 0 ? "x" : null) with { Rule = i % 3 == 0 ? "range" : "notNull", Column = i % 3 == 0 ? "n" : "email" })]);
        async Task<(int, JsonElement)> BulkAsync(string query, object body)
        {
            using var response = await PostAsync(project, $"quarantine/bulk{query}", body, null);
            return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
        }
        (await BulkAsync("", new { action = "dismiss" })).Item1.ShouldBe(400);
        (await BulkAsync("?state=broken", new { action = "dismiss" })).Item1.ShouldBe(400);
        (await BulkAsync("?state=", new { action = "dismiss" })).Item1.ShouldBe(400);
        (await BulkAsync("?run=nonsense", new { action = "dismiss" })).Item1.ShouldBe(400);
        (await BulkAsync("?rule=range", new { action = "destroy" })).Item1.ShouldBe(422);
        (await BulkAsync("?rule=range", new { })).Item1.ShouldBe(400);
        (await BulkAsync("?rule=range", new { action = "dismiss", changes = new { email = "x" } })).Item1.ShouldBe(422);
        (await BulkAsync("?rule=range", new { action = "assign", assignee = " " })).Item1.ShouldBe(422);
        (await BulkAsync("?rule=range", new { action = "dismiss", expected = 7 })).Item1.ShouldBe(412);
        (await BulkAsync("?rule=range&dryRun=true", new { action = "dismiss" })).Item2.GetProperty("items").GetInt64().ShouldBe(10);
        (await ItemsAsync(project, "?state=dismissed")).ShouldBeEmpty();
        (await BulkAsync("?rule=range", new { action = "dismiss", expected = 10 })).Item2.GetProperty("items").GetInt64().ShouldBe(10);
        (await BulkAsync("?column=email&step=clean", new { action = "repair", changes = new { email = "unknown@example.org" } })).Item2.GetProperty("items").GetInt64().ShouldBe(20);
        (await BulkAsync("?rule=gone", new { action = "dismiss" })).Item2.GetProperty("items").GetInt64().ShouldBe(0);
        (await AccountAsync(project, run)).ShouldBe("30 rejected = 20 repaired, waiting for the next run + 10 dismissed");
        (await PatchesAsync(project)).Count.ShouldBe(20);
        (await BulkAsync("?state=repaired", new { action = "undo" })).Item2.GetProperty("items").GetInt64().ShouldBe(20);
        (await BulkAsync($"?run={run}&state=dismissed", new { action = "reopen" })).Item2.GetProperty("items").GetInt64().ShouldBe(10);
        (await AccountAsync(project, run)).ShouldBe("30 rejected = 30 open");

        var summary = await host.GetAsync(project, "quarantine/summary");
        summary.GetProperty("states").EnumerateArray().Select(line => (line.GetProperty("state").GetString(), line.GetProperty("items").GetInt64())).ShouldBe([("open", 30)]);
        summary.GetProperty("reasons").EnumerateArray().Select(line => (line.GetProperty("rule").GetString(), line.GetProperty("column").GetString(), line.GetProperty("open").GetInt64()))
            .ShouldBe([("notNull", "email", 20), ("range", "n", 10)]);
    }

    [Fact]
    public async Task Equal_rows_are_repaired_together()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        await RejectAsync(project, [Row("k1", 1, "bad"), Row("k1", 2, "bad"), Row("k1", 3, "other")]);
        (await ActAsync(project, (await ItemsAsync(project))[0], "repair", new { changes = new { email = "good" } })).EnsureSuccessStatusCode();
        (await ItemsAsync(project)).Select(item => item.GetProperty("state").GetString()).ShouldBe(["repaired", "repaired", "open"]);
        (await PatchesAsync(project)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_dismissed_row_takes_the_repair_from_its_equals_and_they_are_open_again()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        await RejectAsync(project, [Row("k1", 1, "bad"), Row("k1", 2, "bad")]);
        (await ActAsync(project, (await ItemsAsync(project))[0], "repair", new { changes = new { email = "good" } })).EnsureSuccessStatusCode();
        (await ActAsync(project, (await ItemsAsync(project))[0], "dismiss", new { note = "not ours" })).EnsureSuccessStatusCode();
        (await ItemsAsync(project)).Select(item => item.GetProperty("state").GetString()).ShouldBe(["dismissed", "open"]);
        (await PatchesAsync(project)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_list_pages_and_filters()
    {
        var project = host.NewProject();
        await RejectAsync(project, [.. Enumerable.Range(0, 25).Select(i => Row($"k{i:00}", i, "bad") with { Rule = i < 5 ? "range" : "notNull" })]);
        var keys = new List<string>();
        string? cursor = null;
        do
        {
            var page = await host.GetAsync(project, $"quarantine?limit=7{(cursor is null ? "" : $"&cursor={cursor}")}");
            keys.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("key").GetString()!));
            cursor = page.GetProperty("next").GetString();
        }
        while (cursor is not null);
        keys.ShouldBe(Enumerable.Range(0, 25).Select(i => $"k{i:00}"));
        (await ItemsAsync(project, "?rule=range")).Count.ShouldBe(5);
        (await ItemsAsync(project, "?pipeline=customers&step=clean&state=open,repaired")).Count.ShouldBe(25);
        (await ItemsAsync(project, "?pipeline=other")).ShouldBeEmpty();
        (await ItemsAsync(project, $"?run={Guid.NewGuid()}")).ShouldBeEmpty();
        (await host.RefusalAsync(project, "quarantine?state=broken")).Status.ShouldBe(400);
        (await host.RefusalAsync(project, "quarantine?run=x")).Status.ShouldBe(400);
        (await host.RefusalAsync(project, "quarantine?limit=0")).Status.ShouldBe(400);
        (await host.RefusalAsync(project, "quarantine?cursor=rubbish")).Status.ShouldBe(400);
        (await host.RefusalAsync(project, "quarantine/export?format=ods")).Status.ShouldBe(400);
        (await host.RefusalAsync(project, $"runs/{Guid.NewGuid()}/quarantine")).Status.ShouldBe(404);
        (await host.RefusalAsync("nowhere", "quarantine")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task Sensitive_values_are_masked_and_unmasking_is_on_record()
    {
        var project = host.NewProject();
        var run = await RejectAsync(project, [Row("k1", 1, "secret@example.org")], sensitive: "email");
        var list = await host.Client.GetStringAsync(new Uri(DatasetsHost.Url(project, "quarantine"), UriKind.Relative));
        list.ShouldNotContain("secret@example.org");
        list.ShouldContain("•••");
        var id = (await ItemsAsync(project))[0].GetProperty("id").GetInt64();
        (await host.Client.GetStringAsync(new Uri(DatasetsHost.Url(project, "quarantine/export?format=jsonl"), UriKind.Relative))).ShouldNotContain("secret@example.org");
        host.Fakes.Events.OfType<RowsUnmasked>().Where(happened => happened.ProjectId == host.Fakes.Projects[project]).ShouldBeEmpty();
        (await host.GetAsync(project, $"quarantine/{id}?unmask=true")).GetProperty("values").GetProperty("email").GetString().ShouldBe("secret@example.org");
        await TestHost.UntilAsync(() => host.Fakes.Events.OfType<RowsUnmasked>().Any(happened => happened.Subject == $"quarantine:{id}") ? null : "the event");
        (await host.Client.GetStringAsync(new Uri(DatasetsHost.Url(project, "quarantine/export?format=csv&unmask=true"), UriKind.Relative))).ShouldContain("secret@example.org");
        run.ShouldNotBe(Guid.Empty);
    }

    [Fact]
    public async Task An_export_is_on_record_whichever_of_its_rows_is_sensitive()
    {
        var project = host.NewProject();
        await RejectAsync(project, [Row("k1", 1, "plain")]);
        await RejectAsync(project, [Row("k2", 2, "secret@example.org")], sensitive: "email", step: "people");
        Task<string> ExportAsync(string filter) => host.Client.GetStringAsync(new Uri(DatasetsHost.Url(project, $"quarantine/export?format=jsonl{filter}"), UriKind.Relative));

        (await ExportAsync("")).ShouldNotContain("secret@example.org");
        (await ExportAsync("&unmask=true&step=clean")).ShouldContain("plain");
        (await ExportAsync("&unmask=true&state=dismissed")).ShouldBeEmpty();
        (await ExportAsync("&unmask=true")).ShouldContain("secret@example.org");
        var recorded = await UnmaskedAsync(project, 1);
        recorded.Select(happened => (happened.Subject, string.Join(',', happened.Columns))).ShouldBe([("quarantine", "email")]);
    }

    [Fact]
    public async Task Unmasking_rows_whose_sensitive_columns_are_not_known_is_on_record()
    {
        var project = host.NewProject();
        await RejectAsync(project, [Row("k1", 1, "plain")]);
        // The rejected values are sensitive, and nothing says which columns are.
        await RejectAsync(project, [Row("k2", 2, "secret@example.org")], sensitive: "", step: "people");
        var (all, one) = ("quarantine/export?format=csv", $"quarantine/{(await ItemsAsync(project, "?step=people"))[0].GetProperty("id").GetInt64()}");
        foreach (var rest in new[] { all, "quarantine?limit=10", $"{one}?" })
        {
            (await host.Client.GetStringAsync(new Uri(DatasetsHost.Url(project, rest), UriKind.Relative))).ShouldNotContain("secret@example.org");
            (await host.Client.GetStringAsync(new Uri(DatasetsHost.Url(project, $"{rest}&unmask=true"), UriKind.Relative))).ShouldContain("secret@example.org");
        }
        (await UnmaskedAsync(project, 3)).Select(happened => (happened.Subject, happened.Columns.Count)).ShouldBe([("quarantine", 0), ("quarantine", 0), (one.Replace('/', ':'), 0)], ignoreOrder: true);
    }

    [Fact]
    public async Task A_sheet_that_comes_back_as_it_was_changes_nothing_whatever_it_holds()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        string?[] values = ["007", "=1+1", "  lead\ttab\r\nline ", "Åse 😀 <&>", "_x0041_", "#N/A", "2024-01-02", "1.50", "true", "", null, "a,b;c\"d", new string('x', 40_000)];
        await RejectAsync(project, [.. values.Select((value, i) => Row($"k{i}", i + 1, value))]);
        var sheet = await SheetAsync(project);
        sheet[0].Values.ShouldBe(["#item", "#revision", "#state", "#why", "email", "n"]);
        sheet.Count.ShouldBe(values.Length + 1);
        (sheet[1]["D"], sheet[1]["E"], sheet[1]["F"]).ShouldBe(("email: is wrong", "007", "1"));
        foreach (var csv in new[] { false, true })
        {
            var applied = await ImportAsync(project, sheet, csv ? ';' : null);
            applied.GetProperty("problems").GetRawText().ShouldBe("[]");
            (applied.GetProperty("repaired").GetInt64(), applied.GetProperty("unchanged").GetInt64()).ShouldBe((0, values.Length));
        }
        (await ItemsAsync(project)).ShouldAllBe(item => item.GetProperty("state").GetString() == "open");
    }

    [Fact]
    public async Task A_mended_sheet_repairs_what_was_changed_and_lists_what_it_cannot()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        await RejectAsync(project, [.. Enumerable.Range(0, 9).Select(i => Row($"k{i}", i + 1, "bad"))]);
        var sheet = await SheetAsync(project);
        for (var i = 1; i <= 8; i++)
            sheet[i]["E"] = $"good{i}";
        // Somebody was faster.
        using (var faster = await ActAsync(project, (await ItemsAsync(project))[1], "repair", new { changes = new { email = "theirs" } }))
            faster.EnsureSuccessStatusCode();
        using (var dismissed = await ActAsync(project, (await ItemsAsync(project))[2], "dismiss", new { }))
            dismissed.EnsureSuccessStatusCode();
        sheet[3]["B"] = (await ItemsAsync(project))[2].GetProperty("revision").GetInt32();
        sheet[4]["E"] = "#VALUE!";
        sheet[5]["A"] = 999_999_999;
        sheet[6]["B"] = "";
        sheet.Add(new Dictionary<string, object?>(sheet[7]) { ["E"] = "again" });
        sheet.Add(sheet[1].ToDictionary(cell => cell.Key, _ => (object?)""));
        var first = (await ItemsAsync(project))[0].GetProperty("id").GetInt64();

        var planned = await ImportAsync(project, sheet, dryRun: true);
        (planned.GetProperty("repaired").GetInt64(), planned.GetProperty("dryRun").GetBoolean()).ShouldBe((3, true));
        (await ItemsAsync(project))[0].GetProperty("state").GetString().ShouldBe("open");
        var applied = await ImportAsync(project, sheet);
        (applied.GetProperty("repaired").GetInt64(), applied.GetProperty("unchanged").GetInt64(), applied.GetProperty("refused").GetInt64()).ShouldBe((3, 1, 6));
        applied.GetProperty("problems").EnumerateArray().Select(problem => $"{problem.GetProperty("line").GetInt32()} {problem.GetProperty("message").GetString()}").ShouldBe(
        [
            "3 local has changed the item since the sheet was made; it is repaired now. Get a new sheet for it.",
            "4 The item is dismissed; to be repaired it must be open or repaired or reinjected.",
            "5 The cell holds an error of the spreadsheet, #VALUE!.",
            "6 There is no such item in this project.",
            "7 The cells #item and #revision say which row this is; they were changed or emptied.",
            "11 The item is in the sheet twice; this line was left out.",
        ]);
        applied.GetProperty("problems")[2].GetProperty("column").GetString().ShouldBe("email");
        var items = await ItemsAsync(project);
        items.Where(item => item.GetProperty("state").GetString() == "repaired").Select(item => item.GetProperty("patch").GetProperty("changes").GetProperty("email").GetString())
            .ShouldBe(["good1", "theirs", "good7", "good8"]);
        host.Fakes.Events.OfType<QuarantineChanged>().Last(happened => happened.Project == project).ShouldSatisfyAllConditions(
            happened => happened.Items.ShouldBe(3), happened => happened.Columns.ShouldBe(["email"]));

        // A new sheet shows the repair, and takes another one in its place.
        var next = await SheetAsync(project);
        next[1]["E"].ShouldBe("good1");
        next[1]["E"] = "better";
        (await ImportAsync(project, [next[0], next[1]])).GetProperty("repaired").GetInt64().ShouldBe(1);
        (await host.GetAsync(project, $"quarantine/{first}")).GetProperty("patch").GetProperty("changes").GetProperty("email").GetString().ShouldBe("better");
        (await ImportAsync(host.NewProject(), [next[0], next[2]])).GetProperty("problems")[0].GetProperty("message").GetString().ShouldBe("There is no such item in this project.");
    }

    [Fact]
    public async Task Equal_rows_of_a_sheet_are_repaired_together_or_not_at_all()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        await RejectAsync(project, [Row("k1", 1, "bad"), Row("k1", 2, "bad"), Row("k1", 3, "bad")]);
        var sheet = await SheetAsync(project);
        sheet[1]["E"] = "one";
        sheet[2]["E"] = "two";
        var applied = await ImportAsync(project, sheet);
        applied.GetProperty("problems")[0].GetProperty("message").GetString().ShouldBe("The row of line 2 is equal to this one and is repaired in another way; equal rows are repaired together.");
        (await ItemsAsync(project)).ShouldAllBe(item => item.GetProperty("patch").GetProperty("changes").GetProperty("email").GetString() == "one");
    }

    [Fact]
    public async Task Values_that_a_sheet_does_not_show_stay_as_they_are()
    {
        var project = host.NewProject();
        await AsksForPatchesAsync(project);
        await RejectAsync(project, [Row("k1", 1, "secret@example.org")], sensitive: "email");
        var sheet = await SheetAsync(project);
        sheet[1]["E"].ShouldBe("•••");
        sheet[1]["F"] = "5";
        (await ImportAsync(project, sheet)).GetProperty("repaired").GetInt64().ShouldBe(1);
        await using var source = NpgsqlDataSource.Create(host.Database);
        await using var connection = await source.OpenConnectionAsync();
        (await connection.ExecuteScalarAsync<string>("select p.changes from datasets.patch p join datasets.quarantine_step s on s.id = p.step_id where s.project = @project", new { project })).ShouldBe("""{"n":"5"}""");
        (await SheetAsync(project, "&unmask=true"))[1]["E"].ShouldBe("secret@example.org");
        (await UnmaskedAsync(project, 1)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_is_no_sheet_is_refused()
    {
        var project = host.NewProject();
        await RejectAsync(project, [Row("k1", 1, "a")]);
        foreach (var body in new[] { "", "id,email\n1,x\n", "PK nonsense", "#item,#revision,email,email\n1,1,a,b\n" })
        {
            using var refused = await host.Client.PostAsync(new Uri(DatasetsHost.Url(project, "quarantine/import"), UriKind.Relative), new StringContent(body));
            ((int)refused.StatusCode).ShouldBe(400, body);
        }
        await RejectAsync(project, [Row("k2", 1, "a")], step: "second");
        var (status, problem) = await host.RefusalAsync(project, "quarantine/export?format=xlsx");
        status.ShouldBe(400);
        problem.GetProperty("detail").GetString()!.ShouldContain("these are of customers/clean, customers/second");
    }

    [Fact]
    public async Task Hostile_values_survive_the_way_through_the_queue()
    {
        var project = host.NewProject();
        var nasty = "a\"b,c\r\n'; drop table x; -- \u0001 ☃ \ud83d\ude00 \\u0000";
        await RejectAsync(project, [Row("k1", 1, nasty)]);
        (await ItemsAsync(project))[0].GetProperty("values").GetProperty("email").GetString().ShouldBe(nasty);
        var csv = await host.Client.GetStringAsync(new Uri(DatasetsHost.Url(project, "quarantine/export"), UriKind.Relative));
        csv.Split("\r\n")[0].ShouldStartWith("id,pipeline,step,state");
    }

    [Fact]
    public async Task Hundreds_of_thousands_of_rejected_rows_come_in_seconds()
    {
        var project = host.NewProject();
        var watch = Stopwatch.StartNew();
        var query = """
            SELECT 's@1' AS _source, i AS _row, md5(CAST(i AS VARCHAR))[:16] AS _key,
              CAST(json_object('id', i, 'email', NULL, 'name', 'Somebody ' || i) AS JSON) AS ingested, CAST(json_object('id', i, 'email', NULL, 'name', 'Somebody ' || i) AS JSON) AS rejected,
              CAST('[{"rule":"notNull","path":"checks[0]","column":"email","message":"is empty","value":null}]' AS JSON) AS reasons
            FROM range(200000) t(i)
            """;
        var file = await host.WriteFileAsync($"{project}/big/rejected.parquet", query);
        output.WriteLine($"written in {watch.ElapsedMilliseconds} ms");
        foreach (var expected in new[] { 1, 2 })
        {
            var run = Guid.CreateVersion7();
            Remember(project, run, Content(file), null, null);
            watch.Restart();
            await TellAsync(project, run, patience: TimeSpan.FromMinutes(2));
            output.WriteLine($"200,000 rows in {watch.ElapsedMilliseconds} ms");
            var told = host.Fakes.Events.OfType<RowsQuarantined>().Single(happened => happened.SourceRunId == run);
            (told.Rejected, told.New).ShouldBe((200_000, expected == 1 ? 200_000 : 0));
        }
        watch.Restart();
        (await host.GetAsync(project, "quarantine?rule=notNull&limit=10")).GetProperty("items").GetArrayLength().ShouldBe(10);
        output.WriteLine($"a page in {watch.ElapsedMilliseconds} ms");
        watch.Restart();
        using var response = await PostAsync(project, "quarantine/bulk?rule=notNull", new { action = "dismiss", expected = 200_000 }, null);
        response.EnsureSuccessStatusCode();
        output.WriteLine($"200,000 rows dismissed in {watch.ElapsedMilliseconds} ms");
    }

    private sealed record RejectedRow(string Key, long Row, string? Email, string Source = "s@1", string Rule = "notNull", string Column = "email");

    private static RejectedRow Row(string key, long row, string? email) => new(key, row, email);

    /// <summary>A run that rejected these rows has ended, and the quarantine has taken them.</summary>
    private async Task<Guid> RejectAsync(
        string project, IReadOnlyList<RejectedRow> rows, IReadOnlyList<(long Patch, bool Fits, long Row, string Key)>? applied = null,
        IReadOnlyList<(string Key, string Source)>? clean = null, bool completed = true, Guid? run = null, string? sensitive = null, string step = "clean", string? gone = null,
        IReadOnlyList<(long Patch, bool Fits, long Row, string Key)>? failed = null, Dictionary<long, string>? values = null)
    {
        var id = run ?? Guid.CreateVersion7();
        var folder = $"{project}/{id}/clean/{Random.Shared.Next()}";
        string Text(string? text) => text is null ? "NULL" : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
        string Json(object value) => $"CAST({Text(JsonSerializer.Serialize(value))} AS JSON)";
        var rejections = rows.Select(row => $"({Text(row.Source)}, {row.Row}::BIGINT, {Text(row.Key)}, {Json(new { email = row.Email, n = 1 })}, {Json(new { email = row.Email, n = 1 })}, {Json(new[] { new { rule = row.Rule, column = row.Column, message = "is wrong", value = row.Email } })})");
        var rejected = await host.WriteFileAsync($"{folder}/rejected-0001.parquet", rows.Count == 0
            ? "SELECT '' AS _source, 0::BIGINT AS _row, '' AS _key, CAST('{}' AS JSON) AS ingested, CAST('{}' AS JSON) AS rejected, CAST('[]' AS JSON) AS reasons WHERE false"
            : $"SELECT * FROM (VALUES {string.Join(", ", rejections)}) t(_source, _row, _key, ingested, rejected, reasons)");
        async Task<DatasetRef?> PatchedAsync(IReadOnlyList<(long Patch, bool Fits, long Row, string Key)>? applied, string name)
        {
            if (applied is not { Count: > 0 })
                return null;
            var lines = applied.Select(line => $"({line.Patch.ToString(CultureInfo.InvariantCulture)}::BIGINT, {(line.Fits ? "true" : "false")}, {(values?.TryGetValue(line.Patch, out var email) == true ? RowPatches.Hash(Json(new { email, n = 1 })) : "NULL::VARCHAR")}, 's@1', {line.Row}::BIGINT, {Text(line.Key)})");
            var file = await host.WriteFileAsync($"{folder}/{name}", $"SELECT * FROM (VALUES {string.Join(", ", lines)}) t(patch, fits, hash, _source, _row, _key)");
            return DatasetsHost.Content([file], [.. RowPatches.Schema.Columns]);
        }
        var patched = await PatchedAsync(applied, "patched-0001.parquet");
        DatasetRef? passed = null;
        if (clean is not null)
        {
            var lines = clean.Select((line, i) => $"('x', {Text(line.Source)}, {i}::BIGINT, {Text(line.Key)})");
            var file = await host.WriteFileAsync($"{folder}/out-0001.parquet", $"SELECT * FROM (VALUES {string.Join(", ", lines)}) t(email, _source, _row, _key)");
            passed = DatasetsHost.Content([file], [DatasetsHost.Column("email", "text"), .. HiddenColumns.Columns]);
        }
        Remember(project, id, Content(rejected, sensitive), patched, passed, step);
        if (gone is not null)
        {
            foreach (var file in host.Fakes.Runs[id].Steps[0].Outputs[gone].Files)
                await host.Store.DeleteAsync(file.Key, default);
        }
        if (await PatchedAsync(failed, "patched-0002.parquet") is { } ofFailed)
        {
            var found = host.Fakes.Runs[id];
            host.Fakes.Runs[id] = found with { Steps = [found.Steps[0] with { OfFailed = new Dictionary<string, DatasetRef> { ["patched"] = ofFailed } }] };
        }
        await TellAsync(project, id, completed, counted: gone != RejectedRows.Port);
        return id;
    }

    /// <param name="sensitive">A column; empty: some are, and it is not said which ones.</param>
    private static DatasetRef Content(DataFile file, string? sensitive = null)
    {
        var columns = RejectedRows.Schema(((string[])["email", "n"]).Select(name => DatasetsHost.Column(name, "text", name == sensitive || sensitive == "" ? "personal" : null))).Columns;
        return DatasetsHost.Content([file], [.. sensitive == "" ? columns.Select(column => column with { Members = [] }) : columns]);
    }

    private void Remember(string project, Guid run, DatasetRef rejected, DatasetRef? patched, DatasetRef? clean, string step = "clean")
    {
        var outputs = new Dictionary<string, DatasetRef> { ["rejected"] = rejected };
        if (patched is not null)
            outputs["patched"] = patched;
        if (clean is not null)
            outputs["out"] = clean;
        host.Fakes.Runs[run] = new RunOutputsFound
        {
            ProjectId = host.Fakes.Projects[project],
            PipelineId = _pipeline,
            Pipeline = "customers",
            PipelineVersion = 1,
            Finished = true,
            Steps = [new RunStepOutputs(step, "cleanse", outputs)],
        };
    }

    /// <summary>Tells that the run ended, and waits until the quarantine has it.</summary>
    private async Task TellAsync(string project, Guid run, bool completed = true, TimeSpan? patience = null, bool counted = true)
    {
        var message = completed
            ? (EventRecord)host.Completed(project, run)
            : new RunFailed
            {
                Id = Guid.NewGuid(),
                OccurredAt = DateTimeOffset.UtcNow,
                ProjectId = host.Fakes.Projects[project],
                Actor = "test",
                RunId = run,
                Sequence = 9,
                Project = project,
                Pipeline = "customers",
                PipelineId = _pipeline,
                Error = new StepError { Code = "boom", Message = "It went boom." },
            };
        message = message with { Id = Guid.NewGuid() };
        await host.Sender.PublishAsync(message, default);
        await using var database = NpgsqlDataSource.Create(host.Database);
        await TestHost.UntilAsync(async () =>
        {
            await using var connection = await database.OpenConnectionAsync();
            return (!counted || host.Fakes.Events.OfType<RowsQuarantined>().Any(happened => happened.SourceRunId == run))
                && await connection.ExecuteScalarAsync<long>("select count(*) from datasets.quarantine_batch where run_id = @run", new { run }) > 0
                ? null : $"the end of run {run} in the quarantine";
        }, patience);
    }

    /// <summary>Waits until so many unmaskings of the project are on record.</summary>
    private async Task<List<RowsUnmasked>> UnmaskedAsync(string project, int count)
    {
        List<RowsUnmasked> found = [];
        await TestHost.UntilAsync(() =>
        {
            found = [.. host.Fakes.Events.OfType<RowsUnmasked>().Where(happened => happened.ProjectId == host.Fakes.Projects[project])];
            return found.Count >= count ? null : $"{count} unmaskings on record; there are {found.Count}";
        });
        return found;
    }

    private async Task<List<JsonElement>> ItemsAsync(string project, string query = "") =>
        [.. (await host.GetAsync(project, $"quarantine{(query.Length == 0 ? "?" : $"{query}&")}limit=500")).GetProperty("items").EnumerateArray()];

    /// <summary>The lines of the project's sheet by the letters of their columns, the header first.</summary>
    private async Task<List<IDictionary<string, object?>>> SheetAsync(string project, string query = "")
    {
        using var response = await host.Client.GetAsync(new Uri(DatasetsHost.Url(project, $"quarantine/export?format=xlsx{query}"), UriKind.Relative));
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
        await using var sheet = new MemoryStream(await response.Content.ReadAsByteArrayAsync());
        return [.. sheet.Query(excelType: ExcelType.XLSX).Select(line => (IDictionary<string, object?>)new Dictionary<string, object?>((IDictionary<string, object?>)line))];
    }

    /// <param name="separator">Saved as CSV with it; null: as a workbook.</param>
    private async Task<JsonElement> ImportAsync(string project, IEnumerable<IDictionary<string, object?>> lines, char? separator = null, bool dryRun = false)
    {
        await using var sheet = new MemoryStream();
        if (separator is { } between)
            sheet.SaveAs(lines, printHeader: false, excelType: ExcelType.CSV, configuration: new CsvConfiguration { Seperator = between });
        else
            sheet.SaveAs(lines, printHeader: false);
        using var response = await host.Client.PostAsync(
            new Uri(DatasetsHost.Url(project, $"quarantine/import?dryRun={(dryRun ? "true" : "false")}"), UriKind.Relative), new ByteArrayContent(sheet.ToArray()));
        var body = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.ShouldBeTrue(body);
        return JsonDocument.Parse(body).RootElement;
    }

    private async Task<string> AccountAsync(string project, Guid run) => (await host.GetAsync(project, $"runs/{run}/quarantine")).GetProperty("sentence").GetString()!;

    private Task<HttpResponseMessage> ActAsync(string project, JsonElement item, string verb, object body) => PostAsync(
        project, $"quarantine/{item.GetProperty("id").GetInt64()}/{verb}", body, $"\"{item.GetProperty("revision").GetInt32()}\"");

    private async Task<HttpResponseMessage> PostAsync(string project, string rest, object body, string? tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, DatasetsHost.Url(project, rest)) { Content = JsonContent.Create(body) };
        if (tag is not null)
            request.Headers.TryAddWithoutValidation("If-Match", tag);
        return await host.Client.SendAsync(request);
    }

    private async Task RepairAllAsync(string project, string email)
    {
        using var response = await PostAsync(project, "quarantine/bulk?state=open", new { action = "repair", changes = new { email } }, null);
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
    }

    private async Task AsksForPatchesAsync(string project) => (await AskAsync(project)).Content.ShouldBeNull();

    private async Task<PatchesFound> AskAsync(string project) => await host.Requests.AskAsync<PatchesFound>(
        Queues.DatasetRequests,
        new GetPatches { Project = project, ProjectId = host.Fakes.Projects[project], PipelineId = _pipeline, Pipeline = "customers", StepId = "clean", RunId = Guid.CreateVersion7() },
        new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);

    /// <summary>What a step would be given now.</summary>
    private async Task<List<(long Patch, string Key)>> PatchesAsync(string project)
    {
        if ((await AskAsync(project)).Content is not { } content)
            return [];
        using var session = Engine.Sessions.EngineSession.Open(new Engine.Sessions.EngineOptions { MemoryBytes = 64 << 20, Threads = 1, Scratch = Directory.CreateTempSubdirectory().FullName, Directories = [host.StoreRoot] });
        return [.. session.Query($"SELECT patch, key FROM read_parquet('{Path.Combine(host.StoreRoot, content.Files[0].Key)}') ORDER BY patch", row => (row.GetInt64(0), row.GetString(1)))];
    }
}
