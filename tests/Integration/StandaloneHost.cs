using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using Qualiz.Cleanse;
using Qualiz.Datasets;
using Qualiz.Dedup;
using Qualiz.Deliver;
using Qualiz.Enrich;
using Qualiz.Ingest;
using Qualiz.Notify;
using Qualiz.Pipelines;
using Qualiz.Runs;
using Qualiz.Tasks;
using Qualiz.TestKit;

namespace Qualiz.Integration.Tests;

public sealed class InProcessHost() : StandaloneHost(TestBus.InProcess);

public sealed class RabbitMqHost() : StandaloneHost(TestBus.RabbitMq);

/// <summary>All modules in one process, as Standalone runs them, with real engine workers, and a database to deliver to.</summary>
public abstract class StandaloneHost(TestBus bus) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("qualiz-test-integration-").FullName;
    private TestHost _host = null!;

    /// <summary>Where pipelines deliver to: somebody else's database.</summary>
    public string Target { get; private set; } = "";

    public Api Api { get; private set; } = null!;

    /// <summary>Where the services keep what they know.</summary>
    public string Database => _host.Surroundings.Database;

    /// <summary>Every row of every table.</summary>
    public async Task<IReadOnlyList<string>> DatabaseAsync()
    {
        await using var source = NpgsqlDataSource.Create(Database);
        var tables = new List<string>();
        await using (var command = source.CreateCommand("SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema IN ('bus', 'pipelines', 'runs', 'datasets')"))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                tables.Add(reader.GetString(0));
        }
        tables.ShouldNotBeEmpty();
        var rows = new List<string>();
        foreach (var table in tables)
        {
            await using var command = source.CreateCommand($"SELECT t::text FROM {table} t");
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                rows.Add(reader.GetString(0));
        }
        return rows;
    }

    public Uri Address => _host.Client.BaseAddress!;

    public async Task InitializeAsync()
    {
        Target = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        _host = await TestHost.StartAsync(
            builder => builder.AddPipelines().AddRuns().AddDatasets().AddIngest().AddCleanse().AddDedup().AddEnrich().AddDeliver().AddNotify().AddTasks(),
            app => app.MapPipelines().MapRuns().MapDatasets().MapNotify(),
            bus,
            new Dictionary<string, string?>
            {
                ["Store:Root"] = Path.Combine(_folder, "store"),
                ["Secrets:Key"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
                ["Outbound:Allow:0"] = "127.0.0.0/8",
                ["Engine:Scratch"] = Path.Combine(_folder, "scratch"),
                ["Engine:Workers"] = "2",
                ["Engine:MemoryShare"] = "0.2",
                // The test runner is no Qualiz program: its workers are started from the one that is.
                ["Engine:WorkerCommand:0"] = "dotnet",
                ["Engine:WorkerCommand:1"] = Path.Combine(AppContext.BaseDirectory, "Qualiz.Standalone.dll"),
            });
        Api = new Api(_host.Client);
        // Operators announce themselves to Pipelines, which refuses files that use unknown ones.
        await TestHost.UntilAsync(async () =>
        {
            var known = (await Api.GetAsync("operators")).List("items").Select(item => item.GetProperty("manifest").Text("kind")).ToList();
            var missing = new[] { "ingest", "cleanse", "detect", "dedup", "enrich", "deliver", "notify", "wait", "log" }.Except(known).ToList();
            return missing.Count == 0 ? null : $"operators {string.Join(", ", missing)}";
        });
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The settings of a connection to <see cref="Target"/>.</summary>
    public object TargetConnection()
    {
        var address = new NpgsqlConnectionStringBuilder(Target);
        return new
        {
            type = "postgres",
            settings = new { host = address.Host, port = address.Port, database = address.Database, user = address.Username, password = address.Password ?? "unused", sslMode = "disable" },
        };
    }

    public async Task<long> CountAsync(string sql) => Convert.ToInt64(await ScalarAsync(sql), CultureInfo.InvariantCulture);

    public async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Target) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
