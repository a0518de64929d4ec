using System.Globalization;
using Qualiz.Chaos.Tests.Harness;
using Xunit.Abstractions;

namespace Qualiz.Chaos.Tests;

/// <summary>kill -9 at random moments: every run ends, and everything is as if nothing had happened.</summary>
[Collection(nameof(Standalone))]
public sealed class StandaloneKillTests(StandaloneFixture fixture, ITestOutputHelper output)
{
    [Fact]
    public Task The_standalone_host_killed_again_and_again_loses_and_doubles_nothing() => fixture.ProveAsync(async () =>
    {
        var tests = new KillTests(fixture, output);
        await tests.ProveAsync(async (random, traffic) =>
        {
            var kills = Math.Max(6, KillTests.Runs / 2);
            for (var kill = 1; kill <= kills; kill++)
            {
                // Now and then something must get done: killed faster than it can work, nothing ever would.
                if (kill % 3 == 0)
                    await traffic.UntilOneMoreEndedAsync();
                await Task.Delay(random.Next(300, 5000));
                tests.Say($"kill standalone after {traffic.Ended} runs");
                await fixture.Instance.Host.KillAsync();
                fixture.Instance.Host.Start();
                await fixture.Instance.UntilReadyAsync(fixture.Instance.Host);
            }
        });
        // The in-process bus has no queue to keep in what it gives up, but it says so.
        File.ReadAllLines(fixture.Instance.Host.Log)
            .Where(line => line.Contains("R-FAULT", StringComparison.Ordinal) || line.Contains("_error", StringComparison.Ordinal)).ShouldBeEmpty();
    });
}

/// <summary>The chaos is over everything there is.</summary>
[Collection(nameof(Standalone))]
public sealed class CoverageTests(StandaloneFixture fixture)
{
    [Fact]
    public Task Every_operator_that_is_announced_is_in_a_pipeline_of_these_tests() => fixture.ProveAsync(async () =>
    {
        var announced = (await fixture.Api.GetAsync("Pipelines", "/api/v1/operators")).GetProperty("items").EnumerateArray()
            .Select(item => item.GetProperty("manifest").GetProperty("kind").GetString()!).Distinct().Order().ToList();
        announced.Count.ShouldBeGreaterThanOrEqualTo(8, "all operators of the host");
        announced.Where(kind => !Workload.Pipelines.Any(pipeline => pipeline.Contains($"uses: {kind}\n", StringComparison.Ordinal)))
            .ShouldBeEmpty("add it to a pipeline in Harness/Workload.cs, and what it must give to Harness/Verdict.cs");
    });
}

/// <inheritdoc cref="StandaloneKillTests"/>
[Collection(nameof(Distributed))]
public sealed class DistributedKillTests(DistributedFixture fixture, ITestOutputHelper output)
{
    private readonly Instance _instance = fixture.Instance;
    private readonly KillTests _tests = new(fixture, output);

    [Fact]
    public Task Any_process_of_a_distributed_instance_killed_loses_and_doubles_nothing() => fixture.ProveAsync(async () =>
    {
        await _tests.ProveAsync(async (random, traffic) =>
        {
            string[] victims = ["Pipelines", "Runs", "Datasets", "Ingest", "Cleanse", "Dedup", "Enrich", "Deliver", "Notify", "Tasks", "engine worker", "RabbitMq", "PostgreSql"];
            for (var round = 0; round < Math.Max(1, KillTests.Runs / 12); round++)
            {
                random.Shuffle(victims);
                foreach (var victim in victims)
                {
                    await Task.Delay(random.Next(200, 2500));
                    await KillAsync(victim, random);
                    // Steps that are killed again and again would fail, as they should.
                    if (Array.IndexOf(victims, victim) % 3 == 2)
                        await traffic.UntilOneMoreEndedAsync();
                }
            }
        });
        await fixture.NothingShouldBeGivenUpAsync();
        await fixture.Listener.ShouldHaveHeardAllAsync(_instance);
    });

    private async Task KillAsync(string victim, Random random)
    {
        _tests.Say($"kill {victim}");
        switch (victim)
        {
            case "RabbitMq":
                await _instance.RabbitMq!.KillAsync();
                await Task.Delay(random.Next(0, 1000));
                await _instance.RabbitMq.StartAgainAsync();
                break;
            case "PostgreSql":
                await _instance.Postgres.KillAsync();
                await Task.Delay(random.Next(0, 1000));
                await _instance.Postgres.StartAgainAsync();
                break;
            case "engine worker":
                var workers = _instance.All.SelectMany(process => process.EngineWorkers()).ToArray();
                workers.ShouldNotBeEmpty();
                ServiceProcess.Kill(workers[random.Next(workers.Length)]);
                break;
            default:
                var replica = _instance.Of(victim)[random.Next(2)];
                await replica.KillAsync();
                await Task.Delay(random.Next(0, 1500));
                replica.Start();
                await _instance.UntilReadyAsync(replica);
                break;
        }
    }
}

internal sealed class KillTests(InstanceFixture fixture, ITestOutputHelper output)
{
    /// <summary>The long form: QUALIZ_CHAOS_RUNS=50; a failed one again: QUALIZ_CHAOS_SEED.</summary>
    public static int Runs { get; } = Number("QUALIZ_CHAOS_RUNS") ?? 9;

    public async Task ProveAsync(Func<Random, Traffic, Task> chaos)
    {
        Say($"seed {InstanceFixture.Seed}");
        var traffic = new Traffic(fixture.Workload, fixture.Api, Runs);
        var trouble = Task.Run(() => chaos(new Random(InstanceFixture.Seed), traffic));
        await Task.WhenAll(trouble, traffic.RunAsync(trouble));
        Say($"{traffic.Ended} runs ended");
        await fixture.AllShouldBeAsIfNothingHappenedAsync();
    }

    public void Say(string what) => output.WriteLine($"{DateTime.UtcNow:HH:mm:ss.fff} {what}");

    public static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
