using System.Globalization;
using Npgsql;
using Qualiz.Platform.Operators;

namespace Qualiz.Platform.Outbound;

/// <summary>
/// Signs in to the server of a connection of type <c>postgres</c>. Its address is a user's, and goes through the guard; only known settings are used, so that
/// none can name a file or a program.
/// </summary>
public static class PostgresConnection
{
    public const string Type = "postgres";

    /// <param name="purpose">What the server shows beside its processes.</param>
    /// <returns>Not built yet, so that the caller may add what is its own.</returns>
    /// <exception cref="ArgumentException">The settings are not right; the message, a clause about the connection, is for a person and holds no secret.</exception>
    /// <exception cref="OutboundRefusedException">The host is unknown, or lies where the platform must not go.</exception>
    public static async Task<NpgsqlDataSourceBuilder> OpenAsync(Connection connection, OutboundGuard guard, string purpose, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(guard);
        ArgumentNullException.ThrowIfNull(purpose);
        string? Get(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                if (connection.Settings.FirstOrDefault(setting => setting.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value is { Length: > 0 } value)
                    return value;
            }
            return null;
        }

        if (connection.Type != Type)
            throw new ArgumentException($"is of type {connection.Type} and no PostgreSQL server");
        var host = Get("host") ?? throw new ArgumentException("has no host");
        var ssl = (Get("sslMode") ?? nameof(SslMode.Prefer)).Replace("-", "", StringComparison.Ordinal);
        var settings = new NpgsqlConnectionStringBuilder
        {
            Port = int.TryParse(Get("port") ?? "5432", NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536 ? port : throw new ArgumentException("has no valid port"),
            Database = Get("database") ?? throw new ArgumentException("has no database"),
            Username = Get("user", "username") ?? throw new ArgumentException("has no user"),
            Password = Get("password"),
            SslMode = Enum.TryParse<SslMode>(ssl, ignoreCase: true, out var mode) && Enum.IsDefined(mode)
                ? mode : throw new ArgumentException("has an unknown sslMode; it is disable, prefer, require, verify-ca or verify-full"),
            Host = (await guard.ResolveAsync(host, ct)).ToString(),
            // One use, few connections, and each must end with it.
            Pooling = false,
            Timeout = 15,
            // The server's own time-outs rule; a dead line is ended by what follows.
            CommandTimeout = 0,
            KeepAlive = 30,
            TcpKeepAlive = true,
            TcpKeepAliveTime = 30,
            TcpKeepAliveInterval = 10,
            IncludeErrorDetail = false,
            ApplicationName = $"qualiz {purpose}" is var name && name.Length > 60 ? name[..60] : name,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        // We connect to the address that was checked; the certificate is still the host's.
        builder.UseSslClientAuthenticationOptionsCallback(options => options.TargetHost = host);
        return builder;
    }
}
