using System.Globalization;
using Qualiz.Chaos.Tests.Harness;
using Xunit.Abstractions;

namespace Qualiz.Chaos.Tests;

/// <summary>kill -9 at random moments: every run ends, and everything is as if nothing had happened.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    /// <summary>The long form: QUALIZ_CHAOS_RUNS=50; a failed one again: QUALIZ_CHAOS_SEED.</summary>
    private static readonly int s_runs = Number("QUALIZ_CHAOS_RUNS") ?? 9;
    private readonly int _seed = Number("QUALIZ_CHAOS_SEED") ?? Environment.TickCount;

    [Fact]
    public async Task The_standalone_host_killed_again_and_again_loses_and_doubles_nothing()
    {
        await using var instance = await Instance.StandaloneAsync();
        await ProveAsync(instance, async (random, traffic) =>
        {
            var kills = Math.Max(6, s_runs / 2);
            for (var kill = 1; kill <= kills; kill++)
            {
                // Now and then something must get done: killed faster than it can work, nothing ever would.
                if (kill % 3 == 0)
                    await traffic.UntilOneMoreEndedAsync();
                await Task.Delay(random.Next(300, 5000));
                Say($"kill standalone after {traffic.Ended} runs");
                await instance.Host.KillAsync();
                instance.Host.Start();
                await instance.UntilReadyAsync(instance.Host);
            }
        });
        GivenUp(instance).ShouldBeEmpty();
    }

    [Fact]
    public async Task Any_process_of_a_distributed_instance_killed_loses_and_doubles_nothing()
    {
        await using var instance = await Instance.DistributedAsync();
        await using var listener = await EventListener.StartAsync(instance.RabbitMq!.Address);
        await ProveAsync(instance, async (random, traffic) =>
        {
            string[] victims = ["Pipelines", "Runs", "Datasets", "Ingest", "Cleanse", "Deliver", "Tasks", "engine worker", "RabbitMq", "PostgreSql"];
            for (var round = 0; round < Math.Max(1, s_runs / 12); round++)
            {
                random.Shuffle(victims);
                foreach (var victim in victims)
                {
                    await Task.Delay(random.Next(200, 2500));
                    await KillAsync(instance, victim, random);
                    // Steps that are killed again and again would fail, as they should.
                    if (Array.IndexOf(victims, victim) % 3 == 2)
                        await traffic.UntilOneMoreEndedAsync();
                }
            }
        });
        (await instance.RabbitMq.ControlAsync("--quiet", "list_queues", "name", "messages")).Split('\n')
            .Where(line => line.Contains("_error", StringComparison.Ordinal) && !line.EndsWith("\t0", StringComparison.Ordinal)).ShouldBeEmpty();
        await listener.ShouldHaveHeardAllAsync(instance);
    }

    private async Task KillAsync(Instance instance, string victim, Random random)
    {
        Say($"kill {victim}");
        switch (victim)
        {
            case "RabbitMq":
                await instance.RabbitMq!.KillAsync();
                await Task.Delay(random.Next(0, 1000));
                await instance.RabbitMq.StartAgainAsync();
                break;
            case "PostgreSql":
                await instance.Postgres.KillAsync();
                await Task.Delay(random.Next(0, 1000));
                await instance.Postgres.StartAgainAsync();
                break;
            case "engine worker":
                var workers = instance.All.SelectMany(process => process.EngineWorkers()).ToArray();
                workers.ShouldNotBeEmpty();
                ServiceProcess.Kill(workers[random.Next(workers.Length)]);
                break;
            default:
                var replica = instance.Of(victim)[random.Next(2)];
                await replica.KillAsync();
                await Task.Delay(random.Next(0, 1500));
                replica.Start();
                await instance.UntilReadyAsync(replica);
                break;
        }
    }

    private async Task ProveAsync(Instance instance, Func<Random, Traffic, Task> chaos)
    {
        Say($"seed {_seed}");
        using var api = new Api(instance);
        var workload = new Workload(instance, api, _seed);
        try
        {
            await workload.PrepareAsync();
            var traffic = new Traffic(workload, api, s_runs);
            var trouble = Task.Run(() => chaos(new Random(_seed), traffic));
            await Task.WhenAll(trouble, traffic.RunAsync(trouble));
            Say($"{traffic.Ended} runs ended");
            await using var verdict = new Verdict(instance, workload);
            await verdict.ShouldBeAsIfNothingHappenedAsync();
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"With QUALIZ_CHAOS_SEED={_seed}: {exception.Message}\n{instance.Tails()}", exception);
        }
    }

    private void Say(string what) => output.WriteLine($"{DateTime.UtcNow:HH:mm:ss.fff} {what}");

    /// <summary>What the in-process bus gave up: it has no queue to keep it in, but it says so.</summary>
    private static string[] GivenUp(Instance instance) =>
        [.. File.ReadAllLines(instance.Host.Log).Where(line => line.Contains("R-FAULT", StringComparison.Ordinal) || line.Contains("_error", StringComparison.Ordinal))];

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
