using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.Configuration;
using Qualiz.Platform.Http;

namespace Qualiz.Platform.Operators;

/// <summary>
/// Gives an execution the secret of a connection, after checking its fence and that the run's pinned version uses that
/// connection; audited. Pipelines implements it; a process without Pipelines asks it over HTTP.
/// </summary>
public interface IConnectionExchange
{
    /// <exception cref="ConnectionException">Refused; the message says why and is shown to a person.</exception>
    Task<Connection> ExchangeAsync(ConnectionRequest request, CancellationToken ct);
}

/// <summary>Which execution wants which connection.</summary>
public sealed record ConnectionRequest
{
    /// <summary>Where Pipelines answers it (POST; with <see cref="ServiceKey"/>; 200 with a <see cref="Connection"/>, 401 or 403 with problem details).</summary>
    public const string Path = "/internal/v1/connections/exchange";

    public required string Project { get; init; }
    public required string Connection { get; init; }
    public required Guid RunId { get; init; }
    public required string StepId { get; init; }
    public required long Fence { get; init; }

    /// <summary>For a message about the run, which no step holds (<see cref="StepId"/> is empty): the pipeline version that names the connection for that.</summary>
    public Guid? VersionId { get; init; }
}

/// <summary>The exchange at <c>Services:Pipelines</c>.</summary>
internal sealed class HttpConnectionExchange(IConfiguration configuration, IHttpClientFactory clients) : IConnectionExchange
{
    public const string ClientName = "connection exchange";
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(15);

    public async Task<Connection> ExchangeAsync(ConnectionRequest request, CancellationToken ct)
    {
        if (configuration["Services:Pipelines"] is not { Length: > 0 } address)
            throw new ConnectionException("Services:Pipelines is not set, so this service cannot ask for connections.");
        for (var wait = TimeSpan.FromMilliseconds(200); ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            try
            {
                using var client = clients.CreateClient(ClientName);
                using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(address), ConnectionRequest.Path)) { Content = JsonContent.Create(request) };
                message.Headers.Add(ServiceKey.Header, configuration[ServiceKey.Setting] ?? "");
                using var response = await client.SendAsync(message, ct);
                if (response.IsSuccessStatusCode)
                    return await response.Content.ReadFromJsonAsync<Connection>(ct) ?? throw new ConnectionException("The exchange gave no connection.");
                if (response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.NotFound or HttpStatusCode.Forbidden or HttpStatusCode.Conflict)
                {
                    var problem = await response.Content.ReadFromJsonAsync<Problem>(ct);
                    throw new ConnectionException(problem?.Detail ?? problem?.Title ?? $"The connection {request.Connection} was refused.");
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or System.Text.Json.JsonException || (exception is OperationCanceledException && !ct.IsCancellationRequested))
            {
                // Pipelines is restarting; the step's own time limit and lease end the waiting.
            }

            await Task.Delay(wait, ct);
        }
    }

    private sealed record Problem(string? Title, string? Detail);
}
