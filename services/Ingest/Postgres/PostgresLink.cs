using System.Globalization;
using System.Net.Sockets;
using Npgsql;
using Qualiz.Ingest.Sources;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Ingest.Postgres;

/// <summary>A connection of the project to a PostgreSQL server, to read from.</summary>
internal sealed class PostgresLink : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;

    private PostgresLink(NpgsqlDataSource source, string name) => (_source, Name) = (source, name);

    /// <summary>The connection's name in the project.</summary>
    public string Name { get; }

    public static async Task<PostgresLink> OpenAsync(Connection connection, OutboundGuard guard, string purpose, CancellationToken ct)
    {
        NpgsqlDataSourceBuilder builder;
        try
        {
            builder = await PostgresConnection.OpenAsync(connection, guard, purpose, ct);
        }
        catch (ArgumentException error)
        {
            throw new IngestException("connectionInvalid", $"The connection \"{connection.Name}\" {error.Message}.", "from.connection");
        }
        builder.ConnectionStringBuilder.ReadBufferSize = 1 << 16;
        // No list of a server's own types is loaded: what we do not know by its number is read as text.
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        return new PostgresLink(builder.Build(), connection.Name);
    }

    /// <summary>A connection within a transaction that reads only, at the snapshot given or one of its own.</summary>
    public async Task<NpgsqlConnection> ReadAsync(string? snapshot, CancellationToken ct)
    {
        var connection = await _source.OpenConnectionAsync(ct);
        try
        {
            await ExecuteAsync(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ct);
            if (snapshot is not null)
                await ExecuteAsync(connection, $"SET TRANSACTION SNAPSHOT {Literal(snapshot)}", ct);
            // One form of every value that comes as text, whatever the server or the role prefers.
            await ExecuteAsync(connection, "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL lock_timeout = '60s'", ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Tells the server to stop what these of its processes do for us.</summary>
    public async Task CancelAsync(IEnumerable<int> processes)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await using var connection = await _source.OpenConnectionAsync(patience.Token);
            foreach (var process in processes)
                await ExecuteAsync(connection, string.Create(CultureInfo.InvariantCulture, $"SELECT pg_cancel_backend({process})"), patience.Token);
        }
        catch (Exception error) when (error is NpgsqlException or SocketException or OperationCanceledException or TimeoutException)
        {
            // The server is gone or busy; closing the lines is what is left.
        }
    }

    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task<T?> ScalarAsync<T>(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(ct) is T value ? value : default;
    }

    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>What a person is told of a server's refusal, and whether trying again may help. It quotes no values.</summary>
    public static IngestException Explain(NpgsqlException error, string connection, string path) => error switch
    {
        PostgresException { SqlState: ['2', '8', ..] } => new("connectionInvalid", $"{connection} refuses the user or the password.", "from.connection"),
        PostgresException { SqlState: "3D000" } => new("connectionInvalid", $"{connection} has no such database.", "from.connection"),
        PostgresException { SqlState: "42P01" or "3F000" } => new("tableUnknown", $"{connection} has no such table.", path),
        PostgresException { SqlState: "42501" } => new("accessRefused", $"{connection} does not let this user read it.", path),
        PostgresException { SqlState: ['4', '2', ..] or ['2', '2', ..] or ['2', '5', ..] } refused => new("queryInvalid", $"{connection} refuses the query ({refused.SqlState}): {Head(refused)}.", path),
        _ => new("sourceUnavailable", $"{connection} cannot be read: {(error as PostgresException)?.SqlState ?? (error.InnerException ?? error).Message}.", path) { Transient = true },
    };

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    // Errors of class 22 quote values of rows; those of class 42 quote the statement.
    private static string Head(PostgresException error) =>
        error.SqlState.StartsWith("42", StringComparison.Ordinal) ? error.MessageText.Split('\n')[0].TrimEnd('.') : "a value does not fit an operation";
}
