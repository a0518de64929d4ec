namespace Qualiz.Chaos.Tests.Harness;

/// <summary>One instance for all tests of a kind: starting it costs more than most of them. What each does to it, it undoes.</summary>
public abstract class InstanceFixture : IAsyncLifetime
{
    internal static int Seed { get; } = KillTests.Number("QUALIZ_CHAOS_SEED") ?? Environment.TickCount;

    internal Instance Instance { get; private set; } = null!;
    internal Api Api { get; private set; } = null!;
    internal Workload Workload { get; private set; } = null!;
    internal Held Held { get; private set; } = null!;
    private readonly Receiver _receiver = new();

    private protected abstract Task<Instance> StartAsync();

    public virtual async Task InitializeAsync()
    {
        Instance = await StartAsync();
        Api = new Api(Instance);
        Workload = new Workload(Instance, Api, _receiver, Seed);
        Held = new Held(Instance, Api);
        await Workload.PrepareAsync();
        await Held.PrepareAsync();
    }

    /// <summary>Runs the test; when it fails, says with what seed, and what the services said last.</summary>
    internal async Task ProveAsync(Func<Task> test)
    {
        try
        {
            await test();
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"With QUALIZ_CHAOS_SEED={Seed}: {exception.Message}\n{Instance.Tails()}", exception);
        }
    }

    /// <summary>All that the pipelines of the workload ever did here.</summary>
    internal async Task AllShouldBeAsIfNothingHappenedAsync(TimeSpan? patience = null)
    {
        await using var verdict = new Verdict(Instance, Workload, patience ?? TimeSpan.FromMinutes(3));
        await verdict.ShouldBeAsIfNothingHappenedAsync();
    }

    public virtual async Task DisposeAsync()
    {
        Api.Dispose();
        _receiver.Dispose();
        await Instance.DisposeAsync();
    }
}

public sealed class StandaloneFixture : InstanceFixture
{
    private protected override Task<Instance> StartAsync() => Instance.StandaloneAsync();
}

public sealed class BucketFixture : InstanceFixture
{
    private protected override Task<Instance> StartAsync() => Instance.OnBucketAsync();
}

public sealed class DistributedFixture : InstanceFixture
{
    internal EventListener Listener { get; private set; } = null!;

    private protected override async Task<Instance> StartAsync()
    {
        var instance = await Instance.DistributedAsync();
        Listener = await EventListener.StartAsync(instance.RabbitMq!.Address);
        return instance;
    }

    internal async Task NothingShouldBeGivenUpAsync() =>
        (await Instance.RabbitMq!.ControlAsync("--quiet", "list_queues", "name", "messages")).Split('\n')
        .Where(line => line.Contains("_error", StringComparison.Ordinal) && !line.EndsWith("\t0", StringComparison.Ordinal)).ShouldBeEmpty();
}

// One collection at a time: the tests stop servers and measure nothing against a busy machine.
[CollectionDefinition(nameof(Standalone), DisableParallelization = true)]
public sealed class Standalone : ICollectionFixture<StandaloneFixture>;

[CollectionDefinition(nameof(OnBucket), DisableParallelization = true)]
public sealed class OnBucket : ICollectionFixture<BucketFixture>;

[CollectionDefinition(nameof(Distributed), DisableParallelization = true)]
public sealed class Distributed : ICollectionFixture<DistributedFixture>;
