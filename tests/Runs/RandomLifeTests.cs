using System.Text.Json;
using Qualiz.Contracts;
using Qualiz.Contracts.Plans;
using Qualiz.Contracts.Runs.V1;
using Qualiz.TestKit;
using static Qualiz.Runs.Tests.RunsFixture;

namespace Qualiz.Runs.Tests;

/// <summary>
/// A run with everything in it, and workers that die, wait, fail, come back late and say everything twice, while somebody
/// pauses and resumes. Whatever happens: the run ends, its tallies are right, and its events are numbered without a gap.
/// </summary>
public sealed class RandomLifeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Run_with_elements_branches_and_pauses_ends_right_whatever_its_workers_do(int seed)
    {
        var random = new Random(seed);
        await using var runs = await StartAsync();
        var retry = new RetryPolicy(100, TimeSpan.Zero, 1, RetryOn.Any);
        runs.Publish(Plan(
            "all",
            Step("first", retry: retry),
            ForEach(Step("each", inputs: ["first"], retry: retry, config: new { item = "${item}", rows = "${first.rows}" }), 25, parallel: 4),
            ForEach(Step("some", retry: retry, when: "item != 3"), 6, parallel: 2, onError: OnItemError.Continue),
            Step("good", inputs: ["each", "some"], retry: retry),
            Step("bad", needs: ["good"], when: "good.status == 'failed'", retry: retry),
            Step("last", inputs: ["good"], retry: retry)));
        var run = await runs.StartRunAsync("all");
        var old = new List<object>();
        while (await runs.StateAsync(run) is "queued" or "running" or "paused")
        {
            var (received, state) = await NextAsync(runs, run);
            if (received is not { } command)
            {
                if (state == "paused")
                    await SayAsync(runs, random, new ResumeRun { RunId = run, Actor = "test" });
                continue;
            }

            if (random.Next(12) == 0)
                await SayAsync(runs, random, new PauseRun { RunId = run, Actor = "test" });
            if (old.Count > 0 && random.Next(3) == 0)
                await SayAsync(runs, random, old[random.Next(old.Count)]);
            var claimId = Guid.NewGuid();
            if (await runs.ClaimAsync(command, claimId: claimId) is not { } claim)
                continue;
            if (random.Next(4) == 0)
                (await runs.ClaimAsync(command, claimId: claimId))?.Fence.ShouldBe(claim.Fence);
            var (id, fence) = (command.Command.StepId, claim.Fence);
            object word = random.Next(10) switch
            {
                0 => new LoseStep { RunId = run, StepId = id, Fence = fence, HostRestarted = random.Next(2) == 0 },
                1 => new DeferStep { RunId = run, StepId = id, Fence = fence, Key = "k", NextCheck = DateTimeOffset.UtcNow },
                2 => new FailStep { RunId = run, StepId = id, Fence = fence, Error = new StepError { Code = "boom", Message = "It went boom." } },
                _ => new CompleteStep { RunId = run, StepId = id, Fence = fence, Outcome = Outcome(rows: 2) },
            };
            old.Add(word);
            await SayAsync(runs, random, word);
            if (word is LoseStep)
                await SayAsync(runs, random, new FailStep { RunId = run, StepId = id, Fence = fence, Error = new StepError { Code = StepErrorCodes.Infrastructure, Message = "cut off" } });
        }

        (await runs.StateAsync(run)).ShouldBe("completed");
        var each = (await runs.StepAsync(run, "each")).GetProperty("items");
        (each.GetProperty("completed").GetInt32(), each.GetProperty("active").GetInt32()).ShouldBe((25, 0));
        var some = (await runs.StepAsync(run, "some")).GetProperty("items");
        (some.GetProperty("completed").GetInt32(), some.GetProperty("skipped").GetInt32(), some.GetProperty("active").GetInt32()).ShouldBe((5, 1, 0));
        (await runs.StepAsync(run, "good")).GetProperty("state").GetString().ShouldBe("completed");
        (await runs.StepAsync(run, "bad")).GetProperty("state").GetString().ShouldBe("skipped");
        var last = (await runs.GetAsync(run)).GetProperty("lastEvent").GetInt64();
        await TestHost.UntilAsync(() =>
        {
            var numbers = runs.Events.Where(e => e.RunId == run).Select(e => e.Sequence).Distinct().Order().ToList();
            return numbers.Count == last && numbers[^1] == last ? null : $"events 1 to {last}; there are {numbers.Count}";
        });
    }

    /// <summary>The next command, or what the run is in when none has come for a moment.</summary>
    private static async Task<((ExecuteStep Command, Guid Id)? Received, string State)> NextAsync(RunsFixture runs, Guid run)
    {
        using var moment = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!moment.IsCancellationRequested)
        {
            if (runs.TryTake() is { } received)
                return (received, "");
            if (await runs.StateAsync(run) is var state && state is not ("running" or "queued"))
            {
                // Commands sent before the pause may still be on their way; they are refused.
                return (runs.TryTake(), state);
            }

            await Task.Delay(5, CancellationToken.None);
        }

        throw new TimeoutException($"Nothing goes on: {JsonSerializer.Serialize(await runs.GetAsync(run))}");
    }

    /// <summary>Once, twice, or three times.</summary>
    private static async Task SayAsync(RunsFixture runs, Random random, object word)
    {
        for (var times = random.Next(1, 4); times > 0; times--)
            await runs.Sender.SendAsync(Queues.RunSaga, word, CancellationToken.None);
    }
}
