using System.Text.Json;
using Npgsql;
using Qualiz.Platform.Operators;

namespace Qualiz.Deliver.Postgres;

/// <summary>
/// The table <c>qualiz_delivery</c> in the target database: one row per delivery, written in the delivery's own transaction. It is what
/// makes a repeated execution see that the work is done.
/// </summary>
internal sealed class DeliveryRecords(string schema, TableName target, StepContext step)
{
    private string Table => $"{TableName.Quote(schema)}.qualiz_delivery";

    /// <summary>Makes the table when it is missing. False: this user may not keep records here.</summary>
    public async Task<bool> PrepareAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (await UsableAsync(connection, ct).ConfigureAwait(false) is { } usable)
            return usable;
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
            // Two that make it at once would trip over each other in the catalogue.
            await Statements.ExecuteAsync(connection, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", ct, $"qualiz_delivery {schema}").ConfigureAwait(false);
            // "If not exists" asks for the right to make schemas all the same.
            if (!await Statements.SchemaExistsAsync(connection, schema, ct).ConfigureAwait(false))
                await Statements.ExecuteAsync(connection, $"CREATE SCHEMA {TableName.Quote(schema)}", ct).ConfigureAwait(false);
            await Statements.ExecuteAsync(
                connection,
                $"""
                CREATE TABLE IF NOT EXISTS {Table} (
                  run_id uuid NOT NULL, step text NOT NULL, target text NOT NULL, pipeline_id uuid NOT NULL, mode text NOT NULL,
                  fence bigint NOT NULL, rows bigint NOT NULL, counts jsonb NOT NULL, delivered_at timestamptz NOT NULL DEFAULT now(),
                  PRIMARY KEY (run_id, step, target))
                """, ct).ConfigureAwait(false);
            await transaction.CommitAsync(ct).ConfigureAwait(false);
            return true;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return await UsableAsync(connection, ct).ConfigureAwait(false) ?? false;
        }
    }

    /// <summary>Null when the table does not exist.</summary>
    private async Task<bool?> UsableAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await Statements.ScalarAsync<bool?>(
            connection,
            """
            SELECT CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN false ELSE
              pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT') END
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'qualiz_delivery'
            """, ct, schema).ConfigureAwait(false);

    /// <summary>What this step of this run has delivered already, or null.</summary>
    public async Task<Delivered?> FindAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"SELECT rows, counts::text FROM {Table} WHERE run_id = $1 AND step = $2 AND target = $3", connection);
        command.Parameters.Add(new() { Value = step.Command.RunId });
        command.Parameters.Add(new() { Value = step.Command.StepId });
        command.Parameters.Add(new() { Value = target.Sql });
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await reader.ReadAsync(ct).ConfigureAwait(false)
            ? new Delivered(reader.GetInt64(0), JsonSerializer.Deserialize<Dictionary<string, long>>(reader.GetString(1))!, [])
            : null;
    }

    /// <summary>
    /// The newest run of this pipeline that has delivered here and was started after this one, and whether one of those replaced all rows. However late
    /// or often an older run is executed, it stays the older one: run ids grow with the time of their start, and fences only with that of the execution.
    /// </summary>
    public async Task<LaterDelivery?> FindLaterAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT run_id, mode, bool_or(mode = 'replace') OVER () FROM {Table} WHERE target = $1 AND pipeline_id = $2 AND run_id > $3 ORDER BY mode = 'append', run_id DESC LIMIT 1", connection);
        command.Parameters.Add(new() { Value = target.Sql });
        command.Parameters.Add(new() { Value = step.Command.PipelineId });
        command.Parameters.Add(new() { Value = step.Command.RunId });
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await reader.ReadAsync(ct).ConfigureAwait(false) ? new LaterDelivery(reader.GetGuid(0), reader.GetString(1) != "append", reader.GetBoolean(2)) : null;
    }

    public Task InsertAsync(NpgsqlConnection connection, DeliverMode mode, Delivered delivered, CancellationToken ct) =>
        Statements.ExecuteAsync(
            connection,
            $"INSERT INTO {Table} (run_id, step, target, pipeline_id, mode, fence, rows, counts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)", ct,
            step.Command.RunId, step.Command.StepId, target.Sql, step.Command.PipelineId, JsonNamingPolicy.CamelCase.ConvertName(mode.ToString()), step.Fence,
            delivered.Rows, JsonSerializer.Serialize(delivered.Counts));
}

/// <param name="Changes">It may have changed rows, and not only added some.</param>
/// <param name="Replaced">One of the later runs has replaced all rows.</param>
internal sealed record LaterDelivery(Guid RunId, bool Changes, bool Replaced);

internal static class Statements
{
    public static async Task<long> ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct, params object[] parameters)
    {
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    public static Task<bool> SchemaExistsAsync(NpgsqlConnection connection, string schema, CancellationToken ct) =>
        ScalarAsync<bool>(connection, "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)", ct, schema);

    public static async Task<T?> ScalarAsync<T>(NpgsqlConnection connection, string sql, CancellationToken ct, params object[] parameters)
    {
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is T value ? value : default;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, object[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in parameters)
            command.Parameters.Add(new() { Value = value });
        return command;
    }
}
