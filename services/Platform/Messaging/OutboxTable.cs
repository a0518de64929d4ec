using Npgsql;
using NpgsqlTypes;

namespace Qualiz.Platform.Messaging;

/// <summary>Reading messages back from <c>bus.outbox</c>.</summary>
internal static class OutboxTable
{
    public const string Columns = "id, service, message_id, type, queue, body::text, traceparent, endpoints";

    /// <param name="Message">Null when this process does not know the message's type.</param>
    public readonly record struct Row(long Id, string Type, OutgoingMessage? Message);

    public static async Task<List<Row>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var rows = new List<Row>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var type = reader.GetString(3);
            var body = OutgoingMessage.BodyOf(type, reader.GetString(5));
            rows.Add(new Row(reader.GetInt64(0), type, body is null ? null : new OutgoingMessage(
                reader.GetGuid(2), reader.GetString(1), body,
                reader.IsDBNull(4) ? null : reader.GetString(4),
                reader.IsDBNull(6) ? null : reader.GetString(6),
                reader.IsDBNull(7) ? null : reader.GetFieldValue<string[]>(7))));
        }
        return rows;
    }

    public static NpgsqlParameter Texts(string[] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };
}
