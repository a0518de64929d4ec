using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Qualiz.Platform.Data;
using Qualiz.Platform.Messaging;
using Qualiz.TestKit;

namespace Qualiz.Platform.Tests.Messaging;

/// <summary>What the tests do with a host of <see cref="CounterModule"/>.</summary>
internal static class CounterHost
{
    public static Seen Seen(this TestHost host) => host.Services.GetRequiredService<Seen>();

    /// <summary>One transaction from outside any consumer, as an HTTP handler has it.</summary>
    public static async Task WriteAsync(this TestHost host, Action<IUnitOfWork<CounterDb>> write)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var unit = scope.ServiceProvider.GetRequiredService<IUnitOfWork<CounterDb>>();
        await unit.BeginAsync(CancellationToken.None);
        write(unit);
        await unit.CommitAsync(CancellationToken.None);
    }

    public static Task SendAsync(this TestHost host, string queue, params IEnumerable<object> messages) => host.WriteAsync(unit =>
    {
        foreach (var message in messages)
            unit.Outbox.Send(queue, message);
    });

    public static Task<long> CountAsync(this TestHost host, string sql, params object[] values) => CountAsync(host.Surroundings.Database, sql, values);

    /// <summary>A count, asked as the login, who sees all schemas.</summary>
    public static async Task<long> CountAsync(string database, string sql, params object[] values)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return Convert.ToInt64(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture);
    }

    public static Task UntilCountAsync(this TestHost host, long expected, string sql, params object[] values) =>
        host.UntilCountAsync(expected, sql, null, values);

    public static Task UntilCountAsync(this TestHost host, long expected, string sql, TimeSpan? patience, params object[] values) => TestHost.UntilAsync(async () =>
        await host.CountAsync(sql, values) is var count && count == expected ? null : $"{expected}, there are {count}: {sql}", patience);

    public static Task UntilCounterAsync(this TestHost host, Guid id, int count) => TestHost.UntilAsync(async () =>
        await host.CountAsync("SELECT coalesce(max(count), -1) FROM counters.counter WHERE correlation_id = $1", id) is var found && found == count
            ? null : $"counter at {count}; it is at {found}");

    /// <summary>Waits until exactly this many live events were seen.</summary>
    public static Task UntilAsync(this TestHost host, int added) => TestHost.UntilAsync(() =>
        host.Seen().Count<Added>() is var count && count == added ? null : $"{added} live events; there were {count}");

    /// <summary>Past the outbox, with an id of one's own: as a broker delivers a second time.</summary>
    public static async Task DeliverAsync(this TestHost host, string queue, object message, Guid messageId)
    {
        var endpoint = await host.Services.GetRequiredService<IBus>().GetSendEndpoint(new Uri($"queue:{queue}"));
        await endpoint.Send(message, message.GetType(), context => context.MessageId = messageId);
    }

    public static async Task NothingGivenUpAsync(this TestHost host) =>
        (await host.Services.GetRequiredService<ErrorQueues>().CountAsync(default)).ShouldBe(0);
}
