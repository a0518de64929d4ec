using System.Net.Http.Json;
using System.Text.Json;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Starting;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

public sealed class RerunTests
{
    [Fact]
    public async Task Rerun_is_a_new_run_of_the_same_version_interval_and_data_with_the_changed_parameters()
    {
        await using var runs = await StartAsync();
        var plan = Plan("p", Step("a", config: new { mode = "${params.mode}", day = "${params.day}" })) with
        {
            Params = [new PlanParam("mode", "text", null, JsonSerializer.SerializeToElement("full"), null), new PlanParam("day", "date", null, JsonSerializer.SerializeToElement("${run.day}"), null)],
        };
        runs.Publish(plan);
        var first = await StartOnAsync(runs, new { pipeline = "p", @params = new { mode = "dry" }, day = "2026-02-03" });
        await runs.WorkAsync();
        await runs.UntilAsync(first, "completed");
        runs.Publish(plan with { Params = [] });

        var second = await RerunAsync(runs, first, new { @params = new { mode = "wet" } });
        var command = await runs.WorkAsync();

        (command.PipelineVersion, command.Config.GetProperty("mode").GetString(), command.Config.GetProperty("day").GetString()).ShouldBe((1, "wet", "2026-02-03"));
        command.ReadsLike.ShouldBe([first]);
        var view = (await runs.GetAsync(second)).GetProperty("run");
        view.GetProperty("rerunOf").GetGuid().ShouldBe(first);
        await runs.UntilAsync(second, "completed");
        var third = await RerunAsync(runs, second, new { @params = new { mode = (string?)null } });
        command = await runs.WorkAsync();
        command.Config.GetProperty("mode").GetString().ShouldBe("full");
        command.ReadsLike.ShouldBe([second, first]);
        await runs.UntilAsync(third, "completed");
        (await runs.StateAsync(first)).ShouldBe("completed");
    }

    [Fact]
    public async Task Rerun_takes_the_newest_version_data_and_another_day_when_told_to()
    {
        await using var runs = await StartAsync();
        runs.Publish(Plan("p", Step("a")));
        var first = await runs.StartRunAsync("p");
        await runs.WorkAsync();
        await runs.UntilAsync(first, "completed");
        runs.Publish(Plan("p", Step("a")));

        await RerunAsync(runs, first, new { latestVersion = true, latestData = true, day = "2026-01-05" });
        var command = await runs.WorkAsync();

        (command.PipelineVersion, command.Interval.Day).ShouldBe((2, new DateOnly(2026, 1, 5)));
        command.ReadsLike.ShouldBeEmpty();
    }

    [Fact]
    public async Task Run_has_its_day_from_midnight_to_midnight_of_the_pipelines_time_zone_or_the_interval_it_is_given()
    {
        await using var runs = await StartAsync();
        runs.TimeZone = "Europe/Oslo";
        runs.Publish(Plan("p", Step("a", config: new { from = "${run.interval.start}" })));
        await StartOnAsync(runs, new { pipeline = "p", day = "2026-03-29" });
        var clocksForward = (await runs.WorkAsync()).Interval;
        (clocksForward.Start, clocksForward.End).ShouldBe((Utc("2026-03-28T23:00:00Z"), Utc("2026-03-29T22:00:00Z")));

        await StartOnAsync(runs, new { pipeline = "p", interval = new { start = "2026-05-01T22:30:00Z", end = "2026-05-01T23:30:00Z" } });
        var given = await runs.WorkAsync();
        (given.Interval.Day, given.Interval.Start, given.Interval.End).ShouldBe((new DateOnly(2026, 5, 2), Utc("2026-05-01T22:30:00Z"), Utc("2026-05-01T23:30:00Z")));
        given.Config.GetProperty("from").GetString()!.ShouldStartWith("2026-05-01T22:30:00");

        using var backwards = await runs.Http.PostAsJsonAsync(
            $"/api/v1/projects/{Project}/runs", new { pipeline = "p", interval = new { start = "2026-05-02T00:00:00Z", end = "2026-05-01T00:00:00Z" } });
        backwards.StatusCode.ShouldBe(System.Net.HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [InlineData("Europe/Oslo", "2026-11-21T23:30:00Z", "2026-11-22", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z")]
    [InlineData("America/New_York", "2026-11-22T04:30:00Z", "2026-11-21", "2026-11-21T05:00:00Z", "2026-11-22T05:00:00Z")]
    [InlineData("Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-24", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z")]
    [InlineData("No/Where", "2026-11-22T04:30:00Z", "2026-11-22", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")]
    [InlineData(null, "2026-11-22T04:30:00Z", "2026-11-22", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")]
    public void Run_started_by_hand_is_about_today_where_the_pipeline_is_at_home(string? zone, string now, string day, string start, string end)
    {
        var interval = LogicalTime.Of(new StartRun { RunId = Guid.NewGuid(), Project = "p", Pipeline = "p", Cause = "api", Actor = "me" }, zone, Utc(now), out var problem);
        problem.ShouldBeNull();
        interval.ShouldBe(new LogicalInterval(DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture), Utc(start), Utc(end)));
    }

    private static DateTimeOffset Utc(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static Task<Guid> StartOnAsync(RunsFixture runs, object request) => IdAsync(runs.Http.PostAsJsonAsync($"/api/v1/projects/{Project}/runs", request));

    private static Task<Guid> RerunAsync(RunsFixture runs, Guid run, object request) => IdAsync(runs.PostAsync(run, "rerun", request));

    private static async Task<Guid> IdAsync(Task<HttpResponseMessage> asked)
    {
        using var response = await asked;
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }
}
