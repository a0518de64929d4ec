using System.Diagnostics;
using Qualiz.Platform.Operators;

namespace Qualiz.Deliver.Tests;

/// <summary>Connections are cut at random moments and steps done again, also by two executions at once, until one says done.</summary>
public sealed class ExactlyOnceTests(PostgresBench postgres) : IClassFixture<PostgresBench>
{
    private const int Rows = 20_000;

    [Theory]
    [InlineData("append", 1)]
    [InlineData("replace", 2)]
    [InlineData("upsert", 3)]
    public async Task Cut_at_random_moments_every_delivery_is_made_once(string mode, int seed)
    {
        var random = new Random(seed);
        var table = $"cut_{mode}";
        var config = $$"""{"to":{"connection":"dwh","table":"{{table}}"},"mode":"{{mode}}"{{(mode == "upsert" ? ""","key":["id"]""" : "")}}}""";
        long fence = 0;
        var cuts = 0;
        // How long a delivery takes on this machine: a cut must fall into it to prove anything.
        var typical = 250;
        for (var round = 0; round < 6 || cuts <= 5; round++)
        {
            round.ShouldBeLessThan(60, "the cuts should have hit something");
            var input = await postgres.Bench.InputAsync($"SELECT i AS id, {round} AS round, 'text ' || i AS v FROM range({Rows}) t(i)");
            var run = Guid.CreateVersion7();
            StepResult? result = null;
            for (var attempt = 0; result is not StepResult.Completed; attempt++)
            {
                attempt.ShouldBeLessThan(200);
                using var stop = new CancellationTokenSource();
                var cutter = attempt < 12 ? CutAsync(TimeSpan.FromMilliseconds(random.Next(0, typical)), stop.Token) : Task.CompletedTask;
                var begun = Stopwatch.GetTimestamp();
                result = await postgres.RunAsync(config, input, ++fence, run);
                if (result is StepResult.Completed)
                    typical = Math.Max(2, (int)Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                await stop.CancelAsync();
                await cutter;
                if (result is StepResult.Failed failed)
                {
                    cuts++;
                    failed.Error.ShouldSatisfyAllConditions(error => error.Transient.ShouldBeTrue(error.Message), error => error.Code.ShouldBe("targetUnavailable"));
                }
            }
            // And once more by an execution that has not heard of it.
            (await postgres.DeliverAsync(config, input, ++fence, run)).Ledger[0].Out.ShouldBe(Rows);
            var rounds = mode == "append" ? round + 1 : 1;
            (await postgres.OneAsync($"SELECT count(*), count(DISTINCT id), min(c), max(c), max(r) FROM (SELECT id, count(*) AS c, max(round) AS r FROM {table} GROUP BY id) t"))
                .ShouldBe($"{Rows}|{Rows}|{rounds}|{rounds}|{round}");
            (await postgres.OneAsync($"SELECT count(*) FROM qualiz_delivery WHERE run_id = '{run}'")).ShouldBe("1");
        }
    }

    [Theory]
    [InlineData("append")]
    [InlineData("replace")]
    [InlineData("upsert")]
    public async Task Two_executions_at_once_deliver_once(string mode)
    {
        var table = $"twice_{mode}";
        var config = $$"""{"to":{"connection":"dwh","table":"made_twice.{{table}}"},"mode":"{{mode}}"{{(mode == "upsert" ? ""","key":["id"]""" : "")}}}""";
        var input = await postgres.Bench.InputAsync($"SELECT i AS id, 'text ' || i AS v FROM range({Rows}) t(i)");
        for (var round = 0; round < 4; round++)
        {
            var run = Guid.CreateVersion7();
            var results = await Task.WhenAll(Enumerable.Range(1, 3).Select(i => Task.Run(() => postgres.RunAsync(config, input, (round * 10) + i, run))));
            foreach (var result in results)
            {
                // Only one can make the schema; whoever loses that race is told to come again.
                if (result is StepResult.Failed failed)
                    failed.Error.ShouldSatisfyAllConditions(error => error.Transient.ShouldBeTrue(error.Message), error => error.Code.ShouldBe("targetBusy"));
            }
            results.OfType<StepResult.Completed>().ShouldNotBeEmpty();
            results.OfType<StepResult.Completed>().Select(result => string.Join(",", result.Outcome.Counts.OrderBy(count => count.Key, StringComparer.Ordinal))).Distinct().Count().ShouldBe(1);
            (await postgres.OneAsync($"SELECT count(*) FROM made_twice.{table}")).ShouldBe($"{Rows * (mode == "append" ? round + 1 : 1)}");
        }
    }

    private async Task CutAsync(TimeSpan after, CancellationToken stop)
    {
        try
        {
            await Task.Delay(after, stop);
            await postgres.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'qualiz %' AND datname = current_database()");
        }
        catch (OperationCanceledException)
        {
            // Done before the cut.
        }
    }
}
