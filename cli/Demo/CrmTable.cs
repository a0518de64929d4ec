using Npgsql;

namespace Qualiz.Cli.Demo;

/// <summary>The CRM's own database: the table <c>sales.customers</c>, as untidy as its files.</summary>
internal sealed class CrmTable(string address)
{
    public const string Name = "sales.customers";

    private const string Make = """
        CREATE SCHEMA IF NOT EXISTS sales;
        CREATE TABLE IF NOT EXISTS sales.customers (
            customer_id text, first_name text, last_name text, email text, phone text, birth_date text,
            country text, city text, zip text, balance text, status text, updated_at timestamptz NOT NULL);
        CREATE INDEX IF NOT EXISTS customers_updated ON sales.customers (updated_at);
        CREATE TABLE IF NOT EXISTS sales.rounds (round integer PRIMARY KEY, rows bigint NOT NULL);
        """;

    /// <summary>All customers the first time, some that have changed and some new ones each time after that. The answer is which time it was.</summary>
    public async Task<int> FillAsync(long rows, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(address);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await ExecuteAsync(Make);
        await using var last = new NpgsqlCommand("SELECT coalesce(max(round) + 1, 0), coalesce(max(rows), 0) FROM sales.rounds", connection);
        var (round, known) = await ReadAsync(last, ct);
        // Another size is another table.
        if (round > 0 && known != rows)
        {
            await ExecuteAsync("TRUNCATE sales.customers, sales.rounds");
            round = 0;
        }
        await ExecuteAsync("CREATE TEMP TABLE news (LIKE sales.customers) ON COMMIT DROP");
        await using (var copy = await connection.BeginTextImportAsync($"COPY news ({string.Join(", ", DemoData.Columns)}) FROM STDIN (FORMAT csv)", ct))
        {
            foreach (var row in DemoData.Crm(round, rows))
            {
                await copy.WriteLineAsync(string.Join(',', row.Select(value => value.Length == 0 ? "\"\"" : DemoData.Quote(value, ','))).AsMemory(), ct);
            }
        }
        if (round > 0)
        {
            await ExecuteAsync("DELETE FROM sales.customers old USING news WHERE old.customer_id = news.customer_id AND news.customer_id <> ''");
        }
        await ExecuteAsync("INSERT INTO sales.customers SELECT * FROM news");
        await ExecuteAsync(FormattableString.Invariant($"INSERT INTO sales.rounds VALUES ({round}, {rows})"));
        await transaction.CommitAsync(ct);
        return round;

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    private static async Task<(int Round, long Rows)> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return (reader.GetInt32(0), reader.GetInt64(1));
    }
}
