using Npgsql;
using Qualiz.Contracts.Data;
using Qualiz.Engine.Datasets;

namespace Qualiz.Deliver.Postgres;

/// <param name="TypeName">The type's own name in the catalogue, e.g. <c>int8</c>; of a domain the type below it.</param>
/// <param name="FormattedType">The type in SQL, e.g. <c>character varying(20)</c>.</param>
internal sealed record TargetColumn(string Name, string TypeName, int TypeModifier, bool IsEnum, string FormattedType, bool Computed);

/// <summary>An existing table and its unique keys.</summary>
internal sealed record TargetTable(uint Id, char Kind, IReadOnlyList<TargetColumn> Columns, IReadOnlyList<IReadOnlyList<string>> UniqueKeys)
{
    public static async Task<TargetTable?> FindAsync(NpgsqlConnection connection, TableName name, CancellationToken ct)
    {
        (uint Id, char Kind) table;
        await using (var command = new NpgsqlCommand(
            "SELECT c.oid, c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2", connection))
        {
            command.Parameters.Add(new() { Value = name.Schema });
            command.Parameters.Add(new() { Value = name.Table });
            await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            if (!await reader.ReadAsync(ct).ConfigureAwait(false))
                return null;
            table = (reader.GetFieldValue<uint>(0), reader.GetChar(1));
        }
        var columns = new List<TargetColumn>();
        await using (var command = new NpgsqlCommand(
            """
            SELECT a.attname, coalesce(b.typname, t.typname), CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, coalesce(b.typtype, t.typtype) = 'e',
              pg_catalog.format_type(a.atttypid, a.atttypmod), a.attgenerated <> '' OR a.attidentity = 'a'
            FROM pg_catalog.pg_attribute a
              JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
              LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
            WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            """, connection))
        {
            command.Parameters.Add(new() { Value = table.Id, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid });
            await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await reader.ReadAsync(ct).ConfigureAwait(false))
                columns.Add(new TargetColumn(reader.GetString(0), reader.GetString(1), reader.GetInt32(2), reader.GetBoolean(3), reader.GetString(4), reader.GetBoolean(5)));
        }
        var keys = new List<IReadOnlyList<string>>();
        await using (var command = new NpgsqlCommand(
            """
            SELECT (SELECT array_agg(a.attname::text) FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
            FROM pg_catalog.pg_index i
            WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
            """, connection))
        {
            command.Parameters.Add(new() { Value = table.Id, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid });
            await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await reader.ReadAsync(ct).ConfigureAwait(false))
                keys.Add(reader.GetFieldValue<string[]>(0));
        }
        return new TargetTable(table.Id, table.Kind, columns, keys);
    }

    public TargetColumn? Find(string name) => Columns.FirstOrDefault(column => column.Name == name);

    public bool HasUniqueKey(IReadOnlyCollection<string> key) => UniqueKeys.Any(unique => unique.ToHashSet().SetEquals(key));
}

/// <summary>The statements that make or widen a target table. Pure, so that they can be shown before the first run.</summary>
internal static class TableDdl
{
    /// <param name="table">e.g. <c>marts.customers</c>.</param>
    /// <param name="key">The columns of its primary key; may be empty.</param>
    public static string Create(string table, IReadOnlyList<DatasetColumn> columns, IReadOnlyList<string> key) =>
        Create(TableName.Parse(table), columns, key);

    internal static string Create(TableName table, IReadOnlyList<DatasetColumn> columns, IReadOnlyList<string> key)
    {
        var lines = columns.Select(column => $"  {Column(column)}");
        if (key.Count > 0)
            lines = lines.Append($"  PRIMARY KEY ({string.Join(", ", key.Select(TableName.Quote))})");
        return $"CREATE TABLE {table.Sql} (\n{string.Join(",\n", lines)}\n)";
    }

    internal static string Add(TableName table, IReadOnlyList<DatasetColumn> columns) =>
        $"ALTER TABLE {table.Sql} {string.Join(", ", columns.Select(column => $"ADD COLUMN {Column(column)}"))}";

    // Nullable all: what a later run brings cannot be promised.
    private static string Column(DatasetColumn column) => $"{TableName.Quote(column.Name)} {PostgresTypes.For(DatasetFiles.TypeOf(column))}";
}
