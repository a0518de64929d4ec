using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>
/// A running Qualiz made of real processes, on a PostgreSQL and a RabbitMQ of its own that may be killed like everything
/// else. Nothing of it outlives the test, nor the test's process.
/// </summary>
internal sealed class Instance : IAsyncDisposable
{
    private static readonly string[] s_services = ["Pipelines", "Runs", "Datasets", "Ingest", "Cleanse", "Dedup", "Enrich", "Deliver", "Notify", "Tasks"];
    private readonly string _mark;
    private readonly List<ServiceProcess> _processes = [];
    private readonly CancellationTokenSource _over = new();
    private Task _supervision = Task.CompletedTask;

    private Instance(string folder, PostgresServer postgres, RabbitMqServer? rabbit, S3Server? bucket, string database, string target)
    {
        Folder = folder;
        Postgres = postgres;
        RabbitMq = rabbit;
        Bucket = bucket;
        Database = database;
        Target = target;
        _mark = $"QUALIZ_CHAOS={folder}";
    }

    public string Folder { get; }
    public string Store => Path.Combine(Folder, "store");
    public string Landing => Path.Combine(Folder, "landing");
    public string Delivered => Path.Combine(Folder, "delivered");
    public PostgresServer Postgres { get; }

    /// <summary>Null in Standalone.</summary>
    public RabbitMqServer? RabbitMq { get; }

    /// <summary>Null when the store is a folder.</summary>
    public S3Server? Bucket { get; }

    /// <summary>Connection strings: Qualiz's own database, and the one it delivers to.</summary>
    public string Database { get; }
    public string Target { get; }
    /// <summary>The file in which an object of the store lies.</summary>
    public string FileOf(string key) => Bucket?.FileOf(key) ?? Path.Combine(Store, key);

    private bool HasDisk => RabbitMq is null && Bucket is null;

    public IReadOnlyList<ServiceProcess> All => _processes;

    public ServiceProcess Host => _processes.Single(process => process.Name == "standalone");

    public IReadOnlyList<ServiceProcess> Of(string service) =>
        RabbitMq is null ? [Host] : [.. _processes.Where(process => process.Name.StartsWith($"{service.ToLowerInvariant()}-", StringComparison.Ordinal))];

    /// <summary>The store's folder is a small disk of its own, which can be filled up.</summary>
    public static Task<Instance> StandaloneAsync() => StartAsync(distributed: false);

    /// <summary>The store is a bucket on a server that may be killed like the others.</summary>
    public static async Task<Instance> OnBucketAsync() => await StartAsync(distributed: false, await S3Server.StartAsync());

    /// <summary>Two of each service.</summary>
    public static Task<Instance> DistributedAsync() => StartAsync(distributed: true);

    private static async Task<Instance> StartAsync(bool distributed, S3Server? bucket = null)
    {
        var postgres = PostgresServer.StartPrivateAsync();
        var rabbit = distributed ? await RabbitMqServer.StartPrivateAsync() : null;
        var folder = Directory.CreateTempSubdirectory("qualiz-chaos-").FullName;
        var instance = new Instance(folder, await postgres, rabbit, bucket, await (await postgres).CreateDatabaseAsync(), await (await postgres).CreateDatabaseAsync());
        try
        {
            instance.Prepare();
            instance.KillWithThisProcess();
            foreach (var process in instance.All)
                process.Start();
            await Task.WhenAll(instance.All.Select(instance.UntilReadyAsync));
            instance._supervision = instance.SuperviseAsync();
            return instance;
        }
        catch
        {
            await instance.DisposeAsync();
            throw;
        }
    }

    private void Prepare()
    {
        foreach (var name in (string[])["store", "landing", "delivered", "scratch", "logs"])
            Directory.CreateDirectory(Path.Combine(Folder, name));
        if (HasDisk)
            Disk.Mount(Store);
        var key = Path.Combine(Folder, "secrets.key");
        File.WriteAllText(key, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        var environment = new Dictionary<string, string>
        {
            ["QUALIZ_CHAOS"] = Folder,
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["ConnectionStrings__Qualiz"] = Database,
            ["Bus__Transport"] = RabbitMq is null ? "InProcess" : "RabbitMq",
            ["Store__Type"] = "local",
            ["Store__Root"] = Store,
            // Runs begin on any disk: what a full one does to those under way is what these tests look at.
            ["Store__MinFree"] = "0",
            ["Secrets__KeyFile"] = key,
            ["Bus__Patience"] = "00:01:00",
            ["Services__Key"] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
            ["Folders__Roots__0"] = Delivered,
            ["Folders__Roots__1"] = Landing,
            ["Outbound__Allow__0"] = "127.0.0.1",
            ["Engine__Scratch"] = Path.Combine(Folder, "scratch"),
            ["Engine__Workers"] = "2",
            // So that nobody waits long for what a killed process held.
            ["Runs__Lease"] = "00:00:09",
            ["Runs__ReconcileEvery"] = "00:00:02",
            ["Runs__ResendAfter"] = "00:00:10",
            ["Database__MaxConnections"] = RabbitMq is null ? "60" : "12",
            ["DOTNET_TieredPGO"] = "0",
        };
        if (Bucket is not null)
        {
            environment["Store__Type"] = "s3";
            environment["Store__S3__Endpoint"] = Bucket.Address.ToString();
            environment["Store__S3__Bucket"] = S3Server.Bucket;
            environment["Store__S3__AccessKey"] = environment["Store__S3__SecretKey"] = S3Server.Key;
        }
        if (RabbitMq is not null)
            environment["Bus__Uri"] = $"{RabbitMq.Address}/";

        if (RabbitMq is null)
        {
            _processes.Add(Process("standalone", "Qualiz.Standalone", environment));
            return;
        }
        foreach (var service in s_services)
        {
            for (var replica = 1; replica <= 2; replica++)
                _processes.Add(Process($"{service.ToLowerInvariant()}-{replica.ToString(CultureInfo.InvariantCulture)}", $"Qualiz.{service}", environment));
            environment[$"Services__{service}"] = _processes[^2].Address.ToString();
        }
    }

    private ServiceProcess Process(string name, string assembly, Dictionary<string, string> environment) =>
        new(name, assembly, new Dictionary<string, string>(environment), Path.Combine(Folder, "logs"), Path.Combine(Folder, "pids"));

    /// <summary>Does what ./qualiz up --distributed and Kubernetes do: starts a process again that gave itself up.</summary>
    private async Task SuperviseAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            foreach (var process in _processes.Where(process => process.GaveItselfUp))
                process.Start();
            await Task.Delay(500, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async Task UntilReadyAsync(ServiceProcess process)
    {
        using var client = new HttpClient { BaseAddress = process.Address, Timeout = TimeSpan.FromSeconds(10) };
        await TestHost.UntilAsync(async () =>
        {
            if (process.IsGone)
                throw new InvalidOperationException($"{process.Name} ended:\n{Tail(process)}");
            try
            {
                using var response = await client.GetAsync("/health/ready");
                return response.IsSuccessStatusCode ? null : $"{process.Name} ready ({await response.Content.ReadAsStringAsync()})";
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
            {
                await Task.Delay(100);
                return $"{process.Name} ready ({exception.Message}):\n{Tail(process)}";
            }
        }, TimeSpan.FromMinutes(3));
    }

    public NpgsqlDataSource OpenDatabase() => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Database) { Pooling = false });

    public NpgsqlDataSource OpenTarget() => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Target) { Pooling = false });

    /// <summary>The end of every log, for a failure's message.</summary>
    public string Tails() => string.Join('\n', All.Select(Tail));

    private static string Tail(ServiceProcess process)
    {
        var lines = File.Exists(process.Log) ? File.ReadLines(process.Log).Where(line => !line.Contains("HealthCheckEnd", StringComparison.Ordinal)) : [];
        return $"--- {process.Name} ---\n{string.Join('\n', lines.TakeLast(25))}";
    }

    /// <summary>A process of its own does it, because this one may be killed itself.</summary>
    private void KillWithThisProcess()
    {
        const string Watch = """
            while kill -0 "$1" 2>/dev/null && [ -d "$2" ]; do sleep 0.5; done
            for pid in $(cat "$2/pids" 2>/dev/null); do
              tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qxF "QUALIZ_CHAOS=$2" && kill -KILL "$pid"
            done
            sleep 0.5; umount -l "$2/store" "$2/store-disk" 2>/dev/null; rm -rf --one-file-system "$2"
            """;
        var start = new ProcessStartInfo("setsid", ["bash", "-c", $"({Watch}) >/dev/null 2>&1 </dev/null &", "watch", Environment.ProcessId.ToString(CultureInfo.InvariantCulture), Folder]);
        start.Environment.Remove("QUALIZ_TEST_RUN");
        using var process = System.Diagnostics.Process.Start(start)!;
        process.WaitForExit();
    }

    /// <summary>Kills everything and looks that nothing is left, engine workers included.</summary>
    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _supervision;
        _over.Dispose();
        foreach (var process in All.Where(process => process.IsAlive))
            await process.KillAsync();
        IReadOnlyList<int> left = [];
        for (var i = 0; i < 50 && (left = Processes.With(_mark)).Count > 0; i++)
            await Task.Delay(100);
        foreach (var pid in left)
            ServiceProcess.Kill(pid);
        await Postgres.StopAsync();
        if (RabbitMq is not null)
            await RabbitMq.StopAsync();
        if (Environment.GetEnvironmentVariable("QUALIZ_CHAOS_KEEP") is { Length: > 0 } keep)
            Directory.Move(Path.Combine(Folder, "logs"), Path.Combine(keep, Path.GetFileName(Folder)));
        if (Bucket is not null)
            await Bucket.StopAsync();
        if (HasDisk)
            Disk.Unmount(Store);
        Directory.Delete(Folder, recursive: true);
        left.Count.ShouldBe(0, "processes outlived their killed hosts");
    }
}
