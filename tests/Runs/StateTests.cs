using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Qualiz.TestKit;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

public class StateTests
{
    private const string State = $"/api/v1/projects/{Project}/pipelines/one/state";

    [Fact]
    public async Task What_a_step_remembers_is_shown_set_and_forgotten_on_record()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var run = await runs.StartRunAsync("one");
        await runs.WorkAsync(Outcome(state: JsonSerializer.SerializeToElement(new { cursor = 5 })));
        await runs.UntilAsync(run, "completed");
        var left = await OnlyAsync(runs);
        (left.GetProperty("step").GetString(), left.GetProperty("value").GetRawText(), left.GetProperty("runId").GetGuid()).ShouldBe(("a", """{"cursor":5}""", run));

        (await runs.Http.PutAsJsonAsync($"{State}/a", new { cursor = 2 })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await OnlyAsync(runs)).GetProperty("runId").ValueKind.ShouldBe(JsonValueKind.Null);
        await runs.StartRunAsync("one");
        var received = await runs.ReceiveAsync();
        var claim = await runs.ClaimAsync(received);
        claim!.State!.Value.GetProperty("cursor").GetInt32().ShouldBe(2);

        // The run under way would write its own at its end.
        (await runs.Http.DeleteAsync(new Uri($"{State}/a", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        await runs.CompleteAsync(received.Command, claim.Fence);
        await runs.UntilAsync(received.Command.RunId, "completed");

        (await runs.Http.DeleteAsync(new Uri($"{State}/a", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await ListAsync(runs)).GetArrayLength().ShouldBe(0);
        (await runs.Http.DeleteAsync(new Uri($"{State}/a", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        // They belong to no run, so they are numbered in the order of the project.
        await TestHost.UntilAsync(() => runs.Events.Count(happened => happened.RunId is null) == 2 ? null : "the events of both changes");
        runs.Events.Where(happened => happened.RunId is null).Select(happened => (happened.Sequence, happened.Actor)).ShouldBe([(1, "local"), (2, "local")], ignoreOrder: true);
    }

    [Fact]
    public async Task A_run_whose_step_was_overtaken_by_a_later_run_is_not_retried()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a"), Step("b", inputs: ["a"])));
        var earlier = await runs.StartRunAsync("one");
        await runs.WorkAsync(Outcome(state: JsonSerializer.SerializeToElement(new { cursor = 1 })), keepsState: true);
        var b = await runs.ReceiveAsync();
        await runs.FailAsync(b.Command, (await runs.ClaimAsync(b))!.Fence);
        await runs.UntilAsync(earlier, "failed");

        var later = await runs.StartRunAsync("one");
        await runs.WorkAsync(Outcome(state: JsonSerializer.SerializeToElement(new { cursor = 2 })), keepsState: true);
        await runs.WorkAsync();
        await runs.UntilAsync(later, "completed");

        using var refused = await runs.PostAsync(earlier, "retry");
        refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await refused.Content.ReadAsStringAsync()).ShouldContain("has moved on since");
        (await OnlyAsync(runs)).GetProperty("value").GetRawText().ShouldBe("""{"cursor":2}""");
    }

    [Fact]
    public async Task A_run_that_ends_after_a_later_one_does_not_put_the_state_back()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));
        var earlier = await runs.StartRunAsync("one");
        var slow = await runs.ReceiveAsync();
        var claim = await runs.ClaimAsync(slow);
        var later = await runs.StartRunAsync("one");
        await runs.WorkAsync(Outcome(state: JsonSerializer.SerializeToElement(new { cursor = 2 })));
        await runs.UntilAsync(later, "completed");

        await runs.CompleteAsync(slow.Command, claim!.Fence, Outcome(state: JsonSerializer.SerializeToElement(new { cursor = 1 })));
        await runs.UntilAsync(earlier, "completed");
        var left = await OnlyAsync(runs);
        (left.GetProperty("value").GetRawText(), left.GetProperty("runId").GetGuid()).ShouldBe(("""{"cursor":2}""", later));
    }

    [Fact]
    public async Task A_run_about_an_earlier_day_does_not_move_the_state()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a"), ForEach(Step("b"), new[] { "x", "y" })));
        async Task<Guid> RunAsync(int cursor, object? interval = null)
        {
            using var response = await runs.Http.PostAsJsonAsync($"/api/v1/projects/{Project}/runs", interval ?? new { pipeline = "one" });
            response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
            var run = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
            for (var i = 0; i < 3; i++)
                await runs.WorkAsync(Outcome(state: JsonSerializer.SerializeToElement(new { cursor })));
            await runs.UntilAsync(run, "completed");
            return run;
        }
        async Task<string> StatesAsync() => string.Join(" ", (await ListAsync(runs)).EnumerateArray().Select(state => state.GetProperty("value").GetProperty("cursor").GetInt32()));

        var today = await RunAsync(1);
        await RunAsync(2, new { pipeline = "one", day = "2020-02-29" });
        (await StatesAsync()).ShouldBe("1 1 1");
        (await ListAsync(runs)).EnumerateArray().ShouldAllBe(state => state.GetProperty("runId").GetGuid() == today);
        // A day that was put in the future by mistake stands in nobody's way.
        await RunAsync(3, new { pipeline = "one", day = DateTime.UtcNow.AddYears(1).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture) });
        await RunAsync(4);
        (await StatesAsync()).ShouldBe("4 4 4");
        // And a pipeline that has none yet begins with any day.
        foreach (var state in (await ListAsync(runs)).EnumerateArray())
            (await runs.Http.DeleteAsync(new Uri($"{State}/{Uri.EscapeDataString(state.GetProperty("step").GetString()!)}", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await RunAsync(5, new { pipeline = "one", day = "2020-02-29" });
        await RunAsync(6, new { pipeline = "one", day = "2020-03-01" });
        (await StatesAsync()).ShouldBe("6 6 6");
    }

    [Fact]
    public async Task What_only_grows_is_kept_from_a_run_about_an_earlier_day_too()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a"), ForEach(Step("b"), new[] { "x", "y" })));
        async Task<string> RunAsync(int ids, bool grows, string? day = null)
        {
            using var response = await runs.Http.PostAsJsonAsync($"/api/v1/projects/{Project}/runs", new { pipeline = "one", day });
            response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
            var run = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
            for (var i = 0; i < 3; i++)
                await runs.WorkAsync(Outcome(state: JsonSerializer.SerializeToElement(new { ids })) with { StateGrows = grows });
            await runs.UntilAsync(run, "completed");
            return string.Join(" ", (await ListAsync(runs)).EnumerateArray().Select(state => state.GetProperty("value").GetProperty("ids").GetInt32()));
        }

        (await RunAsync(1, grows: true)).ShouldBe("1 1 1");
        (await RunAsync(2, grows: true, "2020-02-29")).ShouldBe("2 2 2");
        // How far the steps have read is what it was.
        (await RunAsync(3, grows: false, "2020-03-01")).ShouldBe("2 2 2");
        (await RunAsync(4, grows: false)).ShouldBe("4 4 4");
    }

    [Fact]
    public async Task State_is_an_object_of_a_pipeline_that_exists()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("one", Step("a")));

        (await runs.Http.PutAsJsonAsync($"{State}/a", "text")).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await runs.Http.GetAsync(new Uri($"/api/v1/projects/{Project}/pipelines/none/state", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static async Task<JsonElement> ListAsync(RunsFixture runs) => (await runs.Http.GetFromJsonAsync<JsonElement>(State)).GetProperty("items");

    private static async Task<JsonElement> OnlyAsync(RunsFixture runs) => (await ListAsync(runs)).EnumerateArray().ShouldHaveSingleItem();
}
