using System.Globalization;
using Npgsql;
using Qualiz.TestKit;

namespace Qualiz.Chaos.Tests.Harness;

/// <summary>A pipeline whose delivery takes as long as the test wants: the test holds the target's lock.</summary>
internal sealed class Held(Instance instance, Api api)
{
    public const int Rows = 3;

    private const string Pipeline = """
        qualiz: 1
        pipeline: held
        retry: {times: 3, wait: 1s, backoff: 1, on: transient}
        steps:
          read:
            uses: ingest
            with: {from: {connection: landing, files: "held/*.csv"}, format: {type: csv}}
          deliver:
            uses: deliver
            inputs: [read]
            with: {to: {connection: dwh, table: public.held}, lockTimeout: 10m}
        """;

    private readonly HashSet<int> _sessions = [];
    private int _runs;

    public async Task PrepareAsync()
    {
        var folder = Directory.CreateDirectory(Path.Combine(instance.Landing, "held")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "held.csv"), "id,name\n1,a\n2,b\n3,c\n");
        await api.SaveAsync("held", Pipeline);
        // The first one makes the table.
        await api.UntilEndAsync(await StartAsync(), TimeSpan.FromMinutes(2));
    }

    public Task<Guid> StartAsync() => api.StartRunAsync("held", $"held {Interlocked.Increment(ref _runs)}");

    /// <returns>Until it is disposed of, nobody gets at the table.</returns>
    public async Task<IAsyncDisposable> LockAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(instance.Target) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand("LOCK TABLE public.held IN ACCESS EXCLUSIVE MODE", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    /// <summary>Waits until this run's delivery has begun, by an execution after <paramref name="fence"/>, and stands before the lock.</summary>
    /// <returns>The execution's fence, and the process that works on it.</returns>
    public async Task<(long Fence, int Process)> UntilWaitingAsync(Guid run, long fence = 0)
    {
        (long Fence, int Process) found = default;
        await TestHost.UntilAsync(async () =>
        {
            var rows = await QueryAsync(instance.Database,
                $"SELECT fence, worker, state FROM runs.step WHERE run_id = '{run}' AND step_id = 'deliver'");
            if (rows.Count == 0 || (string)rows[0][2] != "Running" || (long)rows[0][0] <= fence)
                return $"an execution of step deliver after {fence} (it is {(rows.Count == 0 ? "not there" : string.Join(' ', rows[0]))})";
            var worker = (string)rows[0][1];
            found = ((long)rows[0][0], int.Parse(worker[(worker.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture));
            // The sessions of killed workers wait on: the server does not look whether anybody is still there.
            var waiting = (await QueryAsync(instance.Target, "SELECT pid FROM pg_locks WHERE NOT granted")).Select(row => (int)row[0]).Except(_sessions).ToArray();
            _sessions.UnionWith(waiting);
            return waiting.Length > 0 ? null : "another session that waits for the lock";
        }, TimeSpan.FromSeconds(90));
        return found;
    }

    public async Task<long> LostAsync(Guid run) =>
        (long)(await QueryAsync(instance.Database, $"SELECT count(*) FROM runs.event WHERE run_id = '{run}' AND type = 'StepLost'"))[0][0];

    /// <summary>The run is completed, by one completion; its rows are in the table once, and so is its record.</summary>
    public async Task ShouldBeDeliveredOnceAsync(Guid run)
    {
        await api.UntilEndAsync(run, TimeSpan.FromMinutes(2));
        (await QueryAsync(instance.Target, $"SELECT count(*), sum(rows)::bigint FROM qualiz_delivery WHERE run_id = '{run}'"))[0].ShouldBe([1L, (long)Rows]);
        var delivered = (long)(await QueryAsync(instance.Target, "SELECT count(*) FROM qualiz_delivery WHERE target LIKE '%held%'"))[0][0];
        (await QueryAsync(instance.Target, "SELECT count(*) FROM public.held"))[0][0].ShouldBe(delivered * Rows);
        (await QueryAsync(instance.Database, $"SELECT count(*) FROM runs.event WHERE run_id = '{run}' AND type = 'StepCompleted' AND body->>'stepId' = 'deliver'"))[0][0].ShouldBe(1L);
    }

    private static async Task<List<object[]>> QueryAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database) { Pooling = false });
        return await Verdict.ReadAsync(source, sql);
    }
}
