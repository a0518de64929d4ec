using System.Globalization;
using System.Text.Json;
using Npgsql;
using Qualiz.Contracts;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.Runs.Starting;
using Qualiz.TestKit;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

/// <summary>Runs that take too long are told of while they still run.</summary>
public sealed class LateRunTests
{
    private static readonly Dictionary<string, string?> s_atOnce = new() { ["Runs:LateAtLeast"] = "00:00:00.200" };

    [Fact]
    public async Task A_run_that_takes_longer_than_usual_is_told_of_once()
    {
        await using var runs = await StartAsync(settings: s_atOnce);
        runs.Publish(Plan("slow", Step("a")) with { Late = new PlanLate(null, 3) });
        for (var i = 0; i < 3; i++)
        {
            var good = await runs.StartRunAsync("slow");
            await runs.WorkAsync();
            await runs.UntilAsync(good, "completed");
            (await LateAsync(runs, good)).ShouldBeEmpty();
        }

        var run = await runs.StartRunAsync("slow");
        await runs.ReceiveAsync();
        await TestHost.UntilAsync(async () => (await LateAsync(runs, run)).Count > 0 ? null : "the run to be told of as late");
        await runs.Sender.SendAsync(Queues.RunSaga, new ReportLate { RunId = run, Expected = DateTimeOffset.UtcNow, Reason = "again" }, default);
        (await runs.PostAsync(run, "cancel")).EnsureSuccessStatusCode();
        await runs.UntilAsync(run, "cancelled");
        var late = (await LateAsync(runs, run)).ShouldHaveSingleItem();
        late.GetProperty("reason").GetString()!.ShouldStartWith("It takes longer than 3 times its usual ");
        late.GetProperty("pipeline").GetString().ShouldBe("slow");
    }

    [Fact]
    public async Task A_run_that_is_not_done_by_its_time_is_late_even_while_it_waits_for_its_turn()
    {
        await using var runs = await StartAsync();
        PipelinePlan By(TimeOnly time) => Plan("nightly", Step("a")) with { Limits = new PlanLimits(1, WhenBusy.Queue, null), Late = new PlanLate(time, 3) };
        runs.Publish(By(TimeOnly.FromDateTime(DateTime.UtcNow.AddHours(1))));
        var first = await runs.StartRunAsync("nightly");
        var done = await runs.WorkAsync();
        await runs.UntilAsync(first, "completed");
        // Far enough for a slow machine to start two runs before it: a time that has passed is tomorrow's.
        var by = TimeOnly.FromDateTime(DateTime.UtcNow.AddSeconds(8));
        runs.Publish(By(by));
        var second = await runs.StartRunAsync("nightly");
        var third = await runs.StartRunAsync("nightly");
        foreach (var run in (Guid[])[second, third])
        {
            await TestHost.UntilAsync(async () => (await LateAsync(runs, run)).Count > 0 ? null : "the run to be told of as late");
        }

        (await LateAsync(runs, third)).Single().GetProperty("reason").GetString().ShouldBe(string.Create(CultureInfo.InvariantCulture, $"It is not done by {by:HH:mm} (UTC)."));
        (await LateAsync(runs, first)).ShouldBeEmpty();
        done.RunId.ShouldBe(first);
    }

    [Fact]
    public async Task Without_enough_runs_before_it_or_anyone_who_wants_to_know_a_run_has_no_timer()
    {
        await using var runs = await StartAsync(settings: s_atOnce);
        runs.Publish(Plan("new", Step("a")) with { Late = new PlanLate(null, 3) });
        var run = await runs.StartRunAsync("new");
        await runs.ReceiveAsync();
        await using var connection = new NpgsqlConnection(runs.Host.Surroundings.Database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select count(*) from bus.timer where body::text like '%' || @run || '%'", connection) { Parameters = { new("run", run.ToString()) } };
        (await command.ExecuteScalarAsync()).ShouldBe(0L);
    }

    [Theory]
    [InlineData("07:00", "Europe/Oslo", "2026-11-23T05:59:00Z", "2026-11-23T06:00:00Z")]
    [InlineData("07:00", "Europe/Oslo", "2026-11-23T06:00:00Z", "2026-11-24T06:00:00Z")]
    [InlineData("01:30", "UTC", "2026-11-23T23:00:00Z", "2026-11-24T01:30:00Z")]
    // Clocks there skip 02:30 on this night.
    [InlineData("02:30", "Europe/Oslo", "2027-03-27T23:00:00Z", "2027-03-28T01:00:00Z")]
    [InlineData("02:30", "Europe/Oslo", "2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z")]
    [InlineData("12:00", null, "2026-11-23T10:00:00Z", "2026-11-23T12:00:00Z")]
    public void The_time_is_the_next_one_that_clocks_there_show(string by, string? zone, string now, string expected) =>
        LateRuns.Next(TimeOnly.Parse(by, CultureInfo.InvariantCulture), zone, At(now)).ShouldBe(At(expected));

    [Fact]
    public void Usual_is_the_median_of_at_least_three()
    {
        LateRuns.Median([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)]).ShouldBeNull();
        LateRuns.Median([TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)]).ShouldBe(TimeSpan.FromSeconds(2));
        LateRuns.Median([TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4)]).ShouldBe(TimeSpan.FromSeconds(3));
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static async Task<IReadOnlyList<JsonElement>> LateAsync(RunsFixture runs, Guid run)
    {
        await using var database = NpgsqlDataSource.Create(runs.Host.Surroundings.Database);
        await using var command = database.CreateCommand("select body::text from runs.event where run_id = $1 and type = 'RunLate'");
        command.Parameters.Add(new() { Value = run });
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<JsonElement>();
        while (await reader.ReadAsync())
        {
            found.Add(JsonSerializer.Deserialize<JsonElement>(reader.GetString(0)));
        }

        return found;
    }
}
