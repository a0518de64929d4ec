using System.Globalization;
using Npgsql;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Deliver.Postgres;

/// <summary>A connection of the project as a data source. Only known settings are used, so that none can name a file or a program.</summary>
internal static class PostgresSource
{
    public static async Task<NpgsqlDataSource> CreateAsync(Connection connection, OutboundGuard outbound, StepContext step, CancellationToken ct)
    {
        if (connection.Type is not ("postgres" or "postgresql"))
            throw new DeliveryException("connectionType", $"Connection \"{connection.Name}\" is of type {connection.Type}; deliver needs postgres.", "to.connection");
        string? Get(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                if (connection.Settings.FirstOrDefault(setting => setting.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value is { Length: > 0 } value)
                    return value;
            }
            return null;
        }

        var host = Get("host") ?? throw Missing(connection, "host");
        string address;
        try
        {
            address = (await outbound.ResolveAsync(host, ct).ConfigureAwait(false)).ToString();
        }
        catch (OutboundRefusedException exception)
        {
            throw new DeliveryException("addressRefused", exception.Message, "to.connection");
        }
        var ssl = Get("sslMode") ?? "prefer";
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = address,
            Port = int.TryParse(Get("port") ?? "5432", NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536
                ? port : throw new DeliveryException("connectionSettings", $"Connection \"{connection.Name}\" has no valid port.", "to.connection"),
            Database = Get("database") ?? throw Missing(connection, "database"),
            Username = Get("user", "username") ?? throw Missing(connection, "user"),
            Password = Get("password"),
            SslMode = Enum.TryParse<SslMode>(ssl.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var mode)
                ? mode : throw new DeliveryException("connectionSettings", $"Connection \"{connection.Name}\" has an unknown sslMode; it is disable, prefer, require, verify-ca or verify-full.", "to.connection"),
            // One execution, few connections, and each must end with it.
            Pooling = false,
            Timeout = 15,
            // The server's own time-outs rule; this one only ends a dead line. It must be longer than they are, or it would hide what happened.
            CommandTimeout = 0,
            KeepAlive = 30,
            TcpKeepAlive = true,
            TcpKeepAliveTime = 30,
            TcpKeepAliveInterval = 10,
            IncludeErrorDetail = false,
            ApplicationName = $"qualiz {step.Command.Pipeline}/{step.Command.StepId}"[..Math.Min(60, $"qualiz {step.Command.Pipeline}/{step.Command.StepId}".Length)],
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        // We connect to the address that was checked; the certificate is still the host's.
        builder.UseSslClientAuthenticationOptionsCallback(options => options.TargetHost = host);
        return builder.Build();
    }

    private static DeliveryException Missing(Connection connection, string setting) =>
        new("connectionSettings", $"Connection \"{connection.Name}\" has no {setting}.", "to.connection");
}
