using System.Globalization;
using System.Text;
using Npgsql;
using Qualiz.Contracts.Data;
using Qualiz.Contracts.Text;
using Qualiz.Engine.Datasets;
using Qualiz.Platform.Operators;

namespace Qualiz.Deliver.Postgres;

/// <summary>
/// One delivery to a table. The rows are first copied into a temporary table of the session, which is gone with the connection however it
/// ends; then one transaction, alone on the target by an advisory lock, looks whether the work is done already, does it and records it.
/// Cut off at any point, either nothing has happened or all of it, and the next execution can tell which.
/// </summary>
internal sealed class PostgresDelivery(NpgsqlDataSource source, DeliverConfig config, StepContext step, DeliveryRows rows)
{
    private const string Stage = "pg_temp.qualiz_stage";
    private readonly TableName _table = TableName.Parse(config.To.Table!);
    private readonly List<string> _warnings = [];

    public async Task<Delivered> RunAsync(CancellationToken ct)
    {
        CheckNames();
        var schema = config.DeliverySchema ?? _table.Schema;
        if (!TableName.Fits(schema))
            throw new DeliveryException("tableName", "This cannot be the name of a schema.", "deliverySchema");
        var records = new DeliveryRecords(schema, _table, step);
        try
        {
            return await DeliverAsync(records, ct).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            if (exception is DeliveryException || PostgresErrors.From(exception, _table) is not { } error)
                throw;
            // A line that broke while the server committed leaves open whether it did: the record tells.
            if (error.Error.Transient && await LookAgainAsync(records, ct).ConfigureAwait(false) is { } delivered)
                return delivered;
            if (error.Error.Code == "valueRefused")
                throw await ExplainAsync(error, ct).ConfigureAwait(false);
            throw error;
        }
    }

    private async Task<Delivered> DeliverAsync(DeliveryRecords records, CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct).ConfigureAwait(false);
        var recorded = await records.PrepareAsync(connection, ct).ConfigureAwait(false);
        if (!recorded)
        {
            Warn(config.Mode == DeliverMode.Append
                ? "At least once: the connection's user may not keep delivery records in this database, so an interrupted delivery can add rows twice."
                : "The connection's user may not keep delivery records in this database, so a late execution cannot be told from a new one.");
        }
        else if (await records.FindAsync(connection, ct).ConfigureAwait(false) is { } earlier)
        {
            step.Log.LogInformation("Delivered already to {Table}: {Rows} rows", _table.ToString(), earlier.Rows);
            return earlier;
        }

        // What cannot work is found before any row is sent.
        await PlanAsync(connection, ct).ConfigureAwait(false);
        _warnings.RemoveAll(warning => warning.StartsWith("Not delivered", StringComparison.Ordinal));
        await StageAsync(connection, ct).ConfigureAwait(false);

        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await Statements.ExecuteAsync(connection, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", ct, $"qualiz deliver {_table.Sql}").ConfigureAwait(false);
        LaterDelivery? later = null;
        if (recorded)
        {
            if (await records.FindAsync(connection, ct).ConfigureAwait(false) is { } meanwhile)
                return meanwhile;
            later = config.Mode == DeliverMode.Append ? null : await records.FindLaterAsync(connection, ct).ConfigureAwait(false);
            if (later is not null && (config.Mode == DeliverMode.Replace || later.Replaced))
                throw new DeliveryException("superseded", $"Run {later.RunId}, which was started later, has delivered to {_table} already; this one comes too late. {DeliveryException.DoAgain}");
        }
        var plan = await PlanAsync(connection, ct).ConfigureAwait(false);
        foreach (var statement in plan.Ddl)
        {
            step.Log.LogInformation("{Statement}", statement);
            await Statements.ExecuteAsync(connection, statement, ct).ConfigureAwait(false);
        }
        var counts = config.Mode switch
        {
            DeliverMode.Append => await AppendAsync(connection, plan, ct).ConfigureAwait(false),
            DeliverMode.Replace => await ReplaceAsync(connection, plan, ct).ConfigureAwait(false),
            _ => await UpsertAsync(connection, plan, ct).ConfigureAwait(false),
        };
        // Rows of other keys, as those of another day, have nothing to do with what the later run delivered.
        if (config.Mode == DeliverMode.Upsert && later is { Changes: true } && counts["changed"] is > 0 and var changed)
        {
            throw new DeliveryException(
                "superseded",
                string.Create(CultureInfo.InvariantCulture, $"Run {later.RunId}, which was started later, has delivered to {_table} already, and {changed:N0} rows there would be changed to what this run read before; nothing was changed. {DeliveryException.DoAgain}"));
        }
        var delivered = new Delivered(rows.Count, counts, _warnings);
        if (recorded)
            await records.InsertAsync(connection, config.Mode, delivered, ct).ConfigureAwait(false);
        // From here on the server decides; a cancel must not make a done delivery look like none.
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        step.Log.LogInformation("Delivered {Rows} rows to {Table}: {Counts}", delivered.Rows, _table.ToString(),
            string.Join(", ", counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Key} {count.Value}"))));
        return delivered;
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        var connection = source.CreateConnection();
        try
        {
            await connection.OpenAsync(ct).ConfigureAwait(false);
            var statement = Milliseconds(config.StatementTimeout);
            var idle = Milliseconds(TimeSpan.FromMinutes(5));
            // A worker that is stopped in mid-transaction must not hold the table for ever.
            await Statements.ExecuteAsync(
                connection,
                $"SET statement_timeout = {statement}; SET lock_timeout = {Milliseconds(config.LockTimeout)}; SET idle_in_transaction_session_timeout = {idle}; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'",
                ct).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task StageAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var columns = rows.Columns.Select((column, i) => $"{Staged(i)} {PostgresTypes.For(DatasetFiles.TypeOf(column))}");
        await Statements.ExecuteAsync(connection, $"CREATE TEMP TABLE qualiz_stage ({string.Join(", ", columns)})", ct).ConfigureAwait(false);
        await CopyFeed.RunAsync(connection, $"COPY {Stage} FROM STDIN (FORMAT text, ENCODING 'UTF8')", rows, step, ct).ConfigureAwait(false);
        var staged = await Statements.ScalarAsync<long>(connection, $"SELECT count(*) FROM {Stage}", ct).ConfigureAwait(false);
        if (InputRows.Check(staged, rows.Count) is { } damage)
            throw new DeliveryException(damage);
        if (config.Mode == DeliverMode.Upsert)
            await CheckKeysAsync(connection, ct).ConfigureAwait(false);
    }

    private async Task CheckKeysAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var keys = config.Key.Select(KeyColumn).ToList();
        await Statements.ExecuteAsync(connection, $"ANALYZE {Stage}", ct).ConfigureAwait(false);
        var empty = await Statements.ScalarAsync<long>(connection, $"SELECT count(*) FROM {Stage} WHERE {string.Join(" OR ", keys.Select(key => $"{key} IS NULL"))}", ct).ConfigureAwait(false);
        if (empty > 0)
            throw new DeliveryException("keyEmpty", string.Create(CultureInfo.InvariantCulture, $"{empty:N0} rows have no value in the key ({string.Join(", ", config.Key)})."), "key");
        var repeated = await Statements.ScalarAsync<long>(
            connection, $"SELECT count(*) FROM (SELECT FROM {Stage} GROUP BY {string.Join(", ", keys)} HAVING count(*) > 1) repeated", ct).ConfigureAwait(false);
        if (repeated > 0)
        {
            throw new DeliveryException(
                "keyRepeated", string.Create(CultureInfo.InvariantCulture, $"{repeated:N0} keys ({string.Join(", ", config.Key)}) occur in more than one row; add a unique check before."), "key");
        }
    }

    private async Task<Dictionary<string, long>> AppendAsync(NpgsqlConnection connection, TablePlan plan, CancellationToken ct)
    {
        var added = await Statements.ExecuteAsync(connection, $"INSERT INTO {_table.Sql} ({plan.Names}) SELECT {plan.Values} FROM {Stage}", ct).ConfigureAwait(false);
        return new() { ["added"] = added };
    }

    private async Task<Dictionary<string, long>> ReplaceAsync(NpgsqlConnection connection, TablePlan plan, CancellationToken ct)
    {
        // No one may add rows between the count and the truncate: both are under its lock.
        await Statements.ExecuteAsync(connection, $"LOCK TABLE {_table.Sql} IN ACCESS EXCLUSIVE MODE", ct).ConfigureAwait(false);
        var before = await Statements.ScalarAsync<long>(connection, $"SELECT count(*) FROM {_table.Sql}", ct).ConfigureAwait(false);
        if (rows.Count < before * (1 - config.MaxShrink.Value))
        {
            var share = Math.Floor(1000m * (before - rows.Count) / before) / 10;
            throw new DeliveryException(
                "shrinkRefused",
                string.Create(CultureInfo.InvariantCulture, $"{_table} would fall from {before:N0} to {rows.Count:N0} rows ({share:0.#} % fewer), limit {config.MaxShrink.Value * 100:0.####} %; it was left as it is."),
                "maxShrink");
        }
        await Statements.ExecuteAsync(connection, $"TRUNCATE {_table.Sql}", ct).ConfigureAwait(false);
        var added = await Statements.ExecuteAsync(connection, $"INSERT INTO {_table.Sql} ({plan.Names}) SELECT {plan.Values} FROM {Stage}", ct).ConfigureAwait(false);
        return new() { ["removed"] = before, ["added"] = added };
    }

    private async Task<Dictionary<string, long>> UpsertAsync(NpgsqlConnection connection, TablePlan plan, CancellationToken ct)
    {
        var key = string.Join(", ", config.Key.Select(TableName.Quote));
        var others = plan.Columns.Where(column => !config.Key.Contains(column.Name, StringComparer.Ordinal)).ToList();
        // json has no equality; its text has.
        string Comparable(string owner, PlannedColumn column) => column.TypeName is "json" or "xml" ? $"{owner}.{column.Quoted}::text" : $"{owner}.{column.Quoted}";
        var action = others.Count == 0
            ? "DO NOTHING"
            : $"DO UPDATE SET {string.Join(", ", others.Select(column => $"{column.Quoted} = excluded.{column.Quoted}"))} WHERE ({string.Join(", ", others.Select(column => Comparable("t", column)))}) IS DISTINCT FROM ({string.Join(", ", others.Select(column => Comparable("excluded", column)))})";
        // xmax is 0 in a row version that was inserted, not updated.
        await using var command = new NpgsqlCommand(
            $"""
            WITH written AS (
              INSERT INTO {_table.Sql} AS t ({plan.Names}) SELECT {plan.Values} FROM {Stage}
              ON CONFLICT ({key}) {action}
              RETURNING (t.xmax = 0) AS is_new)
            SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await reader.ReadAsync(ct).ConfigureAwait(false);
        var (added, changed) = (reader.GetInt64(0), reader.GetInt64(1));
        return new() { ["new"] = added, ["changed"] = changed, ["same"] = rows.Count - added - changed };
    }

    /// <summary>How the input gets into the table as it is now.</summary>
    private async Task<TablePlan> PlanAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var table = await TargetTable.FindAsync(connection, _table, ct).ConfigureAwait(false);
        if (table is null)
        {
            var ddl = new List<string> { TableDdl.Create(_table, rows.Columns, config.Key) };
            if (!await Statements.SchemaExistsAsync(connection, _table.Schema, ct).ConfigureAwait(false))
                ddl.Insert(0, $"CREATE SCHEMA {TableName.Quote(_table.Schema)}");
            return new TablePlan(ddl, [.. rows.Columns.Select((column, i) => new PlannedColumn(column.Name, Staged(i), ""))]);
        }
        if (table.Kind is not ('r' or 'p'))
            throw new DeliveryException("notATable", $"{_table} is not a table.", "to.table");
        var unknown = rows.Columns.Where(column => table.Find(column.Name) is null).ToList();
        var statements = new List<string>();
        if (unknown.Count > 0)
        {
            switch (config.OnSchemaChange)
            {
                case SchemaChange.Fail:
                    var nearest = NearestName.Find(unknown[0].Name, table.Columns.Select(column => column.Name));
                    throw new DeliveryException(
                        "schemaChanged", $"{_table} has no column {Listed(unknown)}{(nearest is null ? "" : $"; did you mean \"{nearest}\"?")}. With onSchemaChange: add it would be added, with ignore left out.", "onSchemaChange");
                case SchemaChange.Add:
                    statements.Add(TableDdl.Add(_table, unknown));
                    break;
                default:
                    Warn($"Not delivered, because {_table} has no such column: {Listed(unknown)}.");
                    break;
            }
        }
        var planned = new List<PlannedColumn>();
        for (var i = 0; i < rows.Columns.Count; i++)
        {
            var column = rows.Columns[i];
            if (table.Find(column.Name) is not { } target)
            {
                if (config.OnSchemaChange == SchemaChange.Add)
                    planned.Add(new PlannedColumn(column.Name, Staged(i), ""));
                continue;
            }
            if (target.Computed)
                throw new DeliveryException("typeMismatch", $"Column \"{column.Name}\" of {_table} is computed by the database.", "to.table");
            var value = PostgresTypes.Assignment(Staged(i), DatasetFiles.TypeOf(column), target)
                ?? throw new DeliveryException("typeMismatch", $"Column \"{column.Name}\" is {column.Type} here and {target.FormattedType} in {_table}, which cannot hold every value as it is.", "to.table");
            planned.Add(new PlannedColumn(column.Name, value, target.TypeName));
        }
        if (planned.Count == 0)
            throw new DeliveryException("schemaChanged", $"{_table} has none of the columns.", "to.table");
        if (config.Mode == DeliverMode.Upsert && !table.HasUniqueKey(config.Key))
            throw new DeliveryException("keyMissing", $"{_table} has no unique key on ({string.Join(", ", config.Key)}); upsert needs one.", "key");
        return new TablePlan(statements, planned);
    }

    private void CheckNames()
    {
        foreach (var column in rows.Columns.Where(column => !TableName.Fits(column.Name)))
        {
            throw new DeliveryException(
                "nameTooLong", $"The column name \"{Short(column.Name)}\" has {Encoding.UTF8.GetByteCount(column.Name)} bytes; PostgreSQL holds 1 to {TableName.LongestName}. Rename it.");
        }
    }

    private async Task<Delivered?> LookAgainAsync(DeliveryRecords records, CancellationToken ct)
    {
        try
        {
            await using var connection = await OpenAsync(ct).ConfigureAwait(false);
            return await records.FindAsync(connection, ct).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is NpgsqlException or System.Net.Sockets.SocketException or IOException or TimeoutException)
        {
            return null;
        }
    }

    // The server says which value it was; we say which column, and no value.
    private async Task<DeliveryException> ExplainAsync(DeliveryException error, CancellationToken ct)
    {
        using var session = rows.Open(step);
        foreach (var column in rows.Columns.Where(column => DatasetFiles.TypeOf(column) == Engine.Types.ColumnType.Text))
        {
            var name = Engine.Sessions.Sql.Identifier(column.Name);
            var count = await session.ScalarAsync<long>($"SELECT count(*) FROM {rows.Relation} WHERE contains({name}, chr(0))", ct).ConfigureAwait(false);
            if (count > 0)
                return new DeliveryException("valueRefused", string.Create(CultureInfo.InvariantCulture, $"{count:N0} texts in column \"{column.Name}\" hold the character NUL, which the database cannot hold; replace it by a rule."));
        }
        return error;
    }

    private void Warn(string warning)
    {
        if (_warnings.Contains(warning))
            return;
        _warnings.Add(warning);
        step.Log.LogWarning("{Warning}", warning);
    }

    private string KeyColumn(string name) => Staged(rows.Columns.Select((column, i) => (column, i)).First(entry => entry.column.Name == name).i);

    // Names of the data never name anything in the staging table.
    private static string Staged(int column) => string.Create(CultureInfo.InvariantCulture, $"c{column}");

    private static string Listed(List<DatasetColumn> columns) =>
        string.Join(", ", columns.Take(10).Select(column => $"\"{Short(column.Name)}\"")) + (columns.Count > 10 ? $" and {columns.Count - 10} more" : "");

    private static string Short(string name) => name.Length <= 60 ? name : string.Concat(name.AsSpan(0, 57), "...");

    private static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    private sealed record TablePlan(IReadOnlyList<string> Ddl, IReadOnlyList<PlannedColumn> Columns)
    {
        public string Names => string.Join(", ", Columns.Select(column => column.Quoted));
        public string Values => string.Join(", ", Columns.Select(column => column.Value));
    }

    private sealed record PlannedColumn(string Name, string Value, string TypeName)
    {
        public string Quoted => TableName.Quote(Name);
    }
}
