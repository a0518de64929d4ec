using System.Net;
using System.Text.Json;
using Qualiz.Contracts;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.TestKit;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

/// <summary>A step with <c>forEach</c>, through the saga.</summary>
public sealed class ItemTests
{
    [Theory]
    [InlineData(TestBus.InProcess)]
    [InlineData(TestBus.RabbitMq)]
    public async Task Every_element_is_done_so_many_at_a_time_and_their_rows_are_the_steps_output(TestBus bus)
    {
        await using var runs = await StartAsync(bus);
        runs.Publish(Plan("each", ForEach(Step("shop", config: new { file = "${params.day}/${country}.csv", same = "${item}" }), "${params.countries}", parallel: 2, @as: "country"), Step("clean", inputs: ["shop"])) with
        {
            Params = [Param("day", "2026-11-21"), new PlanParam("countries", "list", "text", JsonSerializer.SerializeToElement(new[] { "US", "GB", "NO" }), null)],
        });
        var run = await runs.StartRunAsync("each");

        var first = await runs.ReceiveAsync();
        var second = await runs.ReceiveAsync();
        runs.TryReceive(out _).ShouldBeFalse("two at a time");
        new[] { first, second }.Select(item => item.Command.StepId).ShouldBe(["shop.1", "shop.2"], ignoreOrder: true);
        var us = first.Command.StepId == "shop.1" ? first : second;
        us.Command.Config.GetProperty("file").GetString().ShouldBe("2026-11-21/US.csv");
        us.Command.Config.GetProperty("same").GetString().ShouldBe("US");
        (await runs.StepAsync(run, "shop")).GetProperty("state").GetString().ShouldBe("running");

        foreach (var item in new[] { first, second })
            await runs.CompleteAsync(item.Command, (await runs.ClaimAsync(item))!.Fence, Outcome(rows: 10));
        (await runs.WorkAsync(Outcome(rows: 5))).StepId.ShouldBe("shop.3");
        var clean = await runs.WorkAsync();

        clean.StepId.ShouldBe("clean");
        var input = clean.Inputs.ShouldHaveSingleItem().Dataset!;
        (input.Rows, input.Files.Count).ShouldBe((25, 3));
        await runs.UntilAsync(run, "completed");
        var shop = await runs.StepAsync(run, "shop");
        shop.GetProperty("items").GetProperty("completed").GetInt32().ShouldBe(3);
        shop.GetProperty("counts").GetProperty("items").GetInt64().ShouldBe(3);
        (await runs.GetAsync(run)).GetProperty("steps").GetArrayLength().ShouldBe(2, "elements are no steps");
        (await runs.ItemsAsync(run, "shop")).Select(item => item.GetProperty("value").GetString()).ShouldBe(["US", "GB", "NO"]);
        runs.Events.OfType<IEvent>().Count(e => e.RunId == run).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Every_message_of_an_element_delivered_twice_or_late_changes_nothing()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), new[] { 1, 2 }), Step("b", inputs: ["a"])));
        var run = await runs.StartRunAsync("each");
        var one = await runs.ReceiveAsync();
        var oneFence = (await runs.ClaimAsync(one))!.Fence;
        for (var i = 0; i < 3; i++)
            await runs.CompleteAsync(one.Command, oneFence);
        var two = await runs.ReceiveAsync();
        two.Command.StepId.ShouldBe("a.2");
        var twoFence = (await runs.ClaimAsync(two))!.Fence;
        for (var i = 0; i < 3; i++)
        {
            await runs.CompleteAsync(two.Command, twoFence);
            await runs.FailAsync(two.Command, twoFence);
            await runs.CompleteAsync(one.Command, oneFence);
            await runs.LoseAsync(two.Command, twoFence);
            await runs.Sender.SendAsync(Queues.RunSaga, new ResumeStep { RunId = run, StepId = "a.1", Dispatch = 1 }, CancellationToken.None);
            await runs.Sender.SendAsync(Queues.RunSaga, new ResumeStep { RunId = run, StepId = "a.77", Dispatch = 1 }, CancellationToken.None);
        }

        (await runs.WorkAsync()).StepId.ShouldBe("b");
        await runs.UntilAsync(run, "completed");
        runs.TryReceive(out _).ShouldBeFalse("nothing may be dispatched again");
        (await runs.StepAsync(run, "a")).GetProperty("outputs").GetProperty("out").GetProperty("rows").GetInt64().ShouldBe(6);
    }

    [Fact]
    public async Task Failed_element_ends_the_step_and_a_retry_does_only_what_is_not_done()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), new[] { "x", "y", "z" }), Step("b", inputs: ["a"])));
        var run = await runs.StartRunAsync("each");
        (await runs.WorkAsync(Outcome(rows: 1))).StepId.ShouldBe("a.1");
        var y = await runs.ReceiveAsync();
        await runs.FailAsync(y.Command, (await runs.ClaimAsync(y))!.Fence);

        await runs.UntilAsync(run, "failed");
        runs.TryReceive(out _).ShouldBeFalse("nothing begins after the failure");
        (await runs.StepAsync(run, "a")).GetProperty("error").GetProperty("message").GetString().ShouldBe("1 of 3 elements failed; a.2: It went boom.");
        (await runs.ItemsAsync(run, "a")).Select(item => item.GetProperty("state").GetString()).ShouldBe(["completed", "failed", "cancelled"]);
        (await runs.ItemsAsync(run, "a", "&state=failed")).ShouldHaveSingleItem().GetProperty("id").GetString().ShouldBe("a.2");
        foreach (var list in (string[])["runs", $"runs/{run}/steps/a/items"])
        {
            var refused = await runs.Http.GetAsync(new Uri($"/api/v1/projects/demo/{list}?state=failed,fialed", UriKind.Relative));
            refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            (await refused.Content.ReadAsStringAsync()).ShouldContain("fialed");
        }

        (await runs.PostAsync(run, "retry")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var again = await runs.WorkAsync(Outcome(rows: 2));
        (again.StepId, again.Attempt).ShouldBe(("a.2", 2));
        (await runs.ClaimAsync(y)).ShouldBeNull("the failed execution's command is an old one");
        (await runs.WorkAsync(Outcome(rows: 3))).StepId.ShouldBe("a.3");
        var b = await runs.WorkAsync();
        b.Inputs.ShouldHaveSingleItem().Dataset!.Rows.ShouldBe(6);
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Elements_go_on_when_one_fails_and_the_step_completes_with_a_warning()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), 3, onError: OnItemError.Continue), Step("b", inputs: ["a"], when: "a.counts.itemsFailed == 1")));
        var run = await runs.StartRunAsync("each");
        var one = await runs.ReceiveAsync();
        await runs.FailAsync(one.Command, (await runs.ClaimAsync(one))!.Fence);
        await runs.WorkAsync(Outcome(rows: 2));
        await runs.WorkAsync(Outcome(rows: 3));

        (await runs.WorkAsync()).Inputs.ShouldHaveSingleItem().Dataset!.Rows.ShouldBe(5);
        await runs.UntilAsync(run, "completed");
        (await runs.StepAsync(run, "a")).GetProperty("warnings").EnumerateArray().Single().GetString().ShouldBe("1 of 3 elements failed; a.1: It went boom.");
    }

    [Fact]
    public async Task Rows_that_a_failed_element_rejected_are_the_steps_and_its_ledger_has_every_row()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), 3, onError: OnItemError.Continue), Step("b", inputs: ["a"])));
        var run = await runs.StartRunAsync("each");
        await runs.WorkAsync(Rejecting("one", read: 10, rejected: 1));
        var two = await runs.ReceiveAsync();
        var kept = Rejecting("two", read: 20, rejected: 4, merged: 2);
        await runs.FailAsync(two.Command, (await runs.ClaimAsync(two))!.Fence, outcome: kept with { Outputs = kept.Outputs.Where(output => output.Key != "out").ToDictionary() });
        await runs.WorkAsync(Rejecting("three", read: 30, rejected: 2));

        (await runs.WorkAsync()).Inputs.ShouldHaveSingleItem().Dataset!.Rows.ShouldBe(9 + 28);
        await runs.UntilAsync(run, "completed");
        var step = await OutputsOfAsync(runs, run, "a");
        step.Outputs["rejected"].Files.Select(file => file.Key).ShouldBe(["one/rejected", "two/rejected", "three/rejected"]);
        step.Outputs["rejected"].Rows.ShouldBe(7);
        step.Outputs["patched"].Files.Select(file => file.Key).ShouldBe(["one/patched", "three/patched"]);
        step.OfFailed!["patched"].Files.ShouldHaveSingleItem().Key.ShouldBe("two/patched");
        var line = (await runs.StepAsync(run, "a")).GetProperty("ledger").EnumerateArray().Single();
        long Of(string name) => line.GetProperty(name).GetInt64();
        (Of("in"), Of("out"), Of("rejected"), Of("merged"), Of("filtered")).ShouldBe((60, 37, 7, 0, 16));
        var reason = line.GetProperty("reasons").EnumerateArray().Single(reason => reason.GetProperty("kind").GetString() == "filtered");
        (reason.GetProperty("reason").GetString(), reason.GetProperty("rows").GetInt64()).ShouldBe(("the element failed", 16));
    }

    [Fact]
    public async Task Rows_that_elements_of_a_cancelled_run_rejected_are_the_steps()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), 4, parallel: 2, onError: OnItemError.Continue)));
        var run = await runs.StartRunAsync("each");
        await runs.WorkAsync(Rejecting("one", read: 10, rejected: 1));
        var two = await runs.ReceiveAsync();
        await runs.FailAsync(two.Command, (await runs.ClaimAsync(two))!.Fence, outcome: Rejecting("two", read: 20, rejected: 4));
        var three = await runs.ReceiveAsync();
        var fence = (await runs.ClaimAsync(three))!.Fence;
        await runs.ReceiveAsync();
        await runs.PostAsync(run, "cancel");
        await runs.UntilAsync(run, "cancelling");
        await runs.FailAsync(three.Command, fence, StepErrorCodes.Cancelled);

        await runs.UntilAsync(run, "cancelled");
        (await OutputsOfAsync(runs, run, "a")).Outputs["rejected"].Files.Select(file => file.Key).ShouldBe(["one/rejected", "two/rejected"]);
    }

    [Fact]
    public void Elements_whose_rows_are_not_accounted_make_no_ledger_that_does_not_add_up()
    {
        var outcome = Outcome() with { Ledger = [new StepLedger { Input = "x", In = 5, Out = 0, Accounted = false }] };
        var (stacked, _) = Items.ItemStack.Of("a", 2, [new(1, true, outcome, null), new(2, false, outcome, null)]);
        stacked.Ledger.ShouldHaveSingleItem().Accounted.ShouldBeFalse();
        stacked.Ledger.ShouldAllBe(line => line.Balances && line.Filtered == 0);
    }

    [Fact]
    public async Task Step_fails_when_every_element_failed_although_others_may_go_on()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), 2, parallel: 2, onError: OnItemError.Continue)));
        var run = await runs.StartRunAsync("each");
        foreach (var item in new[] { await runs.ReceiveAsync(), await runs.ReceiveAsync() })
            await runs.FailAsync(item.Command, (await runs.ClaimAsync(item))!.Fence);

        await runs.UntilAsync(run, "failed");
    }

    [Fact]
    public async Task Element_has_its_own_retries_deferrals_and_losses()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a", retry: new RetryPolicy(1, TimeSpan.Zero, 1, RetryOn.Any)), 2)));
        var run = await runs.StartRunAsync("each");
        var first = await runs.ReceiveAsync();
        await runs.FailAsync(first.Command, (await runs.ClaimAsync(first))!.Fence);
        var second = await runs.ReceiveAsync();
        (second.Command.StepId, second.Command.Attempt).ShouldBe(("a.1", 2));
        await runs.LoseAsync(second.Command, (await runs.ClaimAsync(second))!.Fence);
        var third = await runs.ReceiveAsync();
        (third.Command.StepId, third.Command.Attempt).ShouldBe(("a.1", 2));
        await runs.Sender.SendAsync(
            Queues.RunSaga, new DeferStep { RunId = run, StepId = "a.1", Fence = (await runs.ClaimAsync(third))!.Fence, Key = "job", NextCheck = DateTimeOffset.UtcNow }, CancellationToken.None);
        (await runs.WorkAsync()).Deferral.ShouldBe(new Deferral("job", 1));
        (await runs.WorkAsync()).StepId.ShouldBe("a.2");
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Element_whose_condition_is_false_or_that_finds_nothing_is_skipped_and_a_step_of_only_such_is_too()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan(
            "each",
            ForEach(Step("a", when: "country != 'GB'"), new[] { "US", "GB" }, @as: "country"),
            ForEach(Step("none", when: "item > 5"), 3),
            Step("after", inputs: ["none"])));
        var run = await runs.StartRunAsync("each");
        (await runs.WorkAsync()).StepId.ShouldBe("a.1");

        await runs.UntilAsync(run, "completed");
        (await runs.ItemsAsync(run, "a")).Select(item => item.GetProperty("state").GetString()).ShouldBe(["completed", "skipped"]);
        (await runs.StepAsync(run, "none")).GetProperty("reason").GetString().ShouldBe("all 3 elements were skipped");
        (await runs.StepAsync(run, "after")).GetProperty("state").GetString().ShouldBe("skipped");
    }

    [Fact]
    public async Task List_without_elements_skips_the_step_and_what_is_no_list_fails_it()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), Array.Empty<string>()), ForEach(Step("b"), "${run.day}") with { Places = new Dictionary<string, string> { ["forEach.items"] = "7:9" } }) with { FileName = "p.yaml" });
        var run = await runs.StartRunAsync("each");

        await runs.UntilAsync(run, "failed");
        (await runs.StepAsync(run, "a")).GetProperty("reason").GetString().ShouldBe("forEach has no elements");
        (await runs.StepAsync(run, "b")).GetProperty("error").GetProperty("place").GetProperty("line").GetInt32().ShouldBe(7);
    }

    [Fact]
    public async Task Cancel_stops_elements_that_run_and_begins_no_other()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), 50, parallel: 3)));
        var run = await runs.StartRunAsync("each");
        var received = new[] { await runs.ReceiveAsync(), await runs.ReceiveAsync(), await runs.ReceiveAsync() };
        var fence = (await runs.ClaimAsync(received[1]))!.Fence;

        await runs.PostAsync(run, "cancel");
        await TestHost.UntilAsync(() => runs.Stops.Any(stop => stop.Fence == fence) ? null : "a stop for the running element");
        await runs.UntilAsync(run, "cancelling");
        (await runs.ClaimAsync(received[0])).ShouldBeNull();
        await runs.FailAsync(received[1].Command, fence, StepErrorCodes.Cancelled);

        await runs.UntilAsync(run, "cancelled");
        (await runs.ItemsAsync(run, "a")).ShouldAllBe(item => item.GetProperty("state").GetString() == "cancelled");
        await runs.PostAsync(run, "retry");
        for (var i = 0; i < 50; i++)
            await runs.WorkAsync();
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public async Task Host_that_dies_in_the_middle_of_the_elements_goes_on_with_them()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), 4, parallel: 2), Step("b", inputs: ["a"])));
        var run = await runs.StartRunAsync("each");
        await runs.WorkAsync();
        await runs.ClaimAsync(await runs.ReceiveAsync());

        await runs.RestartAsync();

        var done = new HashSet<string>();
        while (done.Add((await runs.WorkAsync()).StepId) && !done.Contains("b"))
        {
        }

        await runs.UntilAsync(run, "completed");
        (await runs.StepAsync(run, "a")).GetProperty("items").GetProperty("completed").GetInt32().ShouldBe(4);
    }

    [Fact]
    public async Task Element_remembers_by_its_value_and_not_by_its_place()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", ForEach(Step("a"), "${params.list}")) with { Params = [new PlanParam("list", "list", "text", null, null)] });
        var first = await runs.StartRunAsync("each", new { list = new[] { "US", "NO" } });
        await runs.WorkAsync(Outcome(state: JsonSerializer.SerializeToElement("cursor of US")));
        await runs.WorkAsync(Outcome(state: JsonSerializer.SerializeToElement("cursor of NO")));
        await runs.UntilAsync(first, "completed");

        var second = await runs.StartRunAsync("each", new { list = new[] { "GB", "NO" } });
        var gb = await runs.ReceiveAsync();
        var claim = (await runs.ClaimAsync(gb))!;
        claim.State.ShouldBeNull();
        await runs.CompleteAsync(gb.Command, claim.Fence);
        var no = await runs.ReceiveAsync();
        claim = (await runs.ClaimAsync(no))!;
        claim.State!.Value.GetString().ShouldBe("cursor of NO");
        await runs.CompleteAsync(no.Command, claim.Fence);
        await runs.UntilAsync(second, "completed");
    }

    [Fact]
    public async Task Elements_made_from_an_output_that_is_made_anew_are_all_done_again()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("each", Step("list"), ForEach(Step("a", needs: ["list", "other"], when: "other.status != ''"), "${list.counts.batches}"), Step("other")));
        var run = await runs.StartRunAsync("each");
        foreach (var received in new[] { await runs.ReceiveAsync(), await runs.ReceiveAsync() })
        {
            var fence = (await runs.ClaimAsync(received))!.Fence;
            if (received.Command.StepId == "list")
                await runs.CompleteAsync(received.Command, fence, Outcome() with { Counts = new Dictionary<string, long> { ["batches"] = 2 } });
            else
                await runs.FailAsync(received.Command, fence);
        }

        (await runs.WorkAsync()).StepId.ShouldBe("a.1");
        (await runs.WorkAsync()).StepId.ShouldBe("a.2");
        await runs.UntilAsync(run, "failed");
        await runs.PostAsync(run, "retry");
        (await runs.WorkAsync()).StepId.ShouldBe("other");
        (await runs.WorkAsync()).StepId.ShouldBe("a.1");
        (await runs.WorkAsync()).StepId.ShouldBe("a.2");
        await runs.UntilAsync(run, "completed");
    }

    [Fact]
    public void Rows_are_stacked_by_column_name_and_a_column_that_some_lack_is_empty_there()
    {
        var (outcome, conflict) = Items.ItemStack.Of("a", 2, [Ended(1, ("id", "int64"), ("name", "text")), Ended(2, ("id", "int64"), ("city", "text"))]);

        conflict.ShouldBeNull();
        var output = outcome.Outputs["out"];
        output.Schema.Columns.Select(column => (column.Name, column.Nullable)).ShouldBe([("id", false), ("name", true), ("city", true), ("_key", false)]);
        output.Files.ShouldAllBe(file => file.Schema != null);
        Items.ItemStack.Of("a", 2, [Ended(1, ("id", "int64")), Ended(2, ("id", "int64"))]).Outcome.Outputs["out"].Files.ShouldAllBe(file => file.Schema == null);
    }

    [Fact]
    public void What_is_sensitive_in_one_elements_rejected_rows_is_so_in_all()
    {
        Items.EndedItem Rejecting(int number, params (string Name, string? Tag)[] members)
        {
            var outcome = Ended(number, ("ingested", "json")).Outcome!;
            var schema = new DatasetSchema
            {
                Columns = [new DatasetColumn
                {
                    Name = "ingested",
                    Type = "json",
                    Sensitivity = members.Select(member => member.Tag).FirstOrDefault(tag => tag is not null),
                    Members = [.. members.Select(member => new DatasetColumn { Name = member.Name, Type = "text", Sensitivity = member.Tag })],
                }],
            };
            return new(number, number > 1, outcome with { Outputs = new Dictionary<string, DatasetRef> { ["rejected"] = outcome.Outputs["out"] with { Schema = schema } } }, null);
        }
        var stacked = Items.ItemStack.Of("a", 2, [Rejecting(1, ("ssn", "personal"), ("name", null)), Rejecting(2, ("ssn", "secret"), ("name", null), ("email", "personal"))]).Outcome.Outputs["rejected"];
        var column = stacked.Schema.Columns.Single();
        column.Members.Select(member => (member.Name, member.Sensitivity)).ShouldBe([("ssn", "secret"), ("name", null), ("email", "personal")]);
        column.Sensitivity.ShouldBe("secret");
    }

    [Fact]
    public void What_lacks_an_element_is_partial()
    {
        bool Partial(int count, params IReadOnlyList<Items.EndedItem> items) => Items.ItemStack.Of("a", count, items).Outcome.Outputs["out"].Partial;
        var outcome = Ended(2, ("id", "int64")).Outcome!;
        var partial = outcome with { Outputs = new Dictionary<string, DatasetRef> { ["out"] = outcome.Outputs["out"] with { Partial = true } } };
        Partial(2, Ended(1, ("id", "int64")), Ended(2, ("id", "int64"))).ShouldBeFalse();
        Partial(2, Ended(1, ("id", "int64")), Ended(2, ("id", "int64")) with { IsGood = false }).ShouldBeTrue();
        Partial(2, Ended(1, ("id", "int64")), Ended(2, ("id", "int64")) with { Outcome = partial }).ShouldBeTrue();
    }

    [Theory]
    [InlineData("id", "text", "Column \"id\" is int64 in a.1 and text in a.2; give it one type where it is read.")]
    [InlineData("ID", "int64", "The column \"id\" of a.1 is written \"ID\" in a.2; rename one of them.")]
    public void Columns_that_cannot_be_stacked_are_named(string name, string type, string message) =>
        Items.ItemStack.Of("a", 2, [Ended(1, ("id", "int64")), Ended(2, (name, type))]).Conflict!.Message.ShouldBe(message);

    private static Items.EndedItem Ended(int number, params (string Name, string Type)[] columns) => new(number, true, new StepOutcome
    {
        Ledger = [],
        Outputs = new Dictionary<string, DatasetRef>
        {
            ["out"] = new()
            {
                Files = [new DataFile { Key = $"k{number}", Rows = 1, Bytes = 1, Sha256 = "" }],
                Rows = 1,
                Bytes = 1,
                Schema = new DatasetSchema
                {
                    Columns = [.. columns.Select(column => new DatasetColumn { Name = column.Name, Type = column.Type, Nullable = false }), new DatasetColumn { Name = "_key", Type = "text", Nullable = false, Hidden = true }],
                },
            },
        },
    }, null);

    private static async Task<RunStepOutputs> OutputsOfAsync(RunsFixture runs, Guid run, string step)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var answer = await runs.Requests.AskAsync<RunOutputsFound, RunUnknown>(Queues.RunClaims, new GetRunOutputs { Project = Project, RunId = run }, patience.Token);
        return answer.First.ShouldNotBeNull().Steps.Single(found => found.StepId == step);
    }

    private static StepOutcome Rejecting(string name, long read, long rejected, long merged = 0)
    {
        DatasetRef Port(string port, long rows) =>
            DatasetRef.Of(new DatasetSchema { Columns = [new DatasetColumn { Name = port, Type = "text" }] }, new DataFile { Key = $"{name}/{port}", Rows = rows, Bytes = 1, Sha256 = "" });
        return new()
        {
            Outputs = new Dictionary<string, DatasetRef>
            {
                ["out"] = Port("out", read - rejected - merged),
                ["rejected"] = Port("rejected", rejected),
                ["patched"] = Port("patched", 1),
            },
            Ledger =
            [
                new StepLedger
                {
                    Input = "x",
                    In = read,
                    Out = read - rejected - merged,
                    Rejected = rejected,
                    Merged = merged,
                    Reasons = [new LedgerReason("rejected", "notNull(a)", rejected)],
                },
            ],
        };
    }

    private static PlanParam Param(string name, string value) => new(name, "text", null, JsonSerializer.SerializeToElement(value), null);
}
