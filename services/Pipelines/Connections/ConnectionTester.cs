using System.Net.Sockets;
using Npgsql;
using Qualiz.Platform.Operators;
using Qualiz.Platform.Outbound;

namespace Qualiz.Pipelines.Connections;

/// <param name="Message">One sentence for a person.</param>
internal sealed record ConnectionTest(bool Works, string Message);

/// <summary>Tries a connection as an operator would, and shortly.</summary>
internal sealed class ConnectionTester(OutboundGuard outbound, IConfiguration configuration)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task<ConnectionTest> TestAsync(Connection connection, CancellationToken ct)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limited.CancelAfter(Patience);
        try
        {
            return connection.Type switch
            {
                PostgresConnection.Type => await TestPostgresAsync(connection, limited.Token),
                "s3" => await TestAddressAsync(connection.Settings.GetValueOrDefault("endpoint"), limited.Token),
                WebConnection.Type => await TestWebAsync(connection, limited.Token),
                "smtp" => await TestAddressAsync($"smtp://{connection.Settings["host"]}:{connection.Settings.GetValueOrDefault("port") ?? "587"}", limited.Token, "nothing is sent before the first run"),
                "webhook" or "slack" => await TestAddressAsync(connection.Settings["url"], limited.Token, "nothing is sent before the first run"),
                KeySettings.Type => new ConnectionTest(true, "The key is there; it is used by nobody but the steps that mask with it."),
                _ => TestFolder(connection.Settings["root"]),
            };
        }
        catch (OutboundRefusedException refused)
        {
            return new ConnectionTest(false, refused.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new ConnectionTest(false, $"There was no answer within {Patience.TotalSeconds:0} seconds.");
        }
    }

    private async Task<ConnectionTest> TestPostgresAsync(Connection tested, CancellationToken ct)
    {
        NpgsqlDataSourceBuilder builder;
        try
        {
            builder = await PostgresConnection.OpenAsync(tested, outbound, "connection test", ct);
        }
        catch (ArgumentException invalid)
        {
            return new ConnectionTest(false, $"The connection cannot be used: it {invalid.Message}.");
        }
        builder.ConnectionStringBuilder.Timeout = (int)Patience.TotalSeconds;
        try
        {
            await using var source = builder.Build();
            await using var connection = await source.OpenConnectionAsync(ct);
            return new ConnectionTest(true, $"Signed in to {connection.Database}; the server is PostgreSQL {connection.PostgreSqlVersion}.");
        }
        catch (PostgresException refused)
        {
            return new ConnectionTest(false, $"The server refused: {refused.MessageText}.");
        }
        catch (Exception exception) when (exception is NpgsqlException or SocketException or TimeoutException)
        {
            return new ConnectionTest(false, $"The server cannot be reached: {(exception.InnerException ?? exception).Message}.");
        }
    }

    private async Task<ConnectionTest> TestWebAsync(Connection connection, CancellationToken ct)
    {
        WebConnection web;
        try
        {
            web = WebConnection.Open(connection);
        }
        catch (ArgumentException invalid)
        {
            return new ConnectionTest(false, $"The connection cannot be used: {invalid.Message}.");
        }
        var host = web.Address.Host;
        try
        {
            using var client = new HttpClient(outbound.CreateHandler()) { Timeout = Timeout.InfiniteTimeSpan };
            using var request = new HttpRequestMessage(HttpMethod.Get, web.Address);
            request.Headers.UserAgent.ParseAdd("qualiz");
            web.Sign(request);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            if (web.Refusal(response.StatusCode, web.Address) is { } refusal)
                return new ConnectionTest(false, refusal);
            var status = (int)response.StatusCode;
            return status switch
            {
                >= 500 => new ConnectionTest(false, $"{host} answers {status}."),
                // The address is a folder for files; whether there is a page of its own says nothing.
                _ => new ConnectionTest(true, $"{host} answers {status} and does not refuse the credentials; whether it asks for them at all, the first file will show."),
            };
        }
        catch (HttpRequestException exception) when (exception.InnerException is OutboundRefusedException refused)
        {
            return new ConnectionTest(false, refused.Message);
        }
        catch (HttpRequestException exception)
        {
            return new ConnectionTest(false, $"{host} cannot be reached: {(exception.InnerException ?? exception).Message.TrimEnd('.')}.");
        }
    }

    private async Task<ConnectionTest> TestAddressAsync(string? endpoint, CancellationToken ct, string rest = "the bucket itself is tried by the first run")
    {
        if (endpoint is null || !Uri.TryCreate(endpoint, UriKind.Absolute, out var uri))
            return new ConnectionTest(true, "The settings are complete; the bucket itself is tried by the first run.");
        var address = await outbound.ResolveAsync(uri.Host, ct);
        try
        {
            using var client = new TcpClient(address.AddressFamily);
            await client.ConnectAsync(address, uri.Port, ct);
            return new ConnectionTest(true, $"{uri.Host} answers; {rest}.");
        }
        catch (SocketException exception)
        {
            return new ConnectionTest(false, $"{uri.Host} cannot be reached: {exception.Message}.");
        }
    }

    private ConnectionTest TestFolder(string folder)
    {
        var section = configuration.GetSection("Folders:Roots");
        var roots = section.GetChildren().Select(child => child.Value).Append(section.Value)
            .SelectMany(value => (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Select(root => Path.GetFullPath(root).TrimEnd('/')).ToList();
        var full = Path.GetFullPath(folder);
        if (!Path.IsPathRooted(folder) || !roots.Any(root => full == root || full.StartsWith(root + "/", StringComparison.Ordinal)))
            return new ConnectionTest(false, "The folder is not below one of the roots that the administrator allows (Folders:Roots).");
        // The operators check the resolved path again at every use; this machine need not be theirs.
        return Directory.Exists(full)
            ? new ConnectionTest(true, "The folder is there.")
            : new ConnectionTest(false, "The folder is not there.");
    }
}
