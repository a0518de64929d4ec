using System.Net.Sockets;
using Amazon.Runtime;
using MassTransit;
using Npgsql;
using RabbitMQ.Client.Exceptions;

namespace Qualiz.Platform.Messaging;

/// <summary>
/// Tells broken surroundings (database, broker, store, network) from a mistake in a message or in the code. The first heals
/// by waiting and must never use up a message.
/// </summary>
public static class InfrastructureFault
{
    public static bool Is(Exception exception) => exception switch
    {
        PostgresException database => database.IsTransient || IsAway(database.SqlState),
        // Everything else from Npgsql that has a cause below is a connection that broke; without one it is misuse.
        NpgsqlException database => database.IsTransient || database.InnerException is IOException or SocketException or TimeoutException,
        ConnectionException or TransportUnavailableException or RequestTimeoutException => true,
        RabbitMQClientException => true,
        // A channel that goes with its connection while somebody declares or publishes on it. Anybody else's is a mistake.
        ObjectDisposedException disposed => disposed.StackTrace?.Contains("at RabbitMQ.Client.", StringComparison.Ordinal) == true,
        FileNotFoundException or DirectoryNotFoundException or PathTooLongException or EndOfStreamException => false,
        IOException or SocketException or TimeoutException => true,
        HttpRequestException http => http.StatusCode is null || (int)http.StatusCode >= 500,
        AmazonServiceException store => store.StatusCode == 0 || (int)store.StatusCode >= 500,
        AmazonClientException => true,
        AggregateException several => several.InnerExceptions.Any(Is),
        _ => exception.InnerException is { } inner && Is(inner),
    };

    /// <summary>Classes 08 connection, 53 resources, 57P administrator, 58 system, and lost races that trying again wins.</summary>
    private static bool IsAway(string state) =>
        state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("53", StringComparison.Ordinal)
        || state.StartsWith("57P", StringComparison.Ordinal) || state.StartsWith("58", StringComparison.Ordinal)
        || state is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable;
}
