using System.Globalization;
using Npgsql;

namespace Qualiz.TestKit;

/// <summary>
/// The PostgreSQL server of this test process: a private cluster, or the one that QUALIZ_TEST_POSTGRES names
/// (a connection string whose login may create databases and roles).
/// </summary>
public sealed class PostgresServer
{
    private static readonly Lazy<Task<PostgresServer>> s_shared = new(() => StartAsync(Environment.GetEnvironmentVariable("QUALIZ_TEST_POSTGRES")));
    private static int s_databases;
    private readonly LocalServer? _local;

    private PostgresServer(string connectionString, LocalServer? local)
    {
        ConnectionString = connectionString;
        _local = local;
    }

    public string ConnectionString { get; }

    public static Task<PostgresServer> SharedAsync() => s_shared.Value;

    /// <summary>A server of the test's own, which it may stop.</summary>
    public static Task<PostgresServer> StartPrivateAsync() => StartAsync(null);

    private static async Task<PostgresServer> StartAsync(string? address)
    {
        if (!string.IsNullOrEmpty(address))
            return new PostgresServer(address, null);
        var local = await LocalServer.StartAsync("postgres.sh");
        return new PostgresServer($"Host=127.0.0.1;Port={local.Port.ToString(CultureInfo.InvariantCulture)};Username=qualiz;Database=postgres", local);
    }

    /// <summary>A new empty database; its connection string.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test_{Environment.ProcessId}_{Interlocked.Increment(ref s_databases)}";
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using (var drop = new NpgsqlCommand($"DROP DATABASE IF EXISTS {name} WITH (FORCE)", connection))
            await drop.ExecuteNonQueryAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await create.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name }.ConnectionString;
    }

    /// <summary>Only a private server of this process.</summary>
    public Task StopAsync() => Local.StopAsync();

    /// <summary>kill -9 of the server and its backends.</summary>
    public Task KillAsync() => Local.KillAsync("data/postmaster.pid");

    public Task StartAgainAsync() => Local.StartAgainAsync();

    private LocalServer Local => _local ?? throw new InvalidOperationException("QUALIZ_TEST_POSTGRES names a server that is not ours to stop.");
}
